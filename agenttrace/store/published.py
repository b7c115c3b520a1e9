"""``store.duckdb``: what has been folded, replaced as a whole and never changed in place.

DuckDB lets one process open a file for writing and then no other one for reading. So a change is
made to a copy, and the copy renamed over the original: readers never meet a lock, and whoever dies
at whatever moment leaves either the old file or the new one.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from agenttrace import __version__
from agenttrace.errors import SchemaVersionError, StoreError
from agenttrace.store import lake
from agenttrace.store.lake import Part, string, sync

NAME: Final = "store.duckdb"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_NEW: Final = NAME + ".new"
# The format of DuckDB 1.5, which 2.0 reads and writes as well. Of a copy that is thrown away if
# anything goes wrong, no log of changes is needed.
_FORMAT: Final = "STORAGE_VERSION 'v1.5.0', RECOVERY_MODE 'no_wal_writes'"
_LARGE_BYTES: Final = 4 * 1024 * 1024
_DEFINITIONS: Final = "definitions"
_DOUBTFUL: Final = "doubtful"
_RECEIVED: Final = "received"
_COMPACTED: Final = "compacted_rows"
_PRUNED: Final = "pruned_before"


@dataclass(frozen=True, slots=True)
class Published:
    """What a store says has been folded.

    Attributes:
        exists: There is a store.
        parts: Files of the lake to read, the earliest first.
        retired: Files whose spans are in others now.
        watermarks: Bytes folded, by segment.
        finished: Segments that are folded to their end and about to be removed.
        definitions: Fingerprint of the queries that its roll-ups are rows of; empty if it has none.
        is_doubtful: It was made of the files of the lake: what of the spool is in them is unknown.
        is_received: Spans that agenttrace recorded have also been sent here: what a process has yet
            to bring may be in the lake.
        pruned_before: Day before which spans were removed, ``YYYY-MM-DD`` (UTC); empty if never.
    """

    exists: bool = False
    parts: tuple[Part, ...] = ()
    retired: frozenset[str] = frozenset()
    watermarks: Mapping[str, int] = field(default_factory=dict[str, int])
    finished: frozenset[str] = frozenset()
    definitions: str = ""
    is_doubtful: bool = False
    is_received: bool = False
    pruned_before: str = ""


def attach(
    connection: duckdb.DuckDBPyConnection, home: Path, migrations: Path = MIGRATIONS
) -> Published:
    """Read what the store in *home* says; it stays attached, for reading, as ``published``.

    Whatever replaces the file meanwhile, the one that is attached stays as it is.

    Raises:
        SchemaVersionError: A newer agenttrace wrote it.
        StoreError: It cannot be read.
    """
    path = home / NAME
    detach(connection)
    if not path.exists():
        return Published()
    try:
        connection.execute(f"ATTACH {string(path)} AS published (READ_ONLY)")
        if _check_version(connection, path, migrations) < max(_steps(migrations)):
            _attach_migrated(connection, path, migrations)
        return _read(connection)
    except duckdb.Error as error:
        raise StoreError(
            f"{path} cannot be read: {lake.reason(error)} Move it away: the spans in "
            f"{lake.FOLDER} and spool are taken up again at the next report."
        ) from error


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of the store that is attached, if one is."""
    connection.execute("DETACH DATABASE IF EXISTS published")


def read(
    connection: duckdb.DuckDBPyConnection, home: Path, migrations: Path = MIGRATIONS
) -> Published:
    """Read what the store in *home* says; errors as in :func:`attach`."""
    try:
        return attach(connection, home, migrations)
    finally:
        detach(connection)


def refused(connection: duckdb.DuckDBPyConnection, home: Path) -> int:
    """Return how many records were refused, as the store says; errors as in :func:`attach`."""
    try:
        if not attach(connection, home).exists:
            return 0
        ((records,),) = connection.execute("SELECT count(*) FROM published.quarantine").fetchall()
        return records
    finally:
        detach(connection)


