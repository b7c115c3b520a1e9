"""Let the spans that ADK makes itself arrive where the program has no tracer provider."""

import contextlib
from collections.abc import Callable, Generator
from typing import Any, ClassVar, Final

from agenttrace.integration import Instrumentor, replaced, tracer_provider

_SCOPE: Final = "gcp.vertex.agent"


class AdkInstrumentor(Instrumentor):
    """Stands in for the global tracer provider of ADK's tracer, as long as the program has none."""

    distribution: ClassVar = "google-adk"
    module: ClassVar = "google.adk.telemetry.tracing"
    hook: ClassVar = "its own OpenTelemetry spans"
    tested: ClassVar = ("2.3", "2.13")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Take over ADK's tracer, which many of its modules hold."""
        from google.adk.telemetry.tracing import tracer

        with (
            replaced(tracer, "start_span", _instead),
            replaced(tracer, "start_as_current_span", _instead),
        ):
            yield


def _instead(original: Callable[..., Any], is_wanted: Callable[[], bool]) -> Callable[..., Any]:
    from opentelemetry import trace

    ours = getattr(tracer_provider().get_tracer(_SCOPE), original.__name__)

    def start(*args: Any, **kwargs: Any) -> Any:
        if not is_wanted():
            return original(*args, **kwargs)
        # A provider that the program has set, earlier or since, is joined and gets them as ever.
        tracer_provider()
        nobody = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        return (ours if nobody else original)(*args, **kwargs)

    return start
