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
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agenttrace import semconv
from agenttrace.sources.otlp import dialects, generic
from agenttrace.sources.otlp.attributes import OURS, RESOURCE, plain
from agenttrace.sources.otlp.decoding import Request, Signal, decode
from agenttrace.sources.otlp.seen import Origin, SeenEvent, SeenPoint, SeenSpan

_TIME_AT_MOST: Final = 2**63 - 1  # nanoseconds; what the store holds
_ERROR: Final = Status.STATUS_CODE_ERROR
_DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
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
    # In bytes an id of zeros is as good as none.
    if len(span.trace_id) != 16 or not any(span.trace_id):
        return "no trace id"
    if len(span.span_id) != 8 or not any(span.span_id):
        return "no span id"
    if not 0 < span.start_time_unix_nano <= _TIME_AT_MOST:
        return "no start"
    return None


def _seen_span(span: Span, origin: Origin, kept: frozenset[str]) -> SeenSpan:
    parent = span.parent_span_id
    end_ns = span.end_time_unix_nano
    is_failed = span.HasField("status") and span.status.code == _ERROR
    return SeenSpan(
        origin,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        parent.hex() if len(parent) == 8 and any(parent) else None,
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
    name = record.event_name or attributes.get("event.name")
    return SeenEvent(
        origin,
        str(name or _body_name(record)),
        at_ns,
        record.trace_id.hex() if len(record.trace_id) == 16 and any(record.trace_id) else "",
        record.span_id.hex() if len(record.span_id) == 8 and any(record.span_id) else "",
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
    if kind not in ("sum", "histogram"):
        return
    data = metric.sum if kind == "sum" else metric.histogram
    is_delta = data.aggregation_temporality == _DELTA
    for point in data.data_points:
        if not 0 < point.time_unix_nano <= _TIME_AT_MOST:
            continue
        which = "sum" if kind == "histogram" else point.WhichOneof("value")
        if which is None:
            continue
        yield SeenPoint(
            origin,
            metric.name,
            point.start_time_unix_nano,
            point.time_unix_nano,
            getattr(point, which),
            is_delta,
            plain(point.attributes, kept),
        )


class _Origins:
    """The origins of one resource."""

    def __init__(self, resource: Resource) -> None:
        self._resource = plain(resource.attributes, RESOURCE)
        self._service = str(self._resource.get(semconv.SERVICE_NAME, ""))

    def of(self, scope: InstrumentationScope) -> Origin:
        return Origin(self._resource, self._service, scope.name, scope.version)
