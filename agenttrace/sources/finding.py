"""What logs there are on this machine, and what of them is new; nothing is changed by looking."""

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from agenttrace import coding_agents
from agenttrace.errors import SourceError
from agenttrace.sources import agents, ledger, reading
from agenttrace.sources.ledger import FileState
from agenttrace.sources.source import (
    DOCUMENT_AT_MOST,
    Form,
    Piece,
    Skipped,
    Source,
    UnreadableError,
    User,
    form_of,
)
from agenttrace.sources.told import Call, Record

_SAMPLE: Final = 1024 * 1024  # bytes of lines that tell whose a file is
_SAMPLES: Final = 8  # files of a folder that are looked into
_RECORDS: Final = 20  # of a file that are enough to know it
_CALL: Final = 3  # the most that a record can say of whose it is
_DATABASE: Final = b"SQLite format 3\0"
_WAIT_SECONDS: Final = 2.0  # for an import that is about to end


@dataclass(frozen=True, slots=True)
class Found:
    """The logs of one source.

    Attributes:
        source: Its name.
        roots: Folders and files of it that exist.
        files: Files that can be looked at.
        bytes: What they hold.
        new_files: Those of them in which something may be new.
        new_bytes: What of them is not imported yet.
        oldest_ns: When the file that was left alone for longest was changed last; None without
            files.
        latest_ns: When the file that was changed last was; None without files.
        imported_to_ns: The same of the files that are imported, as they were then; None if none is.
        unreadable: Folders and files that cannot be looked at, and why.
    """

    source: str
    roots: tuple[Path, ...] = ()
    files: int = 0
    bytes: int = 0
    new_files: int = 0
    new_bytes: int = 0
    oldest_ns: int | None = None
    latest_ns: int | None = None
    imported_to_ns: int | None = None
    unreadable: dict[Path, str] = field(default_factory=dict[Path, str])


def this_user() -> User:
    """Return whoever runs this process.

    Raises:
        SourceError: They have no home folder.
    """
    try:
        home = Path.home()
    except RuntimeError as error:
        raise SourceError(
            "nobody says where your home folder is. Set HOME, or name what to import: "
            "`agenttrace import SOURCE PATH`."
        ) from error
    return User(home, dict(os.environ), sys.platform)


def of_coding_agents() -> Iterator[Source]:
    """Yield the sources that have a place of their own on a machine."""
    for name in agents.NAMES:
        if name in coding_agents.CODING_AGENTS:
            yield agents.source(name)


def look(home: Path, source: Source, roots: Iterable[Path]) -> Found:
    """Look for files of *source*, and what of them is new for the data in *home*."""
    unreadable: dict[Path, str] = {}
    here = tuple(existing(roots, unreadable))
    known = imported_files(home, source.name)
    seen: list[reading.Seen] = []
    for path in _files(source, here, unreadable):
        try:
            seen.append(reading.look(path, form_of(source, path)))
        except UnreadableError as error:
            unreadable[path] = str(error)
    new = [one for one in seen if not reading.is_unchanged(one, known.get(str(one.path)))]
    changed = [one.changed_ns for one in seen]
    return Found(
        source.name,
        here,
        len(seen),
        sum(one.size for one in seen),
        len(new),
        sum(_new_bytes(one, known.get(str(one.path))) for one in new),
        min(changed, default=None),
        max(changed, default=None),
        max((one.changed_ns for one in known.values()), default=None),
        unreadable,
    )


def existing(roots: Iterable[Path], unreadable: dict[Path, str] | None = None) -> list[Path]:
    """Return those of *roots* that exist, each once; of others *unreadable* gets the reason."""
    here: list[Path] = []
    for root in dict.fromkeys(roots):
        try:
            if root.exists():
                here.append(root)
        except OSError as error:
            if unreadable is not None:
                unreadable[root] = error.strerror or str(error)
    return here


def imported_files(home: Path, source: str) -> dict[str, FileState]:
    """Return how far files were read, by path, and what their source left; none if unknown."""
    asked = "SELECT path, identity, size, changed_ns, read_to, state FROM file WHERE source = ?"
    return {
        row[0]: FileState(*row[1:-1], state=msgspec.json.decode(row[-1]))
        for row in _asked(home, asked, source)
    }


