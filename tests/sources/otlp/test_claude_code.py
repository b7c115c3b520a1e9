"""What Claude Code sends becomes its calls, each once, in the task of its prompt."""

from pathlib import Path
from typing import Any

import pytest

from agenttrace.sources import told
from agenttrace.sources.otlp import claude_code, read
from tests.builders import SECOND_NS, START_NS
from tests.sources.otlp.messages import (
    counter,
    event,
    logs,
    records,
    said_of,
    span,
    totals,
    traces,
)

SECRET = "my secret prompt"
SCOPE = "com.anthropic.claude_code.events"
SPANS = "com.anthropic.claude_code.tracing"
TOKENS = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens")
USAGE = tuple(f"gen_ai.usage.{key}" for key in TOKENS)

# 2 + 80 read + 18 written = 100 in, 20 out.
COUNTS: dict[str, Any] = {
    "input_tokens": 2,
    "output_tokens": 20,
    "cache_read_tokens": 80,
    "cache_creation_tokens": 18,
}
REQUEST: dict[str, Any] = {
    "session.id": "s1",
    "prompt.id": "p1",
    "request_id": "req_1",
    "model": "claude-opus-5",
    "query_source": "repl_main_thread",
    "cost_usd": 0.25,
    "duration_ms": 1000,
    **COUNTS,
}


def _events(*events: Any) -> Any:
    return logs(*events, scope=SCOPE, service="claude-code")


def _request(**other: Any) -> Any:
    return event("api_request", {**REQUEST, **other}, at_s=1, body="claude_code.api_request")


def _spans(*spans: Any) -> Any:
    return traces(*spans, scope=SPANS, service="claude-code")


def _span(**other: Any) -> Any:
    said = {key: one for key, one in {**REQUEST, **other}.items() if key != "prompt.id"}
    return span(said, name="claude_code.llm_request", parent=7)


def test_a_request_is_a_call_whose_input_excludes_the_cache() -> None:
    (record,) = records("logs", _events(_request()))

    assert said_of(record, *USAGE) == (100, 20, 80, 18)
    assert (record["start_ns"], record["end_ns"]) == (START_NS, START_NS + SECOND_NS)
    assert said_of(record, "agenttrace.capture", "agenttrace.request.id", "gen_ai.response.id") == (
        "otlp",
        "req_1",
        None,
    )
    assert said_of(record, "agenttrace.cost_usd", "service.name") == (0.25, "claude-code")


def test_numbers_that_come_as_text_are_read() -> None:
    text = {key: str(one) for key, one in REQUEST.items()}

    (record,) = records("logs", _events(event("api_request", text, at_s=1)))

    assert said_of(record, *USAGE) == (100, 20, 80, 18)
    assert said_of(record, "agenttrace.cost_usd") == (0.25,)


def test_a_call_is_in_the_task_of_its_prompt_as_the_log_has_it() -> None:
    prompt = event("user_prompt", {"session.id": "s1", "prompt.id": "p1", "prompt": SECRET})

    turn, call = records("logs", _events(prompt, _request()))

    task = told.task_id("claude-code", "s1", "p1")
    assert said_of(turn, "agenttrace.kind", "task.id") == ("task", task)
    assert said_of(turn, "agenttrace.user_turns") == (None,)  # the log counts prompts
    assert said_of(call, "task.id", "gen_ai.conversation.id") == (task, "s1")
    assert call["parent_span_id"] == turn["span_id"]


def test_the_event_is_named_in_its_attribute_or_in_the_body() -> None:
    named = event("claude_code.api_request", REQUEST)
    unnamed = event("", REQUEST, body="claude_code.api_request")
    del unnamed.attributes[0]

    assert len(records("logs", _events(named, unnamed))) == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, "main"),
        ("repl_main_thread", "main"),
        ("repl_main_thread:outputStyle:custom", "main"),
        ("sdk", "main"),
        ("main", "main"),
        ("subagent", "subagent"),
        ("agent:builtin:Explore", "subagent"),
        ("code-reviewer", "subagent"),
        ("compact", "compaction"),
        ("generate_session_title", "title"),
        ("away_summary", "summary"),
        ("web_fetch_apply", "tool"),
        ("permission_explainer", "guard"),
        ("auxiliary", "other"),
        ("prompt_suggestion", "other"),
        ("side_question", "other"),
    ],
)
def test_the_subsystem_tells_the_role(source: str | None, expected: str) -> None:
    assert claude_code.role(source) == expected


def test_a_sub_agent_is_a_span_around_its_calls() -> None:
    said = {"query_source": "agent:builtin:Explore", "agent_id": "a1"}

    agent, call = records("logs", _events(_request(**said)))

    assert said_of(agent, "agenttrace.kind", "gen_ai.agent.name") == ("agent", "builtin:Explore")
    assert call["parent_span_id"] == agent["span_id"]
    assert said_of(call, "agenttrace.role", "agenttrace.agent.depth") == ("subagent", 2)


