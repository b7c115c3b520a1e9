"""OpenTelemetry's own GenAI instrumentations and agenttrace in one process: one call each."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opentelemetry.util.genai.invocation")
pytest.importorskip("opentelemetry.instrumentation.genai.openai")

import openai
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI
from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (
    InMemorySpanExporter,
)

import agenttrace
from agenttrace.testing import ModelProvider, Reply, ToolCall

Install = Callable[[], None]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        for name, value in running.env().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(params=["ours first", "theirs first"])
def both(
    request: pytest.FixtureRequest, home: Path, exporter: InMemorySpanExporter
) -> Iterator[None]:
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))

    def ours() -> None:
        agenttrace.configure(home, tracer_provider=tracers)
        agenttrace.instrument("langchain")
        undo.callback(agenttrace.shutdown)
        undo.callback(agenttrace_langchain_off)

    def theirs() -> None:
        for instrumentor in (OpenAIInstrumentor(), LangChainInstrumentor()):
            instrumentor.instrument(tracer_provider=tracers)
            undo.callback(instrumentor.uninstrument)

    with ExitStack() as undo:
        for install in (ours, theirs) if request.param == "ours first" else (theirs, ours):
            install()
        yield


def agenttrace_langchain_off() -> None:
    from agenttrace_langchain import LangChainInstrumentor as Ours

    Ours().uninstrument()


def counted(home: Path) -> list[tuple[Any, ...]]:
    with agenttrace.read(home) as reader:
        return list(
            reader.table(
                "SELECT agent, role, input_tokens, output_tokens "
                "FROM model_call ORDER BY started_at"
            ).rows
        )


@pytest.mark.usefixtures("both")
def test_a_call_of_the_sdk_is_counted_once(home: Path, provider: ModelProvider) -> None:
    with agenttrace.task("t"), openai.OpenAI() as client:
        client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "hello"}]
        )
    (billed,) = provider.ledger
    assert counted(home) == [(None, "main", billed.input_tokens, billed.output_tokens)]


@pytest.mark.usefixtures("both")
def test_an_agent_of_a_framework_is_counted_once(home: Path, provider: ModelProvider) -> None:
    def look(what: str) -> str:
        """Look something up."""
        return what

    provider.script(Reply(tool_calls=[ToolCall("look", {"what": "x"})]), "Found.")
    with agenttrace.task("t"):
        graph = create_agent(ChatOpenAI(model="gpt-5"), [look], name="finder")
        graph.invoke({"messages": [("user", "find it")]})
    tokens = [(line.input_tokens, line.output_tokens) for line in provider.ledger]
    assert counted(home) == [("finder", "main", *pair) for pair in tokens]


@pytest.mark.usefixtures("both")
def test_a_back_end_that_gets_both_sees_one_span_for_each_call(
    provider: ModelProvider, exporter: InMemorySpanExporter
) -> None:
    with agenttrace.task("t"), openai.OpenAI() as client:
        client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "hello"}]
        )
    chats = [
        span
        for span in exporter.get_finished_spans()
        if (span.attributes or {}).get("gen_ai.operation.name") == "chat"
    ]
    assert [span.name for span in chats] == ["chat gpt-5"]
