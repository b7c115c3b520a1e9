"""Find the few server-sent events that matter without decoding the others.

In JSON a quotation mark inside a string is escaped, so the bytes ``"usage"`` with plain quotation
marks are always a key or a whole string, never a piece of generated text. Lines end in LF or CRLF,
as every provider sends them. A payload is one line, or the ``data:`` lines of an event together
where a server breaks its JSON into several.

Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html>
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from agenttrace.record.wire.dialect import decoded, error_type, mapping

_TAIL_BYTES: Final = 1024
_PAYLOAD: Final = re.compile(rb"^data:", re.MULTILINE)
_OPENING_LINES: Final = 16  # of a stream; who has said nothing in these says nothing


class _Failed(msgspec.Struct):
    error: Any = None
    code: Any = None
    response: Any = None


_failed: Final = msgspec.json.Decoder(_Failed)


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
        return error_type(said.get("type"), said.get("code"), event.code)
    return None


def payloads(data: bytes) -> Iterator[bytes]:
    """Yield the payload of each event, in order."""
    begun: list[bytes] = []
    for line in data.splitlines():
        if line.startswith(b"data:"):
            piece = line[5:].strip()
            if not begun and _is_whole(piece):
                yield piece
            else:
                begun.append(piece)
        elif not line and begun:
            yield b"\n".join(begun)
            begun = []
    if begun:
        yield b"\n".join(begun)


def first_payload(data: bytes) -> bytes:
    """Return the payload of the first event that holds an object; empty if none does."""
    for line in itertools.islice(_PAYLOAD.finditer(data), _OPENING_LINES):
        _, payload = _event_around(data, line.end())
        if payload.startswith(b"{"):
            return payload
    return b""


def latest_with(data: bytes, needle: bytes) -> Iterator[bytes]:
    """Yield the payloads of the events that hold *needle*, the last one first."""
    position = data.rfind(needle)
    while position >= 0:
        begin, payload = _event_around(data, position)
        yield payload
        position = data.rfind(needle, 0, begin)


def latest_object(data: bytes, key: bytes) -> Iterator[bytes]:
    """Yield the payloads of the events in which *key* has an object, the last one first.

    With ``include_usage`` every chunk but the last says ``"usage": null``; none of these is read.
    """
    position = data.rfind(key)
    while position >= 0:
        begin = position
        after = data[position + len(key) : position + len(key) + 16].lstrip()
        if after.startswith(b":") and after[1:].lstrip()[:1] == b"{":
            begin, payload = _event_around(data, position)
            yield payload
        position = data.rfind(key, 0, begin)


def _event_around(data: bytes, position: int) -> tuple[int, bytes]:
    """Return where the event around *position* begins, or its line, and its payload."""
    start, end = data.rfind(b"\n", 0, position) + 1, data.find(b"\n", position)
    line = data[start:] if end < 0 else data[start:end]
    if not line.startswith(b"data:"):
        return start, b""
    payload = line[5:].strip()
    if _is_whole(payload):
        return start, payload
    blank = b"\n\r\n" if line.endswith(b"\r") else b"\n\n"
    begin, close = data.rfind(blank, 0, position) + 1, data.find(blank, position)
    event = data[begin:] if close < 0 else data[begin:close]
    lines = (line[5:].strip() for line in event.splitlines() if line.startswith(b"data:"))
    return begin, b"\n".join(lines).strip()


def _is_whole(payload: bytes) -> bool:
    return (payload[:1] == b"{" and payload[-1:] == b"}") or payload[:1] == b"["
