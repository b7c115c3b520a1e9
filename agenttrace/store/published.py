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
from agenttrace.store import columns

NAME: Final = "store.duckdb"
LAKE: Final = Path("lake") / "spans"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
_NEW: Final = NAME + ".new"


@dataclass(frozen=True, slots=True)
class Published:
    """What a store says has been folded.

    Attributes:
        exists: There is a store.
        parts: Files of the lake to read, and how many spans each has; oldest first.
        retired: Files whose spans are in others now.
        watermarks: Bytes folded, by segment.
        finished: Segments that are folded to their end and about to be removed.
    """

    exists: bool = False
    parts: Mapping[str, int] = field(default_factory=dict[str, int])
    retired: frozenset[str] = frozenset()
    watermarks: Mapping[str, int] = field(default_factory=dict[str, int])
    finished: frozenset[str] = frozenset()


def read(
    connection: duckdb.DuckDBPyConnection, home: Path, migrations: Path = MIGRATIONS
) -> Published:
    """Read what the store in *home* says, and copy its quarantine into ``quarantine``.

    Raises:
        SchemaVersionError: A newer agenttrace wrote it.
        StoreError: It cannot be read.
    """
    path = home / NAME
    connection.execute(
        "CREATE OR REPLACE TABLE quarantine "
        "(segment VARCHAR, byte_offset BIGINT, bytes BIGINT, reason VARCHAR, refused_at TIMESTAMP)"
    )
    if not path.exists():
        return Published()
    try:
        with _attached(connection, path, "READ_ONLY"):
            if _check_version(connection, path, migrations) == max(_steps(migrations)):
                return _read(connection)
        return _read_migrated(connection, path, migrations)
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(
            f"{path} cannot be read: {reason} Move it away: the spans in {LAKE} and spool are "
            "taken up again at the next report."
        ) from error


def _read_migrated(
    connection: duckdb.DuckDBPyConnection, path: Path, migrations: Path
) -> Published:
    """Read the store of an older agenttrace from a copy that is brought up to date."""
    with tempfile.TemporaryDirectory(prefix="agenttrace-") as folder:
        copy = Path(shutil.copyfile(path, Path(folder) / NAME))
        with _attached(connection, copy, "READ_WRITE"):
            version = _check_version(connection, copy, migrations)
            with _transaction(connection):
                _migrate(connection, version, migrations)
            return _read(connection)


def _read(connection: duckdb.DuckDBPyConnection) -> Published:
    parts = connection.execute(
        "SELECT file, rows, retired_at IS NOT NULL FROM published.part ORDER BY file"
    ).fetchall()
    segments = connection.execute(
        "SELECT name, byte_offset, finished FROM published.segment"
    ).fetchall()
    connection.execute("INSERT INTO quarantine BY NAME FROM published.quarantine")
    return Published(
        exists=True,
        parts={file: rows for file, rows, retired in parts if not retired},
        retired=frozenset(file for file, _, retired in parts if retired),
        watermarks={name: offset for name, offset, _ in segments},
        finished=frozenset(name for name, _, finished in segments if finished),
    )


def change(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    statements: Callable[[duckdb.DuckDBPyConnection], None],
    migrations: Path = MIGRATIONS,
) -> None:
    """Publish a changed store; the rename at the end is the moment it happens.

    Only one process may do this at a time (``fold.lock``).

    Args:
        connection: Any connection; the copy is attached to it as ``published`` meanwhile.
        home: Folder of the store.
        statements: Makes the changes, inside a transaction.
        migrations: Folder of the schema's numbered steps.
    """
    path, making = home / NAME, home / _NEW
    discard_unfinished(home)
    if path.exists():
        shutil.copyfile(path, making)
    # The format of DuckDB 1.5, which 2.0 reads and writes as well.
    with _attached(connection, making, "STORAGE_VERSION 'v1.5.0', BLOCK_SIZE 16384"):
        version = _check_version(connection, making, migrations)
        with _transaction(connection):
            _migrate(connection, version, migrations)
            statements(connection)
        connection.execute("CHECKPOINT published")
    sync(making)
    making.replace(path)
    sync(home)


def discard_unfinished(home: Path) -> None:
    """Remove what a process left that died while it made a new store."""
    for name in (_NEW, _NEW + ".wal"):
        (home / name).unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lake_and(table: str, home: Path, files: Iterable[str]) -> str:
    """Return a SELECT of the spans in *table* and in *files* of the lake.

    By name, for a file that an older agenttrace wrote may lack a column; those of *table* count.
    """
    paths = ", ".join(quoted(home / LAKE / file) for file in files)
    lake = f"UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name = true)" if paths else ""
    return f"SELECT {columns.NAMES} FROM (FROM {table} {lake})"  # noqa: S608 - names of ours


def unreadable(
    connection: duckdb.DuckDBPyConnection, home: Path, files: Iterable[str], error: duckdb.Error
) -> StoreError:
    """Return what to raise after *error*, naming the one of *files* in the lake that is broken."""
    broken = home / LAKE
    for file in files:
        path = home / LAKE / file
        try:
            connection.execute(
                "SELECT max(hash(COLUMNS(*))) FROM read_parquet($1)", [str(path)]
            ).fetchall()
        except duckdb.Error as found:
            broken, error = path, found
            break
    reason = str(error).partition("\n")[0]
    return StoreError(
        f"the spans in {broken} cannot be read: {reason} Restore the file, or move it and "
        f"{home / NAME} away."
    )


def quoted(path: Path) -> str:
    """Return *path* as an SQL string."""
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _attached(connection: duckdb.DuckDBPyConnection, path: Path, options: str) -> Generator[None]:
    connection.execute(f"ATTACH {quoted(path)} AS published ({options})")
    try:
        yield
    finally:
        connection.execute("DETACH published")


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    """Let names without a database mean the attached one, and everything happen or nothing."""
    connection.execute("USE published")
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("USE memory")


def _schema_version(connection: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """Return the number of the last migration of the attached store, and who wrote it."""
    try:
        facts = dict(connection.execute("SELECT key, value FROM published.meta").fetchall())
    except duckdb.CatalogException:
        return 0, "nobody"  # just made
    return int(facts["schema_version"]), facts["written_by"]


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
    steps = {number: step for number, step in _steps(migrations).items() if number > version}
    if not steps:
        return
    for number in sorted(steps):
        connection.execute(steps[number].read_text(encoding="utf-8"))
    connection.execute("DELETE FROM published.meta")
    connection.execute(
        "INSERT INTO published.meta VALUES ('schema_version', $1), ('written_by', $2)",
        [str(max(steps)), __version__],
    )


def _steps(migrations: Path) -> dict[int, Path]:
    return {int(step.name.partition("_")[0]): step for step in migrations.glob("*.sql")}
