import datetime as dt
from pathlib import Path

from tests.builders import asked, chat, frame, later, spans

DAY = dt.date(2025, 10, 9)


def test_call_histogram(home: Path) -> None:
    """50 * ln(100) = 230.3; 50 * ln(40) = 184.4; 50 * ln(60) = 204.7; half a second 1001.5."""
    records = spans(
        chat(input=100, cache_read=60, output=0),
        chat(input=101, cache_read=60, output=0, **{"gen_ai.response.time_to_first_chunk": 0.25}),
        chat(input=5),
    )
    with asked(home, records) as connection:
        rows = connection.sql("FROM call_histogram ORDER BY measure, bucket").fetchall()
    # The cached tokens of both, the durations of both; 50 * ln(41) = 185.7. The third says nothing
    # of its output.
    assert rows == [
        (None, False, DAY, "openai", "gpt-5", measure, bucket, calls)
        for measure, bucket, calls in [
            ("cached", 205, 2),
            ("duration_ns", 1002, 2),
            ("output", None, 2),
            ("time_to_first_token_ns", 967, 1),
            ("uncached", 184, 1),
            ("uncached", 186, 1),
        ]
    ]


def test_days_and_judged_tasks_are_apart(home: Path) -> None:
    records = spans(chat(input=1, output=1), frame(input=1, output=1), chat(input=1, output=1))
    with asked(home, records[:2], later(records[2:], 86_400)) as connection:
        rows = connection.sql(
            "SELECT task_id, judged, day, calls FROM call_histogram "
            "WHERE measure = 'output' ORDER BY judged, day"
        ).fetchall()
    assert rows == [
        (None, False, DAY, 1),
        (None, False, DAY + dt.timedelta(1), 1),
        ("job", True, DAY, 1),
    ]
