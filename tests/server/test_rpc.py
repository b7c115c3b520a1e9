from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from agenttrace.server import Running, running
from agenttrace.server.limits import Limits
from tests.server.sending import call, kept, refuse, request

Metadata = Sequence[tuple[str, str]]


def export(server: Running, message: Any, metadata: Metadata = (), stub=TraceServiceStub) -> Any:
    where = server.grpc_url.removeprefix("http://")
    with grpc.insecure_channel(where, options=[("grpc.enable_retries", 0)]) as channel:
        return stub(channel).Export(message, metadata=metadata, timeout=5)


def refusal(server: Running, message: Any, metadata: Metadata = ()) -> tuple[grpc.StatusCode, Any]:
    """The code of a refusal, and the seconds after which to try again."""
    with pytest.raises(grpc.RpcError) as caught:
        export(server, message, metadata)
    error: Any = caught.value
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    told = status_pb2.Status.FromString(details)
    if not told.details:
        return error.code(), None
    info = error_details_pb2.RetryInfo()
    assert told.details[0].Unpack(info)
    return error.code(), info.retry_delay.seconds


def test_what_is_acknowledged_is_in_the_spool(server: Running, home: Path) -> None:
    answer = export(server, request(call(7)))
    assert not answer.HasField("partial_success")
    assert kept(home) == ["0000000000000007"]


def test_logs_and_metrics_are_taken(server: Running) -> None:
    export(server, ExportLogsServiceRequest(), stub=LogsServiceStub)
    export(server, ExportMetricsServiceRequest(), stub=MetricsServiceStub)
    taken = {key[0] for key in server.receiver.counts.requests}
    assert taken == {"logs", "metrics"}


def test_a_span_without_ids_is_rejected_and_the_others_are_kept(
    server: Running, home: Path
) -> None:
    broken = call(2)
    broken.ClearField("span_id")
    answer = export(server, request(call(1), broken))
    assert answer.partial_success.rejected_spans == 1
    assert kept(home) == ["0000000000000001"]


def test_what_is_no_message_is_refused(server: Running) -> None:
    where = server.grpc_url.removeprefix("http://")
    name = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    with grpc.insecure_channel(where) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(name)(b"\xff\xff", timeout=5)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_full_queue_is_to_be_tried_again(home: Path) -> None:
    limits = Limits(waiting_bytes=10)
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        assert refusal(server, request(call())) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)


def test_what_the_disk_refuses_is_to_be_tried_again(server: Running) -> None:
    refuse(server.receiver, OSError(28, "No space left"))
    assert refusal(server, request(call())) == (grpc.StatusCode.UNAVAILABLE, 30)


def test_a_message_over_the_limit_is_refused(home: Path) -> None:
    limits = Limits(body_bytes=1000)
    many = request(*(call(number) for number in range(20)))
    with (
        running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server,
        pytest.raises(grpc.RpcError) as caught,
    ):
        export(server, many)
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_token_is_asked_for(home: Path) -> None:
    with running(home, http_port=0, grpc_port=0, token="right", is_folding=False) as server:
        wrong = [("authorization", "Bearer wrong")]
        assert refusal(server, request(call())) == (grpc.StatusCode.UNAUTHENTICATED, None)
        assert refusal(server, request(call()), wrong)[0] is grpc.StatusCode.UNAUTHENTICATED
        export(server, request(call()), [("authorization", "Bearer right")])
    assert kept(home) == ["0000000000000001"]
