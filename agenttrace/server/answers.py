"""What OTLP answers, in the encoding that was asked for."""

import json
from typing import Any, Final

from google.protobuf import any_pb2, duration_pb2, json_format
from google.protobuf.message import Message
from google.rpc import (  # pyright: ignore[reportMissingTypeStubs] - it has none
    error_details_pb2,
    status_pb2,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from agenttrace.server.bodies import JSON
from agenttrace.server.refusals import Why
from agenttrace.sources.otlp import Read, Signal

REASONS_AT_MOST: Final = 10  # in one answer


def accepted(signal: Signal, read: Read) -> Message:
    """Return the answer to what was kept: empty, or partial success with the reasons."""
    rejected = sum(read.rejected.values())
    said = _reasons(read)
    match signal:
        case "traces":
            answer = ExportTraceServiceResponse()
            if rejected:
                answer.partial_success.CopyFrom(
                    ExportTracePartialSuccess(rejected_spans=rejected, error_message=said)
                )
        case "logs":
            answer = ExportLogsServiceResponse()
            if rejected:
                answer.partial_success.CopyFrom(
                    ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=said)
                )
        case "metrics":
            answer = ExportMetricsServiceResponse()
            if rejected:
                answer.partial_success.CopyFrom(
                    ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=said)
                )
    return answer


def refused(why: Why) -> Message:
    """Return the google.rpc.Status of a refusal, with RetryInfo where trying again is of use."""
    details: list[any_pb2.Any] = []
    if why.retry_s is not None:
        info = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=why.retry_s))
        detail = any_pb2.Any()
        detail.Pack(info)
        details.append(detail)
    return status_pb2.Status(code=why.code, message=why.message, details=details)


def encoded(message: Message, content_type: str) -> bytes:
    """Return *message* as *content_type* has it."""
    if content_type != JSON:
        return message.SerializeToString()
    said: dict[str, Any] = json_format.MessageToDict(message)
    return json.dumps(said).encode()


def _reasons(read: Read) -> str:
    most = read.rejected.most_common(REASONS_AT_MOST)
    return ", ".join(f"{number} {reason}" for reason, number in most)
