"""Make few large files out of many small ones, and one row out of many of the roll-ups."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from agenttrace.store import fold, lake, pieces, published, upkeep
from agenttrace.store.fold import Progress
from agenttrace.store.lake import Lake, Part

FILE_ROWS: Final = 1_000_000  # of a large file: sorted within the memory, and few files in all
_PUBLISHED_ROWS: Final = 5 * FILE_ROWS  # after which a store is published


@dataclass(frozen=True, slots=True)
class Compacted:
    """What was made smaller.

    Attributes:
        missing: Files that were listed and are gone.
        files: Files of the lake before and after.
        store_bytes: Size of ``store.duckdb`` before and after.
        repeats: Spans that were there more than once and are not any more.
    """

    files: tuple[int, int]
    store_bytes: tuple[int, int]
    repeats: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """Files of one day to be written anew; of any days where *date* is empty."""

    date: str
    files: Lake
    is_repeating: bool = False


def compact(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    *,
    is_rebuilding: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Compacted:
    """Merge the small files of each day, and write the store anew without what it needs no more.

    Readers at work keep the files they have: what is merged is removed an hour later. Whoever calls
    it holds the lock.

    Args:
        connection: DuckDB in memory, of its own.
        home: Folder of the store.
        is_rebuilding: List the files as they are, let go of spans that are there more than once,
            and work the roll-ups out from the lake.
        progress: Is told how far it is.

    Raises:
        OSError: The folder cannot be written.
        duckdb.Error: The same, or a file cannot be read.
    """
    path = home / published.NAME
    before = published.read(connection, home)
    size = path.stat().st_size
    missing = relist(connection, home) if is_rebuilding else []
    into_days(connection, home, progress)
    state = published.read(connection, home)
    listed = Lake(home, state.parts).rows
    due = list(_due(connection, Lake(home, state.parts), is_rebuilding=is_rebuilding))
    _rewrite(connection, home, due, progress)
    upkeep.publish(connection, home, lambda store: fold.retire(store, home, ()))
    after = published.read(connection, home)
    if is_rebuilding:
        fold.rebuild(connection, home, after, progress)
    else:
        fold.compact(connection, home)
    return Compacted(
        (len(before.parts), len(after.parts)),
        (size, path.stat().st_size),
        listed - Lake(home, after.parts).rows,
        tuple(missing),
    )


def relist(connection: duckdb.DuckDBPyConnection, home: Path) -> list[str]:
    """List the files that are there as they are; return those that are gone.

    Where one is gone, the files whose spans had moved to it are read again if they still lie there;
    what is then there more than once, a rebuild lets go of. Whoever calls it holds the lock.

    Raises:
        OSError: The folder cannot be written.
        duckdb.Error: The same.
        StoreError: A file cannot be read.
    """
    parts = published.read(connection, home).parts
    found: dict[str, Part] = {}
    for part in parts:
        path = home / lake.FOLDER / part.file
        try:
            if path.exists():
                found[part.file] = lake.describe(connection, home, path)
        except duckdb.Error as error:
            raise published.unreadable(connection, home, [part], error) from error
    missing = sorted({part.file for part in parts} - found.keys())
    if missing or sorted(found.values()) != sorted(parts):
        again = _superseded(connection, home, {lake.date_of(file) for file in missing})

        def commit(store: duckdb.DuckDBPyConnection) -> list[str]:
            store.execute(
                "DELETE FROM published.part "
                "WHERE retired_at IS NULL OR list_contains($1::VARCHAR[], file)",
                [[part.file for part in again]],
            )
            fold.insert_parts(store, [*found.values(), *again])
            return []

        upkeep.publish(connection, home, commit)
    return missing


def _superseded(
    connection: duckdb.DuckDBPyConnection, home: Path, dates: Collection[str]
) -> list[Part]:
    """Return the files of some days that are read no more, but for those whose spans others have.

    A listed file may say that it has absorbed them and still lack some: of the large files that
    take in the small ones together, only the last one says so, and another one may be gone.
    """
    published.attach(connection, home)
    retired = connection.execute(
        f"SELECT file FROM published.part WHERE retired_at > {fold.LONG_AGO}"
    ).fetchall()
    published.detach(connection)
    found: dict[str, Part] = {}
    absorbed: set[str] = set()
    for (file,) in retired:
        path = home / lake.FOLDER / file
        if lake.date_of(file) in dates and path.exists():
            with contextlib.suppress(duckdb.Error):  # it is of no use
                found[file] = lake.describe(connection, home, path)
                absorbed |= lake.absorbed_by(connection, path)
    return [part for file, part in found.items() if file not in absorbed]


def into_days(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    progress: Progress = lambda _done, _total: None,
) -> bool:
    """Write files that lie in no day's folder, as earlier versions left them, into days.

    A reader that is at them at the moment fails. Whoever calls it holds the lock.

    Returns:
        Whether there were any.
    """
    state = published.read(connection, home)
    old = pieces.days(Lake(home, state.parts)).get("")
    if old is None:
        return False
    _rewrite(connection, home, [_Rewrite("", old)], progress)
    # Beside folders of days they would break every reader that takes a wildcard, so none is waited
    # for this once. They stay listed as read no more.
    upkeep.remove(home, [part.file for part in old.parts])
    return True


def _due(
    connection: duckdb.DuckDBPyConnection, files: Lake, *, is_rebuilding: bool
) -> Iterator[_Rewrite]:
    for date, of_day in pieces.days(files).items():
        if is_rebuilding and lake.dates(connection, f"({of_day.spans()})") != [date]:
            yield _Rewrite("", of_day)
            continue
        if is_rebuilding and pieces.repeats(connection, of_day.spans(), FILE_ROWS):
            yield _Rewrite(date, of_day, is_repeating=True)
            continue
        small = [part for part in of_day.parts if part.rows < FILE_ROWS // 2]
        if len(small) > 1:
            yield _Rewrite(date, Lake(files.home, small))


def _rewrite(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    due: Sequence[_Rewrite],
    progress: Progress,
) -> None:
    """Write files anew; publish every now and then, and at the end."""
    written: list[Part] = []
    absorbed: list[str] = []
    done, total = 0, sum(one.files.rows for one in due)
    try:
        for one in due:
            written += _write(connection, one)
            absorbed += [part.file for part in one.files.parts]
            done += one.files.rows
            progress(done, total)
            if sum(part.rows for part in written) >= _PUBLISHED_ROWS or one is due[-1]:
                _publish(connection, home, written, absorbed)
                written, absorbed = [], []
    except BaseException:
        upkeep.remove(home, [part.file for part in written])
        raise


def _publish(
    connection: duckdb.DuckDBPyConnection, home: Path, written: list[Part], absorbed: list[str]
) -> None:
    def commit(store: duckdb.DuckDBPyConnection) -> list[str]:
        fold.insert_parts(store, written)
        return fold.retire(store, home, absorbed)

    upkeep.publish(connection, home, commit)


def _write(connection: duckdb.DuckDBPyConnection, one: _Rewrite) -> list[Part]:
    """Write the spans of some files to large ones, sorted by start, so that row groups tell."""
    home, spans = one.files.home, one.files.spans()
    todo: list[tuple[str, str]] = []
    for date in [one.date] if one.date else lake.dates(connection, f"({spans})"):
        of_date = f"SELECT * FROM ({spans}) WHERE started_at::DATE = {lake.string(date)}"
        todo += [
            (date, pieces.within(of_date, low, high))
            for low, high in pieces.of_time(connection, of_date, FILE_ROWS)
        ]
    written: list[Part] = []
    try:
        for number, (date, piece) in enumerate(todo, 1):
            rows = pieces.distinct(piece) if one.is_repeating else piece
            # Only the last one says so: should the store be lost before, the old files still count.
            absorbed = [part.file for part in one.files.parts] if number == len(todo) else []
            ordered = f"SELECT * FROM ({rows}) ORDER BY start_ns"
            written.append(lake.write(connection, home, date, ordered, absorbed))
    except BaseException:
        upkeep.remove(home, [part.file for part in written])
        raise
    return written
