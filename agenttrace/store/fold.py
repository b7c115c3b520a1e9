"""Bring the spool into the lake, exactly once, whatever dies when.

One process folds at a time; the others only read. A fold writes the new spans to Parquet files of
their own, works out what they add to the roll-ups, and then publishes a store that has both and the
bytes they came from. Until that moment nothing has happened: a file that is not listed does not
exist, and the segments are still there. Segments are removed only afterwards, and remembered until
they are gone.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from agenttrace.record.spool import FLIGHT_SUFFIX, NEW_SUFFIX, OPEN_SUFFIX, SEGMENT_SUFFIX
from agenttrace.store import engine, lake, pruned, published, rollups, segments, staging
from agenttrace.store.lake import Lake, Part
from agenttrace.store.rollups import Rollups
from agenttrace.store.segments import Slice
from agenttrace.store.staging import Refused

LOCK_NAME: Final = "fold.lock"
QUARANTINE: Final = "quarantine"
PUBLISHED_CHARACTERS: Final = 1024 * 1024 * 1024  # of the spool, after which a store is published
_MERGED_AT_MOST: Final = 100_000  # spans in a file that takes others in
LONG_AGO: Final = "TIMESTAMP '1970-01-01'"  # retired then: no reader is waited for
_RETIRED_SECONDS: Final = 3600  # a reader opened earlier than that may find its files gone
_ABANDONED_SECONDS: Final = 60.0  # after which a segment that was never begun is a leftover
_SPARE_ROWS: Final = 50_000  # added to the sums, and a quarter of them, before keys become one row

Progress = Callable[[int, int], None]
"""Told how much is done, and of how much: bytes of the spool, or spans of the lake."""


class _Found(NamedTuple):
    """What the files of the lake say themselves: those of spans, those in others, and no such."""

    parts: list[Part]
    absorbed: set[str]
    broken: dict[Path, str]


@dataclass(slots=True)
class _Fold:
    """A fold under way.

    Attributes:
        connection: DuckDB in memory, to work with.
        home: Folder of spool, lake and store.
        rollups: What works the roll-ups out.
        parts: Files of the lake, those of this fold included.
        gone: Segments that have been removed.
        progress: Is told how far it is.
        forgotten: Files of the lake that no reader can still be at.
        done: Segments that are to be removed when the store is published.
        is_doubtful: What is in the spool may be in the lake: the store that knew was lost.
        is_received: What agenttrace recorded has also been sent here.
        bytes: Read from the spool so far.
        total: Bytes that there were in the spool.
    """

    connection: duckdb.DuckDBPyConnection
    home: Path
    rollups: Rollups
    parts: list[Part]
    gone: Iterable[str]
    progress: Progress
    is_doubtful: bool
    is_received: bool
    forgotten: list[str] = field(default_factory=list[str])
    done: list[str] = field(default_factory=list[str])
    bytes: int = 0
    total: int = 0


def fold(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    warnings: list[str],
    *,
    batch_characters: int = segments.BATCH_CHARACTERS,
    progress: Progress = lambda _done, _total: None,
) -> bool:
    """Bring everything new in the spool of *home* into its lake.

    Args:
        connection: DuckDB in memory, of its own; it is left with one thread.
        home: Folder of spool, lake and store.
        warnings: Gets a sentence for whatever has to be left alone.
        batch_characters: How much is worked on at once, about.
        progress: Is told how far it is.

    Returns:
        False if another process is folding, and nothing was done.

    Raises:
        OSError: The folder cannot be written.
        duckdb.Error: The same, as DuckDB says it.
        StoreError: The store in it cannot be read, or is newer.
    """
    with alone(home) as is_alone:
        if is_alone:
            fold_alone(
                connection, home, warnings, batch_characters=batch_characters, progress=progress
            )
        return is_alone


def fold_alone(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    warnings: list[str],
    *,
    batch_characters: int = segments.BATCH_CHARACTERS,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Do as :func:`fold`; whoever calls it holds the lock (:func:`alone`)."""
    # The agents whose spans these are may be running: a fold takes one core, and not all memory.
    connection.execute(f"SET threads = 1; SET memory_limit = '{engine.MEMORY_LIMIT}'")
    state = _tidy(connection, home, warnings)
    state = _rolled_up(connection, home, state, progress)
    new = segments.new(home / "spool", state.watermarks, warnings)
    waiting = segments.batches(new, batch_characters)
    _fold_spool(connection, home, state, waiting, progress)
    if state.is_doubtful:
        publish(connection, home, published.note_certain)


