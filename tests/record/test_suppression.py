"""Where others ask for no span of a call, OpenTelemetry gets none, and the call is counted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import agenttrace

Spooled = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def exporter(home: Path) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    agenttrace.configure(home, tracer_provider=provider)
    yield exporter
    agenttrace.shutdown()


@pytest.mark.parametrize(
    "key",
    [
        "suppress_instrumentation",
        "suppress_language_model_instrumentation",
        "opentelemetry.genai.client.inference.context",
    ],
)
def test_a_suppressed_call_has_no_span_and_is_counted(
    exporter: InMemorySpanExporter, spooled: Spooled, key: str
) -> None:
    with agenttrace.task("t"):
        token = context.attach(context.set_value(key, object()))
        agenttrace.start("inference", "gpt-5").stop()
        context.detach(token)
    assert [span.name for span in exporter.get_finished_spans()] == ["invoke_workflow t"]
    task, call = spooled()
    assert call["attributes"]["agenttrace.kind"] == "inference"
    assert call["parent_span_id"] == task["span_id"]


def test_frames_have_their_spans_whatever_is_suppressed_for_models(
    exporter: InMemorySpanExporter,
) -> None:
    token = context.attach(context.set_value("suppress_language_model_instrumentation", True))
    with agenttrace.agent("a"):
        pass
    context.detach(token)
    assert [span.name for span in exporter.get_finished_spans()] == ["invoke_agent a"]
