"""Read what is new in the spool: whole records of segments that are written, finished or torn."""

import fcntl
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from agenttrace.record.spool import LOST_NAME, OPEN_SUFFIX, SEGMENT_SUFFIX, SPOOL_FORMAT, committed

BATCH_CHARACTERS: Final = 64 * 1024 * 1024  # of the spool, read at once: bounds the memory
_HEADER_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote a segment, as its first line says; None where it does not."""

    service_name: str | None = None
    host: str | None = None
    pid: int | None = None
    version: str | None = None
    started_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """What a segment holds beyond its watermark.

    Attributes:
        name: The segment, without the suffix.
        start: Byte offset of the first line in *text*.
        end: Byte offset up to which this slice was read; the next watermark.
        text: Whole lines, the last one without its newline; empty if there is none. As long as the
            bytes it is from.
        header: Who wrote it.
        finished: Nothing more will come.
        trouble: Why the whole segment is no use, if so.
    """

    name: str
    start: int
    end: int
    text: str
    header: Header
    finished: bool
    trouble: str | None = None

    def lines(self) -> list[tuple[int, str]]:
        """Return each line with its byte offset in the segment."""
        found: list[tuple[int, str]] = []
        offset = self.start
        for line in self.text.split("\n"):
            found.append((offset, line))
            offset += len(line.encode()) + 1
        return found


class UnreadableSegmentError(Exception):
    """A segment has to be left alone; the message says why, for a warning."""


def find(spool: Path) -> list[Path]:
    """Return the segments, oldest first."""
    try:
        paths = sorted(spool.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in paths if path.suffix in {OPEN_SUFFIX, SEGMENT_SUFFIX}]


def new(spool: Path, watermarks: Mapping[str, int], warnings: list[str]) -> Iterator[Slice]:
    """Read what lies beyond the watermarks.

    Args:
        spool: Folder of the segments.
        watermarks: Bytes already folded, by the segment's name without suffix.
        warnings: Gets a sentence for each segment that has to be left alone.

    Yields:
        Slices with something in them, or of segments that are finished.
    """
    seen: set[str] = set()
    for path in find(spool):
        # A segment that is renamed while the folder is listed can be there twice.
        if path.stem in seen:
            continue
        seen.add(path.stem)
        try:
            found = _read(path, watermarks.get(path.stem, 0))
        except UnreadableSegmentError as error:
            warnings.append(f"{path} is left alone: {error}")
        else:
            if found is not None:
                yield found


def batches(slices: Iterable[Slice], characters: int) -> Iterator[list[Slice]]:
    """Group *slices* until each group holds at least so many characters; the last may hold less."""
    batch: list[Slice] = []
    held = 0
    for one in slices:
        batch.append(one)
        held += len(one.text)
        if held >= characters:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def lost_records(spool: Path) -> list[tuple[int | None, int | None, int]]:
    """Return what processes said about records that they could not write.

    Returns:
        When (nanoseconds since 1970-01-01 UTC), which process, how many records; in file order.
    """
    try:
        lines = (spool / LOST_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [said for line in lines if (said := _lost(line)) is not None]


def _lost(line: str) -> tuple[int | None, int | None, int] | None:
    said = _object(line.encode())
    records = said.get("records")
    if type(records) is not int or records < 1:
        return None
    return _integer(said.get("at_ns")), _integer(said.get("pid")), records


def _read(path: Path, watermark: int) -> Slice | None:
    try:
        descriptor = _open(path)
        try:
            return _read_open(descriptor, path, watermark)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None  # folded by somebody else
    except OSError as error:
        raise UnreadableSegmentError(error.strerror or str(error)) from error


def _open(path: Path) -> int:
    # Without O_NONBLOCK a pipe of that name would wait for its writer for ever.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        # Its writer finished it since the folder was listed.
        return os.open(path.with_suffix(SEGMENT_SUFFIX), flags)


def _read_open(descriptor: int, path: Path, watermark: int) -> Slice | None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise UnreadableSegmentError("it is no file")
    # The lock is asked for first: what a dead writer left is then read to its end.
    finished = path.suffix == SEGMENT_SUFFIX or _is_abandoned(descriptor)
    size = os.fstat(descriptor).st_size
    if not finished and os.pread(descriptor, 1, watermark) != b"{":
        return None
    first_line, _, _ = os.pread(descriptor, _HEADER_AT_MOST, 0).partition(b"\n")
    header = _header(first_line)
    start = watermark
    if start == 0 and header is not None:
        start = len(first_line) + 1
    data = os.pread(descriptor, max(size - start, 0), start)
    lines = _lines(data, finished=finished)
    if finished:
        nothing = size == 0 or not first_line.strip(b"\0")
        return Slice(
            path.stem,
            start,
            size,
            _text(lines),
            header or Header(),
            finished=True,
            trouble="empty segment" if watermark == 0 and nothing and not lines else None,
        )
    if not lines:
        return None
    end = start + len(lines) + 1
    return Slice(path.stem, start, end, _text(lines), header or Header(), finished=False)


def _is_abandoned(descriptor: int) -> bool:
    """Whether no process holds the lock that the writer of an open segment holds while it lives."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _header(line: bytes) -> Header | None:
    """Read the first line; None if it is no header, which leaves it to be refused as a record."""
    said = _object(line)
    version = said.get("agenttrace_spool")
    if type(version) is not int:
        return None
    if version > SPOOL_FORMAT:
        raise UnreadableSegmentError(
            f"a newer agenttrace wrote it (spool format {version}; this one reads {SPOOL_FORMAT}). "
            "Upgrade agenttrace."
        )
    return Header(
        service_name=_string(said.get("service_name")),
        host=_string(said.get("host")),
        pid=_integer(said.get("pid")),
        version=_string(said.get("version")),
        started_ns=_integer(said.get("started_ns")),
    )


def _lines(data: bytes, *, finished: bool) -> bytes:
    """Return whole lines without the last newline.

    A live segment ends at its first uncommitted record. A finished one is read to its end: what its
    writer did not commit, or a cut took away, is a line like another, and will be refused as one. A
    hole (a record that was never written) before a good record becomes blanks, as JSON allows.
    """
    if not finished:
        return data[: committed(data)].removesuffix(b"\n")
    return data.rstrip(b"\0").removesuffix(b"\n").replace(b"\0", b" ")


def _text(lines: bytes) -> str:
    """Decode *lines*; a line that is not UTF-8 becomes as many question marks."""
    try:
        return lines.decode()
    except UnicodeDecodeError:
        return "\n".join(_decoded(line) for line in lines.split(b"\n"))


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return "?" * len(line)


def _object(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}


def _string(said: object) -> str | None:
    return said if isinstance(said, str) else None


def _integer(said: object) -> int | None:
    return said if type(said) is int and -(2**63) <= said < 2**63 else None
