from pathlib import Path

from tests.builders import asked, chat, frame, spans, task


def test_task_answer(home: Path) -> None:
    records = spans(
        task("week", chat(input=1), chat(input=2)),
        task("mixed", frame(input=3), chat(input=4), frame(input=5)),
        task("marked", chat(input=6, visible=True), chat(input=7)),
        task("headless", chat(input=8), headless=True),
        task("headless and marked", chat(input=9, visible=True), headless=True),
        task("failed", chat(status="error")),
        task("cut off", chat(input=10), chat(input=11, outcome="interrupted")),
        task("without a call"),
    )
    with asked(home, records) as connection:
        rows = connection.sql(
            "SELECT task_id, is_marked, call.input_tokens FROM task_answer ORDER BY task_id"
        ).fetchall()
    assert rows == [
        ("cut off", False, 10),
        ("failed", False, None),
        ("headless", False, None),
        ("headless and marked", True, None),
        ("marked", True, None),
        ("mixed", False, 5),
        ("week", False, 2),
    ]


def test_the_answer_of_a_task_moves_to_a_later_call(home: Path) -> None:
    first, second, root = spans(task("week", chat(input=1), chat(input=2), headless=True))
    sql = "SELECT call.input_tokens FROM task_answer"
    with asked(home, [first]) as connection:
        assert connection.sql(sql).fetchall() == [(1,)]
    with asked(home, [second]) as connection:
        assert connection.sql(sql).fetchall() == [(2,)]
    # What nobody reads is known last: the root of a task is recorded when it ends.
    with asked(home, [root]) as connection:
        assert connection.sql(sql).fetchall() == [(None,)]
