"""Pipelines, components, agents and tools of Haystack: who made which call, and as what."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from haystack import Pipeline, tracing
from haystack.tools import ComponentTool, Tool
from haystack.tracing.tracer import NullSpan, ProxyTracer, Tracer

import agenttrace
from agenttrace.testing import Failure, Reply, ToolCall
from agenttrace_haystack import HaystackInstrumentor

THREE_WAYS = pytest.mark.parametrize("how", ["run", "run_async", "run_async_generator"])
TEXT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
}


def drive(how: str, made: Any, pipeline: Any, data: dict[str, Any]) -> None:
    async def consume() -> None:
        async for _ in pipeline.run_async_generator(data):
            pass

    if how == "run":
        pipeline.run(data)
    else:
        made.run(consume() if how == "run_async_generator" else pipeline.run_async(data))


def calls_first(provider: Any, agent: str, tool: str, **arguments: Any) -> None:
    """Script *agent*: it calls *tool*, then it answers."""
    provider.script(
        Reply(tool_calls=[ToolCall(tool, arguments)]),
        "All done.",
        when=lambda request: request.system == f"You are {agent}.",
    )


@THREE_WAYS
@pytest.mark.usefixtures("instrumented")
def test_the_calls_of_a_pipeline_are_those_of_its_components(how, made, asked, outline, calls):
    pipeline = made.pipeline(writer=made.agent("writer"), judge=made.generator())

    drive(how, made, pipeline, {"writer": asked("Write"), "judge": asked("Judge")})

    writer = ["  step writer", "    agent writer", "      wire gpt-4o: main of writer"]
    judge = ["  step judge", "    wire gpt-4o: main of nobody"]
    assert outline()[0] == "step reports"
    assert outline()[1:] in (writer + judge, judge + writer)
    assert sorted(calls()) == ["reports: main of nobody", "reports: main of writer"]


@THREE_WAYS
@pytest.mark.usefixtures("instrumented")
def test_an_agent_as_a_tool_is_a_sub_agent(how, made, asked, calls, outline):
    provider = made.provider
    question = {"role": "user", "content": [{"text": "tides"}]}
    calls_first(provider, "supervisor", "researcher", messages=[question])
    researcher = ComponentTool(
        component=made.agent("researcher"), name="researcher", description="Looks things up"
    )
    supervisor = made.agent("supervisor", tools=[researcher])

    drive(how, made, made.pipeline(supervisor=supervisor), {"supervisor": asked("Go")})

    assert calls() == [
        "reports: main of supervisor",
        "reports: subagent of researcher",
        "reports: main of supervisor",
    ]
    assert outline() == [
        "step reports",
        "  step supervisor",
        "    agent supervisor",
        "      wire gpt-4o: main of supervisor",
        "      tool researcher",
        "        agent researcher",
        "          wire gpt-4o: subagent of researcher",
        "      wire gpt-4o: main of supervisor",
    ]


@pytest.mark.parametrize("how", ["run", "run_async"])
@pytest.mark.usefixtures("instrumented")
def test_a_call_that_a_tool_makes_by_itself_is_the_tools(how, made, asked, provider, calls):
    calls_first(provider, "writer", "translate", text="tides")

    def translate(text: str) -> str:
        with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
            )
        return "Gezeiten"

    tool = Tool(name="translate", description="Translate", parameters=TEXT, function=translate)
    agent = made.agent("writer", tools=[tool])

    if how == "run":
        agent.run(**asked("Go"))
    else:
        made.run(agent.run_async(**asked("Go")))

    assert calls() == [
        "agent: main of agent",
        "agent: tool of agent",
        "agent: main of agent",
    ]


def test_tools_that_run_in_parallel_keep_apart(instrumented, made, asked, provider, outline):
    both = [ToolCall("translate", {"text": "a"}), ToolCall("translate", {"text": "b"})]
    provider.script(Reply(tool_calls=both), "Done.", when=lambda request: request.model == "gpt-4o")

    def translate(text: str) -> str:
        with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": text}]
            )
        return text

    tool = Tool(name="translate", description="Translate", parameters=TEXT, function=translate)
    made.agent("writer", tools=[tool]).run(**asked("Go"))

    assert outline()[2:6] == ["  tool translate", "    wire gpt-4o-mini: tool of agent"] * 2


def test_runs_side_by_side_keep_their_tasks_and_agents(instrumented, made, asked, provider, calls):
    provider.script(lambda request: Reply("Done.", delay_s=0.02), times=None)

    async def all_at_once() -> None:
        runs: list[Any] = []
        for number in range(4):
            name = f"agent_{number}"
            pipeline = Pipeline(metadata={"name": f"task_{number}"})
            pipeline.add_component(name, made.agent(name))
            runs.append(pipeline.run_async({name: asked("Go")}))
        await asyncio.gather(*runs)

    made.run(all_at_once())

    assert sorted(calls()) == [f"task_{n}: main of agent_{n}" for n in range(4)]


def test_a_stream_inside_a_component_is_its_call(instrumented, made, asked, calls):
    seen: list[str] = []
    generator = made.generator(
        streaming_callback=lambda chunk: seen.append(chunk.content),
        generation_kwargs={"stream_options": {"include_usage": True}},
    )
    made.pipeline(writer=generator).run({"writer": asked("Write it")})
    assert "".join(seen)
    assert calls() == ["reports: main of nobody"]


def test_a_task_around_a_run_names_it(instrumented, made, asked, calls):
    with agenttrace.task("mine"):
        made.pipeline(writer=made.agent("writer")).run({"writer": asked("Write")})
        made.agent("bare").run(**asked("Write"))
    assert calls() == ["mine: main of writer", "mine: main of agent"]


@pytest.mark.usefixtures("instrumented")
def test_an_error_keeps_its_type_and_not_its_text(made, asked, provider, outline, spooled):
    provider.script(Failure(400))
    with pytest.raises(Exception, match="400") as caught:
        made.pipeline(writer=made.agent("writer")).run({"writer": asked("Secret words")})
    assert outline() == [
        f"step reports !{type(caught.value).__qualname__}",
        "  step writer !PipelineRuntimeError",
        "    agent writer !BadRequestError",
        "      wire gpt-4o: main of writer !400",
    ]
    assert "Secret" not in str(spooled())


def test_nothing_that_was_said_is_recorded(instrumented, made, asked, provider, spooled):
    calls_first(provider, "writer", "look", text="Secret question")
    tool = Tool(
        name="look", description="Look", parameters=TEXT, function=lambda text: "Secret answer"
    )
    made.agent("writer", tools=[tool]).run(**asked("Secret words"))
    assert len(spooled()) == 4
    assert "secret" not in str(spooled()).lower()


class Noting(Tracer):
    """A tracer of the program's own."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @contextlib.contextmanager
    def trace(
        self, operation_name: str, tags: Any = None, parent_span: Any = None
    ) -> Iterator[Any]:
        self.seen.append(operation_name)
        yield NullSpan()

    def current_span(self) -> Any:
        return None


def test_the_tracer_of_the_program_sees_what_it_saw(instrumented, made, asked, calls):
    noting = Noting()
    tracing.enable_tracing(noting)
    made.pipeline(writer=made.generator()).run({"writer": asked("Write")})
    tracing.disable_tracing()
    assert noting.seen == ["haystack.pipeline.run", "haystack.component.run"]
    assert calls() == ["reports: main of nobody"]


def test_tracing_is_as_much_on_as_it_was(instrumented):
    assert not tracing.is_tracing_enabled()


def test_runs_are_not_recorded_after_uninstrument(recording, made, asked, calls):
    before = ProxyTracer.trace
    HaystackInstrumentor().instrument()
    assert ProxyTracer.trace is not before
    HaystackInstrumentor().uninstrument()
    assert ProxyTracer.trace is before
    made.pipeline(writer=made.generator()).run({"writer": asked("Write")})
    assert calls() == ["None: main of nobody"]


def test_it_is_hooked_when_it_is_imported_afterwards(home):
    program = (
        "import agenttrace_haystack\n"
        "agenttrace_haystack.HaystackInstrumentor().instrument()\n"
        "from haystack.tracing.tracer import ProxyTracer\n"
        "assert ProxyTracer.trace.__wrapped__.__wrapped__\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
