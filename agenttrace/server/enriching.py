"""Add ``agenttrace.energy.*`` to the model calls of a message on its way to another back end.

Each span and log record is read as the receiver reads it, so every dialect that it understands gets
an estimate. Of spans inside one another only the innermost call gets one: a sum over spans counts
nothing twice. Metrics, which are sums already, go on as they are.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agenttrace.enrichment import Estimator, of_span
from agenttrace.server import bodies
from agenttrace.server.keeping import Message
from agenttrace.server.limits import Limits
from agenttrace.server.refusals import RefusedError
from agenttrace.sources.otlp import MalformedError, decode, read

Said = dict[str, str | float | bool]

_LARGEST: Final = Limits().unpacked_bytes


class _Line(msgspec.Struct):
    """What is needed of a line of the spool."""

    attributes: dict[str, Any]
    scope: str = ""


_lines: Final = msgspec.json.Decoder(_Line)


class Enriching:
    """Changes messages; what it cannot read goes on unchanged."""

    def __init__(self, estimator: Estimator) -> None:
        self._estimator = estimator

    def __call__(self, message: Message) -> Message:
        """Return *message* with estimates, as protobuf; itself if there is nothing to add."""
        if message.signal not in ("traces", "logs"):
            return message
        try:
            body = bodies.unpacked(message.body, message.encoding, _LARGEST)
            request = decode(message.signal, body, message.content_type)
        except (MalformedError, RefusedError, RecursionError):
            return message
        changed = 0
        if isinstance(request, ExportTraceServiceRequest):
            changed = self._enrich_spans(request)
        elif isinstance(request, ExportLogsServiceRequest):
            changed = self._enrich_events(request)
        if not changed:
            return message
        return Message(message.signal, bodies.PROTOBUF, "", request.SerializeToString())

    def _enrich_spans(self, request: ExportTraceServiceRequest) -> int:
        found = [(span, said) for span, alone in _spans(request) if (said := self._said(alone))]
        around = _around(request, [span for span, _ in found])
        inner = [(span, said) for span, said in found if span.span_id not in around]
        for span, said in inner:
            span.attributes.extend(_attributes(said))
        return len(inner)

    def _enrich_events(self, request: ExportLogsServiceRequest) -> int:
        changed = 0
        for record, alone in _events(request):
            if said := self._said(alone):
                record.attributes.extend(_attributes(said))
                changed += 1
        return changed

    def _said(self, alone: ExportTraceServiceRequest | ExportLogsServiceRequest) -> Said:
        """Return what the one call in *alone* comes to; nothing if it is none."""
        signal = "traces" if isinstance(alone, ExportTraceServiceRequest) else "logs"
        for line in read(signal, alone).lines:
            told = _lines.decode(line)
            if said := of_span(told.attributes, told.scope, self._estimator):
                return said
        return {}


def _spans(
    request: ExportTraceServiceRequest,
) -> Iterator[tuple[Span, ExportTraceServiceRequest]]:
    """Yield each span, and a request with a copy of it and what is around it."""
    for group in request.resource_spans:
        for inner in group.scope_spans:
            alone = ExportTraceServiceRequest()
            outer = alone.resource_spans.add(resource=group.resource)
            place = outer.scope_spans.add(scope=inner.scope)
            for span in inner.spans:
                del place.spans[:]
                place.spans.append(span)
                yield span, alone


def _events(
    request: ExportLogsServiceRequest,
) -> Iterator[tuple[LogRecord, ExportLogsServiceRequest]]:
    for group in request.resource_logs:
        for inner in group.scope_logs:
            alone = ExportLogsServiceRequest()
            outer = alone.resource_logs.add(resource=group.resource)
            place = outer.scope_logs.add(scope=inner.scope)
            for record in inner.log_records:
                del place.log_records[:]
                place.log_records.append(record)
                yield record, alone


def _around(request: ExportTraceServiceRequest, calls: list[Span]) -> set[bytes]:
    """Return the ids of the spans of *request* that are around one of *calls*."""
    parents = {
        span.span_id: span.parent_span_id
        for group in request.resource_spans
        for inner in group.scope_spans
        for span in inner.spans
    }
    found: set[bytes] = set()
    for call in calls:
        parent = call.parent_span_id
        while parent and parent not in found:  # ids may go round in a circle
            found.add(parent)
            parent = parents.get(parent, b"")
    return found


def _attributes(said: Said) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in said.items()]


def _value(value: str | float | bool) -> AnyValue:  # noqa: FBT001 - what an attribute is
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    return AnyValue(string_value=value) if isinstance(value, str) else AnyValue(double_value=value)
