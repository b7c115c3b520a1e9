"""A server that sends exactly the bytes it is told to, in the pieces it is told to."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

CHAT = (
    b'{"id":"c-1","model":"gpt-5","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}'
)
EVENTS = (
    b'data: {"id":"c-1","choices":[{"delta":{"content":"h\xc3\xa4"}}],"usage":null}\n\n'
    b'data: {"id":"c-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)
ASKED = b'{"model":"gpt-5","messages":[{"role":"user","content":"hello"}]}'
PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Answer:
    """One response.

    Attributes:
        pieces: The body, one chunk each where it is chunked.
        framing: How the end is told; ``hang`` never comes to it, ``slow`` is chunked and slow.
        pause_s: Seconds between the head and the body.
        cut: How many bytes of what is framed are left out at the end before the connection ends.
    """

    pieces: tuple[bytes, ...] = (CHAT,)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    framing: Literal["length", "chunked", "close", "hang", "slow"] = "length"
    cut: int = 0
    pause_s: float = 0.0

    def bytes(self) -> bytes:
        body = b"".join(self.pieces)
        lines = [f"HTTP/1.1 {self.status} Said"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.framing == "length":
            lines.append(f"Content-Length: {len(body)}")
        elif self.framing in ("chunked", "slow"):
            lines.append("Transfer-Encoding: chunked")
            chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in self.pieces if piece]
            body = b"".join([*chunks, b"0\r\n\r\n"])
        else:
            lines += ["Connection: close"] if self.framing == "close" else []
        head = "\r\n".join([*lines, "", ""]).encode()
        return head + body[: len(body) - self.cut]

    @property
    def ends_connection(self) -> bool:
        return self.framing == "close" or self.cut > 0


STREAM = Answer((EVENTS,), headers={"Content-Type": "text/event-stream"}, framing="chunked")


class Server:
    """Gives the answers in turn, the last one for ever; ``asked`` has the requests as they came."""

    def __init__(self) -> None:
        self.answers: list[Answer | None] = [Answer()]
        self.asked: list[tuple[bytes, bytes]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._connections: list[socket.socket] = []

    def answer(self, *answers: Answer | None) -> None:
        """Give these from now on; None says nothing and ends nothing."""
        self.answers = list(answers)

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._connections:
            with _ignoring():
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        with _ignoring(), connection, connection.makefile("rb") as source:
            while head := _head(source):
                body = _body(head, source)
                self.asked.append((head, body))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer is None:
                    source.read()
                    return
                sent = answer.bytes()
                if answer.pause_s:
                    head_bytes = sent.find(b"\r\n\r\n") + 4
                    connection.sendall(sent[:head_bytes])
                    time.sleep(answer.pause_s)
                    sent = sent[head_bytes:]
                if answer.framing == "slow":
                    connection.sendall(sent[:-150])
                    time.sleep(0.2)
                    sent = sent[-150:]
                connection.sendall(sent)
                if answer.ends_connection:
                    connection.shutdown(socket.SHUT_WR)
                    source.read()
                    return


def _head(source) -> bytes:
    lines = []
    while (line := source.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join(lines)


def _body(head: bytes, source) -> bytes:
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(b":") for line in head.splitlines()[1:])
    }
    if headers.get(b"transfer-encoding") != b"chunked":
        return source.read(int(headers.get(b"content-length", 0)))
    body = b""
    while size := int(source.readline(), 16):
        body += source.read(size)
        source.readline()
    source.readline()
    return body


@contextmanager
def _ignoring() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError):
        return
