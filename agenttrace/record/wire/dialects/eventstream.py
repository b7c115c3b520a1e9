"""The frames of ``application/vnd.amazon.eventstream``.

A frame is its length, the length of its headers and a checksum of the two; then the headers, the
payload and a checksum of all.

Source: <https://smithy.io/2.0/aws/amazon-eventstream.html>
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"

_PRELUDE: Final = struct.Struct(">III")
_CHECKSUM: Final = struct.Struct(">I")
_LENGTH: Final = struct.Struct(">H")
_MOST_BYTES: Final = 24 * 1024 * 1024  # of a frame, and a little more
_TEXT: Final = 7
# Type of a header's value -> its size; text (7) and bytes (6) say their own.
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}


class Frame(NamedTuple):
    """One frame.

    Attributes:
        headers: Those of its headers that are text.
        payload: What it carries.
    """

    headers: dict[str, str]
    payload: bytes


def begins(data: bytes) -> bool:
    """Whether *data* is the beginning of a stream of frames."""
    return _frame_bytes(data, 0) is not None


def whole(data: bytes) -> int:
    """Return how many bytes are whole frames; what cannot be read any more counts as whole."""
    end = max((end for _, end in _frames(data)), default=0)
    is_broken = len(data) - end >= _PRELUDE.size and _frame_bytes(data, end) is None
    return len(data) if is_broken else end


def frames(data: bytes) -> Iterator[Frame]:
    """Yield the whole frames that have arrived unharmed, in order."""
    for start, end in _frames(data):
        checked = end - _CHECKSUM.size
        if zlib.crc32(data[start:checked]) != _CHECKSUM.unpack_from(data, checked)[0]:
            continue
        begin = start + _PRELUDE.size
        payload = begin + _PRELUDE.unpack_from(data, start)[1]
        yield Frame(_headers(data[begin:payload]), data[payload:checked])


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield start and end of each whole frame, up to one whose length makes no sense."""
    start = 0
    while (size := _frame_bytes(data, start)) and start + size <= len(data):
        yield start, start + size
        start += size


def _frame_bytes(data: bytes, start: int) -> int | None:
    """Return the size of the frame that begins there; None if none does."""
    if len(data) - start < _PRELUDE.size:
        return None
    size, header_bytes, checksum = _PRELUDE.unpack_from(data, start)
    least = _PRELUDE.size + header_bytes + _CHECKSUM.size
    if not least <= size <= _MOST_BYTES or zlib.crc32(data[start : start + 8]) != checksum:
        return None
    return size


def _headers(block: bytes) -> dict[str, str]:
    """Read the headers that are text, up to one that makes no sense."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            name = block[at + 1 : at + 1 + block[at]]
            at += 1 + block[at]
            kind = block[at]
            at += 1
            size = _SIZES.get(kind)
            if size is None:
                (size,) = _LENGTH.unpack_from(block, at)
                at += _LENGTH.size
            if kind == _TEXT:
                found[name.decode()] = block[at : at + size].decode()
            at += size
    except (IndexError, struct.error, UnicodeError):
        pass
    return found
