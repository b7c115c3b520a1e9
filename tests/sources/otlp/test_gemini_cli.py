"""What Gemini CLI sends becomes calls with their role, and none of the prompts that it logs."""

from typing import Any

import pytest

from agenttrace.sources.otlp import gemini_cli, read
from tests.sources.otlp.messages import counter, event, logs, records, said_of, span, traces

SECRET = "my secret prompt"
# 90 + 10 by tools = 100 in, 40 of them cached; 12 + 8 thoughts = 20 out; 120 in all.
RESPONSE: dict[str, Any] = {
    "session.id": "s1",
    "prompt_id": "s1########1",
    "model": "gemini-3-pro",
    "role": "main",
    "input_token_count": 90,
    "output_token_count": 12,
    "cached_content_token_count": 40,
    "thoughts_token_count": 8,
    "tool_token_count": 10,
    "total_token_count": 120,
    "duration_ms": 500,
    "response_text": SECRET,
}
USAGE = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
)


def _logs(*events: Any) -> Any:
    return logs(*events, service="gemini-cli")


def test_thoughts_and_tools_are_beside_output_and_input() -> None:
    (record,) = records("logs", _logs(event("gemini_cli.api_response", RESPONSE)))

    assert said_of(record, *USAGE) == (100, 20, 40, 8)
    assert sum(said_of(record, *USAGE[:2])) == RESPONSE["total_token_count"]
    assert said_of(record, "gen_ai.provider.name", "service.name") == ("gcp.gemini", "gemini")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("main", "main"),
        ("subagent", "subagent"),
        ("utility_tool", "tool"),
        ("utility_compressor", "compaction"),
        ("utility_state_snapshot_processor", "compaction"),
        ("utility_summarizer", "summary"),
        ("utility_router", "router"),
        ("utility_next_speaker", "router"),
        ("utility_loop_detector", "guard"),
        ("utility_edit_corrector", "tool"),
        ("utility_autocomplete", "other"),
        ("utility_fast_ack_helper", "other"),
        ("utility_of_next_year", "other"),
        (None, "main"),
    ],
)
def test_each_of_the_twelve_roles_is_known(said: str | None, expected: str) -> None:
    assert gemini_cli.role(said) == expected


def test_calls_that_never_reach_the_log_are_in_the_task_of_their_prompt() -> None:
    router = {**RESPONSE, "role": "utility_router"}

    main, hidden = records(
        "logs",
        _logs(event("gemini_cli.api_response", RESPONSE), event("gemini_cli.api_response", router)),
    )

    assert said_of(main, "task.id") == said_of(hidden, "task.id")
    assert main["span_id"] != hidden["span_id"]


def test_prompts_that_it_logs_by_default_are_dropped() -> None:
    prompt = {"session.id": "s1", "prompt_id": "p", "prompt": SECRET, "request_text": SECRET}
    names = ("user_prompt", "api_request", "api_response", "api_error", "tool_call")
    events = [event(f"gemini_cli.{name}", {**RESPONSE, **prompt}, body=SECRET) for name in names]

    kept = read("logs", _logs(*events)).lines

    assert len(kept) == 3
    assert SECRET.encode() not in b"".join(kept)


def test_the_same_response_in_the_words_of_the_conventions_is_left_out() -> None:
    said = {"gen_ai.usage.input_tokens": 90, "gen_ai.usage.output_tokens": 20}
    again = event("gen_ai.client.inference.operation.details", said, trace=1)
    around = span({**said, "gen_ai.operation.name": "generate_content"}, name="llm_call")

    assert records("logs", _logs(again)) == []
    assert records("traces", traces(around, service="gemini-cli")) == []


def test_an_error_is_a_failed_call() -> None:
    said = {"session.id": "s1", "model": "gemini-3-pro", "error_type": "ApiError"}

    (record,) = records(
        "logs", _logs(event("gemini_cli.api_error", {**said, "status_code": 429, "error": SECRET}))
    )

    assert said_of(record, "error.type", "http.response.status_code") == ("ApiError", 429)
    assert said_of(record, *USAGE) == (None, None, None, None)


def test_types_of_the_counter_add_up_to_what_the_calls_say() -> None:
    said = {"session.id": "s1", "model": "gemini-3-pro"}
    points = {"input": 90, "output": 12, "thought": 8, "cache": 40, "tool": 10}
    metrics = counter(
        "gemini_cli.token.usage",
        *((60, number, {**said, "type": kind}) for kind, number in points.items()),
        is_delta=False,
        service="gemini-cli",
    )

    found = records("metrics", metrics)

    assert [sum(said_of(one, key)[0] or 0 for one in found) for key in USAGE] == [100, 20, 40, 8]
