"""A tracer provider that is always the one that recording has joined.

A framework asks for its tracer once. Recording may move after that: to another home, or to the
global provider that the program sets only then.
"""

from typing import Any, Final

from opentelemetry.trace import Span, Tracer, TracerProvider
from opentelemetry.util.types import Attributes

from agenttrace.record import setup


class JoinedProvider(TracerProvider):
    """Hands each span to the provider that recording has joined when the span starts."""

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> Tracer:
        """Return a tracer with this scope."""
        return _JoinedTracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )


class _JoinedTracer(Tracer):
    def __init__(self, *scope: Any) -> None:
        self._scope = scope
        self._made: tuple[TracerProvider, Tracer] | None = None

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        return self._now().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._now().start_as_current_span(*args, **kwargs)

    def _now(self) -> Tracer:
        provider, made = setup.tracer_provider(), self._made
        if made is None or made[0] is not provider:
            made = self._made = (provider, provider.get_tracer(*self._scope))
        return made[1]


JOINED: Final = JoinedProvider()
