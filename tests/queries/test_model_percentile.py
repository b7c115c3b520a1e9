from pathlib import Path

import pytest

from tests.builders import asked, chat, spans


def within(value: float) -> object:
    return pytest.approx(value, rel=0.01)


def test_model_percentile(home: Path) -> None:
    """Outputs of 1 to 200 tokens: half of them have at most 100, 19 in 20 at most 190."""
    records = spans(
        *(chat(input=0, output=count) for count in range(1, 201)),
        chat(input=0, output=0, model="o"),
    )
    with asked(home, records) as connection:
        rows = connection.sql("FROM model_percentile ORDER BY model, measure").fetchall()
    half_a_second = within(500_000_000)
    assert rows == [
        ("openai", "gpt-5", "cached", 200, 0.0, 0.0, 0.0),
        ("openai", "gpt-5", "duration_ns", 200, half_a_second, half_a_second, half_a_second),
        ("openai", "gpt-5", "output", 200, within(100), within(190), within(198)),
        ("openai", "gpt-5", "uncached", 200, 0.0, 0.0, 0.0),
        ("openai", "o", "cached", 1, 0.0, 0.0, 0.0),
        ("openai", "o", "duration_ns", 1, half_a_second, half_a_second, half_a_second),
        ("openai", "o", "output", 1, 0.0, 0.0, 0.0),
        ("openai", "o", "uncached", 1, 0.0, 0.0, 0.0),
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 999, 123_456_789, 10**12])
def test_a_value_is_found_again_within_a_hundredth(home: Path, count: int) -> None:
    with asked(home, spans(chat(input=0, output=count)), stored=False) as connection:
        rows = connection.sql(
            "SELECT p50, p95, p99 FROM model_percentile WHERE measure = 'output'"
        ).fetchall()
    assert rows == [(within(count),) * 3]
