"""Unpack what was sent, and no more of it than is allowed."""

import zlib
from typing import Final

from agenttrace.server.refusals import (
    BROKEN_PACKING,
    CONTENT_ENCODING,
    CONTENT_TYPE,
    RefusedError,
    too_large,
)

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"

_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS
_ZLIB_BEGINS: Final = b"\x78"  # deflate, with the window that everybody uses


def content_type(said: str | None) -> str:
    """Return the content type, without its parameters.

    Raises:
        RefusedError: It is none of OTLP.
    """
    named = (said or "").partition(";")[0].strip().lower()
    if named not in (PROTOBUF, JSON):
        raise RefusedError(CONTENT_TYPE)
    return named


def encoding(said: str | None) -> str:
    """Return the content encoding: gzip, deflate, or an empty text for none.

    Raises:
        RefusedError: It is another.
    """
    named = (said or "").strip().lower()
    if named == "x-gzip":
        return "gzip"
    if named not in ("", "identity", "gzip", "deflate"):
        raise RefusedError(CONTENT_ENCODING)
    return "" if named == "identity" else named


def unpacked(body: bytes, packing: str, most: int) -> bytes:
    """Unpack *body*, as far as *most* bytes.

    Args:
        body: As it was sent.
        packing: As :func:`encoding` returns it.
        most: Bytes at which unpacking is given up.

    Raises:
        RefusedError: It unpacks to more, or not at all.
    """
    if not packing:
        if len(body) > most:
            raise RefusedError(too_large(most))
        return body
    try:
        return _gunzipped(body, most) if packing == "gzip" else _inflated(body, most)
    except zlib.error as error:
        raise RefusedError(BROKEN_PACKING) from error


def _gunzipped(body: bytes, most: int) -> bytes:
    """Unpack all members: gzip files may be put one after another."""
    parts: list[bytes] = []
    room = most
    while body:
        part, body = _member(body, _GZIP, room)
        parts.append(part)
        room -= len(part)
        if len(parts) > 1000:  # noqa: PLR2004 - nobody sends so many; empty ones use no room
            raise RefusedError(BROKEN_PACKING)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflated(body: bytes, most: int) -> bytes:
    # HTTP means zlib by deflate; some clients send it without zlib's header.
    is_zlib = body[:1] == _ZLIB_BEGINS
    part, rest = _member(body, _ZLIB if is_zlib else _RAW, most)
    if rest:
        raise RefusedError(BROKEN_PACKING)
    return part


def _member(body: bytes, bits: int, most: int) -> tuple[bytes, bytes]:
    """Return what the first stream of *body* unpacks to, and what is behind it."""
    stream = zlib.decompressobj(bits)
    # One byte more than is allowed tells that there is more, whatever it would come to.
    found = stream.decompress(body, most + 1)
    if len(found) > most:
        raise RefusedError(too_large(most))
    if not stream.eof:
        raise RefusedError(BROKEN_PACKING)
    return found, stream.unused_data
