"""Find the few server-sent events that matter without decoding the others.

In JSON a quotation mark inside a string is escaped, so the bytes ``"usage"`` with plain quotation
marks are always a key or a whole string, never a piece of generated text. Lines end in LF or CRLF,
as every provider sends them.

Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agenttrace.record.wire.dialect import decoded, mapping

_TAIL_BYTES: Final = 1024


class _Failed(msgspec.Struct):
    error: Any = None
    code: Any = None
    response: Any = None


_failed: Final = msgspec.json.Decoder(_Failed)


def text_bytes(value: object) -> int:
    """Count the bytes of *value* if it is text."""
    return len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0


def ends_with_done(data: bytes) -> bool:
    """Whether ``data: [DONE]`` is among the last lines."""
    return any(
        line.replace(b" ", b"") == b"data:[DONE]" for line in data[-_TAIL_BYTES:].splitlines()
    )


def failure(data: bytes) -> str | None:
    """Return the type of the error that the stream ended in, if it did."""
    for payload in latest_with(data, b'"error"'):
        event = decoded(_failed, payload)
        if event is None:
            return None
        said = mapping(event.error) or mapping(mapping(event.response).get("error"))
        kind = said.get("type") or said.get("code") or event.code
        return str(kind) if kind else None
    return None


def payloads(data: bytes) -> Iterator[bytes]:
    """Yield the payload of each ``data:`` line, in order."""
    for line in data.splitlines():
        if line.startswith(b"data:"):
            yield line[5:].strip()


def first_payload(data: bytes) -> bytes:
    """Return the payload of the first ``data:`` line that holds an object; empty if none does."""
    start = data.find(b"data:")
    while start >= 0:
        payload = _payload_around(data, start)
        if payload.startswith(b"{"):
            return payload
        start = data.find(b"data:", start + 5)
    return b""


def latest_with(data: bytes, needle: bytes) -> Iterator[bytes]:
    """Yield the payloads of the ``data:`` lines that hold *needle*, the last one first."""
    position = data.rfind(needle)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        yield _payload_around(data, start)
        position = data.rfind(needle, 0, start)


def _payload_around(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start)
    line = data[start:] if end < 0 else data[start:end]
    return line[5:].strip() if line.startswith(b"data:") else b""
