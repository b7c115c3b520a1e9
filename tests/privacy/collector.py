"""An OTLP collector on a loopback port that keeps what it is sent, as it came."""

import contextlib
import gzip
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    received: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.received += [str(self.headers).encode(), body]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


@contextlib.contextmanager
def collecting(received: list[bytes]) -> Generator[str]:
    """Add the headers and the body of each request to *received*; yields the endpoint."""
    handler = type("Handler", (_Handler,), {"received": received})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
