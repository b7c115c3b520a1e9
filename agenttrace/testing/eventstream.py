"""Frames of ``application/vnd.amazon.eventstream``, as Amazon's services stream them."""

import struct
import zlib
from collections.abc import Mapping

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_TEXT = 7  # the type of a header's value


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one frame: its lengths, the headers and the payload, each part with its checksum."""
    block = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    lengths = struct.pack(">II", len(block) + len(payload) + 16, len(block))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + block + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(name: str, payload: bytes) -> bytes:
    """Return a frame with an event."""
    kind = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(kind, payload)


def exception(name: str, payload: bytes) -> bytes:
    """Return a frame with an error that ends the stream."""
    kind = {
        ":exception-type": name,
        ":content-type": "application/json",
        ":message-type": "exception",
    }
    return frame(kind, payload)


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", _TEXT, len(value)) + value
