"""Agents, tools and sessions of ADK: who made which call, and as what."""

import os
import subprocess
import sys

import pytest
from google.adk.agents import ParallelAgent
from google.adk.apps.app import App, EventsCompactionConfig
from google.adk.apps.llm_event_summarizer import LlmEventSummarizer
from google.adk.tools import AgentTool
from google.adk.workflow import START, Workflow
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_adk import AdkInstrumentor

pytestmark = [
    # ADK marks what is new in it and uses what is old in it.
    pytest.mark.filterwarnings("ignore:.*EXPERIMENTAL:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning"),
]

BOTH_WAYS = pytest.mark.parametrize("streaming", [False, True])


def calls_first(provider, agent: str, tool: str, **arguments: str) -> None:
    """Script *agent*: it calls *tool*, then it answers."""
    provider.script(
        Reply(tool_calls=[ToolCall(tool, arguments)]),
        "All done.",
        when=lambda request: f"You are {agent}." in request.system,
    )


def without_model_spans(lines: list[str]) -> list[str]:
    """What ADK has around a call differs between its versions."""
    return [
        line.strip()
        for line in lines
        if line.strip() not in ("generate_content", "span", "invoke_workflow")
    ]


@BOTH_WAYS
@pytest.mark.usefixtures("instrumented")
def test_an_agent_as_a_tool_is_a_sub_agent(streaming, team, provider, calls, outline):
    calls_first(provider, "supervisor", "researcher", request="tides")
    researcher = AgentTool(team.agent("researcher"))

    team.run(team.turn(team.agent("supervisor", tools=[researcher]), streaming=streaming))

    assert calls() == [
        "supervisor: main of supervisor",
        "supervisor: subagent of researcher",
        "supervisor: main of supervisor",
    ]
    lines = without_model_spans(outline())
    assert "tool researcher" in lines
    assert "agent researcher" in lines


def test_an_agent_that_takes_over_makes_its_own_calls(instrumented, team, provider, calls):
    calls_first(provider, "desk", "transfer_to_agent", agent_name="expert")
    desk = team.agent("desk", sub_agents=[team.agent("expert")])

    team.run(team.turn(desk))

    first, second = calls()
    assert first == "desk: main of desk"
    assert second in ("desk: main of expert", "desk: subagent of expert")


def test_a_call_that_a_tool_makes_by_itself_is_the_tools(instrumented, team, provider, calls):
    calls_first(provider, "writer", "translate", text="tides")
    client = team.client()

    async def translate(text: str) -> str:
        """Translate."""
        await client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": text}],
        )
        return "Gezeiten"

    team.run(team.turn(team.agent("writer", tools=[translate])))

    assert calls() == [
        "writer: main of writer",
        "writer: tool of writer",
        "writer: main of writer",
    ]


def test_agents_that_work_in_parallel_keep_apart(instrumented, team, provider, calls):
    provider.script(lambda request: Reply("Done.", delay_s=0.02), times=None)
    crew = ParallelAgent(name="crew", sub_agents=[team.agent(name) for name in ("a", "b", "c")])

    team.run(team.turn(crew))

    assert sorted(calls()) == [f"crew: subagent of {name}" for name in ("a", "b", "c")]


def test_the_agents_of_a_workflow_share_its_task(instrumented, team, calls):
    first, second = team.agent("first"), team.agent("second")
    edges = [(START, first), (first, second)]

    team.run(team.turn(None, app_name="app", node=Workflow(name="report", edges=edges)))

    assert calls() == ["report: main of first", "report: main of second"]


def test_runs_side_by_side_keep_their_tasks_and_sessions(instrumented, team, provider, recording):
    provider.script(lambda request: Reply("Done.", delay_s=0.02), times=None)

    team.run(*(team.turn(team.agent(f"agent_{n}"), session=f"S-{n}") for n in range(4)))

    with agenttrace.read(recording) as reader:
        found = reader.query(
            "SELECT task_name, agent, session_id FROM model_call ORDER BY session_id"
        )
    assert found == [
        {"task_name": f"agent_{n}", "agent": f"agent_{n}", "session_id": f"S-{n}"} for n in range(4)
    ]


def test_what_shortens_the_conversation_is_compaction(instrumented, team, calls):
    compaction = EventsCompactionConfig(
        compaction_interval=1, overlap_size=0, summarizer=LlmEventSummarizer(llm=team.claude())
    )
    app = App(name="app", root_agent=team.agent("writer"), events_compaction_config=compaction)

    team.run(team.turn(None, app=app))

    assert calls() == ["writer: main of writer", "writer: compaction of nobody"]


def test_a_task_around_a_run_names_it(instrumented, team, calls):
    with agenttrace.task("report", session="mine"):
        team.run(team.turn(team.agent("writer")))
    assert calls() == ["report: main of writer"]


def test_an_error_keeps_its_type_and_not_its_text(instrumented, team, provider, outline, spooled):
    provider.script(Failure(400))
    with pytest.raises(Exception, match="400"):
        team.run(team.turn(team.agent("writer"), "Secret words"))
    failed = [line for line in without_model_spans(outline()) if "!" in line]
    assert "wire claude-haiku-4-5: main of writer !400" in failed
    assert any(line.startswith("agent writer !") for line in failed)
    assert "Secret" not in str(spooled())


def test_nothing_that_was_said_is_recorded(instrumented, team, provider, spooled):
    calls_first(provider, "writer", "look", question="Secret question")

    def look(question: str) -> str:
        """Look."""
        return "Secret answer"

    team.run(team.turn(team.agent("writer", tools=[look]), "Secret words"))

    assert len(spooled()) > 4
    assert "secret" not in str(spooled()).lower()


def test_runs_are_not_recorded_after_uninstrument(instrumented, team, calls):
    AdkInstrumentor().uninstrument()
    team.run(team.turn(team.agent("writer")))
    assert calls() == ["None: main of nobody"]


def test_nothing_global_is_set(instrumented, team):
    team.run(team.turn(team.agent("writer")))
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


PROGRAM = """
import asyncio, warnings
warnings.simplefilter("ignore")
from agenttrace_adk import AdkInstrumentor
AdkInstrumentor().instrument()
from google.adk.agents import LlmAgent
from google.adk.models.anthropic_llm import AnthropicLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

async def main():
    agent = LlmAgent(name="writer", model=AnthropicLlm(model="claude-haiku-4-5"))
    runner = InMemoryRunner(agent=agent, app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="u", session_id="s")
    message = types.Content(role="user", parts=[types.Part(text="Go")])
    async for _ in runner.run_async(user_id="u", session_id="s", new_message=message):
        pass

asyncio.run(main())
ids = [span.context.span_id for span in exporter.get_finished_spans()]
assert len(ids) == len(set(ids))
print([span.name for span in exporter.get_finished_spans()])
"""


def test_a_provider_that_the_program_sets_later_has_every_span_once(home, provider, calls):
    # In a process of its own: a global provider can be set once, and ADK is imported after us.
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
