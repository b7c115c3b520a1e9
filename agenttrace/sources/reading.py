"""Read what is new in files that others write, replace and cut while they are read."""

import os
import stat
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from agenttrace.sources.ledger import FileState
from agenttrace.sources.source import (
    DOCUMENT_AT_MOST,
    LINE_AT_MOST,
    WAITING,
    Form,
    Piece,
    Skipped,
    UnreadableError,
)

CHUNK: Final = 32 * 1024 * 1024  # bytes of lines that are read at once
UNFINISHED: Final = "a last line that is not finished"
_PART: Final = 1024 * 1024
_HEAD: Final = 256  # bytes that tell whether it is still the same file
_WAL: Final = "-wal"  # what SQLite has written beside a database

Next = tuple[Piece | Skipped | None, FileState]
"""What comes next in a file, if anything, and how far it is read then."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the folder shows it.

    Attributes:
        path: Where it is.
        size: Bytes; of a database, those of its journal included.
        changed_ns: When it was changed last.
        place: Device and inode.
    """

    path: Path
    size: int
    changed_ns: int
    place: str


def look(path: Path, form: Form) -> Seen:
    """Look at a file without opening it.

    Raises:
        UnreadableError: It is gone, no file, or may not be looked at.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    if not stat.S_ISREG(found.st_mode):
        raise UnreadableError("no file")
    size, changed_ns = found.st_size, found.st_mtime_ns
    if form == "database":
        try:
            journal = path.with_name(path.name + _WAL).stat()
        except OSError:
            pass
        else:
            size, changed_ns = size + journal.st_size, max(changed_ns, journal.st_mtime_ns)
    return Seen(path, size, changed_ns, f"{found.st_dev}:{found.st_ino}")


def is_unchanged(seen: Seen, known: FileState | None) -> bool:
    """Whether nothing can be new in a file."""
    return (
        known is not None
        and not known.state.get(WAITING)
        and known.size == seen.size
        and known.changed_ns == seen.changed_ns
        and known.identity.startswith(f"{seen.place}:")
    )


def pieces(seen: Seen, form: Form, known: FileState | None) -> Iterator[Next]:
    """Yield what is new in a file, each with how far it is read then; last it may be nothing.

    Args:
        seen: The file.
        form: How it is read.
        known: How far it was read before; None if it was not.

    Raises:
        UnreadableError: It may not be read, is gone, or is too large.
    """
    if form == "database":
        # Another file in its place is read from its beginning.
        goes_on = known is not None and known.identity == f"{seen.place}:"
        state: dict[str, Any] = dict(known.state) if known is not None and goes_on else {}
        piece = Piece(seen.path, b"", not goes_on, state)
        yield piece, FileState(f"{seen.place}:", seen.size, seen.changed_ns, seen.size, state)
        return
    try:
        descriptor = os.open(seen.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    try:
        if form == "document":
            yield _document(descriptor, seen)
        else:
            yield from _lines(descriptor, seen, known)
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    finally:
        os.close(descriptor)


def _document(descriptor: int, seen: Seen) -> tuple[Piece, FileState]:
    if seen.size > DOCUMENT_AT_MOST:
        raise UnreadableError(f"larger than {DOCUMENT_AT_MOST // 1024**2} MB")
    text = _read(descriptor, 0, seen.size)
    state: dict[str, Any] = {}
    identity = f"{seen.place}:"
    return (
        Piece(seen.path, text, is_first=True, state=state),
        FileState(identity, seen.size, seen.changed_ns, len(text), state),
    )


def _lines(descriptor: int, seen: Seen, known: FileState | None) -> Iterator[Next]:
    # It may have been replaced since the folder was read.
    found = os.fstat(descriptor)
    place = f"{found.st_dev}:{found.st_ino}"
    goes_on = known is not None and _is_same(descriptor, place, found.st_size, known)
    position = known.read_to if known is not None and goes_on else 0
    state: dict[str, Any] = dict(known.state) if known is not None and goes_on else {}
    head = min(found.st_size, _HEAD)
    identity = f"{place}:{head}:{_hash(_read(descriptor, 0, head))}"
    begun_at, is_first = position, position == 0

    def now(*, is_done: bool = False) -> FileState:
        # Should it end here with some left to be read, the file must not look unchanged then.
        size = found.st_size if is_done else position
        return FileState(identity, size, found.st_mtime_ns, position, state)

    while position < found.st_size:
        text = _read(descriptor, position, min(CHUNK, found.st_size - position))
        end = text.rfind(b"\n") + 1 or _whole_line(descriptor, position, text)
        if not text or not end:
            break
        position += end
        # Were this piece to fail, what the one before it left would have to be as it was.
        state = deepcopy(state)
        if end <= len(text):
            yield Piece(seen.path, text[:end], is_first, state), now()
        elif end <= LINE_AT_MOST:
            text = _read(descriptor, position - end, end)
            yield Piece(seen.path, text, is_first, state), now()
        else:
            yield Skipped(f"a line of over {LINE_AT_MOST // 1024**2} MB"), now()
        is_first = False
    if position == begun_at and state.get(WAITING):
        yield Piece(seen.path, b"", is_first, state), now()
    yield Skipped(UNFINISHED) if position < found.st_size else None, now(is_done=True)


def _whole_line(descriptor: int, position: int, text: bytes) -> int:
    """Return how long the line is that begins with *text*; 0 if its writer is not done with it."""
    end = text_end = position + len(text)
    while part := os.pread(descriptor, _PART, text_end):
        found = part.find(b"\n")
        text_end += len(part)
        if found >= 0:
            return text_end - len(part) + found + 1 - position
    # Some end without a newline.
    return end - position if text_end == end and _is_json(text) else 0


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _is_same(descriptor: int, place: str, size: int, known: FileState) -> bool:
    """Whether a file is the one that was read before, and not cut since."""
    device, inode, head, said = [*known.identity.split(":"), "", "", "", ""][:4]
    if f"{device}:{inode}" != place or not head.isdigit() or size < known.read_to:
        return False
    return _hash(_read(descriptor, 0, int(head))) == said


def _read(descriptor: int, position: int, size: int) -> bytes:
    """Read up to *size* bytes; fewer if the file has become shorter."""
    parts: list[bytes] = []
    while size > 0:
        part = os.pread(descriptor, min(size, 1 << 30), position)
        if not part:
            break
        parts.append(part)
        position += len(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
