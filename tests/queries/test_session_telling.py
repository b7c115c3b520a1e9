import datetime as dt
from pathlib import Path

from tests.builders import agent, asked, chat, frame, spans


def test_session_telling(home: Path) -> None:
    """Telemetry tells one call in a span and in an event, the log another time with more output."""
    said = {"session": "s", "model": "m"}
    records = spans(
        agent(
            "lead",
            frame(capture="otlp", request_id="q1", input=10, cache_read=4, output=2, **said),
            frame(capture="otlp", request_id="q1", input=10, cache_read=4, output=2, **said),
            frame(capture="otlp", request_id="q2", input=100, output=20, reasoning=5, **said),
            frame(capture="log", request_id="q1", input=10, cache_write=3, output=1, **said),
            chat(input=5, output=5),
        )
    )
    logged = records[3]
    whole = {**logged, "attributes": {**logged["attributes"], "gen_ai.usage.output_tokens": 2}}
    with asked(home, [*records, whole], stored=False) as connection:
        rows = connection.sql("FROM session_telling ORDER BY capture").fetchall()
    assert rows == [
        ("s", "log", 1, 10, None, 3, 2, None, "test", dt.datetime(2025, 10, 9, 8, 53, 26)),  # noqa: DTZ001
        ("s", "otlp", 2, 110, 4, None, 22, 5, "test", dt.datetime(2025, 10, 9, 8, 53, 23)),  # noqa: DTZ001
    ]
