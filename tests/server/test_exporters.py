"""The exporters that agents send with, as they are."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (
    OTLPMetricExporter as GrpcMetrics,
)
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
    OTLPMetricExporter as HttpMetrics,
)
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter

from agenttrace.server import Running

RESOURCE = Resource({"service.name": "demo"})
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}


def span_exporter(server: Running, kind: str) -> SpanExporter:
    if kind == "grpc":
        return GrpcSpans(endpoint=server.grpc_url, insecure=True)
    packing = Compression.Gzip if kind == "gzip" else Compression.NoCompression
    return HttpSpans(endpoint=f"{server.http_url}/v1/traces", compression=packing)


@pytest.mark.parametrize("kind", ["grpc", "http", "gzip"])
def test_spans_of_the_exporters_become_calls(
    server: Running, spooled: Callable[[], list[dict[str, Any]]], kind: str
) -> None:
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(span_exporter(server, kind)))
    with provider.get_tracer("demo").start_as_current_span("chat", attributes=CALL):
        pass
    provider.shutdown()
    (record,) = spooled()
    said = record["attributes"]
    assert {key: said[key] for key in CALL} == CALL
    assert (said["service.name"], said["agenttrace.capture"]) == ("demo", "otlp")


def test_logs_and_metrics_of_the_exporters_are_taken(server: Running) -> None:
    for exporter in (
        HttpLogs(endpoint=f"{server.http_url}/v1/logs"),
        GrpcLogs(endpoint=server.grpc_url, insecure=True),
    ):
        logs = LoggerProvider(resource=RESOURCE)
        logs.add_log_record_processor(SimpleLogRecordProcessor(exporter))
        logs.get_logger("demo").emit(body="hello", event_name="demo.event", timestamp=1)
        logs.shutdown()
    for exporter in (
        HttpMetrics(endpoint=f"{server.http_url}/v1/metrics"),
        GrpcMetrics(endpoint=server.grpc_url, insecure=True),
    ):
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)
        meters = MeterProvider([reader], resource=RESOURCE)
        meters.get_meter("demo").create_counter("demo.counter").add(1)
        meters.shutdown()
    assert server.receiver.counts.requests == {
        ("logs", "http", "accepted"): 1,
        ("logs", "grpc", "accepted"): 1,
        ("metrics", "http", "accepted"): 1,
        ("metrics", "grpc", "accepted"): 1,
    }