@contextlib.contextmanager
def alone(home: Path) -> Generator[bool]:
    """Hold the lock of whoever may change the store; yields whether it is held."""
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
    lake.make(home / lake.FOLDER)
    state = published.read(connection, home)
    if not state.exists:
        _publish_first(connection, home, warnings)
        state = published.read(connection, home)
    listed = {part.file for part in state.parts} | state.retired
    for path in lake.find(home):
        if lake.name_of(home, path) not in listed:
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
        insert_parts(store, found.parts)
        retire(store, home, found.absorbed)
        if found.parts:
            published.note_doubtful(store)
            published.note_received(store)
        else:
            published.note_definitions(store, rollups.fingerprint())

    published.change(connection, home, commit)


def has_lake(home: Path) -> bool:
    """Whether there are files of spans, store or not."""
    return bool(lake.find(home))


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
            f"{home / published.NAME} is missing: the spans in {lake.FOLDER} are read without it."
        )
    return published.Published(
        parts=tuple(part for part in found.parts if part.file not in found.absorbed),
        is_doubtful=bool(found.parts),
        is_received=bool(found.parts),
    )


def _look(connection: duckdb.DuckDBPyConnection, home: Path) -> _Found:
    """Look at the files of the lake themselves, where no store lists them."""
    found = _Found([], set(), {})
    for path in lake.find(home):
        try:
            part = lake.describe(connection, home, path)
            absorbed = lake.absorbed_by(connection, path)
        except duckdb.Error as error:
            found.broken[path] = lake.reason(error)
        else:
            found.parts.append(part)
            found.absorbed.update(absorbed)
    return found


def _put_aside(home: Path, path: Path) -> None:
    """Keep a file that is of no use, rather than remove what may be somebody's data."""
    folder = home / QUARANTINE
    folder.mkdir(mode=0o700, exist_ok=True)
    path.rename(folder / path.name)


def publish(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    statements: Callable[[duckdb.DuckDBPyConnection], None],
    *,
    afresh: bool = False,
) -> None:
    """Publish a changed store with what follows from the change; see :func:`published.change`."""

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        statements(store)
        rollups.derive(store, "published")

    published.change(connection, home, commit, afresh=afresh)


def _rolled_up(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    state: published.Published,
    progress: Progress,
) -> published.Published:
    """Work the roll-ups out from the lake, where they are rows of other definitions, or of none."""
    if state.definitions == rollups.fingerprint():
        return state
    rebuild(connection, home, state, progress)
    return published.read(connection, home)


def rebuild(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    state: published.Published,
    progress: Progress = lambda _done, _total: None,
) -> None:
    """Work the roll-ups out from the lake, but for what was pruned from it.

    Whoever calls it holds the lock (:func:`alone`).
    """
    definitions = rollups.fingerprint()
    parts = _described(connection, home, state.parts)

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        rolled = Rollups(store)
        if state.pruned_before:
            pruned.put_aside(store, "published", state.pruned_before)
        rollups.forget(store, "published")
        done = 0
        for number, part in enumerate(parts):
            one = Lake(home, [part]).spans()
            store.execute(f"CREATE OR REPLACE TEMP VIEW arrived_span AS {one}")
            rolled.advance("temp.arrived_span", "published", Lake(home, parts[:number]))
            rolled.store("published")
            done += part.rows
            progress(done, sum(part.rows for part in parts))
        if state.pruned_before:
            pruned.put_back(store, "published", state.pruned_before)
        _describe_again(store, parts)
        published.note_definitions(store, definitions)

    publish(connection, home, commit)
    compact(connection, home)


