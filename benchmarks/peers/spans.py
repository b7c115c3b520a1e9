"""Tracers whose records are OpenTelemetry spans: how each is switched on, and its spans as rows."""

import importlib
import inspect
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, cast

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from agenttrace.conformance.tracers import Row
from agenttrace.store.spellings import KINDS, SPELLINGS

# What says that a span is a frame of the program, whatever else the tracer makes.
FRAME = "conformance.frame"
FRAME_NAME = "conformance.name"

_OPERATIONS = {"task": "invoke_workflow", "agent": "invoke_agent", "tool": "execute_tool"}
_INSTRUMENTORS = {
    "opentelemetry.instrumentation.threading": "ThreadingInstrumentor",
}


class _Lines(SpanExporter):
    """Writes each span as it ends, so that nothing waits for an orderly exit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        # By process: a forked child has this exporter too.
        with (self._folder / f"{os.getpid()}.jsonl").open("a") as file:
            file.writelines(f"{json.dumps(_plain(span))}\n" for span in spans)
        return SpanExportResult.SUCCESS


def _plain(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    return {
        "id": span.context.span_id,
        "parent": span.parent.span_id if span.parent else None,
        "trace": span.context.trace_id,
        "name": span.name,
        "start": span.start_time,
        "failed": span.status.status_code is trace.StatusCode.ERROR,
        "attributes": dict(span.attributes or {}),
    }


class _Frame(AbstractContextManager[Any]):
    """A span around a block, or around each call of a function."""

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self._name = kind, name
        self._entered: list[AbstractContextManager[Any]] = []

    def __enter__(self) -> Any:
        named = {f"gen_ai.{self._kind}.name": self._name} if self._kind != "task" else {}
        attributes = {
            FRAME: self._kind,
            FRAME_NAME: self._name,
            "gen_ai.operation.name": _OPERATIONS[self._kind],
            **named,
        }
        span = trace.get_tracer("conformance").start_as_current_span(
            f"{_OPERATIONS[self._kind]} {self._name}", attributes=attributes
        )
        self._entered.append(span)
        return span.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate *function*, the way that a user of OpenTelemetry would."""

        def again() -> "_Frame":
            return _Frame(self._kind, self._name)

        if inspect.isasyncgenfunction(function):

            async def generate_async(*args: Any, **kwargs: Any) -> Any:
                with again():
                    async for value in function(*args, **kwargs):
                        yield value

            return wraps(function)(generate_async)
        if inspect.iscoroutinefunction(function):

            async def run(*args: Any, **kwargs: Any) -> Any:
                with again():
                    return await function(*args, **kwargs)

            return wraps(function)(run)
        if inspect.isgeneratorfunction(function):

            def generate(*args: Any, **kwargs: Any) -> Any:
                with again():
                    yield from function(*args, **kwargs)

            return wraps(function)(generate)

        def call(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return wraps(function)(call)


class Spans:
    """A tracer that makes spans; a subclass says which distributions it is, and switches it on.

    Attributes:
        distributions: What is measured, the one that names it first.
        instrumentors: Module -> class with an ``instrument`` method.
    """

    distributions: ClassVar[tuple[str, ...]] = ()
    instrumentors: ClassVar[Mapping[str, str]] = {}

    def configure(self, folder: Path) -> None:
        """Join the tracer provider that exists, or set one, and instrument what is installed."""
        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            provider = TracerProvider()
            trace.set_tracer_provider(provider)
        provider.add_span_processor(SimpleSpanProcessor(_Lines(folder)))
        for module, name in {**_INSTRUMENTORS, **self.instrumentors}.items():
            try:
                instrumentor = getattr(importlib.import_module(module), name)()
            except ImportError:
                continue
            instrumentor.instrument()
        _join_the_parent()

    def frame(self, kind: str, name: str, **_: Any) -> AbstractContextManager[Any]:
        """Frame with a span; there are none for roles."""
        return nullcontext() if kind == "role" else _Frame(kind, name)

    def environ(self) -> dict[str, str]:
        """Return the environment with OpenTelemetry's carriers."""
        carried: dict[str, str] = {}
        propagate.inject(carried)
        return {**os.environ, **{name.upper(): value for name, value in carried.items()}}

    def rows(self, folder: Path) -> Sequence[Row]:
        """Return a row for every span that says it is a model call."""
        spans: list[dict[str, Any]] = [
            json.loads(line)
            for path in folder.glob("*.jsonl")
            for line in path.read_text().splitlines()
        ]
        by_id = {span["id"]: span for span in spans}
        calls = [span for span in spans if is_call(span)]
        return [row(span, by_id) for span in sorted(calls, key=lambda span: span["start"])]

    def version(self) -> str:
        """Return the versions of what is measured."""
        return ", ".join(f"{name} {version(name)}" for name in self.distributions)


def _join_the_parent() -> None:
    names = {"traceparent": "TRACEPARENT", "baggage": "BAGGAGE"}
    carried = {
        name: os.environ[variable] for name, variable in names.items() if variable in os.environ
    }
    if carried:
        context.attach(propagate.extract(carried))


def is_call(span: Mapping[str, Any]) -> bool:
    """Whether a span says that it is a model call."""
    attributes = span["attributes"]
    if FRAME in attributes:
        return False
    for key, kinds in KINDS.items():
        if key in attributes:
            return kinds.get(str(attributes[key]).lower()) == "inference"
    return False


def row(span: Mapping[str, Any], by_id: Mapping[int, Mapping[str, Any]]) -> Row:
    """Return what a span of a model call says, and the frames around it."""
    attributes = span["attributes"]

    def said(name: str) -> Any:
        return next((attributes[key] for key in SPELLINGS[name] if key in attributes), None)

    frames = list(_frames(span, by_id))
    task = next((frame for frame in frames if frame["attributes"].get(FRAME) == "task"), None)
    agents = (_agent_of(frame) for frame in frames)
    return Row(
        model=said("response_model") or said("request_model"),
        response_id=said("response_id") or _id_in(attributes.get("output.value")),
        task_id=str(task["id"]) if task else None,
        task=task["attributes"][FRAME_NAME] if task else None,
        agent=said("agent") or next(filter(None, agents), None),
        failed=span["failed"],
        http_status=said("http_status"),
        **{
            name: said(name)
            for name in (
                "input_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
                "output_tokens",
                "reasoning_tokens",
            )
        },
    )


def _frames(
    span: Mapping[str, Any], by_id: Mapping[int, Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """Yield the spans around a span, the nearest first; one that never ended is a gap."""
    while (above := by_id.get(span["parent"])) is not None:
        yield above
        span = above


def _agent_of(span: Mapping[str, Any]) -> str | None:
    """Return the agent that a span is: of the program, or of an instrumentation of a framework."""
    attributes = span["attributes"]
    if FRAME in attributes:
        return attributes[FRAME_NAME] if attributes[FRAME] == "agent" else None
    if not any(
        kinds.get(str(attributes.get(key)).lower()) == "agent" for key, kinds in KINDS.items()
    ):
        return None
    said = (attributes[key] for key in SPELLINGS["agent"] if key in attributes)
    return next(said, str(span["name"]).removeprefix("invoke_agent "))


def _id_in(output: object) -> str | None:
    """Return the response id in a recorded output, where that is the response as it came."""
    try:
        parsed: Any = json.loads(str(output))
    except ValueError:
        return None
    if not isinstance(parsed, dict):
        return None
    found = cast("dict[str, Any]", parsed).get("id")
    return None if found is None else str(found)


class OpenInference(Spans):
    """Arize's instrumentors of the SDKs and of LangChain."""

    distributions = (
        "openinference-instrumentation-openai",
        "openinference-instrumentation-anthropic",
        "openinference-instrumentation-langchain",
    )
    instrumentors: ClassVar = {
        "openinference.instrumentation.openai": "OpenAIInstrumentor",
        "openinference.instrumentation.anthropic": "AnthropicInstrumentor",
        "openinference.instrumentation.langchain": "LangChainInstrumentor",
    }


class OpenLLMetry(Spans):
    """Traceloop's instrumentors of the SDKs and of LangChain."""

    distributions = (
        "opentelemetry-instrumentation-openai",
        "opentelemetry-instrumentation-anthropic",
        "opentelemetry-instrumentation-langchain",
    )
    instrumentors: ClassVar = {
        "opentelemetry.instrumentation.openai": "OpenAIInstrumentor",
        "opentelemetry.instrumentation.anthropic": "AnthropicInstrumentor",
        "opentelemetry.instrumentation.langchain": "LangchainInstrumentor",
    }


class GenAI(Spans):
    """OpenTelemetry's own ``genai-*`` instrumentors of the SDKs and of LangChain."""

    distributions = (
        "opentelemetry-instrumentation-genai-openai",
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry-instrumentation-genai-langchain",
    )
    instrumentors: ClassVar = {
        "opentelemetry.instrumentation.genai.openai": "OpenAIInstrumentor",
        "opentelemetry.instrumentation.genai.anthropic": "AnthropicInstrumentor",
        "opentelemetry.instrumentation.genai.langchain": "LangChainInstrumentor",
    }


class Contrib(Spans):
    """OpenTelemetry's older instrumentor of OpenAI's SDK."""

    distributions = ("opentelemetry-instrumentation-openai-v2",)
    instrumentors: ClassVar = {"opentelemetry.instrumentation.openai_v2": "OpenAIInstrumentor"}


class Logfire(Spans):
    """Pydantic Logfire, local only."""

    distributions = ("logfire",)

    def configure(self, folder: Path) -> None:
        """Configure Logfire without sending, and instrument what it can."""
        logfire: Any = importlib.import_module("logfire")
        exporter = SimpleSpanProcessor(_Lines(folder))
        logfire.configure(
            send_to_logfire=False, console=False, additional_span_processors=[exporter]
        )
        for name in ("openai", "anthropic"):
            getattr(logfire, f"instrument_{name}")()
        _join_the_parent()
