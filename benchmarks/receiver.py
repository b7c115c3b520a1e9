"""What ``agenttrace serve`` takes in, beside the same servers that answer at once and keep nothing.

    python benchmarks/receiver.py [--seconds 10] [--connections 100] [--spans 512] [--npm]

A child process serves, first the receiver and then the null receiver, over HTTP (protobuf, gzip and
JSON) and over gRPC; this process sends the same requests of so many spans to both over so many
connections, each as soon as the one before was answered. Every span is a model call with the
attributes of the GenAI conventions. With ``--npm`` the exporter of OpenTelemetry's JavaScript is
installed into a temporary folder and sends JSON; every one of its spans must be in the store. Exits
with 1 if a request is refused or a span is missing.
"""

import argparse
import gzip
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import agenttrace
from agenttrace.server import running

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
KINDS: Final = ("http", "gzip", "json", "grpc")
BODIES: Final = 20  # different ones, sent in turn
START_NS: Final = 1_760_000_000_000_000_000

NPM: Final = ("@opentelemetry/exporter-trace-otlp-http", "@opentelemetry/sdk-trace-base")
SCRIPT: Final = """
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const [url, count] = process.argv.slice(2);
const exporter = new OTLPTraceExporter({ url, concurrencyLimit: 1000 });
const provider = new BasicTracerProvider({
  spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 1e6 })],
});
const tracer = provider.getTracer('demo');
for (let number = 0; number < Number(count); number++) {
  tracer.startSpan('chat', { attributes: {
    'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'gpt-5',
    'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 20 } }).end();
}
provider.forceFlush().then(() => provider.shutdown());
"""


class Load(NamedTuple):
    """What one server did.

    Attributes:
        spans_per_s: Spans that were acknowledged in a second.
        cpu_us: Microseconds of CPU of the server, for a span.
        median_ms: From a request to its answer.
        p99_ms: The same, 99 in 100.
        refused: Requests that were not acknowledged.
    """

    spans_per_s: float
    cpu_us: float
    median_ms: float
    p99_ms: float
    refused: int


