"""A client that sends what no exporter would, and requests small enough to see."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agenttrace.record.spool import Spool
from agenttrace.server.receiver import Receiver

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
START_NS = 1_760_000_000_000_000_000


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(
    url: str,
    path: str = "/v1/traces",
    body: bytes = b"",
    content_type: str | None = PROTOBUF,
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    said = {} if content_type is None else {"content-type": content_type}
    try:
        connection.request(method, path, body, said | dict(headers or {}))
        answer = connection.getresponse()
        named = {key.lower(): value for key, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()


def get(url: str, path: str, **headers: str) -> Answer:
    return send(url, path, content_type=None, method="GET", headers=headers)


def call(number: int = 1, **said: str | int) -> Span:
    """A span of a model call with 100 tokens in and 20 out; *said* goes over that."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        **{key.replace("__", "."): value for key, value in said.items()},
    }
    return Span(
        trace_id=number.to_bytes(16),
        span_id=number.to_bytes(8),
        name="chat gpt-5",
        start_time_unix_nano=START_NS + number,
        end_time_unix_nano=START_NS + number + 10**9,
        attributes=[KeyValue(key=key, value=_value(one)) for key, one in attributes.items()],
    )


def request(*spans: Span) -> ExportTraceServiceRequest:
    found = ExportTraceServiceRequest()
    group = found.resource_spans.add()
    group.resource.attributes.add(key="service.name", value=AnyValue(string_value="demo"))
    group.scope_spans.add(spans=spans)
    return found


def message(*spans: Span) -> bytes:
    return request(*spans).SerializeToString()


def json_of(*ids: tuple[str, str]) -> bytes:
    """A request in OTLP's JSON, with a call for each pair of trace and span id."""
    spans = [
        {
            "traceId": trace_id,
            "spanId": span_id,
            "name": "chat",
            "startTimeUnixNano": str(START_NS),
            "endTimeUnixNano": str(START_NS + 10**9),
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-5"}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "100"}},
            ],
        }
        for trace_id, span_id in ids
    ]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def kept(home: Path) -> list[str]:
    """The span ids in the spool, in the order in which they were written."""
    found: list[str] = []
    for segment in sorted((home / "spool").glob("*-*")):
        for line in segment.read_bytes().rstrip(b"\0").splitlines()[1:]:
            record = json.loads(line)
            if record["attributes"].get("agenttrace.kind", "inference") == "inference":
                found.append(record["span_id"])
    return found


def refuse(receiver: Receiver, error: Exception) -> Spool:
    """Let the disk refuse with *error*; returns the spool, to let it work again."""
    spool = receiver._spool

    def append_all(lines: object) -> None:
        raise error

    spool.append_all = append_all  # type: ignore[method-assign]
    return spool


def _value(value: str | int) -> AnyValue:
    return AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)
