"""Agents, tools and conversations of Pydantic AI: who made which call, and as what."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic_ai import Agent, ModelHTTPError
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.test import TestModel

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_pydantic_ai import PydanticAIInstrumentor

FOUR_WAYS = pytest.mark.parametrize("how", ["run", "run_sync", "run_stream", "iter"])


async def drive(how: str, agent: Agent[None, Any], text: str, **options: Any) -> None:
    """Run *agent* by one of its asynchronous methods."""
    if how == "run":
        await agent.run(text, **options)
    elif how == "run_stream":
        async with agent.run_stream(text, **options) as streamed:
            async for _ in streamed.stream_text():
                pass
    else:
        async with agent.iter(text, **options) as run:
            async for _ in run:
                pass


def run(how: str, agent: Agent[None, Any], text: str, **options: Any) -> None:
    if how == "run_sync":
        agent.run_sync(text, **options)
    else:
        asyncio.get_event_loop().run_until_complete(drive(how, agent, text, **options))


def team(models: Any) -> Agent[None, Any]:
    """A supervisor that asks a researcher."""
    researcher = Agent(models.claude(), name="researcher")
    supervisor = Agent(models.gpt(), name="supervisor")

    @supervisor.tool_plain
    async def research(question: str) -> str:
        return (await researcher.run(question)).output

    return supervisor


def asks_first(provider: Any, tool: str, **arguments: str) -> None:
    """Script gpt-5: it calls *tool*, then it answers."""
    provider.script(
        Reply(tool_calls=[ToolCall(tool, arguments)]),
        "All done.",
        when=lambda request: request.model == "gpt-5",
    )


@FOUR_WAYS
@pytest.mark.usefixtures("instrumented")
def test_a_sub_agent_in_a_tool_makes_its_own_calls(how, models, provider, calls, outline):
    asks_first(provider, "research", question="tides")

    run(how, team(models), "What are tides?")

    assert outline() == [
        "agent supervisor",
        "  chat",
        "    wire gpt-5: main of supervisor",
        "  tool research",
        "    agent researcher",
        "      chat",
        "        wire claude-haiku-4-5: subagent of researcher",
        "  chat",
        "    wire gpt-5: main of supervisor",
    ]
    assert calls() == [
        "supervisor: main of supervisor",
        "supervisor: subagent of researcher",
        "supervisor: main of supervisor",
    ]


def test_runs_side_by_side_keep_their_tasks_and_agents(instrumented, models, provider, calls):
    provider.script(lambda request: Reply(request.user, delay_s=0.02), times=None)
    model = models.gpt()
    agents = [Agent(model, name=f"agent-{number}") for number in range(5)]

    async def all_at_once() -> None:
        await asyncio.gather(*(agent.run("Go") for agent in agents))

    asyncio.get_event_loop().run_until_complete(all_at_once())

    assert sorted(calls()) == [f"agent-{number}: main of agent-{number}" for number in range(5)]


def test_a_call_that_a_tool_makes_by_itself_is_the_tools(instrumented, models, provider, calls):
    asks_first(provider, "translate", text="tides")
    agent = Agent(models.gpt(), name="writer")
    claude = models.claude()

    @agent.tool_plain
    async def translate(text: str) -> str:
        await claude.client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": text}],
        )
        return "Gezeiten"

    run("run", agent, "Translate")

    assert calls() == [
        "writer: main of writer",
        "writer: tool of writer",
        "writer: main of writer",
    ]


def test_a_task_around_a_run_names_it(instrumented, models, calls):
    with agenttrace.task("report"):
        run("run_sync", Agent(models.gpt(), name="writer"), "Write")
    assert calls() == ["report: main of writer"]


def test_a_conversation_is_the_session_of_its_calls(instrumented, models, recording, provider):
    provider.script(
        Reply(tool_calls=[ToolCall("research", {"question": "tides"})]),
        when=lambda request: request.model == "gpt-5",
    )

    run("run_sync", team(models), "What are tides?", conversation_id="C-1")

    with agenttrace.read(recording) as reader:
        sessions = reader.query("SELECT DISTINCT session_id FROM model_call")
    # The researcher's run made up an id of its own.
    assert sessions == [{"session_id": "C-1"}]


def test_attempts_inside_the_client_are_counted_each(instrumented, models, provider, calls):
    provider.script(Failure(500, work="Never delivered."), "Hello.")
    run("run_sync", Agent(models.gpt(), name="writer"), "Write")
    assert len(provider.ledger) == 2


def test_an_error_keeps_its_type_and_not_its_text(instrumented, models, provider, outline, spooled):
    provider.script(Failure(400))
    with pytest.raises(ModelHTTPError) as caught:
        run("run_sync", Agent(models.gpt(), name="writer"), "Secret words")
    kind = f"{type(caught.value).__module__}.{type(caught.value).__qualname__}"
    assert outline() == [
        f"agent writer !{kind}",
        f"  chat !{kind}",
        "    wire gpt-5: main of writer !400",
    ]
    assert "Secret" not in str(spooled())


def test_nothing_that_was_said_is_recorded(instrumented, models, provider, spooled):
    asks_first(provider, "research", question="Secret question")
    provider.script("Secret answer")
    run("run_sync", team(models), "Secret words")
    assert "secret" not in str(spooled()).lower()


def test_a_model_without_a_transport_is_counted_by_its_span(instrumented, models, recording):
    run("run_sync", Agent(TestModel(), name="writer"), "Write")
    with agenttrace.read(recording) as reader:
        found = reader.query("SELECT agent, task_name, capture FROM model_call")
    assert found == [{"agent": "writer", "task_name": "writer", "capture": "frame"}]


def test_what_the_program_has_set_is_kept(recording, models, outline):
    mine = InstrumentationSettings(tracer_provider=TracerProvider())
    Agent.instrument_all(mine)
    PydanticAIInstrumentor().instrument()
    assert Agent._instrument_default is mine
    PydanticAIInstrumentor().uninstrument()
    assert Agent._instrument_default is mine
    Agent.instrument_all(False)


def test_what_the_program_sets_later_is_kept(recording):
    PydanticAIInstrumentor().instrument()
    Agent.instrument_all(True)
    PydanticAIInstrumentor().uninstrument()
    assert Agent._instrument_default is True
    Agent.instrument_all(False)


def test_spans_of_the_program_are_not_doubled(home, models, calls, spooled):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agenttrace.shutdown()
    agenttrace.configure(home, tracer_provider=provider)
    Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
    PydanticAIInstrumentor().instrument()

    run("run_sync", Agent(models.gpt(), name="writer"), "Secret words")

    PydanticAIInstrumentor().uninstrument()
    Agent.instrument_all(False)
    sent = exporter.get_finished_spans()
    assert [
        span.name for span in sent if "agenttrace" not in str(span.instrumentation_scope.name)
    ] == [
        "chat gpt-5",
        "invoke_agent writer",
    ]
    # The program chose to export what was said; agenttrace does not keep it.
    assert "Secret" in str([span.attributes for span in sent])
    assert "Secret" not in str(spooled())
    assert calls() == ["writer: main of writer"]
    provider.shutdown()


def test_runs_are_not_recorded_after_uninstrument(instrumented, models, calls):
    PydanticAIInstrumentor().uninstrument()
    run("run_sync", Agent(models.gpt(), name="writer"), "Write")
    assert calls() == ["None: main of nobody"]


def test_recording_that_moves_takes_the_agents_along(recording, tmp_path, models, spooled):
    PydanticAIInstrumentor().instrument()
    agenttrace.configure(tmp_path / "elsewhere")
    run("run_sync", Agent(models.gpt(), name="writer"), "Write")
    PydanticAIInstrumentor().uninstrument()
    with agenttrace.read(tmp_path / "elsewhere") as reader:
        assert reader.query("SELECT agent FROM model_call") == [{"agent": "writer"}]


def test_nothing_global_is_set(instrumented, models):
    run("run_sync", Agent(models.gpt(), name="writer"), "Write")
    assert not isinstance(trace.get_tracer_provider(), TracerProvider)


def test_it_is_hooked_when_it_is_imported_afterwards(home):
    program = (
        "import agenttrace_pydantic_ai\n"
        "agenttrace_pydantic_ai.PydanticAIInstrumentor().instrument()\n"
        "from pydantic_ai import Agent\n"
        "assert Agent._instrument_default\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
