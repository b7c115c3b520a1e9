"""What GitHub Copilot sends: one response is told of up to four times, and counts once."""

from pathlib import Path
from typing import Any

from tests.sources.otlp.messages import event, logs, records, said_of, span, totals, traces

USAGE = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}
CHAT: dict[str, Any] = {
    **USAGE,
    "gen_ai.operation.name": "chat",
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "gpt-5.4-mini",
    "copilot_chat.session_id": "s1",
}
AGENT: dict[str, Any] = {
    **USAGE,
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "copilot",
}


def _spans() -> Any:
    return traces(
        span(AGENT, name="invoke_agent copilot", number=1),
        span(CHAT, name="chat gpt-5.4-mini", number=2, parent=1),
        scope="github.copilot",
        service="github-copilot",
    )


def _logs(**other: Any) -> Any:
    said = {**CHAT, **other}
    return logs(
        event("gen_ai.client.inference.operation.details", said, at_s=1, trace=1, number=2),
        event("copilot_chat.agent.turn", {**USAGE, "turn.index": 0}, at_s=1, trace=1, number=1),
        scope="github.copilot",
        service="github-copilot",
    )


def test_span_event_turn_and_agent_tell_of_one_call(tmp_path: Path) -> None:
    found = totals(tmp_path, ("logs", _logs()), ("traces", _spans()))

    assert found == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 20}


def test_the_event_counts_where_the_span_never_arrives(tmp_path: Path) -> None:
    assert totals(tmp_path, ("logs", _logs()))["calls"] == 1


def test_an_event_that_cannot_be_told_from_its_span_does_not_count(tmp_path: Path) -> None:
    nameless = _logs(**{"gen_ai.response.id": ""})

    found = totals(tmp_path, ("logs", nameless), ("traces", _spans()))

    assert (found["calls"], found["input_tokens"]) == (1, 100)


def test_the_session_is_the_one_that_people_see() -> None:
    agent, chat = records("traces", _spans())

    assert said_of(chat, "gen_ai.conversation.id") == ("s1",)
    assert said_of(agent, "agenttrace.task.name") == ("copilot",)
