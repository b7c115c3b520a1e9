"""Bytes are copied as they come, whatever is looked for in them."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agenttrace.launch.copying import Copying


def _copied(pieces: list[bytes], most: int = 100) -> tuple[bytes, list[bytes]]:
    """Return what came out, and the lines that were shown."""
    source, sink = os.pipe()
    out, target = os.pipe()
    seen: list[bytes] = []
    with os.fdopen(source, "rb", buffering=0) as pipe:
        copying = Copying(pipe, target, seen.append, most)
        for piece in pieces:
            os.write(sink, piece)
        os.close(sink)
        copying.finish()
    os.close(target)
    with os.fdopen(out, "rb") as read:
        return read.read(), seen


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8))
def test_the_copy_is_the_same_bytes_and_the_lines_are_those_in_it(pieces: list[bytes]):
    whole = b"".join(pieces)
    copy, lines = _copied(pieces, most=1000)
    assert copy == whole
    assert lines == [line for line in whole.split(b"\n") if line]


def test_a_line_that_is_too_long_is_copied_and_not_shown():
    copy, lines = _copied([b"x" * 60, b"x" * 60 + b"\nshort\n"])
    assert copy == b"x" * 120 + b"\nshort\n"
    assert lines == [b"short"]


def test_where_nobody_reads_any_more_the_command_is_told():
    source, sink = os.pipe()
    out, target = os.pipe()
    os.close(out)
    with os.fdopen(source, "rb", buffering=0) as pipe:
        copying = Copying(pipe, target, lambda _: None, 100)
        os.write(sink, b"one\n")
        copying.finish()
    try:
        os.write(sink, b"two\n")
    except BrokenPipeError:
        is_told = True
    else:
        is_told = False
    os.close(sink)
    os.close(target)
    assert is_told


def test_it_goes_into_a_file_as_well(tmp_path: Path):
    source, sink = os.pipe()
    with (tmp_path / "out").open("wb") as target, os.fdopen(source, "rb", buffering=0) as pipe:
        copying = Copying(pipe, target.fileno(), lambda _: None, 100)
        os.write(sink, b"one\n")
        os.close(sink)
        copying.finish()
    assert (tmp_path / "out").read_bytes() == b"one\n"
