"""HTTP/1.1 on a loopback port, a thread per connection, and what a script may do to one."""

import contextlib
import selectors
import socket
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from agenttrace.testing.websocket import Socket, accept

_BUFFER_BYTES = 4096


class Connection(Protocol):
    """One request's way back to the client."""

    def send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        before_end: Callable[[], None] | None = None,
    ) -> None:
        """Send a whole response; *before_end* is called when nearly all of it has left."""
        ...

    def send_half(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a response whose connection breaks in the middle of the body."""
        ...

    def begin_stream(self, headers: Mapping[str, str]) -> None:
        """Begin a stream of events."""
        ...

    def stream(self, data: bytes) -> None:
        """Send an event, at once."""
        ...

    def end_stream(self, data: bytes) -> None:
        """Send the last event and end the stream the way HTTP wants."""
        ...

    def cut(self) -> None:
        """Close the connection without a word."""
        ...

    def left(self, within_s: float = 0.0) -> bool:
        """Return whether the client has gone, after waiting up to *within_s* for it to go."""
        ...

    def upgrade(self) -> Socket:
        """Make a websocket of the connection; the client has asked for it."""
        ...


Handle = Callable[[Connection, str, str, bytes, Mapping[str, str]], None]


class Server(socketserver.ThreadingTCPServer):
    """Listens from the moment it is made; *handle* gets each request."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handle: Handle, *, compress: bool) -> None:
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()

        def handler(*connection: Any) -> _Handler:
            return _Handler(*connection, handle=handle, compress=compress)

        super().__init__((host, port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then serve it in a thread of its own."""
        with self._changed:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection and forget it."""
        super().shutdown_request(request)
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away in mid-request is what tests do on purpose."""

    def hang_up(self, patience_s: float) -> None:
        """Close every connection and wait for the threads that served them."""
        with self._changed:
            for connection in self._connections:
                _shut(connection)
            self._changed.wait_for(lambda: not self._connections, patience_s)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, *connection: Any, handle: Handle, compress: bool) -> None:
        self._handle = handle
        self._compress = compress
        self._compressor: Any = None  # zlib does not export the type
        super().__init__(*connection)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._handle(self, self.command, self.path, body, headers)
        except OSError:  # The client left; whoever billed it has noticed too.
            self.close_connection = True

    def _body(self) -> bytes:
        """Return the body, whether its length was said before or a chunk at a time."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            """What follows the last chunk is for nobody here."""
        return body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Say nothing: the provider remembers its requests."""

    def send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        before_end: Callable[[], None] | None = None,
    ) -> None:
        body = self._begin(status, body, headers)
        # What fits into the socket's buffer is as good as sent.
        last = max(0, len(body) - _BUFFER_BYTES)
        if last:
            self.wfile.write(body[:last])
        if before_end:
            before_end()
        self.wfile.write(body[last:])

    def send_half(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        body = self._begin(status, body, headers)
        self.wfile.write(body[: len(body) // 2])
        self.cut()

    def _begin(self, status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send status and headers; return the body as it travels."""
        self.send_response(status)
        if self._compresses:
            body = zlib.compress(body, wbits=31)
            self.send_header("Content-Encoding", "gzip")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    @property
    def _compresses(self) -> bool:
        return self._compress and "gzip" in self.headers.get("Accept-Encoding", "")

    def begin_stream(self, headers: Mapping[str, str]) -> None:
        self.send_response(200)
        self._compressor = None
        if self._compresses:
            self._compressor = zlib.compressobj(wbits=31)
            self.send_header("Content-Encoding", "gzip")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def stream(self, data: bytes) -> None:
        self.wfile.write(_chunk(self._compressed(data, zlib.Z_SYNC_FLUSH)))

    def end_stream(self, data: bytes) -> None:
        # In one write: a client that stops reading at the last event can use the connection again.
        self.wfile.write(_chunk(self._compressed(data, zlib.Z_FINISH)) + _chunk(b""))

    def _compressed(self, data: bytes, mode: int) -> bytes:
        if self._compressor is None:
            return data
        return self._compressor.compress(data) + self._compressor.flush(mode)

    def cut(self) -> None:
        self.close_connection = True
        _shut(self.connection)

    def left(self, within_s: float = 0.0) -> bool:
        until = time.monotonic() + within_s
        byte = self.waiting(within_s)
        if byte == b"":
            return True
        # Data is waiting: a second request on the connection, so nobody has left.
        time.sleep(max(0.0, until - time.monotonic()))
        return False

    def waiting(self, within_s: float) -> bytes | None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if not selector.select(max(0.0, within_s)):
                return None
        try:
            return self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return b""

    def upgrade(self) -> Socket:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept(self.headers.get("Sec-WebSocket-Key", "")))
        self.end_headers()
        self.close_connection = True  # No request comes after the conversation.
        return Socket(self)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _shut(connection: socket.socket) -> None:
    """End a connection for its other end too, even where a forked child holds a copy of it."""
    with contextlib.suppress(OSError):  # Already closed by the other end.
        connection.shutdown(socket.SHUT_RDWR)