def main() -> int:
    """Run it, and return the exit code."""
    options = _options()
    if options.serve:
        return _serve(options.serve, Path(options.home))
    failed = 0
    print(f"{options.spans} spans a request, {options.connections} connections")
    print("| | spans/s | of the null receiver | CPU us a span, null | median, p99 ms |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for kind in options.kinds:
        bodies = [_body(kind, number, options.spans) for number in range(BODIES)]
        null = _measured("null", kind, bodies, options)
        ours = _measured("agenttrace", kind, bodies, options)
        failed += ours.refused + null.refused
        share = ours.spans_per_s / null.spans_per_s
        print(
            f"| {kind} | {ours.spans_per_s:,.0f} | {share:.0%} of {null.spans_per_s:,.0f} | "
            f"{ours.cpu_us:.1f}, {null.cpu_us:.1f} | {ours.median_ms:.0f}, {ours.p99_ms:.0f} |",
            flush=True,
        )
    if options.npm:
        failed += _npm(options.npm_spans)
    if failed:
        print(f"{failed} requests refused or spans missing")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--spans", type=int, default=512)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--npm", action="store_true")
    parser.add_argument("--npm-spans", type=int, default=20_000)
    parser.add_argument("--serve", choices=("agenttrace", "null"), help=argparse.SUPPRESS)
    parser.add_argument("--home", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _body(kind: str, number: int, spans: int) -> bytes:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.response.model": "gpt-5-2025-08-07",
        "gen_ai.conversation.id": f"session-{number}",
        "server.address": "api.openai.com",
    }
    counts = {"gen_ai.usage.input_tokens": 1200, "gen_ai.usage.output_tokens": 300}
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name", value=AnyValue(string_value="load"))
    scope = group.scope_spans.add()
    for index in range(number * spans, (number + 1) * spans):
        scope.spans.add(
            trace_id=(1 + index // 20).to_bytes(16),
            span_id=(1 + index).to_bytes(8),
            name="chat gpt-5",
            start_time_unix_nano=START_NS + index * 1000,
            end_time_unix_nano=START_NS + index * 1000 + 10**9,
            attributes=[
                *(KeyValue(key=key, value=AnyValue(string_value=one)) for key, one in said.items()),
                KeyValue(
                    key="gen_ai.response.id", value=AnyValue(string_value=f"resp-{index:016}")
                ),
                *(KeyValue(key=key, value=AnyValue(int_value=one)) for key, one in counts.items()),
            ],
        )
    if kind == "json":
        message: Any = json_format.MessageToDict(request)
        for span in message["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            index = int(span["attributes"][-3]["value"]["stringValue"].partition("-")[2])
            span["traceId"], span["spanId"] = f"{1 + index // 20:032x}", f"{1 + index:016x}"
        return json.dumps(message).encode()
    plain = request.SerializeToString()
    return gzip.compress(plain, 6) if kind == "gzip" else plain


def _measured(name: str, kind: str, bodies: Sequence[bytes], options: argparse.Namespace) -> Load:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, __file__, "--serve", name, "--home", home]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            http_url, grpc_url = server.stdout.readline().split()
            with ExitStack() as stack:
                sends = [
                    _sender(kind, http_url, grpc_url, stack) for _ in range(options.connections)
                ]
                _load(sends, bodies, options.seconds / 5)  # until everything is warm
                before = _cpu_s(server.pid)
                waits, refused, seconds = _load(sends, bodies, options.seconds)
                cpu_s = _cpu_s(server.pid) - before
            server.communicate("")
    spans = len(waits) * options.spans
    ordered = sorted(waits)
    return Load(
        spans / seconds,
        cpu_s / spans * 1e6,
        statistics.median(ordered) * 1e3,
        ordered[int(len(ordered) * 0.99)] * 1e3,
        refused,
    )


Send = Callable[[bytes], bool]


def _sender(kind: str, http_url: str, grpc_url: str, stack: ExitStack) -> Send:
    """Return what sends a body over a connection of its own, and tells whether it was taken."""
    if kind == "grpc":
        return _grpc_sender(grpc_url, stack)
    where = urlsplit(http_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    stack.callback(connection.close)
    headers = {"content-type": JSON if kind == "json" else PROTOBUF}
    if kind == "gzip":
        headers["content-encoding"] = "gzip"

    def send(body: bytes) -> bool:
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status == 200

    return send


def _grpc_sender(grpc_url: str, stack: ExitStack) -> Send:
    import grpc

    # Channels with equal options share one connection.
    options = [("grpc.use_local_subchannel_pool", 1)]
    channel: Any = grpc.insecure_channel(grpc_url.removeprefix("http://"), options)
    stack.callback(channel.close)
    export = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")

    def send(body: bytes) -> bool:
        try:
            export(body, timeout=60)
        except grpc.RpcError:
            return False
        return True

    return send


def _load(
    sends: Sequence[Send], bodies: Sequence[bytes], seconds: float
) -> tuple[list[float], int, float]:
    """Send for *seconds*; return the seconds of each request, those refused, and all seconds."""
    waits: list[float] = []
    refused: list[int] = []
    start = time.perf_counter()

    def client(number: int, send: Send) -> None:
        turn = number
        while time.perf_counter() - start < seconds:
            began = time.perf_counter()
            is_taken = send(bodies[turn % len(bodies)])
            waits.append(time.perf_counter() - began)
            if not is_taken:
                refused.append(1)
            turn += 1

    threads = [threading.Thread(target=client, args=pair) for pair in enumerate(sends)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, len(refused), time.perf_counter() - start


def _cpu_s(pid: int) -> float:
    import os

    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(name: str, home: Path) -> int:
    """Serve until nobody reads any more what this process is told to."""
    with _null() if name == "null" else _receiver(home) as (http_url, grpc_url):
        print(http_url, grpc_url, flush=True)
        sys.stdin.read()
    return 0


def _receiver(home: Path) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def one() -> Any:
        with running(home, http_port=0, grpc_port=0) as server:
            yield server.http_url, server.grpc_url

    return one()


def _null() -> Any:
    """Serve with the same servers, which read every body and answer at once."""
    from contextlib import contextmanager

    import grpc
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from agenttrace.server.listening import listen, serving

    async def taken(request: Request) -> Response:
        await request.body()
        return Response(b"", headers={"content-type": PROTOBUF})

    def export(_body: bytes, _context: Any) -> bytes:
        return b""

    @contextmanager
    def one() -> Any:
        rpc: Any = grpc.server(ThreadPoolExecutor(32))
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        untyped: Any = grpc
        methods = {"Export": untyped.unary_unary_rpc_method_handler(export)}
        handler: Any = grpc.method_handlers_generic_handler(service, methods)
        rpc.add_generic_rpc_handlers((handler,))
        grpc_port = rpc.add_insecure_port("127.0.0.1:0")
        rpc.start()
        sockets = listen("127.0.0.1", 0, "--port", lambda _port: "")
        app = Starlette(routes=[Route("/v1/traces", taken, methods=["POST"])])
        port = sockets[0].getsockname()[1]
        with serving(app, sockets):
            yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{grpc_port}"
        rpc.stop(None).wait()

    return one()


def _npm(count: int) -> int:
    """Have the JavaScript exporter send *count* spans; return how many are missing."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        script = Path(folder) / "send.cjs"
        script.write_text(SCRIPT, encoding="utf-8")
        install = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--no-save", *NPM]
        subprocess.run(install, cwd=folder, check=True)
        with running(home, http_port=0, grpc_port=0) as server:
            url = f"{server.http_url}/v1/traces"
            start = time.perf_counter()
            subprocess.run(["node", str(script), url, str(count)], check=True)
            seconds = time.perf_counter() - start
            refused = sum(
                number
                for key, number in server.receiver.counts.requests.items()
                if key[2] != "accepted"
            )
        with agenttrace.read(home) as reader:
            (row,) = reader.query("SELECT sum(calls) AS calls, sum(input_tokens) AS t FROM totals")
    missing = count - (row["calls"] or 0)
    print(
        f"npm: {count} spans sent as JSON in {seconds:.1f} s, {missing} missing, {refused} refused"
    )
    return missing + refused


if __name__ == "__main__":
    sys.exit(main())
