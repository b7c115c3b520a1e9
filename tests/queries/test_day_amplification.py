from pathlib import Path

from tests.builders import asked, chat, later, spans, task

PRICES: dict[str | None, list[float]] = {"gpt-5": [1.0, 2.0]}
"""Wh per input token that is not from a cache."""
DAY_S = 86_400


def test_day_amplification(home: Path) -> None:
    """A task of two days has its turn on both; one without a call counts when it began."""
    first = spans(task("a", chat(input=9, output=1)), task("idle"))
    second = later(spans(task("a", chat(input=20, output=2)), trace=2), DAY_S)
    with asked(home, first, second, models=PRICES) as found:
        rows = found.sql(
            "SELECT * REPLACE (day::VARCHAR AS day) FROM day_amplification ORDER BY day"
        ).fetchall()
    assert rows == [
        ("2025-10-09", 2, 2, 0, 1, 1, 10, 10, 9.0, 9.0, 1, 10, 9.0),
        ("2025-10-10", 1, 1, 0, 1, 0, 22, 0, 20.0, 0.0, 1, 22, 20.0),
    ]
