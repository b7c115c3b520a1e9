import gzip
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from agenttrace.enrichment import Estimator
from agenttrace.errors import ConfigError
from agenttrace.server import Running, forwarding, running
from agenttrace.server.enriching import Enriching
from agenttrace.server.forwarding import Target, headers_of, queue_name, retry_after, shown
from agenttrace.server.keeping import Message
from agenttrace.server.metrics import Metrics, Sums
from tests.server.sending import (
    JSON,
    PROTOBUF,
    call,
    get,
    json_of,
    kept,
    message,
    request,
    send,
)

GZIP = {"content-encoding": "gzip"}


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Collector(ThreadingHTTPServer):
    """An endpoint that takes everything, after it has given *answers*."""

    def __init__(self, *answers: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.got: list[Got] = []
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait(self, count: int) -> list[Got]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, 5)
            return self.got


class _Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {key.lower(): value for key, value in self.headers.items()}
        status = self.server.answers.pop(0) if self.server.answers else 200
        self.send_response(status)
        self.send_header("content-length", "0")
        if status == 429:
            self.send_header("retry-after", "0")
        self.end_headers()
        with self.server.changed:
            self.server.got.append(Got(self.path, headers, body))
            self.server.changed.notify_all()

    def log_message(self, *_: object) -> None: ...


@contextmanager
def collecting(*answers: int) -> Iterator[Collector]:
    server = Collector(*answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "FIRST_WAIT_SECONDS", 0.01)


def passing_on(home: Path, target: Target):
    return running(home, http_port=0, grpc_port=0, forward=target, is_folding=False)


def test_bytes_are_passed_on_unchanged(home: Path) -> None:
    packed = gzip.compress(message(call()))
    odd = json_of(("0" * 31 + "1", "0" * 15 + "1")) + b"  "
    with collecting() as other, passing_on(home, Target(other.url, {"x-key": "k"})) as server:
        said = GZIP | {"authorization": "Bearer mine"}
        send(server.http_url, body=packed, headers=said)
        send(server.http_url, "/v1/logs", b"{}", JSON)
        send(server.http_url, body=odd, content_type=JSON)
        first, second, third = other.wait(3)
    assert (first.path, first.body) == ("/v1/traces", packed)
    assert (first.headers["content-type"], first.headers["content-encoding"]) == (PROTOBUF, "gzip")
    assert first.headers["x-key"] == "k"
    assert "authorization" not in first.headers
    assert (second.path, second.body) == ("/v1/logs", b"{}")
    assert (third.body, third.headers["content-type"]) == (odd, JSON)


def test_what_comes_over_grpc_is_passed_on_as_protobuf(home: Path) -> None:
    with collecting() as other, passing_on(home, Target(other.url, {})) as server:
        where = server.grpc_url.removeprefix("http://")
        with grpc.insecure_channel(where) as channel:
            TraceServiceStub(channel).Export(request(call()), timeout=5)
        (got,) = other.wait(1)
    assert (got.path, got.body) == ("/v1/traces", message(call()))
    assert got.headers["content-type"] == PROTOBUF
    assert "content-encoding" not in got.headers


def test_logs_and_metrics_are_passed_on_as_traces_are(home: Path) -> None:
    logs, metrics = (
        ExportLogsServiceRequest(resource_logs=[{"schema_url": "l"}]),
        ExportMetricsServiceRequest(resource_metrics=[{"schema_url": "m"}]),
    )
    packed = gzip.compress(metrics.SerializeToString())
    with collecting() as other, passing_on(home, Target(other.url, {})) as server:
        where = server.grpc_url.removeprefix("http://")
        with grpc.insecure_channel(where, compression=grpc.Compression.Gzip) as channel:
            LogsServiceStub(channel).Export(logs, timeout=5)
            MetricsServiceStub(channel).Export(metrics, timeout=5)
        send(server.http_url, "/v1/logs", logs.SerializeToString())
        send(server.http_url, "/v1/metrics", packed, headers=GZIP)
        got = other.wait(4)
    assert [(one.path, one.body) for one in got] == [
        ("/v1/logs", logs.SerializeToString()),
        ("/v1/metrics", metrics.SerializeToString()),
        ("/v1/logs", logs.SerializeToString()),
        ("/v1/metrics", packed),
    ]


def test_energy_is_added_where_that_is_asked_for(home: Path) -> None:
    change = Enriching(Estimator(home=home))
    target = replace(Target("", {}), change=change)
    with collecting() as other, passing_on(home, replace(target, url=other.url)) as server:
        send(server.http_url, body=gzip.compress(message(call())), headers=GZIP)
        (got,) = other.wait(1)
    assert b"agenttrace.energy.central_wh" in got.body
    assert "content-encoding" not in got.headers


def test_what_cannot_be_changed_goes_on_as_it_is(home: Path, trouble: list[str]) -> None:
    def change(_: Message) -> Message:
        raise ValueError("secret")

    with collecting() as other, passing_on(home, Target(other.url, {}, change=change)) as server:
        for number in (1, 2):
            send(server.http_url, body=message(call(number)))
        assert [got.body for got in other.wait(2)] == [message(call(1)), message(call(2))]
    assert not any("secret" in line for line in trouble)


def test_what_cannot_be_sent_at_all_does_not_hold_up_the_rest(
    home: Path, trouble: list[str]
) -> None:
    def change(told: Message) -> Message:
        return told if told.body else replace(told, content_type="\u2603")

    with collecting() as other, passing_on(home, Target(other.url, {}, change=change)) as server:
        send(server.http_url, body=b"")
        send(server.http_url, body=message(call(2)))
        assert [got.body for got in other.wait(1)] == [message(call(2))]
        assert health_when_empty(server.http_url)["refused"] == 1
    assert len(trouble) == 1