def test_a_span_and_an_event_of_a_request_share_its_id_and_say_the_same() -> None:
    (of_span,) = records("traces", _spans(_span()))
    (of_event,) = records("logs", _events(_request()))

    keys = ("agenttrace.request.id", "agenttrace.role", "gen_ai.response.model", *USAGE)
    assert said_of(of_span, *keys) == said_of(of_event, *keys)
    # Of two that saw a request the one whose scope comes first is believed: that of the event.
    assert of_event["scope"] < of_span["scope"]
    assert said_of(of_span, "agenttrace.capture") == said_of(of_event, "agenttrace.capture")


def test_spans_alone_count_by_their_trace(tmp_path: Path) -> None:
    second = span({**REQUEST, "request_id": "req_2"}, name="claude_code.llm_request", number=2)

    found = totals(tmp_path, ("traces", _spans(_span(), second)))

    assert found["calls"] == 2
    assert (found["input_tokens"], found["output_tokens"]) == (200, 40)


def test_other_spans_hold_what_was_said_and_are_left_out() -> None:
    interaction = span({"user_prompt": SECRET}, name="claude_code.interaction")
    tool = span({"full_command": SECRET}, name="claude_code.tool", number=2)

    done = read("traces", _spans(interaction, tool))

    assert (done.accepted, done.lines) == (2, [])


def test_an_error_is_a_failed_call_without_tokens_and_without_its_text() -> None:
    failed = {**REQUEST, "error": SECRET, "status_code": "529", "attempt": 11}

    (record,) = records("logs", _events(event("api_error", failed, at_s=1)))

    assert said_of(record, "error.type", "http.response.status_code") == ("529", 529)
    assert said_of(record, "agenttrace.attempt", *USAGE) == (11, None, None, None, None)
    assert SECRET not in str(record)


def test_exhausted_retries_repeat_an_error() -> None:
    failed = event("api_error", {**REQUEST, "attempt": 11})
    exhausted = event("api_retries_exhausted", {**REQUEST, "total_attempts": 11})

    assert len(records("logs", _events(failed, exhausted))) == 1


def test_a_background_call_outside_of_any_prompt_belongs_to_the_session() -> None:
    said = {key: one for key, one in REQUEST.items() if key != "prompt.id"}
    title = event("api_request", {**said, "query_source": "generate_session_title"})

    (record,) = records("logs", _events(title))

    assert said_of(record, "task.id", "agenttrace.role") == (
        told.task_id("claude-code", "s1", ""),
        "title",
    )


def test_counters_are_no_calls(tmp_path: Path) -> None:
    point = (60, 100, {"session.id": "s1", "type": "input", "model": "claude-opus-5"})
    metrics = counter("claude_code.token.usage", point, service="claude-code")

    found = totals(tmp_path, ("logs", _events(_request())), ("metrics", metrics))

    assert (found["calls"], found["input_tokens"]) == (1, 100)


def test_points_of_deltas_add_up_and_the_input_includes_the_cache() -> None:
    said = {"session.id": "s1", "model": "claude-opus-5"}
    metrics = counter(
        "claude_code.token.usage",
        (60, 2, {**said, "type": "input"}),
        (60, 80, {**said, "type": "cacheRead"}),
        (60, 18, {**said, "type": "cacheCreation"}),
        (60, 20, {**said, "type": "output"}),
        (120, 5, {**said, "type": "output"}),
        service="claude-code",
    )

    found = records("metrics", metrics)

    assert {record["name"] for record in found} == {"delta"}
    assert len({record["span_id"] for record in found}) == 5
    sums = [sum(said_of(record, key)[0] or 0 for record in found) for key in USAGE]
    assert sums == [100, 25, 80, 18]
    assert {said_of(record, "agenttrace.kind") for record in found} == {("fact",)}


def test_points_that_go_on_are_one_total_each() -> None:
    said = {"session.id": "s1", "type": "output"}
    metrics = counter(
        "claude_code.token.usage",
        (60, 20, said),
        (120, 25, said),
        is_delta=False,
        service="claude-code",
    )

    first, last = records("metrics", metrics)

    assert first["span_id"] == last["span_id"]
    assert last["name"] == "total"
    assert last["start_ns"] > first["start_ns"]


def test_nothing_that_was_said_is_kept() -> None:
    said = {"prompt": SECRET, "response": SECRET, "tool_input": SECRET, "user.email": SECRET}
    events = [
        event(name, {**REQUEST, **said, "error": SECRET}, body=SECRET)
        for name in ("user_prompt", "api_request", "api_error", "tool_result", "assistant_response")
    ]
    kept = read("logs", _events(*events)).lines
    kept += read("traces", _spans(_span(**said))).lines

    assert len(kept) == 4
    assert SECRET.encode() not in b"".join(kept)


def test_a_span_and_an_event_of_a_request_are_one_call(tmp_path: Path) -> None:
    found = totals(tmp_path, ("traces", _spans(_span())), ("logs", _events(_request())))

    assert (found["calls"], found["input_tokens"], found["output_tokens"]) == (1, 100, 20)
