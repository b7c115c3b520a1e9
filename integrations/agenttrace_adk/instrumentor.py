"""Let the spans that ADK makes itself arrive where the program has no tracer provider."""

import contextlib
from collections.abc import Generator
from typing import ClassVar, Final

from agenttrace.integration import Instrumentor, joined, replaced

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
            replaced(tracer, "start_span", joined(_SCOPE)),
            replaced(tracer, "start_as_current_span", joined(_SCOPE)),
        ):
            yield
