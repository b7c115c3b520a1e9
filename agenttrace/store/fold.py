"""Bring the spool into the lake, exactly once, whatever dies when.

One process folds at a time; the others only read. A fold writes the new spans to a Parquet file of
their own, and then publishes a store that lists the file and the bytes it came from. Until that
moment nothing has happened: a file that is not listed does not exist, and the segments are still
there. Segments are removed only afterwards, and remembered until they are gone.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from agenttrace.record.spool import NEW_SUFFIX, OPEN_SUFFIX, SEGMENT_SUFFIX
from agenttrace.store import published, segments, staging
from agenttrace.store.segments import Slice
from agenttrace.store.staging import Refused

MEMORY_LIMIT: Final = "1GB"
LOCK_NAME: Final = "fold.lock"
QUARANTINE: Final = "quarantine"
_ABSORBED: Final = "agenttrace_absorbed"  # in a file: those that it took in, should the store go
_MERGED_AT_MOST: Final = 100_000  # spans in a file that takes others in
_RETIRED_SECONDS: Final = 3600  # a reader opened earlier than that may find its files gone
_ABANDONED_SECONDS: Final = 60.0  # after which a segment that was never begun is a leftover


class _Lake(NamedTuple):
    """What the files of the lake say themselves: those of spans, those in others, and no such."""

    parts: list["_Part"]
    absorbed: set[str]
    broken: dict[Path, str]


class _Part(NamedTuple):
    """A Parquet file of the lake, as the table ``part`` describes it."""

    file: str
    rows: int
    min_start_ns: int
    max_start_ns: int


def fold(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    warnings: list[str],
    *,
    batch_characters: int = segments.BATCH_CHARACTERS,
) -> bool:
    """Bring everything new in the spool of *home* into its lake.

    Args:
        connection: DuckDB in memory, to work with; it is left with one thread.
        home: Folder of spool, lake and store.
        warnings: Gets a sentence for whatever has to be left alone.
        batch_characters: How much is published at once, about.

    Returns:
        False if another process is folding, and nothing was done.

    Raises:
        OSError: The folder cannot be written.
        duckdb.Error: The same, as DuckDB says it.
        StoreError: The store in it cannot be read, or is newer.
    """
    # The agents whose spans these are may be running: a fold takes one core, and not all memory.
    connection.execute(f"SET threads = 1; SET memory_limit = '{MEMORY_LIMIT}'")
    with _only_folder(home) as alone:
        if alone:
            state = _tidy(connection, home, warnings)
            parts = dict(state.parts)
            new = segments.new(home / "spool", state.watermarks, warnings)
            for batch in segments.batches(new, batch_characters):
                _fold_batch(connection, home, batch, parts, gone=state.finished)
        return alone


@contextlib.contextmanager
def _only_folder(home: Path) -> Generator[bool]:
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tidy(
    connection: duckdb.DuckDBPyConnection, home: Path, warnings: list[str]
) -> published.Published:
    """Make the store where there is none, and remove what processes that died have left."""
    lake = home / published.LAKE
    lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = published.read(connection, home)
    if not state.exists:
        _publish_first(connection, home, warnings)
        state = published.read(connection, home)
    for path in lake.glob("*.parquet"):
        if path.name not in state.parts and path.name not in state.retired:
            warnings.append(
                f"{path} belongs to no store and is moved to {QUARANTINE}: a report that died left "
                f"it, or {published.NAME} is an older copy."
            )
            _put_aside(home, path)
    for name in state.finished:
        _remove(home / "spool", name)
    for path in (home / "spool").glob(f"*{NEW_SUFFIX}"):
        _remove_never_begun(path)
    return state


def _publish_first(connection: duckdb.DuckDBPyConnection, home: Path, warnings: list[str]) -> None:
    """Make a store. If somebody moved an older one away, its spans are still there and count."""
    found = _look(connection, home)
    for path, reason in found.broken.items():
        warnings.append(f"{path} is no file of spans and is moved to {QUARANTINE}: {reason}")
        _put_aside(home, path)

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        _insert_parts(store, found.parts)
        _retire(store, found.absorbed)

    published.change(connection, home, commit)


def has_lake(home: Path) -> bool:
    """Whether there are files of spans, store or not."""
    return any((home / published.LAKE).glob("*.parquet"))


def without_store(
    connection: duckdb.DuckDBPyConnection, home: Path, warnings: list[str]
) -> published.Published:
    """Return what a store of *home* would say first, where there is none and none can be made."""
    found = _look(connection, home)
    warnings.extend(
        f"{path} is no file of spans and is left out: {reason}"
        for path, reason in found.broken.items()
    )
    if found.parts:
        warnings.append(
            f"{home / published.NAME} is missing: the spans in {published.LAKE} are read "
            "without it."
        )
    return published.Published(
        parts={part.file: part.rows for part in found.parts if part.file not in found.absorbed}
    )


def _look(connection: duckdb.DuckDBPyConnection, home: Path) -> _Lake:
    """Look at the files of the lake themselves, where no store lists them."""
    found = _Lake([], set(), {})
    for path in sorted((home / published.LAKE).glob("*.parquet")):
        try:
            part = _describe(connection, path)
            rows: list[tuple[str]] = connection.execute(
                "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = $2",
                [str(path), _ABSORBED],
            ).fetchall()
        except duckdb.Error as error:
            found.broken[path] = str(error).partition("\n")[0]
        else:
            found.parts.append(part)
            found.absorbed.update(file for (files,) in rows for file in files.split())
    return found


def _put_aside(home: Path, path: Path) -> None:
    """Keep a file that is of no use, rather than remove what may be somebody's data."""
    folder = home / QUARANTINE
    folder.mkdir(mode=0o700, exist_ok=True)
    path.rename(folder / path.name)


