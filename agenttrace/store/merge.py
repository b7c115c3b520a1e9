"""Take in what other stores hold, each span once, and under other names where names tell who.

The spans of another store are copied, piece by piece, and folded as if they had been recorded here.
The other store stays as it is.
"""

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from agenttrace.errors import StoreError
from agenttrace.record import files
from agenttrace.record.losses import LOST_NAME
from agenttrace.store import Store, columns, fold, lake, pieces, published, segments, upkeep
from agenttrace.store.fold import Progress
from agenttrace.store.lake import Lake, Part, string
from agenttrace.store.rollups import Rollups

PSEUDONYMS: Final = ("host", "session_id", "user_hash", "outcome_reference")
"""Columns that may tell who somebody is; nothing but equality is asked of their values."""

KEY_NAME: Final = "merge.key"
_PREFIX: Final = "anon-"
_PIECE_ROWS: Final = 250_000  # spans taken in at once: bounds the memory
_TAKEN: Final = ("segment", "byte_offset", "bytes", "reason", "refused_at")


@dataclass(frozen=True, slots=True)
class Merged:
    """What came from another store.

    Attributes:
        spans: Spans that are new here.
        known: Spans that were here before.
        refused: Rows of ``quarantine`` that are new here.
        lost: Records that the other store says are lost, and this one did not know of.
        warnings: What could not be taken in, a sentence each.
    """

    spans: int
    known: int
    refused: int
    lost: int
    warnings: tuple[str, ...]


@dataclass(slots=True)
class _Merge:
    """A merge under way: what of the lake there is so far, and what has been added."""

    connection: duckdb.DuckDBPyConnection
    home: Path
    rollups: Rollups
    parts: list[Part]
    written: list[Part]
    known: int = 0


def merge(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    other: Path,
    *,
    keep_names: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Merged:
    """Take in what another store holds, unless it is here already; it happens as a whole or not.

    Whoever calls it holds the lock of *home*, and has folded.

    Args:
        connection: DuckDB in memory, of its own.
        home: Folder of this store.
        other: Folder of the other one; it stays as it is.
        keep_names: Take host names and conversation ids as they are.
        progress: Is told how many spans are done.

    Raises:
        SchemaVersionError: A newer agenttrace wrote the other store.
        StoreError: There is no other store, or it cannot be read.
        OSError: The folder cannot be written.
        duckdb.Error: The same.
    """
    _check(home, other)
    with Store.open(other, may_fold=False) as source, _scratch(home) as scratch:
        key = None if keep_names else _key(home)
        copies = list(_copied(source, scratch, key, _names_here(connection, home)))
        refused = source.connection.execute(
            f"SELECT {', '.join(_TAKEN)} FROM quarantine"
        ).fetchall()
        warnings = list(source.warnings)
        if before := source.pruned_before:
            warnings.append(
                f"{other} was pruned: what it adds up to before {before} has no spans and does not "
                "come along."
            )
        merged = _take(connection, home, copies, refused, progress)
    lost = _take_lost(home / "spool", other / "spool")
    return Merged(*merged, lost, tuple(warnings))


def _check(home: Path, other: Path) -> None:
    if not other.is_dir():
        raise StoreError(f"{other} is no folder. Name the folder of the other store.")
    if home.exists() and home.samefile(other):
        raise StoreError(f"{other} is this store itself. Name another one.")
    inside = [other / name for name in (published.NAME, "lake", "spool")]
    if not any(path.exists() for path in inside):
        raise StoreError(
            f"{other} is no store: it has neither spool nor lake. Name the folder that "
            "`agenttrace store info` shows there."
        )


@contextlib.contextmanager
def _scratch(home: Path) -> Generator[Path]:
    """Make a folder for copies, which nobody else can look into."""
    for left in home.glob("merging-*"):
        shutil.rmtree(left, ignore_errors=True)  # by one that died
    with tempfile.TemporaryDirectory(prefix="merging-", dir=home) as folder:
        yield Path(folder)


def _key(home: Path) -> str:
    """Return the key of this store's pseudonyms; it is made at the first merge."""
    path = home / KEY_NAME
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise StoreError(f"{path} is empty. Remove it; the next merge makes another one.")
    return key


def _names_here(connection: duckdb.DuckDBPyConnection, home: Path) -> list[str]:
    """Return the hosts that this store has recorded itself: their names are no secret here.

    Calls of one process are held against one another by the host, so it keeps one name.
    """
    spans = Lake(home, published.read(connection, home).parts).spans()
    found = connection.execute(f"SELECT DISTINCT host FROM ({spans})").fetchall()
    return sorted({host for (host,) in found if host} | {os.uname().nodename})


def _copied(
    source: Store, folder: Path, key: str | None, known_hosts: Sequence[str]
) -> Iterator[tuple[str, Path, int]]:
    """Copy the spans of another store, and yield the day, the file and how many it holds."""
    connection = source.connection
    connection.execute("SET threads = 1")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE plain_host AS SELECT unnest($1) AS host", [known_hosts]
    )
    try:
        for date in lake.dates(connection, "span"):
            of_date = f"SELECT * FROM span WHERE started_at::DATE = {string(date)}"
            for low, high in pieces.of_time(connection, of_date, _PIECE_ROWS):
                path = folder / f"{date}-{low}.parquet"
                spans = pieces.distinct(pieces.within(of_date, low, high))
                named = spans if key is None else _under_other_names(spans, key)
                ((rows,),) = connection.execute(
                    f"COPY ({named}) TO {string(path)} (FORMAT parquet, COMPRESSION zstd)"
                ).fetchall()
                yield date, path, rows
    except duckdb.IOException:
        raise
    except duckdb.Error as error:
        raise source.unreadable(error) from error


