"""Make the messages of OTLP out of what was sent: protobuf, or JSON with its own rules."""

import json
from typing import Any, Final, Literal

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agenttrace.sources.otlp.json_messages import message_of

Signal = Literal["traces", "logs", "metrics"]
Request = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest

SIZE_AT_MOST: Final = 64 * 1024 * 1024
"""Bytes of a message that is decoded, uncompressed."""

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_REQUESTS: Final[dict[Signal, type[Request]]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}


class MalformedError(ValueError):
    """What was sent is no message of OTLP; the text says why, and nothing of what is in it."""


def decode(signal: Signal, body: bytes, content_type: str = PROTOBUF) -> Request:
    """Return the message in *body*; what it has beyond the protocol is left out.

    Args:
        signal: Which of the three it is.
        body: The message, uncompressed.
        content_type: ``application/json``, or anything else for protobuf; parameters behind a
            semicolon are left aside.

    Raises:
        MalformedError: It is no such message, too large, or nested too deeply.

    Source:
        <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>
    """
    if len(body) > SIZE_AT_MOST:
        raise MalformedError(f"larger than {SIZE_AT_MOST // 1024**2} MB")
    if content_type.partition(";")[0].strip().lower() == JSON:
        return _of_json(signal, body)
    try:
        return _REQUESTS[signal].FromString(body)
    except DecodeError:
        # The error may cite what it could not read.
        raise MalformedError("not a protobuf message of OTLP, or nested too deeply") from None


def of_value(signal: Signal, value: Any) -> Request:
    """Return the message that decoded JSON stands for.

    Raises:
        MalformedError: It is no such message, or nested too deeply.
    """
    try:
        return message_of(_REQUESTS[signal], value)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except (ValueError, TypeError, OverflowError):
        raise MalformedError("JSON that is no message of OTLP") from None


def _of_json(signal: Signal, body: bytes) -> Request:
    try:
        value = json.loads(body)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except ValueError:
        raise MalformedError("not JSON") from None
    return of_value(signal, value)
