import gzip
import socket
import threading
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from agenttrace.errors import SpoolError
from agenttrace.server import Running, running
from agenttrace.server.limits import Limits
from tests.server.sending import JSON, PROTOBUF, call, get, json_of, kept, message, refuse, send

TRACE = "0af7651916cd43dd8448eb211c80319c"
IDS = (TRACE, "b7ad6b7169203331")


def status_of(body: bytes) -> status_pb2.Status:
    return status_pb2.Status.FromString(body)


def test_what_is_acknowledged_is_in_the_spool(server: Running, home: Path) -> None:
    answer = send(server.http_url, body=message(call(7)))
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-type"] == PROTOBUF
    assert kept(home) == ["0000000000000007"]


def test_json_is_answered_with_json(server: Running, home: Path) -> None:
    answer = send(server.http_url, body=json_of(IDS), content_type=JSON + "; charset=utf-8")
    assert (answer.status, answer.json, answer.headers["content-type"]) == (200, {}, JSON)
    assert kept(home) == [IDS[1]]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_unpacked(server: Running, home: Path, encoding: str, pack) -> None:
    packed = pack(message(call(7)))
    answer = send(server.http_url, body=packed, headers={"content-encoding": encoding})
    assert answer.status == 200
    assert kept(home) == ["0000000000000007"]


def test_a_span_without_ids_is_rejected_and_the_others_are_kept(
    server: Running, home: Path
) -> None:
    broken = call(2)
    broken.ClearField("trace_id")
    answer = send(server.http_url, body=message(call(1), broken))
    told = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, told.rejected_spans) == (200, 1)
    assert told.error_message.startswith("1 ")
    assert kept(home) == ["0000000000000001"]


def test_partial_success_is_json_for_json(server: Running) -> None:
    answer = send(server.http_url, body=json_of(IDS, ("", "")), content_type=JSON)
    assert answer.status == 200
    assert answer.json["partialSuccess"]["rejectedSpans"] == "1"


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (400, b"\xff\xff\xff", PROTOBUF),
        (400, b"{", JSON),
        (400, b"[" * 1_000_000, JSON),
        (400, b'{"resourceSpans":' * 100_000, JSON),
        (400, b"\xff\xfe", JSON),
        (415, b"{}", "text/plain"),
        (415, b"{}", None),
    ],
    ids=["protobuf", "half", "nested lists", "nested objects", "no utf-8", "text", "none"],
)
def test_what_is_no_otlp_is_refused(
    shared: Running, status: int, body: bytes, content_type: str | None
) -> None:
    answer = send(shared.http_url, body=body, content_type=content_type)
    assert answer.status == status
    assert kept(shared.receiver.home) == []
    assert get(shared.http_url, "/health").json["status"] == "ok"


def test_a_refusal_is_a_status_without_a_word_of_the_body(shared: Running) -> None:
    answer = send(shared.http_url, body=b'{"secret', content_type=JSON)
    assert answer.json == {"code": 3, "message": "The body is no OTLP request of its content type."}


def test_a_zip_bomb_is_unpacked_to_the_limit_only(home: Path) -> None:
    limits = Limits(unpacked_bytes=100_000)
    bomb = gzip.compress(b"\0" * 50_000_000)
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        answer = send(server.http_url, body=bomb, headers={"content-encoding": "gzip"})
        assert answer.status == 413


def test_what_a_body_unpacks_to_takes_room_as_well(home: Path) -> None:
    limits = Limits(waiting_bytes=5000)
    packed = gzip.compress(message(*(call(number) for number in range(1, 51))))
    assert len(packed) < 5000
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        answer = send(server.http_url, body=packed, headers={"content-encoding": "gzip"})
        assert answer.status == 429
        assert server.receiver.room.bytes == 0


def test_packing_that_is_none_is_refused(shared: Running) -> None:
    send_as = {"gzip": 400, "deflate": 400, "br": 415}
    for encoding, status in send_as.items():
        answer = send(shared.http_url, body=b"none", headers={"content-encoding": encoding})
        assert answer.status == status


def test_a_body_over_the_limit_is_refused_before_it_is_read(home: Path) -> None:
    limits = Limits(body_bytes=1000)
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        assert send(server.http_url, body=b"x" * 1001).status == 413
        chunked = raw(
            server.http_url,
            "transfer-encoding: chunked\r\n",
            b"400\r\n" + b"x" * 1024 + b"\r\n",
        )
        assert chunked.startswith(b"HTTP/1.1 413")