def skipped(home: Path) -> list[tuple[str, str, int]]:
    """Return what imports ever skipped: source, reason and how often; none if unknown."""
    asked = "SELECT source, reason, number FROM skipped ORDER BY source, number DESC, reason"
    return [(source, reason, number) for source, reason, number in _asked(home, asked)]


def _asked(home: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Ask the ledger of *home*, which may not be there, and is not made."""
    where = f"file:{quote(str(home / ledger.NAME))}?mode=ro"
    try:
        with closing(sqlite3.connect(where, uri=True, timeout=_WAIT_SECONDS)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.Error:
        return []


def source_of(path: Path, user: User) -> Source:
    """Return whose log *path* is, a file or a folder: told by where it lies, else by what it holds.

    Raises:
        SourceError: It is nobody's that is known, or could be of several.
    """
    placed = [one for one in of_coding_agents() if _is_within(path, one.roots(user))]
    if len(placed) == 1:
        return placed[0]
    told = _that_read(path, placed or [agents.source(name) for name in agents.NAMES])
    if len(told) == 1:
        return told[0]
    if not told:
        raise SourceError(
            f"{path} is nothing that is known. Say what it is: `agenttrace import SOURCE PATH`, "
            f"SOURCE being one of {', '.join(agents.NAMES)}."
        )
    names = [one.name for one in told]
    raise SourceError(
        f"{path} could be of {', '.join(names[:-1])} or {names[-1]}. Say which: "
        f"`agenttrace import {names[0]} {path}`."
    )


def _that_read(path: Path, sources: Sequence[Source]) -> list[Source]:
    """Return the *sources* to which *path* says something, of all that say most."""
    said = [(one, _understood(one, path)) for one in sources]
    most = max((how for _, how in said), default=0)
    return [one for one, how in said if how == most] if most else []


def _understood(source: Source, path: Path) -> int:
    """Return how much of *path* a source understands, as :func:`_worth` has it; 0 for nothing."""
    best = 0
    with suppress(OSError):  # gone meanwhile
        for file in islice(source.find(path, lambda _path, _why: None), _SAMPLES):
            best = max(best, _understood_of(source, file))
            if best == _CALL:
                break
    return best


def _understood_of(source: Source, file: Path) -> int:
    try:
        text = _sample(form_of(source, file), file)
        if text is None:
            return 0
        said = islice(source.read(Piece(file, text, is_first=True, state={})), _RECORDS)
        return max(map(_worth, said), default=0)
    except Exception:  # noqa: BLE001 - what is no log of this source may be anything
        return 0


def _worth(said: Record | Skipped | bytes) -> int:
    """Return how surely a file is of a source that read this in it."""
    if isinstance(said, Call):
        return _CALL
    # Whoever reads spans of all kinds reads those of a certain agent too.
    return 2 if isinstance(said, bytes) else int(not isinstance(said, Skipped))


def _sample(form: Form, file: Path) -> bytes | None:
    """Return what is read first of a file; None if it is of another form."""
    with file.open("rb") as opened:
        text = opened.read(_SAMPLE)
        if text.startswith(_DATABASE) or form == "database":
            return b"" if text.startswith(_DATABASE) and form == "database" else None
        if form == "document":
            return text + opened.read(DOCUMENT_AT_MOST - len(text))
    return text[: text.rfind(b"\n") + 1] or text


def _is_within(path: Path, roots: Iterable[Path]) -> bool:
    inner = path.resolve()
    return any(inner.is_relative_to(root.resolve()) for root in roots)


def _files(source: Source, roots: Iterable[Path], unreadable: dict[Path, str]) -> list[Path]:
    found: dict[Path, None] = {}
    for root in roots:
        with suppress(OSError):  # gone meanwhile
            found.update(dict.fromkeys(source.find(root, unreadable.__setitem__)))
    return list(found)


def _new_bytes(seen: reading.Seen, known: FileState | None) -> int:
    if known is None or not known.identity.startswith(f"{seen.place}:"):
        return seen.size
    return seen.size - known.read_to if seen.size > known.read_to else 0
