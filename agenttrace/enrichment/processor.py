"""Add energy to spans on their way to an exporter.

A span that has ended can no longer be written to, and other exporters of the program may not want
it changed; so the processor stands in front of one other and hands that a copy.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from agenttrace.enrichment.reading import of_span
from agenttrace.record import trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from agenttrace.enrichment.estimating import Estimator

_OPEN_KEPT: Final = 4096  # spans around a call that have not ended; beyond it the oldest are let go


class EnergySpanProcessor(SpanProcessor):
    """Hand spans on, those of model calls with an estimate of their energy and carbon.

    ``provider.add_span_processor(EnergySpanProcessor(BatchSpanProcessor(exporter)))`` takes the
    place of ``provider.add_span_processor(BatchSpanProcessor(exporter))``. Of inference spans
    inside one another only the innermost gets one, so that a sum over spans counts nothing twice.
    Never raises; what cannot be estimated goes on as it is.
    """

    def __init__(self, next: SpanProcessor, estimator: Estimator | None = None) -> None:  # noqa: A002 - the word for it
        """Stand before another processor.

        Args:
            next: Gets every span.
            estimator: What to estimate with; one with the settings of this process if not given.
        """
        self._next = next
        self._estimator = estimator
        self._around: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._lock = Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Hand *span* on."""
        self._next.on_start(span, parent_context)

    def _on_ending(self, span: Span) -> None:
        # The SDK calls it since 1.32 or so; nobody but the next one can want it.
        on_ending = getattr(self._next, "_on_ending", None)
        if on_ending is not None:
            on_ending(span)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand on a copy with an estimate where *span* is a call, else *span* itself."""
        told = span
        with trouble.Guard("adding energy to a span"):
            told = self._enriched(span)
        self._next.on_end(told)

    def shutdown(self) -> None:
        """Shut the next one down."""
        self._next.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the next one."""
        return self._next.force_flush(timeout_millis)

    def _enriched(self, span: ReadableSpan) -> ReadableSpan:
        said = span.attributes or {}
        scope = span.instrumentation_scope
        is_outer = self._has_call_inside(span)
        found = {} if is_outer else of_span(said, scope.name if scope else "", self._estimator)
        if found or is_outer:
            self._note_call_inside(span)
        return _copy(span, {**said, **found}) if found else span

    def _has_call_inside(self, span: ReadableSpan) -> bool:
        own = span.get_span_context()
        if own is None:
            return False
        with self._lock:
            key = (own.trace_id, own.span_id)
            return self._around.pop(key, _ABSENT) is not _ABSENT

    def _note_call_inside(self, span: ReadableSpan) -> None:
        """Remember what is around a call: the spans there end later, and may repeat its tokens."""
        parent = span.parent
        if parent is None or parent.is_remote:
            return
        with self._lock:
            self._around[parent.trace_id, parent.span_id] = None
            if len(self._around) > _OPEN_KEPT:
                self._around.popitem(last=False)


_ABSENT: Final = object()


def _copy(span: ReadableSpan, attributes: Mapping[str, object]) -> ReadableSpan:
    """Return *span* with other attributes; what was dropped from it stays known."""
    kept = BoundedAttributes(None, attributes)  # pyright: ignore[reportCallIssue, reportArgumentType]
    kept.dropped = span.dropped_attributes
    return _Copy(span, kept)


class _Copy(ReadableSpan):
    """A span that has ended, with more attributes."""

    def __init__(self, span: ReadableSpan, attributes: BoundedAttributes) -> None:
        super().__init__(
            name=span.name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes=attributes,
            events=span.events,
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
        self._dropped = span.dropped_events, span.dropped_links

    @property
    def dropped_events(self) -> int:
        """Events that the span had no room for."""
        return self._dropped[0]

    @property
    def dropped_links(self) -> int:
        """Links that the span had no room for."""
        return self._dropped[1]