def _attach_migrated(connection: duckdb.DuckDBPyConnection, path: Path, migrations: Path) -> None:
    """Attach a copy of the store of an older agenttrace that is brought up to date."""
    detach(connection)
    with tempfile.TemporaryDirectory(prefix="agenttrace-") as folder:
        copy = Path(shutil.copyfile(path, Path(folder) / NAME))
        with _attached(connection, copy, "READ_WRITE"):
            _migrate(connection, _check_version(connection, copy, migrations), migrations)
        connection.execute(f"ATTACH {string(copy)} AS published (READ_ONLY)")


def _read(connection: duckdb.DuckDBPyConnection) -> Published:
    parts = connection.execute(
        "SELECT file, rows, min_start_ns, max_start_ns, coalesce(judged_spans, rows), "
        "coalesce(placed_spans, rows), coalesce(fetches, rows), coalesce(bytes, 0), "
        "coalesce(measured_spans, 0), retired_at IS NOT NULL FROM published.part "
        "ORDER BY min_start_ns, file"
    ).fetchall()
    segments = connection.execute(
        "SELECT name, byte_offset, finished FROM published.segment"
    ).fetchall()
    facts = _facts(connection)
    return Published(
        exists=True,
        parts=tuple(Part(*row[:-1]) for row in parts if not row[-1]),
        retired=frozenset(row[0] for row in parts if row[-1]),
        watermarks={name: offset for name, offset, _ in segments},
        finished=frozenset(name for name, _, finished in segments if finished),
        definitions=facts.get(_DEFINITIONS, ""),
        is_doubtful=_DOUBTFUL in facts,
        is_received=_RECEIVED in facts,
        pruned_before=facts.get(_PRUNED, ""),
    )


def note_definitions(connection: duckdb.DuckDBPyConnection, fingerprint: str) -> None:
    """Say in the store that is being made which queries its roll-ups are rows of."""
    _note(connection, _DEFINITIONS, fingerprint)


def note_pruned(connection: duckdb.DuckDBPyConnection, day: str) -> None:
    """Say in the store that is being made before which day spans were removed."""
    _note(connection, _PRUNED, day)


def note_doubtful(connection: duckdb.DuckDBPyConnection) -> None:
    """Say in the store that is being made that nobody knows what of the spool is in the lake."""
    _note(connection, _DOUBTFUL, "true")


def note_certain(connection: duckdb.DuckDBPyConnection) -> None:
    """Take it back: all of the spool has been looked at."""
    connection.execute("DELETE FROM published.meta WHERE key = $1", [_DOUBTFUL])


def note_received(connection: duckdb.DuckDBPyConnection) -> None:
    """Say in the store that is being made that what agenttrace recorded has also been sent here."""
    _note(connection, _RECEIVED, "true")