def _described(
    connection: duckdb.DuckDBPyConnection, home: Path, parts: Sequence[Part]
) -> list[Part]:
    """Return *parts* with what an older store does not say about them."""
    return [
        part if part.bytes else lake.describe(connection, home, home / lake.FOLDER / part.file)
        for part in parts
    ]


def _describe_again(store: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    store.execute("DELETE FROM published.part WHERE retired_at IS NULL")
    insert_parts(store, parts)


def compact(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Write the store anew, with one row of the roll-ups for each key, and nothing else in it.

    Whoever calls it holds the lock (:func:`alone`).
    """

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        for table in ("meta", "part", "segment", "quarantine"):
            store.execute(f"DELETE FROM published.{table}")
            store.execute(f"INSERT INTO published.{table} BY NAME FROM older.{table}")
        rollups.compact(store, "older", "published")
        published.note_compacted(store, rollups.rows(store, "published"))

    publish(connection, home, commit, afresh=True)


def _fold_spool(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    state: published.Published,
    waiting: Iterator[list[Slice]],
    progress: Progress,
) -> None:
    first = next(waiting, None)
    if first is None:
        return
    under_way = _Fold(
        connection, home, Rollups(connection), list(state.parts), state.finished, progress,
        state.is_doubtful, state.is_received, total=segments.size(home / "spool", state.watermarks),
    )  # fmt: skip
    is_large = False
    while first is not None:
        is_large = _publish(under_way, first, waiting)
        first = next(waiting, None)
    if is_large:
        compact(connection, home)


def _publish(under_way: _Fold, first: list[Slice], waiting: Iterator[list[Slice]]) -> bool:
    """Publish some batches; returns whether the roll-ups are due to be compacted."""
    due: list[bool] = []

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        until = under_way.bytes + PUBLISHED_CHARACTERS
        batch: list[Slice] | None = first
        while batch is not None:
            _fold_batch(under_way, batch)
            batch = next(waiting, None) if under_way.bytes < until else None
        rows = rollups.rows(store, "published")
        due.append(rows - published.compacted(store) > max(_SPARE_ROWS, rows // 4))

    publish(under_way.connection, under_way.home, commit)
    for file in under_way.forgotten:
        (under_way.home / lake.FOLDER / file).unlink(missing_ok=True)
    for name in under_way.done:
        _remove(under_way.home / "spool", name)
    under_way.forgotten.clear()
    under_way.done.clear()
    return due[-1]


def _fold_batch(under_way: _Fold, batch: Sequence[Slice]) -> None:
    """Bring one batch into the lake and into the store that is being made."""
    connection, home = under_way.connection, under_way.home
    before = Lake(home, list(under_way.parts))
    refused = staging.stage(connection, batch)
    staging.drop_repeats(
        connection,
        batch,
        before,
        is_doubtful=under_way.is_doubtful,
        is_received=under_way.is_received,
    )
    if not under_way.is_received and staging.has_received(connection, batch):
        published.note_received(connection)
        under_way.is_received = True
    _keep_refused(home / QUARANTINE, refused)
    under_way.rollups.advance("temp.arrived_span", "published", before)
    under_way.rollups.store("published")
    written, absorbed = _write_parts(under_way)
    under_way.forgotten += retire(connection, home, absorbed)
    insert_parts(connection, written)
    _move_watermarks(connection, batch, under_way.gone)
    if refused:
        staging.insert_refused(connection, "published.quarantine", refused)
    staging.discard(connection)
    under_way.parts = [part for part in under_way.parts if part.file not in absorbed] + written
    under_way.done += [one.name for one in batch if one.finished]
    under_way.bytes += sum(one.end - one.start for one in batch)
    under_way.progress(under_way.bytes, max(under_way.total, under_way.bytes))


def _write_parts(under_way: _Fold) -> tuple[list[Part], set[str]]:
    """Write what has arrived, and the small files that it takes in; one file for each day."""
    connection, home = under_way.connection, under_way.home
    written: list[Part] = []
    absorbed: set[str] = set()
    for date in lake.dates(connection, "arrived_span"):
        connection.execute(
            "CREATE OR REPLACE TEMP VIEW of_date AS "
            f"FROM arrived_span WHERE started_at::DATE = {lake.string(date)}"
        )
        ((rows,),) = connection.execute("SELECT count(*) FROM of_date").fetchall()
        taken = _to_absorb(date, under_way.parts, rows)
        try:
            spans = Lake(home, taken).spans(and_those_in="of_date")
            files = [part.file for part in taken]
            written.append(lake.write(connection, home, date, spans, files))
        except (duckdb.IOException, duckdb.FatalException):
            raise  # the disk; after that DuckDB answers no question
        except duckdb.Error as error:
            raise published.unreadable(connection, home, taken, error) from error
        absorbed.update(part.file for part in taken)
        connection.execute("DROP VIEW of_date")
    return written, absorbed


def _to_absorb(date: str, parts: Sequence[Part], rows: int) -> list[Part]:
    """Choose the files that a new one with *rows* spans of that day takes in.

    A fold may bring few spans, and a query pays for every file. Taking in what is not much larger
    keeps their number small, and moves a span only a few times.
    """
    chosen: list[Part] = []
    same_day = (part for part in parts if part.file.startswith(f"date={date}/"))
    for part in sorted(same_day, key=lambda part: part.rows):
        if part.rows > 2 * rows or rows + part.rows > _MERGED_AT_MOST:
            break
        chosen.append(part)
        rows += part.rows
    return chosen


def retire(store: duckdb.DuckDBPyConnection, home: Path, absorbed: Iterable[str]) -> list[str]:
    """Mark files of the store in the making that are read no more.

    Returns:
        Files that no reader can still be at, to be removed when the store is published. They are
        listed until they are gone.
    """
    old = store.execute(
        "SELECT file FROM published.part "
        "WHERE retired_at < now() AT TIME ZONE 'UTC' - to_seconds($1)",
        [_RETIRED_SECONDS],
    ).fetchall()
    forgotten = [file for (file,) in old if (home / lake.FOLDER / file).exists()]
    store.execute(
        "DELETE FROM published.part WHERE list_contains($1::VARCHAR[], file)",
        [[file for (file,) in old if file not in forgotten]],
    )
    store.execute(
        "UPDATE published.part SET retired_at = now() AT TIME ZONE 'UTC' "
        "WHERE list_contains($1::VARCHAR[], file)",
        [list(absorbed)],
    )
    return sorted(forgotten)  # none outlives the file that says it is absorbed


def insert_parts(store: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    """List files in the store in the making."""
    for part in parts:
        store.execute(
            "INSERT INTO published.part "
            "(file, rows, min_start_ns, max_start_ns, judged_spans, placed_spans, fetches, bytes, "
            "measured_spans) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            part,
        )


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


def _keep_refused(folder: Path, refused: Sequence[Refused]) -> None:
    """Keep the refused records themselves: the segments that hold them are removed."""
    if not refused:
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in dict.fromkeys(one.segment for one in refused):
        own = [one for one in refused if one.segment == name]
        path = folder / f"{name}-{own[0].byte_offset}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(one.line + "\n" for one in own)
            file.flush()
            os.fsync(descriptor)


def _remove(spool: Path, name: str) -> None:
    """Remove a segment; one that its writer renamed meanwhile goes by its other name."""
    for suffix in (OPEN_SUFFIX, SEGMENT_SUFFIX, FLIGHT_SUFFIX):
        (spool / (name + suffix)).unlink(missing_ok=True)


def _remove_never_begun(path: Path) -> None:
    """Remove the file of a writer that died before its segment was begun."""
    with contextlib.suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
            path.unlink()
