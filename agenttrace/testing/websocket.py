"""A websocket's end in the provider: JSON messages in and out, and responses played on it.

Source: <https://datatracker.ietf.org/doc/html/rfc6455>
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from http import HTTPStatus
from io import BufferedIOBase
from typing import Final, Protocol, cast

from agenttrace.testing.values import JSON

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_CONTINUED: Final = 0
_LENGTH_16, _LENGTH_64 = 126, 127


class Line(Protocol):
    """What a socket needs of the connection that it runs on."""

    @property
    def rfile(self) -> BufferedIOBase:
        """What comes in."""
        ...

    @property
    def wfile(self) -> BufferedIOBase:
        """What goes out."""
        ...

    def cut(self) -> None:
        """Close the connection without a word."""
        ...

    def waiting(self, within_s: float) -> bytes | None:
        """Return the next byte without taking it: empty if the client has gone, None if none is."""
        ...


def accept(key: str) -> str:
    """Return what answers the key of a handshake."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()  # noqa: S324 - as the RFC says


class Socket:
    """An open websocket. It takes a stream of events as a connection does, a message for each."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def receive(self) -> JSON | None:
        """Return the next message; None when the client has ended the conversation."""
        whole = b""
        while True:
            final, kind, payload = self._frame()
            if kind == _CLOSE:
                self._write(_CLOSE, payload)
                return None
            if kind == _PING:
                self._write(_PONG, payload)
            elif kind in (_TEXT, _CONTINUED):
                whole += payload
                if final:
                    return cast("JSON", json.loads(whole))

    def say(self, message: JSON) -> None:
        """Send a message."""
        self._write(_TEXT, json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass"))

    def end(self) -> None:
        """End the conversation the way the protocol wants."""
        self._write(_CLOSE, struct.pack("!H", 1000))

    def send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],  # noqa: ARG002 - there are none inside of a websocket
        before_end: Callable[[], None] | None = None,
    ) -> None:
        """Send an error, or a whole response, as one message."""
        if before_end:
            before_end()
        if status >= HTTPStatus.BAD_REQUEST:
            self.say({"type": "error", "status": status, **json.loads(body)})
        else:
            self._write(_TEXT, body)

    def send_half(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:  # noqa: ARG002 - as above
        """Break the connection in the middle of a message."""
        self._line.wfile.write(_header(_TEXT, len(body)) + body[: len(body) // 2])
        self.cut()

    def begin_stream(self, headers: Mapping[str, str]) -> None:
        """Do nothing: a stream here is the messages that follow."""

    def stream(self, data: bytes) -> None:
        """Send an event, without what makes it a server-sent one."""
        for line in data.splitlines():
            if line.startswith(b"data:"):
                self._write(_TEXT, line[5:].strip())

    def end_stream(self, data: bytes) -> None:
        """Send the last event; the connection stays open."""
        self.stream(data)

    def cut(self) -> None:
        """Close the connection without a word."""
        self._line.cut()

    def left(self, within_s: float = 0.0) -> bool:
        """Return whether the client has gone or says that it goes, after waiting for that."""
        byte = self._line.waiting(within_s)
        return byte is not None and (not byte or byte[0] & 0x0F == _CLOSE)

    def _frame(self) -> tuple[bool, int, bytes]:
        head, length = self._read(2)
        size = length & 0x7F
        if size == _LENGTH_16:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == _LENGTH_64:
            (size,) = struct.unpack("!Q", self._read(8))
        mask = self._read(4)  # A client's frames always have one.
        payload = self._read(size)
        plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        return bool(head & 0x80), head & 0x0F, plain

    def _read(self, size: int) -> bytes:
        data = self._line.rfile.read(size)
        if len(data) < size:
            raise ConnectionError("The client has gone.")
        return data

    def _write(self, kind: int, payload: bytes) -> None:
        self._line.wfile.write(_header(kind, len(payload)) + payload)


def _header(kind: int, size: int) -> bytes:
    first = bytes([0x80 | kind])
    if size < _LENGTH_16:
        return first + bytes([size])
    if size < 1 << 16:
        return first + struct.pack("!BH", _LENGTH_16, size)
    return first + struct.pack("!BQ", _LENGTH_64, size)