def note_compacted(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Say in the store that is being made how many rows of sums there are, one for each key."""
    _note(connection, _COMPACTED, str(rows))


def compacted(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many rows of sums there were when there was one for each key."""
    return int(_facts(connection).get(_COMPACTED, "0"))


def _note(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    connection.execute("DELETE FROM published.meta WHERE key = $1", [key])
    connection.execute("INSERT INTO published.meta VALUES ($1, $2)", [key, value])


def change(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    statements: Callable[[duckdb.DuckDBPyConnection], None],
    migrations: Path = MIGRATIONS,
    *,
    afresh: bool = False,
) -> None:
    """Publish a changed store; the rename at the end is the moment it happens.

    Only one process may do this at a time (``fold.lock``).

    Args:
        connection: Any connection; the store in the making is attached to it as ``published``.
        home: Folder of the store.
        statements: Makes the changes. If it fails, nothing has happened.
        migrations: Folder of the schema's numbered steps.
        afresh: Begin with an empty store, and with the one there is attached as ``older``.
    """
    path, making = home / NAME, home / _NEW
    discard_unfinished(home)
    detach(connection)
    if path.exists() and not afresh:
        # Made first, for a copy would be as open to others as new files are.
        os.close(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        shutil.copyfile(path, making)
    try:
        with _attached(connection, making, f"{_FORMAT}{_block_size(path, afresh=afresh)}"):
            making.chmod(0o600)
            _migrate(connection, _check_version(connection, making, migrations), migrations)
            if afresh:
                connection.execute(f"ATTACH {string(path)} AS older (READ_ONLY)")
            statements(connection)
            connection.execute("CHECKPOINT published")
    except BaseException:
        discard_unfinished(home)
        raise
    finally:
        if afresh:
            connection.execute("DETACH DATABASE IF EXISTS older")
    sync(making)
    making.replace(path)
    sync(home)


def _block_size(path: Path, *, afresh: bool) -> str:
    """Return an option for how large the blocks are: a small store in large ones is mostly empty.

    Large ones are compressed better, and take their place when the store is written anew.
    """
    if path.exists() and not afresh:
        return ""  # the copy has the size that it has
    is_large = path.exists() and path.stat().st_size > _LARGE_BYTES
    return f", BLOCK_SIZE {262144 if is_large else 16384}"


def discard_unfinished(home: Path) -> None:
    """Remove what a process left that died while it made a new store."""
    for name in (_NEW, _NEW + ".wal"):
        (home / name).unlink(missing_ok=True)


def unreadable(
    connection: duckdb.DuckDBPyConnection, home: Path, parts: Iterable[Part], error: duckdb.Error
) -> StoreError:
    """Return what to raise after *error*, naming the one of *parts* that is broken."""
    path, reason = next(
        lake.broken(connection, home, parts),
        (home / lake.FOLDER, lake.reason(error)),
    )
    return StoreError(
        f"the spans in {path} cannot be read: {reason} Restore the file; or move it away, and then "
        "`agenttrace store compact --rebuild` goes on with the files as they are."
    )


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path, options: str) -> Generator[None]:
    connection.execute(f"ATTACH {string(path)} AS published ({options})")
    try:
        yield
    finally:
        detach(connection)


def _facts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM published.meta").fetchall())


def _schema_version(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """Return the number of the last migration of the attached store, and who wrote it."""
    try:
        facts = _facts(connection)
    except duckdb.CatalogException:
        return 0, "nobody"  # just made
    return int(facts["schema_version"]), facts["written_by"]


def version(
    connection: duckdb.DuckDBPyConnection, home: Path, migrations: Path = MIGRATIONS
) -> tuple[int, str]:
    """Return the schema of the store in *home* as it is, and the agenttrace that wrote it.

    Raises:
        SchemaVersionError: A newer agenttrace wrote it.
        duckdb.Error: There is none, or it cannot be read.
    """
    path = home / NAME
    with _attached(connection, path, "READ_ONLY"):
        _check_version(connection, path, migrations)
        return _schema_version(connection)


def newest(migrations: Path = MIGRATIONS) -> int:
    """Return the number of the newest schema."""
    return max(_steps(migrations))


def _check_version(connection: duckdb.DuckDBPyConnection, path: Path, migrations: Path) -> int:
    version, writer = _schema_version(connection)
    known = max(_steps(migrations))
    if version > known:
        raise SchemaVersionError(
            f"{path} was written by agenttrace {writer} (schema {version}); this is {__version__} "
            f"(schema {known}). Upgrade agenttrace."
        )
    return version


def _migrate(connection: duckdb.DuckDBPyConnection, version: int, migrations: Path) -> None:
    """Take the steps after *version*; names without a database mean the store in the making."""
    steps = {number: step for number, step in _steps(migrations).items() if number > version}
    if not steps:
        return
    ((schema,),) = connection.execute(
        "SELECT current_database() || '.' || current_schema()"
    ).fetchall()
    connection.execute("USE published; BEGIN")  # one transaction takes half the time of many
    try:
        for number in sorted(steps):
            connection.execute(steps[number].read_text(encoding="utf-8"))
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute(f"USE {schema}")
    connection.execute("DELETE FROM published.meta WHERE key IN ('schema_version', 'written_by')")
    connection.execute(
        "INSERT INTO published.meta VALUES ('schema_version', $1), ('written_by', $2)",
        [str(max(steps)), __version__],
    )


def _steps(migrations: Path) -> dict[int, Path]:
    return {int(step.name.partition("_")[0]): step for step in migrations.glob("*.sql")}