def test_a_slow_body_is_given_up(home: Path) -> None:
    limits = Limits(body_seconds=0.05)
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        assert raw(server.http_url, "content-length: 10\r\n", b"half").startswith(b"HTTP/1.1 408")


def test_half_a_body_leaves_nothing_behind(server: Running, home: Path) -> None:
    where = urlsplit(server.http_url)
    with socket.create_connection((where.hostname or "", where.port or 0)) as client:
        client.sendall(head("content-length: 100\r\n") + message(call())[:20])
    assert send(server.http_url, body=message(call(2))).status == 200
    assert kept(home) == ["0000000000000002"]
    assert server.receiver.room.bytes == 0


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_only_post_sends(shared: Running, path: str) -> None:
    assert get(shared.http_url, path).status == 405


def test_other_paths_are_not_found(shared: Running) -> None:
    assert send(shared.http_url, "/v1/profiles").status == 404


@pytest.mark.parametrize(
    "host", ["attacker.example", "attacker.example:4318", "localhost.evil.com"]
)
def test_a_name_that_is_not_of_this_machine_is_not_answered_to(shared: Running, host: str) -> None:
    for path in ("/health", "/metrics"):
        assert get(shared.http_url, path, host=host).status == 421
    assert send(shared.http_url, body=message(call()), headers={"host": host}).status == 421


def test_a_full_queue_is_to_be_tried_again(home: Path) -> None:
    limits = Limits(waiting_bytes=10)
    with running(home, http_port=0, grpc_port=0, limits=limits, is_folding=False) as server:
        answer = send(server.http_url, body=message(call()))
    assert (answer.status, answer.headers["retry-after"]) == (429, "1")
    info = error_details_pb2.RetryInfo()
    assert status_of(answer.body).details[0].Unpack(info)
    assert info.retry_delay.seconds == 1


@pytest.mark.parametrize("error", [OSError(28, "No space left"), SpoolError("full")])
def test_what_the_disk_refuses_is_to_be_tried_again(server: Running, error: Exception) -> None:
    spool = refuse(server.receiver, error)
    answer = send(server.http_url, body=message(call()))
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert get(server.http_url, "/health").status == 503
    del spool.append_all
    assert send(server.http_url, body=message(call())).status == 200
    assert get(server.http_url, "/health").json["status"] == "ok"


def test_a_failure_of_ours_is_told_without_its_text(server: Running, trouble: list[str]) -> None:
    refuse(server.receiver, ValueError("secret prompt"))
    assert send(server.http_url, body=message(call())).status == 500
    assert trouble == ["agenttrace could not keep what it received: ValueError"]


def test_health_tells_counts_and_no_path(server: Running, home: Path) -> None:
    broken = call(2)
    broken.ClearField("span_id")
    send(server.http_url, body=message(call(1), broken))
    send(server.http_url, body=b"\xff")
    health = get(server.http_url, "/health")
    assert health.status == 200
    assert health.json["received"]["traces"]["records"] == 1
    assert sum(health.json["received"]["traces"]["rejected"].values()) == 1
    assert health.json["refused"] == {"malformed": 1}
    assert str(home) not in health.body.decode()


def test_a_token_is_asked_for_on_every_path_but_the_plain_health(home: Path) -> None:
    with running(home, http_port=0, grpc_port=0, token="right", is_folding=False) as server:
        url, body = server.http_url, message(call())
        for said in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic right"}):
            assert send(url, body=body, headers=said).status == 401
            assert get(url, "/metrics", **said).status == 401
            assert set(get(url, "/health", **said).json) == {"status", "version", "home"}
        shown = {"authorization": "Bearer right"}
        assert send(url, body=body, headers=shown).status == 200
        assert "received" in get(url, "/health", **shown).json


def test_a_hundred_connections_at_once_are_all_served(server: Running, home: Path) -> None:
    together = threading.Barrier(100)
    statuses: list[int] = []

    def client(number: int) -> None:
        together.wait()
        statuses.append(send(server.http_url, body=message(call(number))).status)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(1, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 100
    assert sorted(kept(home)) == [f"{number:016x}" for number in range(1, 101)]


def test_a_large_body_is_decoded_beside_the_loop(server: Running, home: Path) -> None:
    body = message(*(call(number) for number in range(1, 801)))
    assert len(body) > 128 * 1024
    assert send(server.http_url, body=body).status == 200
    assert len(kept(home)) == 800


def head(more: str) -> bytes:
    said = f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\n{more}\r\n"
    return said.encode()


def raw(url: str, more: str, body: bytes) -> bytes:
    where = urlsplit(url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=5) as client:
        client.sendall(head(more) + body)
        return client.recv(4096)
