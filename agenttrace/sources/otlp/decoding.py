"""Make the messages of OTLP out of what was sent: protobuf, or JSON with its own rules."""

import json
from base64 import b64encode
from typing import Any, Final, Literal, cast

from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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
_DEPTH_AT_MOST: Final = 100  # of messages in messages, as protobuf itself has it
_ID_DIGITS: Final = {
    "traceId": 32,
    "trace_id": 32,
    "spanId": 16,
    "span_id": 16,
    "parentSpanId": 16,
    "parent_span_id": 16,
}
# What is not an identifier below these, whatever its name.
_VALUES: Final = frozenset({"attributes", "body", "resource"})


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
    """Return the message that decoded JSON stands for, which is changed on the way.

    Raises:
        MalformedError: It is no such message, or nested too deeply.
    """
    if not isinstance(value, dict):
        raise MalformedError("JSON that is no message of OTLP")
    request = _REQUESTS[signal]()
    message = cast("dict[str, Any]", value)
    try:
        _encode_ids(message, 0)
        json_format.ParseDict(
            message, request, ignore_unknown_fields=True, max_recursion_depth=_DEPTH_AT_MOST
        )
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except (ValueError, TypeError, AttributeError, OverflowError, json_format.Error):
        raise MalformedError("JSON that is no message of OTLP") from None
    return request


def _of_json(signal: Signal, body: bytes) -> Request:
    try:
        value = json.loads(body)
    except RecursionError:
        raise MalformedError("nested too deeply") from None
    except ValueError:
        raise MalformedError("not JSON") from None
    return of_value(signal, value)


def _encode_ids(value: Any, depth: int) -> None:
    """Turn the ids from hexadecimal, as OTLP has them, to base64, as protobuf has bytes."""
    if depth > _DEPTH_AT_MOST:
        raise RecursionError
    if isinstance(value, list):
        for one in cast("list[Any]", value):
            if isinstance(one, dict | list):
                _encode_ids(one, depth + 1)
        return
    for key, inside in value.items():
        if isinstance(inside, str):
            if (digits := _ID_DIGITS.get(key)) is not None:
                value[key] = _bytes(inside, digits)
        elif key not in _VALUES and isinstance(inside, dict | list):
            _encode_ids(inside, depth + 1)


def _bytes(digits: str, expected: int) -> str:
    """Return an id in base64; empty, so that it counts as missing, if it is none."""
    if len(digits) != expected:
        return ""
    try:
        return b64encode(bytes.fromhex(digits)).decode()
    except ValueError:
        return ""
