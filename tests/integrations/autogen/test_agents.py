"""Teams, agents and tools: who made which call, and as part of what."""

import asyncio
import contextlib
import inspect
from typing import Any

import pytest
from autogen_agentchat.agents import AssistantAgent, BaseChatAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_agentchat.tools import AgentTool
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall


def asks_for(name: str, **arguments: Any) -> Reply:
    return Reply(tool_calls=[ToolCall(name, arguments)])


async def stream(running: Any) -> None:
    async for _ in running:
        assert agenttrace.current() is None


@pytest.mark.parametrize("how", ["run", "run_stream"])
async def test_each_call_is_in_its_frame(how, gpt, provider, outline, calls):
    async def look_up(question: str) -> str:
        """Look it up."""
        with agenttrace.role("summary"):
            await gpt.create(messages)
        return "42"

    from autogen_core.models import UserMessage

    messages = [UserMessage(content="Secret words", source="user")]
    provider.script(asks_for("look_up", question="why"))
    writer = AssistantAgent("writer", gpt, tools=[look_up], reflect_on_tool_use=True)

    if how == "run":
        await writer.run(task="Secret words")
    else:
        await stream(writer.run_stream(task="Secret words"))

    assert outline() == [
        "agent writer",
        "  wire gpt-4o-2024-08-06: main of writer",
        "  tool look_up",
        "    wire gpt-4o-2024-08-06: summary of writer",
        "  wire gpt-4o-2024-08-06: main of writer",
    ]
    assert calls() == [
        "writer: main of writer",
        "writer: summary of writer",
        "writer: main of writer",
    ]


@pytest.mark.parametrize("how", ["run", "run_stream"])
async def test_a_team_is_a_task_and_its_agents_stand_side_by_side(how, gpt, outline, calls):
    team = RoundRobinGroupChat(
        [AssistantAgent("writer", gpt), AssistantAgent("editor", gpt)],
        name="desk",
        termination_condition=MaxMessageTermination(3),
    )

    if how == "run":
        await team.run(task="Secret words")
    else:
        await stream(team.run_stream(task="Secret words"))

    assert outline() == [
        "task desk",
        "  agent writer",
        "    wire gpt-4o-2024-08-06: main of writer",
        "  agent editor",
        "    wire gpt-4o-2024-08-06: main of editor",
    ]
    assert calls() == ["desk: main of writer", "desk: main of editor"]


async def test_a_team_inside_a_task_is_part_of_it(gpt, calls):
    team = RoundRobinGroupChat(
        [AssistantAgent("writer", gpt)], termination_condition=MaxMessageTermination(2)
    )

    with agenttrace.task("ticket"):
        await team.run(task="Secret words")

    assert calls() == ["ticket: main of writer"]


async def test_the_choice_of_the_next_speaker_is_a_routers(gpt, provider, calls):
    provider.script(
        "editor", when=lambda request: "role" in request.prompt and "editor" in request.prompt
    )
    team = SelectorGroupChat(
        [AssistantAgent("writer", gpt), AssistantAgent("editor", gpt)],
        gpt,
        name="desk",
        termination_condition=MaxMessageTermination(2),
    )

    await team.run(task="Secret words")

    assert calls() == ["desk: router of nobody", "desk: main of editor"]


async def test_an_agent_in_a_tool_is_a_subagent(gpt, provider, outline, calls):
    provider.script(asks_for("researcher", task="Secret words"))
    researcher = AssistantAgent("researcher", gpt, description="Looks things up")
    writer = AssistantAgent("writer", gpt, tools=[AgentTool(researcher)], reflect_on_tool_use=True)

    await writer.run(task="Secret words")

    assert outline() == [
        "agent writer",
        "  wire gpt-4o-2024-08-06: main of writer",
        "  tool researcher",
        "    agent researcher",
        "      wire gpt-4o-2024-08-06: subagent of researcher",
        "  wire gpt-4o-2024-08-06: main of writer",
    ]
    assert calls()[1] == "writer: subagent of researcher"


async def test_a_stream_that_is_left_ends_its_agent(gpt, outline):
    stream = AssistantAgent("writer", gpt).run_stream(task="Secret words")

    async with contextlib.aclosing(stream):
        async for _ in stream:
            break

    assert agenttrace.current() is None
    assert [line.partition(" !")[0] for line in outline()] == ["agent writer"]


async def test_agents_that_run_side_by_side_keep_apart(gpt, calls):
    agents = [AssistantAgent(f"agent_{n}", gpt) for n in range(3)]

    await asyncio.gather(*(agent.run(task="Secret words") for agent in agents))

    assert sorted(calls()) == [f"agent_{n}: main of agent_{n}" for n in range(3)]


async def test_an_error_keeps_its_type(gpt, provider, outline, recording):
    provider.script(Failure(400), times=None)

    with pytest.raises(Exception, match="400"):
        await AssistantAgent("writer", gpt).run(task="Secret words")

    assert outline() == [
        "agent writer !BadRequestError",
        "  wire gpt-4o-2024-08-06: main of writer !400",
    ]
    for segment in (recording / "spool").glob("*-*"):
        assert b"Secret" not in segment.read_bytes()


async def test_autogens_own_spans_are_the_frames_where_the_program_has_a_provider(
    gpt, provider, calls, recording, monkeypatch
):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    provider.script(asks_for("look_up", question="why"))

    async def look_up(question: str) -> str:
        """Look it up."""
        return "42"

    team = RoundRobinGroupChat(
        [
            AssistantAgent("writer", gpt, tools=[look_up], reflect_on_tool_use=True),
            AssistantAgent("editor", gpt),
        ],
        name="desk",
        termination_condition=MaxMessageTermination(3),
    )

    await team.run(task="Secret words")

    assert calls() == [
        "desk: main of writer",
        "desk: main of writer",
        "desk: main of editor",
    ]
    with agenttrace.read(recording) as reader:
        agents = list(reader.query("SELECT agent FROM span WHERE kind = 'agent' ORDER BY start_ns"))
    assert [row["agent"] for row in agents] == ["writer", "editor"]


async def test_nothing_is_recorded_after_the_hook_is_out(instrumented, gpt, outline):
    replacement = BaseChatAgent.run_stream
    instrumented.uninstrument()

    with agenttrace.task("mine"):
        await AssistantAgent("writer", gpt).run(task="Secret words")

    assert BaseChatAgent.run_stream is replacement.__wrapped__
    assert outline() == ["task mine", "  wire gpt-4o-2024-08-06: main of nobody"]


async def test_a_stream_is_the_same_kind_of_function_as_before(gpt, provider, outline):
    writer = AssistantAgent("writer", gpt)
    team = RoundRobinGroupChat([writer], termination_condition=MaxMessageTermination(2))
    for run_stream in (writer.run_stream, team.run_stream):
        assert inspect.isasyncgenfunction(run_stream)

    await stream(agenttrace.task("mine")(team.run_stream)(task="Secret words"))
    assert outline()[:2] == ["task mine", "  agent writer"]
