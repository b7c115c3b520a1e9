from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_task_tokens(home: Path) -> None:
    week = spans(
        task(
            "week",
            chat(status="error"),
            chat(input=100, cache_read=60, cache_write=30, output=20, reasoning=5, attempt=2),
            chat(input=10, cache_read=4, output=2),
        ),
        task("quiet"),
    )
    silent = spans(task("silent", chat(), chat(input=3)), trace=2)
    with asked(home, week, silent) as connection:
        rows = connection.sql("FROM task_tokens ORDER BY task_id").fetchall()
    # Calls: all, hidden, retries, failed. Tokens: all, hidden, input, of that uncached, read from
    # the cache and written to it, output, of that reasoning.
    assert rows == [
        ("silent", 2, 1, 0, 0, 3, None, 3, 3, None, None, None, None),
        ("week", 3, 2, 1, 1, 132, 120, 110, 16, 64, 30, 22, 5),
    ]
