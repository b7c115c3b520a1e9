"""Agents, sub-agents and tools: who made which call, and as part of what."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from ag2 import Agent
from ag2.compact import SummarizeCompact
from ag2.middleware.builtin.telemetry import TelemetryMiddleware
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall


def asks_for(name: str, **arguments: Any) -> Reply:
    return Reply(tool_calls=[ToolCall(name, arguments)])


@pytest.mark.parametrize("how", ["ask", "run"])
async def test_each_call_is_in_its_frame(how, gpt, provider, outline, calls):
    researcher = Agent("researcher", config=gpt)
    writer = Agent("writer", config=gpt)

    @writer.tool
    async def research(question: str) -> str:
        """Ask the researcher."""
        return str(await (await researcher.ask(question)).content())

    provider.script(asks_for("research", question="why"))

    if how == "ask":
        await writer.ask("Secret words")
    else:
        async with writer.run("Secret words") as running:
            assert agenttrace.current() is None
            await running.result()

    assert outline() == [
        "agent writer",
        "  wire gpt-4o: main of writer",
        "  tool research",
        "    agent researcher",
        "      wire gpt-4o: subagent of researcher",
        "  wire gpt-4o: main of writer",
    ]
    assert calls() == [
        "writer: main of writer",
        "writer: subagent of researcher",
        "writer: main of writer",
    ]


async def test_a_conversation_is_a_session(gpt, recording, calls):
    with agenttrace.task("ticket"):
        reply = await Agent("writer", config=gpt).ask("Secret words")
        await reply.ask("Go on")

    assert calls() == ["ticket: main of writer"] * 2
    with agenttrace.read(recording) as reader:
        sessions = {row["session_id"] for row in reader.query("model_call")}
    assert len(sessions) == 1
    assert None not in sessions


async def test_a_streamed_answer_has_its_call(gpt, calls):
    await Agent("writer", config=replace(gpt, streaming=True)).ask("Secret words")

    assert calls() == ["writer: main of writer"]


async def test_agents_that_run_side_by_side_keep_apart(gpt, calls):
    agents = [Agent(f"agent {n}", config=gpt) for n in range(3)]

    await asyncio.gather(*(agent.ask("Secret words") for agent in agents))

    assert sorted(calls()) == [f"agent {n}: main of agent {n}" for n in range(3)]


async def test_a_summary_of_the_conversation_is_a_compaction(gpt, calls):
    with agenttrace.task("long"):
        reply = await Agent("writer", config=gpt).ask("Secret words")
        for _ in range(2):
            reply = await reply.ask("Go on")
        said = list(await reply.context.stream.history.get_events())
        await SummarizeCompact(target=2, config=gpt).compact(said, reply.context, None)

    assert calls() == ["long: main of writer"] * 3 + ["long: compaction of nobody"]


@pytest.mark.parametrize("has_provider", [True, False])
async def test_ag2s_own_spans_are_no_second_agents(
    has_provider, gpt, provider, recording, monkeypatch
):
    if has_provider:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    tracing = TelemetryMiddleware(agent_name="writer", capture_content=False)
    writer = Agent("writer", config=gpt, middleware=[tracing])

    @writer.tool
    async def look_up() -> str:
        """Look it up."""
        return "42"

    provider.script(asks_for("look_up"))

    with agenttrace.task("ticket"):
        await writer.ask("Secret words")

    with agenttrace.read(recording) as reader:
        calls = [(row["agent"], row["role"]) for row in reader.query("model_call")]
        frames = reader.query("SELECT kind FROM span WHERE kind IN ('agent', 'tool') ORDER BY 1")
        kinds = [row["kind"] for row in frames]
    assert calls == [("writer", "main")] * len(provider.ledger)
    assert kinds == ["agent", "tool"]


async def test_an_error_keeps_its_type(gpt, provider, outline, recording):
    writer = Agent("writer", config=gpt)

    @writer.tool
    async def fail() -> str:
        """Fail."""
        raise LookupError("Secret words")

    provider.script(asks_for("fail"), Failure(400))

    with pytest.raises(Exception, match=r"400|LookupError|Secret"):
        await writer.ask("Secret words")

    lines = outline()
    assert lines[0].startswith("agent writer !")
    assert lines[2] == "  tool fail !LookupError"
    for segment in (recording / "spool").glob("*-*"):
        assert b"Secret" not in segment.read_bytes()


async def test_nothing_is_recorded_after_the_hook_is_out(instrumented, gpt, outline):
    replacement = Agent._turn_scope
    instrumented.uninstrument()

    with agenttrace.task("mine"):
        await Agent("writer", config=gpt).ask("Secret words")

    assert Agent._turn_scope is replacement.__wrapped__
    assert outline() == ["task mine", "  wire gpt-4o: main of nobody"]