def _fold_batch(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    batch: Sequence[Slice],
    parts: dict[str, int],
    gone: Iterable[str],
) -> None:
    """Publish one batch; *parts* are the files of the lake and their rows, brought up to date."""
    refused = staging.stage(connection, batch)
    _keep_refused(home / QUARANTINE, refused)
    ((rows,),) = connection.execute("SELECT count(*) FROM arrived_span").fetchall()
    absorbed = _to_absorb(parts, rows) if rows else []
    written = [_write_part(connection, home, absorbed)] if rows else []

    forgotten: list[str] = []

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        forgotten.extend(_retire(store, absorbed))
        _insert_parts(store, written)
        _move_watermarks(store, batch, gone)
        _insert_refused(store, refused)

    published.change(connection, home, commit)
    staging.discard(connection)
    for file in forgotten:
        (home / published.LAKE / file).unlink(missing_ok=True)
    for file in absorbed:
        del parts[file]
    parts.update({part.file: part.rows for part in written})
    for one in batch:
        if one.finished:
            _remove(home / "spool", one.name)


def _to_absorb(parts: Mapping[str, int], rows: int) -> list[str]:
    """Choose the files that a new one with *rows* spans takes in.

    A fold may bring few spans, and a query pays for every file. Taking in what is not much larger
    keeps their number small, and moves a span only a few times.
    """
    chosen: list[str] = []
    for file, size in sorted(parts.items(), key=lambda part: part[1]):
        if size > 2 * rows or rows + size > _MERGED_AT_MOST:
            break
        chosen.append(file)
        rows += size
    return chosen


def _write_part(
    connection: duckdb.DuckDBPyConnection, home: Path, absorbed: Sequence[str]
) -> _Part:
    """Write what has arrived, and what the files *absorbed* hold, to a new file."""
    path = home / published.LAKE / f"{time.time_ns()}.parquet"
    spans = published.lake_and("arrived_span", home, absorbed)
    try:
        connection.execute(
            f"COPY ({spans}) TO {published.quoted(path)} (FORMAT parquet, COMPRESSION zstd, "
            f"KV_METADATA {{{_ABSORBED}: '{' '.join(absorbed)}'}})"
        )
    except (duckdb.IOException, duckdb.FatalException):
        raise  # the disk; after that DuckDB answers no question
    except duckdb.Error as error:
        path.unlink(missing_ok=True)
        raise published.unreadable(connection, home, absorbed, error) from error
    published.sync(path)
    published.sync(path.parent)
    return _describe(connection, path)


def _retire(store: duckdb.DuckDBPyConnection, absorbed: Iterable[str]) -> list[str]:
    """Mark files that are read no more; return those that no reader can still be at."""
    forgotten = store.execute(
        "DELETE FROM published.part "
        "WHERE retired_at < now() AT TIME ZONE 'UTC' - to_seconds($1) RETURNING file",
        [_RETIRED_SECONDS],
    ).fetchall()
    store.execute(
        "UPDATE published.part SET retired_at = now() AT TIME ZONE 'UTC' "
        "WHERE list_contains($1::VARCHAR[], file)",
        [list(absorbed)],
    )
    return sorted(file for (file,) in forgotten)  # none outlives the file that says it is absorbed


def _describe(connection: duckdb.DuckDBPyConnection, path: Path) -> _Part:
    (found,) = connection.execute(
        "SELECT count(*), min(start_ns), max(start_ns) FROM read_parquet($1)", [str(path)]
    ).fetchall()
    return _Part(path.name, *found)


def _insert_parts(store: duckdb.DuckDBPyConnection, parts: Sequence[_Part]) -> None:
    for part in parts:
        store.execute("INSERT INTO published.part VALUES ($1, $2, $3, $4, NULL)", part)


def _move_watermarks(
    store: duckdb.DuckDBPyConnection, batch: Sequence[Slice], gone: Iterable[str]
) -> None:
    moved = [one.name for one in batch]
    store.execute(
        "DELETE FROM published.segment WHERE list_contains($1::VARCHAR[], name)", [[*moved, *gone]]
    )
    store.execute(
        "INSERT INTO published.segment SELECT unnest($1), unnest($2), unnest($3), "
        "unnest($4), unnest($5), unnest($6), unnest($7), unnest($8)",
        [
            moved,
            [one.end for one in batch],
            [one.finished for one in batch],
            [one.header.service_name for one in batch],
            [one.header.host for one in batch],
            [one.header.pid for one in batch],
            [one.header.version for one in batch],
            [one.header.started_ns for one in batch],
        ],
    )


def _insert_refused(store: duckdb.DuckDBPyConnection, refused: Sequence[Refused]) -> None:
    if refused:
        staging.insert_refused(store, "published.quarantine", refused)


def _keep_refused(folder: Path, refused: Sequence[Refused]) -> None:
    """Keep the refused records themselves: the segments that hold them are removed."""
    if not refused:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in dict.fromkeys(one.segment for one in refused):
        own = [one for one in refused if one.segment == name]
        path = folder / f"{name}-{own[0].byte_offset}.jsonl"
        path.write_text("".join(one.line + "\n" for one in own), encoding="utf-8")


def _remove(spool: Path, name: str) -> None:
    """Remove a segment; one that its writer renamed meanwhile goes by its other name."""
    for suffix in (OPEN_SUFFIX, SEGMENT_SUFFIX):
        (spool / (name + suffix)).unlink(missing_ok=True)


def _remove_never_begun(path: Path) -> None:
    """Remove the file of a writer that died before its segment was begun."""
    with contextlib.suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            path.unlink()
