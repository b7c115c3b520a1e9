import datetime as dt
from pathlib import Path

from tests.builders import asked, chat, later, spans, task


def test_task_total(home: Path) -> None:
    """Twice the moments: 10 * 10 + 20 * 20 = 500 uncached; 2 * (2 * 10 + 2) = 44 of output."""
    records = spans(
        task(
            "a",
            chat(input=10, output=2),
            chat(input=20, usage="estimated"),
            chat(model="o", output=1),
        )
    )
    with asked(home, records[:1], later(records[1:], 3600)) as connection:
        gpt, other = sorted(connection.rows("task_total"), key=lambda row: row["model"])
    assert gpt == {
        "task_id": "a",
        "region": None,
        "provider": "openai",
        "model": "gpt-5",
        "hidden_calls": 2,
        "estimated_calls": 1,
        "calls": 2,
        "unpriced_calls": 1,
        "total_tokens": 32,
        "total_tokens_calls": 2,
        "input_tokens_calls": 2,
        "uncached": 30,
        "uncached_context_x2": 500,
        "cached": 0,
        "output": 2,
        "output_context_x2": 44,
        "output_calls": 1,
        "first_started_at": dt.datetime(2025, 10, 9, 8, 53, 22),  # noqa: DTZ001 - as DuckDB
    }
    assert (other["calls"], other["hidden_calls"], other["input_tokens_calls"]) == (1, 0, 0)
