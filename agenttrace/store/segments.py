"""Read what is new in the spool: whole records of segments that are written, finished or torn."""

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from agenttrace.record.flight import SLOT_BYTES_AT_MOST, first_slot
from agenttrace.record.spool import (
    FLIGHT_SUFFIX,
    LOST_NAME,
    OPEN_SUFFIX,
    SEGMENT_SUFFIX,
    SPOOL_FORMAT,
    committed,
)
from agenttrace.store import liveness

BATCH_CHARACTERS: Final = 64 * 1024 * 1024  # of the spool, read at once: bounds the memory
_HEADER_AT_MOST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """Who wrote a segment, as its first line says; None where it does not.

    Attributes:
        is_retold: It was recorded elsewhere and read from there, so it may be told more than once,
            and its records say themselves whose they are.
    """

    service_name: str | None = None
    host: str | None = None
    pid: int | None = None
    version: str | None = None
    started_ns: int | None = None
    medium: str | None = None
    slot_bytes: int | None = None
    is_retold: bool = False


class Lost(NamedTuple):
    """What a process said about records that it could not keep.

    Attributes:
        at_ns: When, in nanoseconds since 1970-01-01 UTC; None if it does not say.
        pid: Which process; None if it does not say.
        records: How many.
        reason: ``disk full``, ``spool full``, ``deleted``, ``refused`` or ``failed``; None if it
            does not say, as an older agenttrace did not.
    """

    at_ns: int | None
    pid: int | None
    records: int
    reason: str | None


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
        in_flight: The lines are of what was under way when the process died: start records, and
            end records on their way into a segment. A segment may have the same span, if the
            process died before it could strike it out here; then this one is void.
    """

    name: str
    start: int
    end: int
    text: str
    header: Header
    finished: bool
    trouble: str | None = None
    in_flight: bool = False

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
    return _listed(spool, {OPEN_SUFFIX, SEGMENT_SUFFIX})


def find_flights(spool: Path) -> list[Path]:
    """Return the tables of what is under way, oldest first."""
    return _listed(spool, {FLIGHT_SUFFIX})


def _listed(spool: Path, suffixes: set[str]) -> list[Path]:
    try:
        paths = sorted(spool.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [path for path in paths if path.suffix in suffixes]


def under_way(path: Path) -> int:
    """Return how many records stand in a table of what is under way; none if it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return 0
    try:
        header = _header(data.partition(b"\n")[0])
    except UnreadableSegmentError:
        return 0
    slot_bytes = header.slot_bytes if header else None
    if slot_bytes is None or not 0 < slot_bytes <= SLOT_BYTES_AT_MOST:
        return 0
    return data[first_slot(data.find(b"\n") + 1, slot_bytes) :: slot_bytes].count(b"{")


def new(spool: Path, watermarks: Mapping[str, int], warnings: list[str]) -> Iterator[Slice]:
    """Read what lies beyond the watermarks.

    Args:
        spool: Folder of the segments.
        watermarks: Bytes already folded, by the segment's name without suffix.
        warnings: Gets a sentence for each segment that has to be left alone.

    Yields:
        Slices with something in them, or of segments that are finished. Last what was under way
        in processes that had died before the first segment was read, so that whatever of it had
        ended has been seen to end.
    """
    interrupted = list(_interrupted(spool, watermarks, warnings))
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
    yield from interrupted


def _interrupted(
    spool: Path, watermarks: Mapping[str, int], warnings: list[str]
) -> Iterator[Slice]:
    for path in find_flights(spool):
        try:
            found = _read(path, watermarks.get(path.stem, 0))
        except UnreadableSegmentError as error:
            warnings.append(f"{path} is left alone: {error}")
        else:
            if found is not None:
                yield found


def size(spool: Path, watermarks: Mapping[str, int]) -> int:
    """Return about how many bytes lie beyond the watermarks."""
    found = 0
    for path in find(spool):
        with contextlib.suppress(OSError):
            found += max(path.stat().st_size - watermarks.get(path.stem, 0), 0)
    return found


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


def lost_records(spool: Path) -> list[Lost]:
    """Return what processes said about records that they could not keep, in file order."""
    try:
        lines = (spool / LOST_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [said for line in lines if (said := _lost(line)) is not None]


def _lost(line: str) -> Lost | None:
    said = _object(line.encode())
    records = said.get("records")
    if type(records) is not int or records < 1:
        return None
    return Lost(
        _integer(said.get("at_ns")),
        _integer(said.get("pid")),
        records,
        _string(said.get("reason")),
    )


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
    first_line, _, _ = os.pread(descriptor, _HEADER_AT_MOST, 0).partition(b"\n")
    said = _header(first_line)
    header = said or Header()
    # The lock is asked for first: what a dead writer left is then read to its end.
    finished = path.suffix == SEGMENT_SUFFIX or liveness.is_abandoned(
        descriptor, host=header.host, pid=header.pid, medium=header.medium
    )
    size = os.fstat(descriptor).st_size
    if path.suffix == FLIGHT_SUFFIX:
        return _in_flight(descriptor, path, watermark, header, size) if finished else None
    if not finished and os.pread(descriptor, 1, watermark) != b"{":
        return None
    start = watermark
    if start == 0 and said is not None:
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
            header,
            finished=True,
            trouble="empty segment" if watermark == 0 and nothing and not lines else None,
        )
    if not lines:
        return None
    end = start + len(lines) + 1
    return Slice(path.stem, start, end, _text(lines), header, finished=False)


def _in_flight(descriptor: int, path: Path, watermark: int, header: Header, size: int) -> Slice:
    """Read the table of what was under way when its writer died."""
    start, lines, trouble = size, b"", None
    if watermark < size:
        slot_bytes = header.slot_bytes
        if slot_bytes is None or not 0 < slot_bytes <= SLOT_BYTES_AT_MOST:
            trouble = "no table of calls in flight"
        else:
            start, lines = _filled(os.pread(descriptor, size, 0), slot_bytes)
    return Slice(
        path.stem,
        start,
        size,
        _text(lines),
        header,
        finished=True,
        trouble=trouble,
        in_flight=True,
    )


def _filled(data: bytes, slot_bytes: int) -> tuple[int, bytes]:
    """Return the lines of the slots that are filled, with blanks for what is between them.

    So offsets are those of the file. A slot without a newline is a line like another, and will be
    refused as one.
    """
    begin = first_slot(data.find(b"\n") + 1, slot_bytes)
    firsts = data[begin::slot_bytes]
    start = end = len(data)
    pieces: list[bytes] = []
    index = firsts.find(b"{")
    while index >= 0:
        offset = begin + index * slot_bytes
        line = data[offset : offset + slot_bytes].partition(b"\n")[0].rstrip(b"\0")
        if pieces:
            pieces.append(b" " * (offset - end))
        else:
            start = offset
        pieces += [line, b"\n"]
        end = offset + len(line) + 1
        index = firsts.find(b"{", index + 1)
    return start, b"".join(pieces).removesuffix(b"\n").replace(b"\0", b" ")


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
        medium=_string(said.get("medium")),
        slot_bytes=_integer(said.get("slot_bytes")),
        is_retold=said.get("retold") is True,
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
