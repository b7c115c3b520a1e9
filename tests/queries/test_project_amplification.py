from pathlib import Path

from tests.builders import asked, chat, fact, spans, task

PRICES: dict[str | None, list[float]] = {"gpt-5": [1.0, 2.0]}
"""Wh per input token that is not from a cache."""


def test_project_amplification(home: Path) -> None:
    """A task without a call has a turn all the same; what runs at night has none."""
    records = spans(
        task(
            "a", chat(input=9, output=1), chat(input=20, output=2), fact(user_turns=2), project="p"
        ),
        task("b", chat(input=5, output=1), headless=True, project="p"),
        task("c", project="p"),
        task("d", chat()),
    )
    with asked(home, records, models=PRICES) as found:
        rows = found.sql("FROM project_amplification ORDER BY project").fetchall()
    assert rows == [
        ("p", 3, 3, 0, 3, 2, 38, 16, 34.0, 14.0, 2, 32, 29.0),
        ("test", 1, 1, 0, 1, 0, None, 0, None, 0.0, 1, None, None),
    ]
