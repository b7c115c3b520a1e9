"""Codings are undone piece by piece, as the clients do it."""

import gzip
import importlib
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.record.wire import coding

PLAIN = b"a line of text that is said again and again\n" * 5000


def raw_deflate(data: bytes) -> bytes:
    made = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return made.compress(data) + made.flush()


def brotli(data: bytes) -> bytes:
    return pytest.importorskip("brotli").compress(data)


def zstandard(data: bytes) -> bytes:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name).compress(data)
        except ImportError:
            continue
    return pytest.importorskip("zstandard").compress(data)


CODED: dict[str, Any] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate ": raw_deflate,
    "br": brotli,
    "zstd": zstandard,
    "deflate, gzip": lambda data: gzip.compress(zlib.compress(data)),
    "identity, GZIP": gzip.compress,
}


def undone(codings: str, pieces: list[bytes]) -> bytes:
    decoder = coding.decoder(codings)
    assert decoder is not None
    return b"".join(part for piece in pieces for part in decoder.decode(piece))


@pytest.mark.parametrize("size", [1, 100, 10**6])
@pytest.mark.parametrize("name", CODED)
def test_each_coding_is_undone_however_it_is_cut(name: str, size: int) -> None:
    sent = CODED[name](PLAIN)
    pieces = [sent[i : i + size] for i in range(0, len(sent), size)]
    assert undone(name, pieces) == PLAIN


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_several_members_are_one_body(name: str) -> None:
    assert undone(name, [CODED[name](b"one ") + CODED[name](b"two")]) == b"one two"


def test_what_follows_a_whole_member_is_no_harm() -> None:
    assert undone("gzip", [gzip.compress(b"all") + b"\0" * 8 + b"rest", b"more"]) == b"all"
    assert undone("deflate", [zlib.compress(b"all") + b"rest"]) == b"all"


@pytest.mark.parametrize("codings", ["", "identity", " , identity"])
def test_nothing_to_undo_needs_no_decoder(codings: str) -> None:
    assert coding.decoder(codings) is None


@pytest.mark.parametrize("codings", ["compress", "gzip, aws-chunked"])
def test_a_coding_that_is_not_known_is_said(codings: str) -> None:
    with pytest.raises(coding.UnknownCodingError):
        coding.decoder(codings)


def test_a_little_that_says_much_is_never_in_memory_at_once() -> None:
    sent = gzip.compress(b"\0" * 50_000_000)
    decoder = coding.decoder("gzip")
    assert decoder is not None
    sizes = [len(piece) for piece in decoder.decode(sent)]
    assert sum(sizes) == 50_000_000
    assert max(sizes) <= 1024 * 1024


@given(st.binary(), st.sampled_from(["gzip", "deflate"]), st.integers(0, 40))
def test_broken_data_raises_an_exception_or_says_less(data: bytes, name: str, cut: int) -> None:
    sent = CODED[name](PLAIN[:500])
    decoder = coding.decoder(name)
    assert decoder is not None
    try:
        list(decoder.decode(sent[:cut] + data))
    except zlib.error:
        return
