from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_task_moments(home: Path) -> None:
    """Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450."""
    records = spans(
        task("a", chat(input=10, output=2), chat(input=20, output=4), chat(model="o", output=1)),
        task("b", chat(input=10, cache_read=10, output=0)),
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [1.0]}) as connection:
        rows = connection.sql("FROM task_moments ORDER BY task_id, model").fetchall()
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110.
    assert rows == [
        ("a", "openai", "gpt-5", 2, 0, 30.0, 250.0, 0.0, 6.0, 110.0, 30.0),
        ("a", "openai", "o", 1, 1, None, None, None, 1.0, 0.5, 0.0),
        ("b", "openai", "gpt-5", 1, 0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0),
    ]
