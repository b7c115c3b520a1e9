import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import (
    START_NS,
    Node,
    Record,
    agent,
    asked,
    chat,
    foreign,
    frame,
    later,
    loose,
    spans,
    step,
    task,
    tool,
)


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


def test_of_a_call_that_is_told_of_twice_the_highest_output_counts_whole(home: Path) -> None:
    (first, _) = spans(frame(capture="log", input=9, output=1))
    said = {**first["attributes"], "gen_ai.usage.input_tokens": 8, "gen_ai.usage.output_tokens": 5}
    with asked(home, [first, {**first, "attributes": said}], stored=False) as connection:
        rows = connection.sql("SELECT input_tokens, output_tokens FROM judged_call").fetchall()
    assert rows == [(8, 5)]


def told(capture: str, **said: Any) -> Node:
    """A call of one conversation and model, with the same tokens, unless it is said otherwise."""
    defaults = {"session": "s", "model": "gpt-5", "input": 7, "output": 3}
    return frame(capture=capture, **{**defaults, **said})


def counted(home: Path, *segments: list[Record]) -> list[str]:
    """Return what saw the calls that count, the earliest first."""
    with asked(home, *segments, stored=False) as connection:
        return [
            capture
            for (capture,) in connection.sql(
                "SELECT capture FROM counted_call ORDER BY start_ns"
            ).fetchall()
        ]


@pytest.mark.parametrize("shared", ["response_id", "request_id"])
@pytest.mark.parametrize(
    ("better", "worse"), [("wire", "otlp"), ("otlp", "frame"), ("frame", "log")]
)
def test_of_a_call_with_one_id_the_better_source_counts(
    home: Path, shared: str, better: str, worse: str
) -> None:
    said = {shared: "x", "session": None}
    records = spans(told(worse, **said, input=1), told(better, **said))
    assert counted(home, records) == [better]


def test_what_was_seen_at_the_wire_stands_for_a_log_of_the_same_request(home: Path) -> None:
    records = spans(chat(input=7, output=3, request_id="q"), told("log", request_id="q", input=8))
    assert counted(home, records) == ["wire"]


def test_a_log_that_says_no_id_means_the_call_of_its_conversation_with_the_same_tokens(
    home: Path,
) -> None:
    records = spans(
        chat(session="s", model="openai/gpt-5", input=7, output=3, response_id="r"), told("log")
    )
    assert counted(home, records) == ["wire"]


@pytest.mark.parametrize(
    "other",
    [
        {"session": "t"},
        {"model": "gpt-5-mini"},
        {"input": 8},
        {"output": 4},
        {"response_id": "another"},
        {"request_id": "another"},
        {"session": None},
        {"model": None},
        {"output": None},
    ],
    ids=str,
)
def test_a_log_that_differs_in_anything_is_another_call(home: Path, other: dict[str, Any]) -> None:
    records = spans(told("otlp", response_id="r", request_id="q"), told("log", **other))
    assert counted(home, records) == ["otlp", "log"]


def test_calls_of_which_no_log_tells_are_not_one_by_their_tokens(home: Path) -> None:
    records = spans(told("otlp"), told("frame"), told("otlp"))
    assert counted(home, records) == ["otlp", "frame", "otlp"]


def test_what_was_told_a_quarter_of_an_hour_apart_is_not_one_call(home: Path) -> None:
    seen = spans(told("otlp", request_id="q"))[:1]
    logged = spans(told("log", request_id="q"), trace=2)[:1]
    assert counted(home, seen, later(logged, 900)) == ["otlp", "log"]


def logged(task_id: str, **said: Any) -> list[Record]:
    """A call that the log of Codex tells of, in a turn, by a sub-agent."""
    call = replace(
        told("log", **{"agent": "explorer", "depth": 2, "role": "subagent", **said}),
        scope="agenttrace.sources",
    )
    return named(task(task_id, call), 1)


def sent(scope: str, **said: Any) -> list[Record]:
    """The same call as telemetry tells of it; its task is that of the session."""
    call = replace(told("otlp", **{"task_id": "session", "role": "main", **said}), scope=scope)
    return named(call, 2)


def named(node: Node, trace: int) -> list[Record]:
    """The first span of Codex, in no task but the one that it says."""
    (first, *_) = loose(node, trace=trace)
    return [{**first, "attributes": {"service.name": "codex", **first["attributes"]}}]


def put_at(home: Path, *segments: list[Record]) -> list[Any]:
    with asked(home, *segments, stored=False) as connection:
        return connection.sql(
            "SELECT capture, task_id, agent, agent_depth, role FROM counted_call ORDER BY start_ns"
        ).fetchall()


OURS = "agenttrace.sources"
IN_TURN = [("otlp", "turn", "explorer", 2, "subagent")]


@pytest.mark.parametrize(
    "shared",
    [{"response_id": "x", "input": 1}, {"request_id": "x", "input": 1}, {}],
    ids=["response", "request", "tokens"],
)
def test_the_log_of_an_agent_lends_its_place_to_telemetry_of_the_same_call(
    home: Path, shared: dict[str, Any]
) -> None:
    theirs = {**shared, "input": 7} if shared else {}
    assert put_at(home, logged("turn", **shared), sent(OURS, **theirs)) == IN_TURN


