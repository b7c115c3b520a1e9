"""Requests of OTLP, small enough to stand in sight of an assertion.

    request = traces(span({"gen_ai.operation.name": "chat"}), scope="openai")
    (record,) = records("traces", request)

Spans start at ``START_NS`` and last a second, in trace 1, with ids that count from 1.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from agenttrace.reader import Reader
from agenttrace.record.spool import Spool
from agenttrace.sources.otlp import Request, Signal, read
from tests.builders import SECOND_NS, START_NS

Said = Mapping[str, Any]


def value(said: object) -> AnyValue:
    match said:
        case bool():
            return AnyValue(bool_value=said)
        case int():
            return AnyValue(int_value=said)
        case float():
            return AnyValue(double_value=said)
        case tuple():
            values = [value(one) for one in cast("tuple[object, ...]", said)]
            return AnyValue(array_value=ArrayValue(values=values))
        case _:
            return AnyValue(string_value=str(said))


def pairs(said: Said) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(one)) for key, one in said.items()]


def span(
    said: Said,
    *,
    name: str = "span",
    number: int = 1,
    parent: int = 0,
    trace: int = 1,
    at_s: float = 0,
    is_failed: bool = False,
    events: tuple[tuple[str, Said], ...] = (),
) -> Span:
    start_ns = START_NS + int(at_s * SECOND_NS)
    return Span(
        trace_id=trace.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name=name,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + SECOND_NS,
        attributes=pairs(said),
        events=[Span.Event(name=event, attributes=pairs(inside)) for event, inside in events],
        status=Status(code=Status.STATUS_CODE_ERROR) if is_failed else None,
    )


def traces(
    *spans: Span, scope: str = "", version: str = "", service: str = "svc", **resource: Any
) -> ExportTraceServiceRequest:
    inner = ScopeSpans(scope=InstrumentationScope(name=scope, version=version), spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=_resource(service, resource), scope_spans=[inner])]
    )


def event(
    name: str,
    said: Said,
    *,
    at_s: float = 0,
    trace: int = 0,
    number: int = 0,
    body: str = "",
) -> LogRecord:
    return LogRecord(
        time_unix_nano=START_NS + int(at_s * SECOND_NS),
        trace_id=trace.to_bytes(16) if trace else b"",
        span_id=number.to_bytes(8) if number else b"",
        body=AnyValue(string_value=body),
        attributes=pairs({"event.name": name, **said}),
    )


def logs(*events: LogRecord, scope: str = "", service: str = "svc") -> ExportLogsServiceRequest:
    inner = ScopeLogs(scope=InstrumentationScope(name=scope), log_records=events)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=_resource(service, {}), scope_logs=[inner])]
    )


def counter(
    name: str,
    *points: tuple[float, int, Said],
    is_delta: bool = True,
    scope: str = "",
    service: str = "svc",
) -> ExportMetricsServiceRequest:
    """Return a counter; each point is (seconds after the start, value, attributes)."""
    temporality = AggregationTemporality
    metric = Metric(
        name=name,
        sum=Sum(
            aggregation_temporality=temporality.AGGREGATION_TEMPORALITY_DELTA
            if is_delta
            else temporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
            is_monotonic=True,
            data_points=[
                NumberDataPoint(
                    start_time_unix_nano=START_NS,
                    time_unix_nano=START_NS + int(at_s * SECOND_NS),
                    as_int=counted,
                    attributes=pairs(said),
                )
                for at_s, counted, said in points
            ],
        ),
    )
    inner = ScopeMetrics(scope=InstrumentationScope(name=scope), metrics=[metric])
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=_resource(service, {}), scope_metrics=[inner])]
    )


def records(signal: Signal, request: Request) -> list[dict[str, Any]]:
    """Return what is kept of a request, as the records that they are."""
    return [json.loads(line) for line in read(signal, request).lines]


def said_of(record: dict[str, Any], *keys: str) -> tuple[Any, ...]:
    """Return attributes of a record by the last part of their names."""
    attributes: dict[str, Any] = record["attributes"]
    return tuple(attributes.get(key) for key in keys)


def totals(home: Path, *requests: tuple[Signal, Request]) -> dict[str, Any]:
    """Return what the calls in requests come to, once they are in a store."""
    spool = Spool(home / "spool", "test", is_retold=True)
    for signal, request in requests:
        spool.append_all(read(signal, request).lines)
    spool.close()
    with Reader(home) as reader:
        (row,) = reader.query("SELECT tasks, calls, input_tokens, output_tokens FROM totals")
    return dict(row)


def _resource(service: str, said: Said) -> Resource:
    named = {"service.name": service} if service else {}
    return Resource(attributes=pairs({**named, **said}))
