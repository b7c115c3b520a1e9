"""What Codex sends becomes a call for each response, however often it is told of."""

from pathlib import Path
from typing import Any

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
TIME = "2025-10-09T08:53:21.000Z"  # a second after the builder's start
RESPONSE: dict[str, Any] = {
    "event.kind": "response.completed",
    "event.timestamp": TIME,
    "conversation.id": "c1",
    "model": "gpt-5.5",
    # All as text, as it comes.
    "input_token_count": "100",
    "output_token_count": "20",
    "cached_token_count": 80,
    "reasoning_token_count": 5,
    "tool_token_count": "120",
}
USAGE = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
)


def _logs(*events: Any) -> Any:
    return logs(*events, service="codex_cli_rs")


def test_a_completed_response_is_a_call_with_cache_and_reasoning_included() -> None:
    (record,) = records("logs", _logs(event("codex.sse_event", RESPONSE)))

    assert said_of(record, *USAGE) == (100, 20, 80, 5)
    assert said_of(record, "gen_ai.response.model", "gen_ai.conversation.id") == ("gpt-5.5", "c1")
    assert said_of(record, "service.name", "agenttrace.capture") == ("codex", "otlp")


def test_every_event_is_sent_twice_and_is_one_call(tmp_path: Path) -> None:
    safe = event("codex.sse_event", RESPONSE, at_s=1, trace=1, number=2)
    full = event("", {**RESPONSE, "user.email": SECRET}, at_s=1.25)

    found = totals(tmp_path, ("logs", _logs(safe, full)))

    assert found == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 20}


def test_parts_of_a_stream_are_no_calls() -> None:
    part = event("codex.sse_event", {**RESPONSE, "event.kind": "response.output_text.delta"})
    failed = {key: one for key, one in RESPONSE.items() if not key.endswith("_count")}

    assert records("logs", _logs(part, event("codex.sse_event", failed))) == []


def test_prompts_that_it_may_send_are_dropped() -> None:
    prompt = {"conversation.id": "c1", "event.timestamp": TIME, "prompt": SECRET}

    assert records("logs", _logs(event("codex.user_prompt", prompt, body=SECRET))) == []


def test_a_span_that_has_the_tokens_shares_an_id_with_the_event_in_it() -> None:
    counts = {
        "conversation.id": "c1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "codex.usage.reasoning_output_tokens": 5,
    }

    (of_span,) = records(
        "traces", traces(span(counts, name="handle_responses", number=2), service="codex_exec")
    )
    (of_event,) = records("logs", _logs(event("codex.sse_event", RESPONSE, trace=1, number=2)))

    shared = f"{1:032x}/{2:016x}"
    assert said_of(of_span, "agenttrace.request.id", USAGE[3]) == (shared, 5)
    assert said_of(of_event, "agenttrace.request.id") == (shared,)


def test_spans_without_tokens_and_sums_of_a_turn_are_left_out() -> None:
    counts = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
    request = traces(
        span({}, name="handle_responses"),
        span(counts, name="run_turn", number=2),
        span({}, name="receiving", number=3),
        service="codex_cli_rs",
    )

    assert records("traces", request) == []


def test_the_counter_of_a_turn_is_no_call() -> None:
    said = {"conversation.id": "c1", "token_type": "output", "model": "gpt-5.5"}

    (record,) = records(
        "metrics", counter("codex.turn.token_usage", (60, 20, said), service="codex_cli_rs")
    )

    assert said_of(record, "agenttrace.kind", USAGE[1]) == ("fact", 20)


def test_a_span_that_names_no_conversation_is_left_to_the_event_outside_of_it(
    tmp_path: Path,
) -> None:
    counts = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
    beside = traces(span(counts, name="handle_responses", number=2), service="codex_exec")
    outside = event("codex.sse_event", RESPONSE, at_s=1)

    found = totals(tmp_path, ("traces", beside), ("logs", _logs(outside)))

    assert (found["calls"], found["input_tokens"], found["output_tokens"]) == (1, 100, 20)


def test_a_span_and_the_event_in_it_are_one_call(tmp_path: Path) -> None:
    counts = {
        "conversation.id": "c1",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    around = traces(span(counts, name="handle_responses", number=2), service="codex_exec")
    inside = event("codex.sse_event", RESPONSE, at_s=1, trace=1, number=2)

    found = totals(tmp_path, ("traces", around), ("logs", _logs(inside)))

    assert (found["calls"], found["input_tokens"], found["output_tokens"]) == (1, 100, 20)