def _under_other_names(spans: str, key: str) -> str:
    """Return SQL for *spans* with keyed hashes for names; a name that is a hash stays."""
    hashed = {
        column: f"CASE WHEN starts_with({column}, '{_PREFIX}') THEN {column} ELSE '{_PREFIX}' || "
        f"left(sha256({string(key)} || sha256({string(key)} || '{column}' || {column})), 16) END"
        for column in PSEUDONYMS
    }
    hashed["host"] = (
        "CASE WHEN host IN (SELECT plain_host.host FROM temp.plain_host) THEN host "
        f"ELSE {hashed['host']} END"
    )
    replaced = ", ".join(f"{sql} AS {column}" for column, sql in hashed.items())
    return f"SELECT * REPLACE ({replaced}) FROM ({spans})"


def _take(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    copies: Sequence[tuple[str, Path, int]],
    refused: Sequence[tuple[object, ...]],
    progress: Progress,
) -> tuple[int, int, int]:
    """Fold copies of spans, and publish; return how many are new, were known, are refused."""
    under_way = _Merge(
        connection, home, Rollups(connection), list(published.read(connection, home).parts), []
    )
    total, done = sum(rows for _, _, rows in copies), 0
    more: list[int] = []

    def commit(store: duckdb.DuckDBPyConnection) -> list[str]:
        nonlocal done
        for date, path, rows in copies:
            _fold_copy(under_way, date, path, rows)
            done += rows
            progress(done, total)
        more.append(_insert_refused(store, refused))
        return []

    try:
        upkeep.publish(connection, home, commit, is_rolled_up=False)
    except BaseException:
        if not _is_listed(home, under_way.written):
            upkeep.remove(home, [part.file for part in under_way.written])
        raise
    return sum(part.rows for part in under_way.written), under_way.known, more[0]


def _is_listed(home: Path, written: Sequence[Part]) -> bool:
    """Whether the store that lists the files was published after all."""
    if not written:
        return False
    with duckdb.connect() as connection:
        return written[0].file in {part.file for part in published.read(connection, home).parts}


def _fold_copy(under_way: _Merge, date: str, path: Path, rows: int) -> None:
    connection, home = under_way.connection, under_way.home
    before = Lake(home, list(under_way.parts))
    ((low, high),) = connection.execute(
        f"SELECT min(start_ns), max(start_ns) FROM read_parquet({string(path)})"
    ).fetchall()
    known = before.starting(low, high)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE arrived_span AS SELECT {columns.NAMES} FROM "
        f"read_parquet({string(path)}, hive_partitioning = false) AS arrived ANTI JOIN "
        f"({known}) AS known ON arrived.span_id = known.span_id "
        "AND arrived.start_ns = known.start_ns AND arrived.trace_id = known.trace_id "
        "AND coalesce(arrived.task_id, arrived.trace_id) = coalesce(known.task_id, known.trace_id)"
    )
    ((new,),) = connection.execute("SELECT count(*) FROM arrived_span").fetchall()
    under_way.known += rows - new
    if new:
        under_way.rollups.advance("temp.arrived_span", "published", before)
        under_way.rollups.store("published")
        part = lake.write(connection, home, date, "FROM temp.arrived_span ORDER BY start_ns")
        under_way.parts.append(part)
        under_way.written.append(part)
        fold.insert_parts(connection, [part])
    connection.execute("DROP TABLE temp.arrived_span")


def _insert_refused(store: duckdb.DuckDBPyConnection, refused: Sequence[tuple[object, ...]]) -> int:
    """Add rows to ``quarantine`` that are not there; their records stay in the other store."""
    new = 0
    for row in refused:
        found = store.execute(
            f"INSERT INTO published.quarantine ({', '.join(_TAKEN)}) SELECT $1, $2, $3, $4, $5 "
            "WHERE NOT EXISTS (FROM published.quarantine WHERE segment = $1 AND byte_offset = $2) "
            "RETURNING segment",
            row,
        ).fetchall()
        new += len(found)
    return new


def _take_lost(spool: Path, other: Path) -> int:
    """Say here what processes have lost there, unless that is known."""
    known = {one[:3] for one in segments.lost_records(spool)}
    new = [one for one in segments.lost_records(other) if one[:3] not in known]
    for one in dict.fromkeys(new):
        files.make_private(spool)
        said = {key: value for key, value in one._asdict().items() if value is not None}
        files.append_private(spool / LOST_NAME, json.dumps(said, separators=(",", ":")))
    return sum(one.records for one in dict.fromkeys(new))