def test_what_is_told_to_come_again_comes_again(home: Path, trouble: list[str]) -> None:
    with (
        collecting(503, 429, 502) as other,
        passing_on(home, Target(other.url, {})) as server,
    ):
        send(server.http_url, body=message(call()))
        bodies = {got.body for got in other.wait(4)}
        assert bodies == {message(call())}
    assert [line.rpartition(" ")[2] for line in trouble] == ["503", "429", "502"]


def test_what_is_refused_for_good_is_dropped_and_counted(home: Path, trouble: list[str]) -> None:
    with collecting(400) as other, passing_on(home, Target(other.url, {})) as server:
        send(server.http_url, body=message(call(1)))
        send(server.http_url, body=message(call(2)))
        other.wait(2)
        said = health_when_empty(server.http_url)
        assert (said["refused"], said["sent"], said["dropped"]) == (1, 1, 0)
    assert len(trouble) == 1


def test_an_endpoint_that_is_away_hinders_nothing_and_gets_all_after_a_restart(
    home: Path, trouble: list[str]
) -> None:
    with collecting() as other:
        url = other.url
    with passing_on(home, Target(url, {}, is_kept=True)) as server:
        assert send(server.http_url, body=message(call(1))).status == 200
        assert get(server.http_url, "/health").json["forward"]["sent"] == 0
    assert kept(home) == ["0000000000000001"]
    with collecting() as other:
        # The queue is named after its endpoint, which has another port now.
        (queue,) = (home / "forward").iterdir()
        queue.rename(queue.with_name(queue_name(other.url)))
        with passing_on(home, Target(other.url, {}, is_kept=True)):
            assert other.wait(1)[0].body == message(call(1))


HOLDER = """
import sys, time
from pathlib import Path
from agenttrace.server.forwarding import Forwarding, Target
from agenttrace.server.keeping import Message

forwarding = Forwarding(Path(sys.argv[1]), Target("http://127.0.0.1:9", {}, is_kept=True))
forwarding.add([Message(signal="traces", content_type="application/json", encoding="", body=b"{}")])
print("held", flush=True)
time.sleep(60)
"""


def test_one_receiver_alone_sends_from_a_queue_and_the_next_when_it_was_killed(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with collecting() as other:
        target = Target(other.url, {}, is_kept=True)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(ConfigError, match=r"Another receiver .* leave out --keep-queue\."):
                forwarding.Forwarding(tmp_path, target)
            holder.kill()
        sending = forwarding.Forwarding(tmp_path, target)
        sending.close()
        assert [got.body for got in other.got] == [b"{}"]
        forwarding.Forwarding(tmp_path, target).close()
        assert len(other.got) == 1


def test_what_waits_to_be_passed_on_is_written_nowhere_unless_asked(
    home: Path, trouble: list[str]
) -> None:
    with collecting() as other:
        url = other.url
    with passing_on(home, Target(url, {})) as server:
        assert send(server.http_url, body=message(call(1))).status == 200
        assert get(server.http_url, "/health").json["forward"]["waiting_bytes"] > 0
        assert not (home / "forward").exists()


def test_a_full_queue_drops_the_oldest_and_says_so(home: Path, trouble: list[str]) -> None:
    with collecting() as other:
        url = other.url
    with passing_on(home, Target(url, {}, queue_bytes=2000)) as server:
        for number in range(1, 21):
            assert send(server.http_url, body=message(call(number))).status == 200
        said = get(server.http_url, "/health").json["forward"]
        assert said["dropped"] > 0
        assert said["waiting_bytes"] <= 2000
        assert f'outcome="dropped"}} {said["dropped"]}' in told(server)
    assert len(kept(home)) == 20
    assert any("is full" in line for line in trouble)


def health_when_empty(url: str) -> dict[str, int]:
    until = time.monotonic() + 5
    while (said := get(url, "/health").json["forward"])["waiting_bytes"]:
        assert time.monotonic() < until
    return said


def told(server: Running) -> str:
    """The metrics, without those of the store."""
    text, _ = Metrics(server.receiver, read=lambda _: Sums({}, "facility"))()
    return text.decode()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, 0), ("7", 7), ("Thu, 01 Jan 1970 00:01:40 GMT", 90), ("soon", 0), ("999999", 3600)],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, seconds: float) -> None:
    assert retry_after(said, now=10) == seconds


def test_headers_are_pairs_and_never_shown() -> None:
    assert headers_of(["Authorization=Basic a=b"]) == {"authorization": "Basic a=b"}
    with pytest.raises(ConfigError) as caught:
        headers_of(["a=b", "my secret"])
    assert "secret" not in str(caught.value)


def test_a_password_in_the_url_is_not_shown() -> None:
    assert shown("https://me:secret@host:4318/otlp?key=secret") == "https://host:4318/otlp"


@pytest.mark.parametrize("url", ["host:4318", "ftp://host", "http://", "http://host:99999", ""])
def test_what_is_no_url_is_refused_at_once(home: Path, url: str) -> None:
    with pytest.raises(ConfigError), passing_on(home, Target(url, {})):
        pass


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_receiver_does_not_forward_to_itself(home: Path, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    target = Target(f"http://{host}:{port}", {})
    with (
        pytest.raises(ConfigError, match=f"port {port} of this machine is where"),
        running(home, http_port=port, grpc_port=0, forward=target),
    ):
        pytest.fail("it runs")