def test_telemetry_takes_the_span_of_the_log_once(home: Path) -> None:
    again = later(sent(OURS), 60)
    again[0]["span_id"] = "00000002000000ff"
    with asked(home, logged("turn"), sent(OURS), again, stored=False) as connection:
        rows = connection.sql(
            "SELECT task_id, trace_id[-1], span_id FROM judged_call ORDER BY start_ns"
        ).fetchall()
    assert rows == [("turn", "1", "0000000100000002"), ("turn", "2", "00000002000000ff")]


def test_a_role_that_says_more_than_main_stays_when_a_place_is_lent(home: Path) -> None:
    assert put_at(home, logged("turn"), sent(OURS, role="title")) == [
        ("otlp", "turn", "explorer", 2, "title")
    ]


def test_a_span_of_an_agent_is_moved_but_none_of_a_task_that_a_program_recorded(
    home: Path, tmp_path: Path
) -> None:
    made_up = {"agenttrace.task.name": "codex"}
    assert put_at(home, logged("turn"), sent("codex_otel", **made_up)) == IN_TURN
    other = tmp_path / "other"
    assert put_at(other, logged("turn"), sent("theirs")) == [("otlp", "session", None, 0, "main")]


@pytest.mark.parametrize(
    ("service", "task_id"), [("codex", "turn"), ("their-program", "0" * 31 + "2")]
)
def test_a_span_outside_of_any_task_is_moved_if_the_agent_itself_sent_it(
    home: Path, service: str, task_id: str
) -> None:
    (span,) = sent("openinference", task_id=None)
    span["attributes"]["service.name"] = service
    ((_, found, *_),) = put_at(home, logged("turn"), [span])
    assert found == task_id


@pytest.mark.parametrize(("own", "task_id"), [(None, "turn"), ("week", "week")])
def test_what_was_seen_at_the_wire_in_no_task_is_moved(
    home: Path, own: str | None, task_id: str
) -> None:
    seen = loose(told("wire", task_id=own, response_id="r", usage="partial"), trace=2)
    assert [row[:2] for row in put_at(home, logged("turn"), seen)] == [("wire", task_id)]


def test_of_two_calls_alike_in_the_log_each_lends_its_place_to_the_nearest(home: Path) -> None:
    first, second = logged("first"), later(logged("second"), 60)
    second[0]["span_id"] = "00000001000000ff"
    calls = sent(OURS), later(sent(OURS), 58)
    calls[1][0]["span_id"] = "00000002000000ff"
    rows = put_at(home, first, second, *calls)
    assert [task_id for _, task_id, *_ in rows] == ["first", "second"]


def test_the_call_of_the_same_id_lends_its_place_before_a_nearer_one_with_the_same_tokens(
    home: Path,
) -> None:
    far = later(logged("far", response_id="x", session="other"), 60)
    far[0]["span_id"] = "00000001000000ff"
    rows = put_at(home, far, logged("near"), sent(OURS, response_id="x"))
    assert [row[:2] for row in rows] == [("otlp", "far")]


LOST: dict[str, Any] = {"agent": None, "depth": None, "role": None}
"""A call from elsewhere, which does not say which agents are around it."""


def places(home: Path, *nodes: Node) -> list[Any]:
    with asked(home, spans(*nodes), stored=False) as connection:
        return connection.sql(
            "SELECT agent, agent_depth, role FROM judged_call ORDER BY start_ns"
        ).fetchall()


def test_the_agents_around_a_call_from_elsewhere_tell_its_place(home: Path) -> None:
    call = frame(**LOST)
    lead = agent("lead", call, agent("helper", step("think", call), tool("search", call)))
    assert places(home, call, lead, tool("read", call)) == [
        (None, 0, "main"),
        ("lead", 1, "main"),
        ("helper", 2, "subagent"),
        ("helper", 2, "tool"),
        (None, 0, "tool"),
    ]


def test_an_agent_inside_a_tool_is_nearer_than_the_tool(home: Path) -> None:
    lead = agent("lead", tool("delegate", agent("helper", frame(**LOST))))
    assert places(home, lead) == [("helper", 2, "subagent")]


def test_what_a_call_says_of_its_place_goes_before_what_is_around_it(home: Path) -> None:
    said = {"agent": "writer", "depth": 3, "role": "title"}
    assert places(home, agent("lead", frame(**said))) == [("writer", 3, "title")]


def test_an_agent_that_calls_itself_by_no_name_is_called_as_its_span(home: Path) -> None:
    unnamed = agent("invoke_agent", frame(**LOST), agent=None)
    assert places(home, unnamed) == [("invoke_agent", 1, "main")]


def test_a_call_inside_an_agent_inside_a_call_is_not_nested_in_it(home: Path) -> None:
    nested = frame(agent("lead", frame(**LOST, input=2)), **LOST, input=1)
    assert places(home, nested) == [(None, 0, "main"), ("lead", 1, "main")]


def test_parents_that_point_at_one_another_are_counted_once_each(home: Path) -> None:
    inner, helper, lead, job = spans(agent("lead", agent("helper", frame(**LOST))))
    lead["parent_span_id"] = helper["span_id"]
    with asked(home, [inner, helper, lead, job], stored=False) as connection:
        rows = connection.sql("SELECT agent, agent_depth FROM judged_call").fetchall()
    assert rows == [("helper", 2)]
