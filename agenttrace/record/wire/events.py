"""Find the few server-sent events that matter without decoding the others.

In JSON a quotation mark inside a string is escaped, so the bytes ``"usage"`` with plain quotation
marks are always a key or a whole string, never a piece of generated text. Lines end in LF or CRLF,
as every provider sends them. A payload is one line, or the ``data:`` lines of an event together
where a server breaks its JSON into several.

Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agenttrace.record.wire.dialect import decoded, mapping

_TAIL_BYTES: Final = 1024
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")


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
    """Yield the payload of each event, in order."""
    begun = b""
    for line in data.splitlines():
        if line.startswith(b"data:"):
            piece = line[5:].strip()
            if not begun and _is_whole(piece):
                yield piece
            else:
                begun += piece + b"\n"
        elif not line and begun:
            yield begun.strip()
            begun = b""
    if begun:
        yield begun.strip()


def first_payload(data: bytes) -> bytes:
    """Return the payload of the first event that holds an object; empty if none does."""
    start = data.find(b"data:")
    while start >= 0:
        payload = _payload_around(data, start)
        if payload.startswith(b"{"):
            return payload
        start = data.find(b"data:", start + 5)
    return b""


def latest_with(data: bytes, needle: bytes) -> Iterator[bytes]:
    """Yield the payloads of the events that hold *needle*, the last one first."""
    position = data.rfind(needle)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        yield _payload_around(data, start)
        position = data.rfind(needle, 0, start)


def latest_object(data: bytes, key: bytes) -> Iterator[bytes]:
    """Yield the payloads of the events in which *key* has an object, the last one first.

    With ``include_usage`` every chunk but the last says ``"usage": null``; none of these is read.
    """
    position = data.rfind(key)
    while position >= 0:
        start = data.rfind(b"\n", 0, position) + 1
        after = data[position + len(key) : position + len(key) + 16].lstrip()
        if after.startswith(b":") and after[1:].lstrip()[:1] == b"{":
            yield _payload_around(data, start)
            position = data.rfind(key, 0, start)
        else:
            position = data.rfind(key, 0, position)


def _payload_around(data: bytes, start: int) -> bytes:
    """Return the payload of the event with the line that starts at *start*."""
    end = data.find(b"\n", start)
    line = data[start:] if end < 0 else data[start:end]
    payload = line[5:].strip() if line.startswith(b"data:") else b""
    return payload if _is_whole(payload) else _joined(data, start)


def _is_whole(payload: bytes) -> bool:
    return (payload[:1] == b"{" and payload[-1:] == b"}") or payload[:1] == b"["


def _joined(data: bytes, position: int) -> bytes:
    """Join the ``data:`` lines of the event around *position*."""
    begins = max(data.rfind(b"\n\n", 0, position), data.rfind(b"\r\n\r\n", 0, position))
    blank = _BLANK_LINE.search(data, position)
    event = data[begins + 1 if begins >= 0 else 0 : blank.start() if blank else len(data)]
    lines = (line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(lines).strip()
