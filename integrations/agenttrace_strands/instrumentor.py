"""Let the spans that Strands makes itself arrive where the program has no tracer provider."""

import contextlib
import functools
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Final

from agenttrace.integration import Instrumentor, replaced, tracer_provider

_SCOPE: Final = "strands.telemetry.tracer"


class StrandsInstrumentor(Instrumentor):
    """Stands in for the global tracer provider of Strands' tracer, as long as there is none."""

    distribution: ClassVar = "strands-agents"
    module: ClassVar = "strands.telemetry.tracer"
    hook: ClassVar = "its own OpenTelemetry spans"
    tested: ClassVar = ("1.17", "1.62")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Take over the tracer, now or when the first agent makes it."""
        from strands.telemetry import tracer as module

        with contextlib.ExitStack() as hooks:
            hooks.enter_context(replaced(module.Tracer, "__init__", _taken_over))
            made = module._tracer_instance  # noqa: SLF001 - asking for it would make it
            if made is not None:
                hooks.enter_context(replaced(made.tracer, "start_span", _instead))
            yield


def _taken_over(
    original: Callable[..., None], is_wanted: Callable[[], bool]
) -> Callable[..., None]:
    @functools.wraps(original)
    def make(tracer: Any, *args: Any, **kwargs: Any) -> None:
        original(tracer, *args, **kwargs)
        tracer.tracer.start_span = _instead(tracer.tracer.start_span, is_wanted)

    return make


def _instead(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    from opentelemetry import trace

    ours = tracer_provider().get_tracer(_SCOPE).start_span

    def start(*args: Any, **kwargs: Any) -> Any:
        if not is_wanted():
            return original(*args, **kwargs)
        # A provider that the program has set, earlier or since, is joined and gets them as ever.
        tracer_provider()
        nobody = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        return (ours if nobody else original)(*args, **kwargs)

    return start
