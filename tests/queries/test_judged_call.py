import datetime as dt
from pathlib import Path

from tests.builders import START_NS, asked, chat, foreign, frame, spans, task, tool


def test_judged_call(home: Path) -> None:
    """Of the three spans of a call the innermost counts; the others lend it what it lacks."""
    sdk = foreign(
        "com.anthropic.sdk.python",
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.usage.input_tokens": 9,
            "gen_ai.response.id": "msg_1",
        },
    )
    outer = {"operation_id": "op", "agent": "writer", "role": "summary", "visible": True}
    records = spans(task("week", tool("search", frame(frame(sdk, input=9), depth=2, **outer))))
    with asked(home, records, stored=False) as connection:
        (row,) = connection.rows("judged_call")
    assert {name: value for name, value in row.items() if value is not None} == {
        "operation_id": "op",
        "trace_id": "0" * 31 + "1",
        "span_id": "0000000100000005",
        "task_id": "week",
        "agent": "writer",
        "agent_depth": 0,
        "role": "tool",
        "visible": True,
        "operation": "chat",
        "provider": "anthropic",
        "response_id": "msg_1",
        "start_ns": START_NS + 5 * 10**9,
        "started_at": dt.datetime(2025, 10, 9, 8, 53, 25),  # noqa: DTZ001 - as DuckDB
        "duration_ns": 500_000_000,
        "status": "ok",
        "capture": "frame",
        "service_name": "test",
        "input_tokens": 9,
    }


def test_what_is_fetched_is_lent_to_the_call_that_has_used_it(home: Path) -> None:
    fetched = {"operation": "fetch_response", "outcome": "complete"}
    records = spans(
        chat(response_id="a", input=1, usage="estimated", outcome="incomplete"),
        chat(response_id="a", input=10, output=0, **fetched),
        # Nobody recorded the call of this one, and it is told of twice.
        chat(response_id="b", input=20, output=2, **fetched),
        chat(response_id="b", input=20, output=2, **fetched),
        # The call of this one counts whatever was fetched.
        chat(response_id="c", input=30, output=3),
        chat(response_id="c", input=31, output=3, **fetched),
    )
    with asked(home, records, stored=False) as connection:
        rows = connection.sql(
            "SELECT response_id, operation, outcome, usage, input_tokens, output_tokens "
            "FROM judged_call ORDER BY start_ns"
        ).fetchall()
    assert rows == [
        ("a", "chat", "complete", "reported", 10, 0),
        ("b", "fetch_response", "complete", "reported", 20, 2),
    ]


def test_a_call_that_counts_anyway_stands_for_what_others_tell_of_it(home: Path) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1}
    records = spans(
        frame(chat(input=1, output=1)),
        chat(input=2, output=1, response_id="r"),
        foreign("somebody", {**said, "gen_ai.response.id": "r"}),
        foreign("somebody", {**said, "gen_ai.response.id": "another"}),
    )
    with asked(home, records, stored=False) as connection:
        rows = connection.sql("SELECT response_id FROM judged_call").fetchall()
    assert rows == [("another",)]
