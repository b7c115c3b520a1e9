"""A second instrumentation, of the kind that wraps each method of an SDK.

It makes a span of the GenAI conventions around a call, with the usage of what the method returned;
for a stream, whose usage comes later, without.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

_TRACER = "second-instrumentation"


class Second:
    """Sets a tracer provider where there is none, and wraps what is installed."""

    is_around = True

    def configure(self, folder: Path) -> None:
        if not isinstance(trace.get_tracer_provider(), TracerProvider):
            trace.set_tracer_provider(TracerProvider())
        for owner in _methods():
            owner.create = _wrapped(owner.create, self.is_around)

    def frame(self, kind: str, name: str, **options: Any) -> Any:
        return nullcontext()

    def environ(self) -> dict[str, str]:
        raise NotImplementedError("It is only ever beside another one.")

    def rows(self, folder: Path) -> list[Any]:
        return []

    def version(self) -> str:
        return "a second instrumentation"


class Callbacks(Second):
    """Like the tracers that a framework calls back: its spans are around nothing and name no id."""

    is_around = False


def _methods() -> list[Any]:
    import anthropic.resources
    import openai.resources
    import openai.resources.chat
    import openai.resources.responses

    return [
        openai.resources.chat.Completions,
        openai.resources.chat.AsyncCompletions,
        openai.resources.responses.Responses,
        openai.resources.responses.AsyncResponses,
        openai.resources.Embeddings,
        anthropic.resources.Messages,
        anthropic.resources.AsyncMessages,
    ]


def _wrapped(method: Callable[..., Any], is_around: bool) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _span(method, kwargs, is_around) as span:
                return _noted(span, await method(*args, **kwargs), is_around)
    else:

        @functools.wraps(method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _span(method, kwargs, is_around) as span:
                return _noted(span, method(*args, **kwargs), is_around)

    return wrapper


def _span(method: Callable[..., Any], kwargs: dict[str, Any], is_around: bool) -> Any:
    operation = "embeddings" if "Embeddings" in method.__qualname__ else "chat"
    attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": method.__module__.partition(".")[0],
        "gen_ai.request.model": str(kwargs.get("model")),
    }
    name = f"{operation} {kwargs.get('model')}"
    tracer = trace.get_tracer(_TRACER)
    if is_around:
        return tracer.start_as_current_span(name, attributes=attributes)
    return _aside(tracer.start_span(name, attributes=attributes))


@contextmanager
def _aside(span: trace.Span) -> Any:
    yield span
    span.end()


def _noted(span: trace.Span, result: Any, is_around: bool) -> Any:
    usage = getattr(result, "usage", None)
    for key, names in _USAGE.items():
        for name in names:
            if isinstance(count := getattr(usage, name, None), int):
                span.set_attribute(key, count)
    if is_around and isinstance(response_id := getattr(result, "id", None), str):
        span.set_attribute("gen_ai.response.id", response_id)
    return result


_USAGE = {
    "gen_ai.usage.input_tokens": ("prompt_tokens", "input_tokens"),
    "gen_ai.usage.output_tokens": ("completion_tokens", "output_tokens"),
}
