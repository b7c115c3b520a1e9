"""Crews, agents and tools: who made which call, and as part of what."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from crewai import BaseLLM, Process
from crewai.events.event_bus import CrewAIEventsBus
from crewai.tools import tool

import agenttrace
from agenttrace.testing import Failure, Reply, Request, ToolCall


def calls(name: str, **arguments: Any) -> Callable[[Request], Reply | str]:
    """Ask for a tool, in words where CrewAI describes its tools in words."""

    def reply(request: Request) -> Reply | str:
        if request.tools:
            return Reply(tool_calls=[ToolCall(name, arguments)])
        written = ", ".join(f'"{key}": "{value}"' for key, value in arguments.items())
        return f"Thought: look\nAction: {name}\nAction Input: {{{written}}}"

    return reply


def answers(text: str) -> str:
    return f"Thought: done\nFinal Answer: {text}"


def call(place: str, depth: int) -> list[str]:
    return ["  " * depth + f"frame: {place}", "  " * (depth + 1) + f"wire: {place}"]


def asks(role: str) -> Callable[[Request], bool]:
    return lambda request: f"You are {role}" in request.system


@tool
def look_up(question: str) -> str:
    """Look it up."""
    with openai.OpenAI() as client:
        client.chat.completions.create(
            model="gpt-5-mini", messages=[{"role": "user", "content": question}]
        )
    return "42"


@tool
def fail(why: str) -> str:
    """Fail."""
    raise LookupError("Secret words")


def drive(how: str, crew: Any) -> None:
    if how == "kickoff":
        crew.kickoff()
    elif hasattr(crew, how):
        asyncio.run(getattr(crew, how)())
    else:
        pytest.skip(f"this CrewAI has no {how}")


@pytest.mark.parametrize("how", ["kickoff", "kickoff_async", "akickoff"])
def test_each_call_is_in_its_frame(how, team, provider, outline, counted):
    provider.script(calls("look_up", question="why"), answers("Because."), when=asks("Writer"))
    writer = team.agent("Writer\n", tools=[look_up])

    drive(
        how,
        team.crew(team.task(writer, name="draft"), team.task(team.agent("Editor")), name="news"),
    )

    assert outline() == [
        "task news",
        "  step draft",
        "    agent Writer",
        *call("main of Writer", 3),
        "      tool look_up",
        "        wire: tool of Writer",
        *call("main of Writer", 3),
        "  step task",
        "    agent Editor",
        *call("main of Editor", 3),
    ]
    assert counted() == [
        ("news", "Writer", "main"),
        ("news", "Writer", "tool"),
        ("news", "Writer", "main"),
        ("news", "Editor", "main"),
    ]


def test_a_crew_inside_a_task_is_a_step_of_it(team, outline, counted):
    with agenttrace.task("ticket", session="chat 7"):
        team.crew(team.task(team.agent("Writer"))).kickoff()

    assert outline() == [
        "task ticket",
        "  step crew",
        "    step task",
        "      agent Writer",
        *call("main of Writer", 4),
    ]
    assert counted() == [("ticket", "Writer", "main")]


def test_an_agent_that_is_asked_by_its_manager_is_a_subagent(team, provider, counted, outline):
    ask = calls("delegate_work_to_coworker", task="Look", context="None", coworker="Researcher")
    provider.script(ask, answers("All done."), when=asks("Crew Manager"))
    crew = team.crew(
        team.task(),
        agents=[team.agent("Researcher")],
        process=Process.hierarchical,
        manager_llm=team.gpt(),
    )

    crew.kickoff()

    assert [(agent, role) for _, agent, role in counted()] == [
        ("Crew Manager", "main"),
        ("Researcher", "subagent"),
        ("Crew Manager", "main"),
    ]
    assert [line.strip() for line in outline() if line.strip().startswith(("tool", "agent"))] == [
        "agent Crew Manager",
        "tool delegate_work_to_coworker",
        "agent Researcher",
    ]


def test_an_agent_by_itself_is_a_task(team, outline, counted):
    team.agent("Helper").kickoff("Help me")

    assert outline() == ["agent Helper", *call("main of Helper", 1)]
    assert counted() == [("Helper", "Helper", "main")]


@pytest.mark.parametrize("how", ["threads", "gather"])
def test_crews_that_run_side_by_side_keep_apart(how, team, counted):
    crews = [team.crew(team.task(team.agent(f"agent {n}")), name=f"crew {n}") for n in range(3)]

    if how == "threads":
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda crew: crew.kickoff(), crews))
    else:

        async def together() -> None:
            await asyncio.gather(*(crew.kickoff_async() for crew in crews))

        asyncio.run(together())

    assert sorted(counted()) == [(f"crew {n}", f"agent {n}", "main") for n in range(3)]


def test_tasks_that_run_side_by_side_keep_apart(team, counted, outline):
    first = team.task(team.agent("First"), name="one", async_execution=True)
    second = team.task(team.agent("Second"), name="two", async_execution=True)
    last = team.task(team.agent("Last"), name="three")

    team.crew(first, second, last, name="news").kickoff()

    assert sorted(counted()) == [
        ("news", "First", "main"),
        ("news", "Last", "main"),
        ("news", "Second", "main"),
    ]
    for name, agent in (("one", "First"), ("two", "Second"), ("three", "Last")):
        at = outline().index(f"  step {name}")
        assert outline()[at + 1] == f"    agent {agent}"


def test_a_streamed_crew_has_its_calls(team, counted):
    crew = team.crew(
        team.task(team.agent("Writer", llm=team.gpt(stream=True))), name="news", stream=True
    )

    for _ in crew.kickoff():
        assert agenttrace.current() is None

    assert counted() == [("news", "Writer", "main")]


def test_a_tool_that_fails_keeps_the_type_of_its_error(team, provider, outline, recording):
    provider.script(calls("fail", why="Secret"), answers("It failed."), times=None)

    team.crew(team.task(team.agent("Writer", tools=[fail]))).kickoff()

    assert "      tool fail !LookupError" in outline()
    for segment in (recording / "spool").glob("*-*"):
        assert b"Secret" not in segment.read_bytes()


def test_a_crew_that_fails_keeps_the_type_of_its_error(team, provider, outline):
    provider.script(Failure(400), times=None)

    with pytest.raises(Exception, match="400"):
        team.crew(team.task(team.agent("Writer", max_retry_limit=1)), name="news").kickoff()

    attempt = [
        "    agent Writer !BadRequestError",
        "      frame: main of Writer !BadRequestError",
        "        wire: main of Writer !400",
    ]
    assert outline() == [
        "task news !BadRequestError",
        "  step task !BadRequestError",
        *attempt * 2,
    ]


class Parrot(BaseLLM):
    """A model that runs in this process."""

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        return answers("Squawk.")


def test_a_model_without_a_transport_of_its_own_is_not_made_up(team, outline):
    """CrewAI tells of calls by what a model emits; a model that emits nothing is not seen."""
    team.crew(team.task(team.agent("Bird", llm=Parrot(model="parrot")))).kickoff()

    assert outline() == ["task crew", "  step task", "    agent Bird"]


def test_nothing_is_recorded_after_the_hook_is_out(instrumented, team, outline):
    assert CrewAIEventsBus.emit.__wrapped__
    instrumented.uninstrument()

    with agenttrace.task("mine"):
        team.crew(team.task(team.agent("Writer"))).kickoff()

    assert not hasattr(CrewAIEventsBus.emit, "__wrapped__")
    assert outline() == ["task mine", "  wire: main of nobody"]
