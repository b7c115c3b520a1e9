"""Undo the content codings of a response piece by piece, with the decoders that are installed.

A client only asks for a coding that it can undo, so the decoder is there where it is needed.

Source: RFC 9110, section 8.4.1, <https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1>
"""

import functools
import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Protocol

_INPUT_BYTES: Final = 16 * 1024  # decoded at a time, so that little of much is in memory at once
_OUTPUT_BYTES: Final = 1024 * 1024
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


class UnknownCodingError(Exception):
    """A body is coded in a way that nothing here can undo."""


class Decoder(Protocol):
    """Undoes one coding of one body."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield what *data*, the next bytes of the body, says; raises whatever the library does."""
        ...


def decoder(codings: str) -> Decoder | None:
    """Return what undoes *codings*, a ``Content-Encoding`` header; None if there is nothing to do.

    Raises:
        UnknownCodingError: One of them is not known, or its library is not installed.
    """
    names = [name.strip().lower() for name in codings.split(",")]
    found = [_made(name) for name in reversed(names) if name not in ("", "identity")]
    if len(found) <= 1:
        return found[0] if found else None
    return _Chain(found)


def _made(name: str) -> Decoder:
    make = _DECODERS.get(name)
    if make is None:
        raise UnknownCodingError(name)
    return make()


class _Chain:
    """Several codings, the one that was applied last first."""

    def __init__(self, decoders: list[Decoder]) -> None:
        self._decoders = decoders

    def decode(self, data: bytes) -> Iterator[bytes]:
        pieces: Iterable[bytes] = (data,)
        for each in self._decoders:
            pieces = _decoded(each, pieces)
        yield from pieces


def _decoded(each: Decoder, pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from each.decode(piece)


class _Zlib:
    """``gzip``, of one or more members, and ``deflate``, with its header or without."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._object = zlib.decompressobj(window)
        self._unfed = b""
        self._whole = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        if self._window == zlib.MAX_WBITS:
            data = self._unfed + data
            if len(data) < 2:  # noqa: PLR2004 - the header's length
                self._unfed = data
                return
            self._window = 0
            if data[0] & 0x0F != zlib.DEFLATED or int.from_bytes(data[:2], "big") % 31:
                # Some servers leave out the header that the standard asks for.
                self._object = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            if self._object.eof:
                self._whole = True
                if self._window != _GZIP_WINDOW:
                    return
                self._object = zlib.decompressobj(self._window)
            try:
                yield self._object.decompress(data, _OUTPUT_BYTES)
            except zlib.error:
                if not self._whole:
                    raise
                self._window = 0  # What follows a whole member and is none is no harm to clients.
                return
            data = self._object.unconsumed_tail or self._object.unused_data


class _Brotli:
    """``br``."""

    def __init__(self) -> None:
        library = _first_of("brotlicffi", "brotli")
        made = library.Decompressor()
        # The packages of this name spell it in two ways.
        self._decode: Callable[[bytes], bytes] = getattr(made, "process", None) or made.decompress

    def decode(self, data: bytes) -> Iterator[bytes]:
        return map(self._decode, _cut(data))


class _Zstandard:
    """``zstd``, of one or more frames."""

    def __init__(self) -> None:
        library = _first_of("compression.zstd", "backports.zstd", "zstandard")
        self._make: Callable[[], Any] = library.ZstdDecompressor
        if not hasattr(self._make(), "eof"):
            self._make = lambda: library.ZstdDecompressor().decompressobj()
        self._object = self._make()

    def decode(self, data: bytes) -> Iterator[bytes]:
        for piece in _cut(data):
            rest = piece
            while rest:
                if self._object.eof:
                    self._object = self._make()
                yield self._object.decompress(rest)
                rest = self._object.unused_data if self._object.eof else b""


def _cut(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _INPUT_BYTES):
        yield data[start : start + _INPUT_BYTES]


def _first_of(*names: str) -> Any:
    for name in names:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise UnknownCodingError(names[0])


_DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": functools.partial(_Zlib, _GZIP_WINDOW),
    "x-gzip": functools.partial(_Zlib, _GZIP_WINDOW),
    "deflate": functools.partial(_Zlib, zlib.MAX_WBITS),
    "br": _Brotli,
    "zstd": _Zstandard,
}
