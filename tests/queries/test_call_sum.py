import datetime as dt
from decimal import Decimal
from pathlib import Path

from tests.builders import asked, chat, frame, later, spans


def test_call_sum(home: Path) -> None:
    """Of a call of 100 input tokens, 60 from the cache, and 20 output tokens, and one of 8 and 3.

    Uncached 40 * (2 * 60 + 40) = 6400 and 8 * 8 = 64; output 20 * (2 * 100 + 20) = 4400 and
    3 * (2 * 8 + 3) = 57. The retry reports nothing.
    """
    region = {"cloud.region": "eu"}
    records = spans(
        chat(
            input=100, cache_read=60, cache_write=30, output=20, reasoning=5, outcome="complete",
            **region,
            **{"agenttrace.cost_usd": 0.1},
        ),
        chat(input=8, output=3, outcome="complete", **region),
        chat(attempt=2, **region),
    )  # fmt: skip
    with asked(home, records) as connection:
        first, retry = sorted(connection.rows("call_sum"), key=lambda row: row["role"])
    at = dt.datetime(2025, 10, 9, 8, 53, 22)  # noqa: DTZ001 - as DuckDB
    assert first == {
        "task_id": "job",
        "hour": at.replace(minute=0, second=0),
        "region": "eu",
        "provider": "openai",
        "model": "gpt-5",
        "agent": None,
        "agent_depth": 0,
        "role": "main",
        "visible": None,
        "status": "ok",
        "usage": "reported",
        "capture": "wire",
        "outcome": "complete",
        "judged": False,
        "calls": 2,
        "retry_calls": 0,
        "unpriced_calls": 0,
        "total_tokens": 131,
        "total_tokens_calls": 2,
        "input_tokens": 108,
        "input_tokens_calls": 2,
        "input_uncached_tokens": 18,
        "cache_read_tokens": 60,
        "cache_read_tokens_calls": 1,
        "cache_write_tokens": 30,
        "cache_write_tokens_calls": 1,
        "cache_write_1h_tokens": 0,
        "cache_write_1h_tokens_calls": 0,
        "output_tokens": 23,
        "output_tokens_calls": 2,
        "reasoning_tokens": 5,
        "reasoning_tokens_calls": 1,
        "input_audio_tokens": 0,
        "input_audio_tokens_calls": 0,
        "input_image_tokens": 0,
        "input_image_tokens_calls": 0,
        "output_audio_tokens": 0,
        "output_audio_tokens_calls": 0,
        "output_image_tokens": 0,
        "output_image_tokens_calls": 0,
        "uncached": 48,
        "uncached_context_x2": 6464,
        "cached": 60,
        "output": 23,
        "output_context_x2": 4457,
        "output_calls": 2,
        "duration_ns": 1_000_000_000,
        "duration_ns_calls": 2,
        "cost_usd": Decimal("0.1"),
        "cost_usd_calls": 1,
        "first_started_at": at,
        "last_started_at": at.replace(second=23),
    }
    assert (retry["calls"], retry["retry_calls"], retry["unpriced_calls"]) == (1, 1, 1)
    assert (retry["total_tokens"], retry["total_tokens_calls"]) == (0, 0)


def test_there_is_a_row_for_each_hour_and_for_calls_that_are_judged(home: Path) -> None:
    """The first call starts at 8:53, ten minutes before the third."""
    records = spans(chat(input=1), chat(input=2), frame(input=4))
    with asked(home, records[:1], later(records[1:], 600)) as connection:
        rows = connection.sql(
            "SELECT hour(hour), judged, calls, input_tokens FROM call_sum ORDER BY ALL"
        ).fetchall()
    assert rows == [(8, False, 1, 1), (9, False, 1, 2), (9, True, 1, 4)]


def test_a_cost_adds_up_to_the_billionth_of_a_dollar(home: Path) -> None:
    records = spans(*(chat(**{"agenttrace.cost_usd": 0.1}) for _ in range(10)))
    with asked(home, records) as connection:
        assert connection.sql("SELECT cost_usd FROM call_sum").fetchall() == [(Decimal(1),)]
