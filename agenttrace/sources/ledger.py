"""What has been imported: how far each file was read, and which calls were told.

A SQLite file in the home. Nothing rests on it but speed: were it lost, everything would be read
again, and the fold would let go of what it has. It is written after the spool, never before.
"""

import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from agenttrace.errors import SourceError

NAME: Final = "sources.sqlite"
_VERSION: Final = 1
_WAIT_SECONDS: Final = 60.0  # for another import to end
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS file (
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    identity TEXT NOT NULL,
    size INTEGER NOT NULL,
    changed_ns INTEGER NOT NULL,
    read_to INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (source, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    key BLOB PRIMARY KEY,
    worth INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    session TEXT NOT NULL,
    turn TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skipped (
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    number INTEGER NOT NULL,
    last_seen_ns INTEGER NOT NULL,
    PRIMARY KEY (source, reason)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """How far a file was read.

    Attributes:
        identity: What tells that it is still the same file.
        size: Its size then, bytes.
        changed_ns: When it was changed last, as the file system had it then.
        read_to: Offset of the first byte that was not read.
        state: What its source left for the next time.
    """

    identity: str
    size: int
    changed_ns: int
    read_to: int
    state: dict[str, Any] = field(default_factory=dict[str, Any])


class Known(NamedTuple):
    """What was told of a call.

    Attributes:
        worth: Of the telling that counts so far.
        start_ns: When the call began, as it was told first.
        session: Session of the first telling.
        turn: Turn of the first telling.
    """

    worth: int
    start_ns: int
    session: str
    turn: str


class Ledger:
    """The open ledger of a home; one import at a time writes it."""

    def __init__(self, home: Path) -> None:
        """Open it, or make it.

        Raises:
            SourceError: It cannot be opened or is not what it should be.
        """
        self.path = home / NAME
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(
                self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise SourceError(
                    f"{self.path} was written by a newer agenttrace ({version}; this one knows "
                    f"{_VERSION}). Upgrade agenttrace, or move the file away: all is read again."
                )
            self._connection.execute("PRAGMA synchronous = NORMAL")
            if version < _VERSION:
                self._connection.executescript(_SCHEMA)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
            self.path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise SourceError(
                f"{self.path} cannot be used: {error}. Move it away: all is read again, and "
                "nothing is counted twice."
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def changing(self) -> Generator[None]:
        """Hold the ledger against other imports; what is written counts if the block ends well.

        Raises:
            SourceError: Another import does not end, or the disk refuses.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise SourceError(
                f"{self.path} is held by another import: {error}. Try again when it is done."
            ) from error
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise SourceError(f"{self.path} cannot be written: {error}.") from error

    def files(self, source: str) -> dict[str, FileState]:
        """Return how far the files of *source* were read, by path."""
        rows = self._connection.execute(
            "SELECT path, identity, size, changed_ns, read_to, state FROM file WHERE source = ?",
            (source,),
        )
        return {
            path: FileState(identity, size, changed_ns, read_to, msgspec.json.decode(state))
            for path, identity, size, changed_ns, read_to, state in rows
        }

    def note_files(self, source: str, states: Mapping[str, FileState]) -> None:
        """Keep how far files were read."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    source,
                    path,
                    one.identity,
                    one.size,
                    one.changed_ns,
                    one.read_to,
                    msgspec.json.encode(one.state).decode(),
                )
                for path, one in states.items()
            ],
        )

    def known(self, source: str, keys: Iterable[str]) -> dict[str, Known]:
        """Return what was told of calls, by their key."""
        found: dict[str, Known] = {}
        if self._connection.execute("SELECT 1 FROM told LIMIT 1").fetchone() is None:
            return found
        with closing(self._connection.cursor()) as cursor:
            for key in keys:
                row = cursor.execute(
                    "SELECT worth, start_ns, session, turn FROM told WHERE key = ?",
                    (_short(source, key),),
                ).fetchone()
                if row is not None:
                    found[key] = Known(*row)
        return found

    def note_told(self, source: str, told: Mapping[str, Known]) -> None:
        """Keep what was told of calls, by their key."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO told VALUES (?, ?, ?, ?, ?)",
            # In the order of the table, which takes them up in half of the time.
            sorted((_short(source, key), *one) for key, one in told.items()),
        )

    def note_skipped(self, source: str, skipped: Mapping[str, int]) -> None:
        """Add to the counts of what was skipped, by reason."""
        now_ns = time.time_ns()
        self._connection.executemany(
            "INSERT INTO skipped VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
            "SET number = number + excluded.number, last_seen_ns = excluded.last_seen_ns",
            [(source, reason, number, now_ns) for reason, number in skipped.items()],
        )

    def skipped(self) -> list[tuple[str, str, int]]:
        """Return what was ever skipped: source, reason, how often; the most frequent first."""
        return self._connection.execute(
            "SELECT source, reason, number FROM skipped ORDER BY source, number DESC, reason"
        ).fetchall()


def _short(source: str, key: str) -> bytes:
    """Half the size of the ids themselves; none of two million calls is taken for another."""
    return blake2b(f"{source}\0{key}".encode("utf-8", "replace"), digest_size=12).digest()
