"""Read requests of OTLP into lines of the spool."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agenttrace import semconv
from agenttrace.sources.otlp import dialects, generic
from agenttrace.sources.otlp.attributes import OURS, RESOURCE, plain
from agenttrace.sources.otlp.decoding import Request, Signal, decode
from agenttrace.sources.otlp.seen import Origin, SeenEvent, SeenPoint, SeenSpan

_TIME_AT_MOST: Final = 2**63 - 1  # nanoseconds; what the store holds
_VALUE_AT_MOST: Final = 10**12  # far more tokens or dollars than any session uses
_ERROR: Final = Status.STATUS_CODE_ERROR
_DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_TRACE_ID, _SPAN_ID = 16, 8  # bytes; one of zeros is none
_NO_TRACE, _NO_SPAN = bytes(_TRACE_ID), bytes(_SPAN_ID)
_EXCEPTION_TYPE: Final = frozenset({"exception.type"})


@dataclass(slots=True)
class Read:
    """What came of a request.

    Attributes:
        lines: What is to be kept, as lines of the spool.
        rejected: What cannot be, by reason: it is for the sender to mend.
        accepted: Spans, log records or points that were understood, be there a line of them or not.
    """

    lines: list[bytes] = field(default_factory=list[bytes])
    rejected: Counter[str] = field(default_factory=Counter[str])
    accepted: int = 0


def read(signal: Signal, request: Request | bytes) -> Read:
    """Return what *request* tells.

    Args:
        signal: Which of the three it is.
        request: The message, or its protobuf.

    Raises:
        MalformedError: It is not such a message.
    """
    if isinstance(request, bytes):
        request = decode(signal, request)
    done = Read()
    match request:
        case ExportTraceServiceRequest():
            _read_spans(request, done)
        case ExportLogsServiceRequest():
            _read_events(request, done)
        case ExportMetricsServiceRequest():
            _read_points(request, done)
    return done


def _read_spans(request: ExportTraceServiceRequest, done: Read) -> None:
    for group in request.resource_spans:
        origins = _Origins(group.resource)
        for inner in group.scope_spans:
            origin = origins.of(inner.scope)
            dialect = dialects.of(origin)
            kept = OURS if origin.scope == generic.OURS else dialect.keys
            for span in inner.spans:
                reason = _trouble(span)
                if reason is not None:
                    done.rejected[reason] += 1
                    continue
                done.lines.extend(dialect.span(_seen_span(span, origin, kept)))
                done.accepted += 1


def _trouble(span: Span) -> str | None:
    """Return why a span can have no place, or None."""
    if not _is_trace_id(span.trace_id):
        return "no trace id"
    if not _is_span_id(span.span_id):
        return "no span id"
    if not 0 < span.start_time_unix_nano <= _TIME_AT_MOST:
        return "no start"
    return None


def _is_trace_id(found: bytes) -> bool:
    return len(found) == _TRACE_ID and found != _NO_TRACE


def _is_span_id(found: bytes) -> bool:
    return len(found) == _SPAN_ID and found != _NO_SPAN


def _seen_span(span: Span, origin: Origin, kept: frozenset[str]) -> SeenSpan:
    parent = span.parent_span_id
    end_ns = span.end_time_unix_nano
    is_failed = span.HasField("status") and span.status.code == _ERROR
    return SeenSpan(
        origin,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        parent.hex() if _is_span_id(parent) else None,
        span.start_time_unix_nano,
        end_ns if 0 < end_ns <= _TIME_AT_MOST else None,
        is_failed,
        _error_type(span) if is_failed else None,
        plain(span.attributes, kept),
    )


def _error_type(span: Span) -> str | None:
    """Return the type of the last exception that a span recorded, without its text."""
    for event in reversed(span.events):
        if said := plain(event.attributes, _EXCEPTION_TYPE):
            return str(said["exception.type"])
    return None


def _read_events(request: ExportLogsServiceRequest, done: Read) -> None:
    for group in request.resource_logs:
        origins = _Origins(group.resource)
        for inner in group.scope_logs:
            origin = origins.of(inner.scope)
            dialect = dialects.of(origin)
            for record in inner.log_records:
                event = _seen_event(record, origin, dialect.keys)
                if event is None:
                    done.rejected["no time"] += 1
                    continue
                done.lines.extend(dialect.event(event))
                done.accepted += 1


def _seen_event(record: LogRecord, origin: Origin, kept: frozenset[str]) -> SeenEvent | None:
    at_ns = record.time_unix_nano or record.observed_time_unix_nano
    if not 0 < at_ns <= _TIME_AT_MOST:
        return None
    attributes = plain(record.attributes, kept)
    named = attributes.pop("event.name", None)
    return SeenEvent(
        origin,
        str(record.event_name or named or _body_name(record)),
        at_ns,
        record.trace_id.hex() if _is_trace_id(record.trace_id) else "",
        record.span_id.hex() if _is_span_id(record.span_id) else "",
        attributes,
    )


def _body_name(record: LogRecord) -> str:
    """Return what some have for a name of the event; only looked up, for it may be anything."""
    return record.body.string_value if record.HasField("body") else ""


def _read_points(request: ExportMetricsServiceRequest, done: Read) -> None:
    for group in request.resource_metrics:
        origins = _Origins(group.resource)
        for inner in group.scope_metrics:
            origin = origins.of(inner.scope)
            dialect = dialects.of(origin)
            for metric in inner.metrics:
                done.accepted += _number_of_points(metric)
                if metric.name in dialect.metrics:
                    for point in _seen_points(metric, origin, dialect.keys):
                        done.lines.extend(dialect.point(point))


def _number_of_points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return 0 if kind is None else len(getattr(metric, kind).data_points)


def _seen_points(metric: Metric, origin: Origin, kept: frozenset[str]) -> Iterator[SeenPoint]:
    """Yield the points of a sum, or the sums of a histogram."""
    kind = metric.WhichOneof("data")
    if kind == "sum":
        is_delta = metric.sum.aggregation_temporality == _DELTA
        for point in metric.sum.data_points:
            which = point.WhichOneof("value")
            if which is not None:
                value = point.as_int if which == "as_int" else point.as_double
                yield from _seen_point(metric.name, origin, kept, point, value, is_delta=is_delta)
    elif kind == "histogram":
        is_delta = metric.histogram.aggregation_temporality == _DELTA
        for one in metric.histogram.data_points:
            yield from _seen_point(metric.name, origin, kept, one, one.sum, is_delta=is_delta)


def _seen_point(
    name: str,
    origin: Origin,
    kept: frozenset[str],
    point: NumberDataPoint | HistogramDataPoint,
    value: float,
    *,
    is_delta: bool,
) -> Iterator[SeenPoint]:
    at_ns = point.time_unix_nano
    if 0 < at_ns <= _TIME_AT_MOST and 0 <= value <= _VALUE_AT_MOST:
        attributes = plain(point.attributes, kept)
        start_ns = point.start_time_unix_nano
        yield SeenPoint(origin, name, start_ns, at_ns, value, is_delta, attributes)


class _Origins:
    """The origins of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = plain(resource.attributes, RESOURCE)
        self._service = str(self._resource.get(semconv.SERVICE_NAME, ""))

    def of(self, scope: InstrumentationScope) -> Origin:
        return Origin(self._resource, self._service, scope.name, scope.version)
