"""Agents, tools, graphs and swarms of Strands: who made which call, and as what."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from strands import tool
from strands.multiagent import GraphBuilder, Swarm

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_strands import StrandsInstrumentor

THREE_WAYS = pytest.mark.parametrize("how", ["call", "invoke_async", "stream_async"])


def run(how: str, agent: Any, text: str = "Go") -> None:
    async def consume() -> None:
        async for _ in agent.stream_async(text):
            pass

    if how == "call":
        agent(text)
    else:
        asyncio.run(consume() if how == "stream_async" else agent.invoke_async(text))


def calls_first(provider: Any, agent: str, name: str, **arguments: str) -> None:
    """Script *agent*: it calls a tool, then it answers."""
    provider.script(
        Reply(tool_calls=[ToolCall(name, arguments)]),
        "All done.",
        when=lambda request: request.system == f"You are {agent}.",
    )


@THREE_WAYS
@pytest.mark.usefixtures("instrumented")
def test_an_agent_in_a_tool_is_a_sub_agent(how, team, provider, calls, outline):
    calls_first(provider, "supervisor", "research", question="tides")
    researcher = team.agent("researcher")

    @tool
    def research(question: str) -> str:
        """Ask the researcher."""
        return str(researcher(question))

    run(how, team.agent("supervisor", tools=[research]))

    assert calls() == [
        "supervisor: main of supervisor",
        "supervisor: subagent of researcher",
        "supervisor: main of supervisor",
    ]
    assert [line.strip() for line in outline() if line.strip().startswith(("agent", "tool"))] == [
        "agent supervisor",
        "tool research",
        "agent researcher",
    ]


def test_a_call_that_a_tool_makes_by_itself_is_the_tools(instrumented, team, provider, calls):
    calls_first(provider, "writer", "translate", text="tides")

    @tool
    def translate(text: str) -> str:
        """Translate."""
        with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
            )
        return "Gezeiten"

    run("call", team.agent("writer", tools=[translate]))

    assert calls() == [
        "writer: main of writer",
        "writer: tool of writer",
        "writer: main of writer",
    ]


def test_the_agents_of_a_graph_share_its_task(instrumented, team, calls):
    builder = GraphBuilder()
    for name in ("first", "second"):
        builder.add_node(team.agent(name), name)
    builder.add_edge("first", "second")
    graph = builder.set_execution_timeout(60).build()

    graph("Go")

    assert calls() == ["graph: main of first", "graph: main of second"]


def test_the_agents_of_a_swarm_share_its_task(instrumented, team, provider, calls):
    calls_first(provider, "desk", "handoff_to_agent", agent_name="expert", message="Help")

    Swarm([team.agent("desk"), team.agent("expert")])("Go")

    found = calls()
    assert found[0] == "swarm: main of desk"
    assert found[-1] == "swarm: main of expert"


def test_runs_side_by_side_keep_their_tasks_and_agents(instrumented, team, provider, calls):
    provider.script(lambda request: Reply("Done.", delay_s=0.02), times=None)

    async def all_at_once() -> None:
        await asyncio.gather(*(team.agent(f"agent-{n}").invoke_async("Go") for n in range(4)))

    asyncio.run(all_at_once())

    assert sorted(calls()) == [f"agent-{n}: main of agent-{n}" for n in range(4)]


def test_the_session_that_the_program_names_is_that_of_the_calls(instrumented, team, recording):
    run("call", team.agent("writer", trace_attributes={"session.id": "S-1"}))
    with agenttrace.read(recording) as reader:
        assert reader.query("SELECT session_id FROM model_call") == [{"session_id": "S-1"}]


def test_a_task_around_a_run_names_it(instrumented, team, calls):
    with agenttrace.task("report"):
        run("call", team.agent("writer"))
    assert calls() == ["report: main of writer"]


def test_an_agent_that_was_made_before_is_recorded(recording, team, calls):
    agent = team.agent("writer")
    StrandsInstrumentor().instrument()
    run("call", agent)
    StrandsInstrumentor().uninstrument()
    assert calls() == ["writer: main of writer"]


def test_an_error_keeps_its_type_and_not_its_text(instrumented, team, provider, outline, spooled):
    provider.script(Failure(400))
    with pytest.raises(openai.BadRequestError):
        run("call", team.agent("writer"), "Secret words")
    lines = [line.strip() for line in outline()]
    assert "agent writer !openai.BadRequestError" in lines
    assert "wire gpt-4o: main of writer !400" in lines
    assert "Secret" not in str(spooled())


def test_nothing_that_was_said_is_recorded(instrumented, team, provider, spooled):
    calls_first(provider, "writer", "look", question="Secret question")

    @tool
    def look(question: str) -> str:
        """Look."""
        return "Secret answer"

    run("call", team.agent("writer", tools=[look]), "Secret words")

    assert len(spooled()) > 4
    assert "secret" not in str(spooled()).lower()


def test_runs_are_not_recorded_after_uninstrument(instrumented, team, calls):
    agent = team.agent("writer")
    StrandsInstrumentor().uninstrument()
    run("call", agent)
    run("call", team.agent("another"))
    assert calls() == ["None: main of nobody"] * 2


def test_nothing_global_is_set(instrumented, team):
    run("call", team.agent("writer"))
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


PROGRAM = """
from agenttrace_strands import StrandsInstrumentor
StrandsInstrumentor().instrument()
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from strands import Agent
from strands.models.openai import OpenAIModel

agent = Agent(model=OpenAIModel(model_id="gpt-4o"), name="writer", callback_handler=None)
exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
agent("Go")
ids = [span.context.span_id for span in exporter.get_finished_spans()]
assert len(ids) == len(set(ids))
print([span.name for span in exporter.get_finished_spans()])
"""


def test_a_provider_that_the_program_sets_later_has_every_span_once(home, provider, calls):
    # In a process of its own: a global provider can be set once, and Strands is imported after us.
    agenttrace.shutdown()
    environment = {**os.environ, **provider.env(), "AGENTTRACE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("'invoke_agent writer'") == 1
    assert calls() == ["writer: main of writer"]
