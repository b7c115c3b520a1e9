"""Remove old spans, and keep or remove what they add up to."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb

from agenttrace.store import compaction, fold, lake, pruned, published, upkeep
from agenttrace.store.fold import Progress
from agenttrace.store.lake import Lake, Part, string
from agenttrace.store.published import Published
from agenttrace.store.rollups import Rollups

_AGE: Final = re.compile(r"(\d+) *([hdw])")
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}
EARLIEST: Final = "1970-01-01"  # times are counted from there
_CALLS: Final = ("main_call", "subagent_call")


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to go.

    Attributes:
        day: Spans that started before this day (UTC) go, ``YYYY-MM-DD``.
        parts: Their files.
        leftovers: Files whose spans had moved to others, and files in quarantine: path and bytes.
        refused: Rows of the table ``quarantine``.
        sums: Rows of the roll-ups.
    """

    day: str
    parts: tuple[Part, ...]
    leftovers: tuple[tuple[Path, int], ...]
    refused: int
    sums: int

    @property
    def spans(self) -> int:
        """How many spans go."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """What their files, and the others, take."""
        return sum(part.bytes for part in self.parts) + sum(size for _, size in self.leftovers)

    @property
    def days(self) -> int:
        """On how many days they started."""
        return len({lake.date_of(part.file) for part in self.parts})

    def __bool__(self) -> bool:
        return bool(self.parts or self.leftovers or self.refused or self.sums)


def day_of(older_than: str, now: datetime) -> str | None:
    """Return the day before which everything is older, in UTC.

    Args:
        older_than: ``90d``, ``12h``, ``4w``, or a day, ``2026-11-23``.
        now: The time, with its zone.

    Returns:
        ``YYYY-MM-DD``: days that lie wholly before the moment are older; None if it is no age.
    """
    with contextlib.suppress(ValueError):
        return date.fromisoformat(older_than.strip()).isoformat()
    found = _AGE.fullmatch(older_than.strip().lower())
    if found is None:
        return None
    number, unit = found.groups()
    try:
        return (now.astimezone(UTC) - timedelta(**{_UNITS[unit]: int(number)})).date().isoformat()
    except OverflowError:
        return date.min.isoformat()


def plan(
    connection: duckdb.DuckDBPyConnection, home: Path, day: str, *, keep_rollups: bool = False
) -> Pruning:
    """Find what a prune would remove; nothing happens.

    Args:
        connection: Any connection.
        home: Folder of the store.
        day: Before which spans go, ``YYYY-MM-DD`` (UTC).
        keep_rollups: Keep what they add up to.
    """
    refused = sums = 0
    state = published.attach(connection, home)
    if state.exists:
        ((refused, sums),) = connection.execute(
            "SELECT (SELECT count(*) FROM published.quarantine "
            f"WHERE refused_at < TIMESTAMP {string(day)}), "
            "(SELECT count(*) FROM published.call_sum "
            f"WHERE {pruned.is_kept('call_sum', day, '')})"
        ).fetchall()
    published.detach(connection)
    return Pruning(
        day,
        tuple(part for part in state.parts if "" < lake.date_of(part.file) < day),
        tuple(_leftovers(home, state, day)),
        refused,
        0 if keep_rollups else sums,
    )


def _leftovers(home: Path, state: Published, day: str) -> Iterator[tuple[Path, int]]:
    old = [home / lake.FOLDER / file for file in state.retired if "" < lake.date_of(file) < day]
    until = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    for path in (*old, *sorted((home / fold.QUARANTINE).glob("*"))):
        with contextlib.suppress(FileNotFoundError):
            found = path.stat()
            if path in old or found.st_mtime < until:
                yield path, found.st_size


def prune(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    day: str,
    *,
    keep_rollups: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Pruning:
    """Remove the spans of the days before *day*, and what they add up to.

    A reader that is at these files at the moment fails. Whoever calls it holds the lock.

    Args:
        connection: DuckDB in memory, of its own.
        home: Folder of the store.
        day: Before which spans go, ``YYYY-MM-DD`` (UTC).
        keep_rollups: Keep the sums of those days and the rows of their tasks.
        progress: Is told how far it is.

    Returns:
        What was removed.

    Raises:
        OSError: The folder cannot be written.
        duckdb.Error: The same, or a file cannot be read.
    """
    compaction.into_days(connection, home, progress)
    state = published.read(connection, home)
    gone = plan(connection, home, day, keep_rollups=keep_rollups)
    if not gone:
        return gone
    left = [part for part in state.parts if part not in gone.parts]
    files = [part.file for part in gone.parts]
    files += [file for file in state.retired if "" < lake.date_of(file) < day]

    def commit(store: duckdb.DuckDBPyConnection) -> Iterable[str]:
        if gone.parts or gone.sums:
            _change_rollups(store, Lake(home, gone.parts), Lake(home, left), day, keep_rollups)
            published.note_pruned(store, max(day, state.pruned_before))
        # Listed until they are gone, so that nobody takes them for somebody's data meanwhile.
        store.execute(
            f"UPDATE published.part SET retired_at = {fold.LONG_AGO} "
            "WHERE list_contains($1::VARCHAR[], file)",
            [files],
        )
        store.execute(
            f"DELETE FROM published.quarantine WHERE refused_at < TIMESTAMP {string(day)}"
        )
        return files

    upkeep.publish(connection, home, commit, is_rolled_up=False)
    for path, _ in gone.leftovers:
        path.unlink(missing_ok=True)
    fold.compact(connection, home)
    return gone


def _change_rollups(
    store: duckdb.DuckDBPyConnection,
    gone: Lake,
    left: Lake,
    day: str,
    keep_rollups: bool,  # noqa: FBT001 - named where it is set
) -> None:
    rolled = Rollups(store) if any(part.judged_spans for part in left.parts) else None
    if rolled:
        # While the rows of all are there, which tell what has to do with what.
        rolled.withdraw(f"({gone.spans()})", "published", left)
    if keep_rollups:
        _settle(store, day)
    else:
        _forget(store, day)
    if rolled:
        rolled.store("published")


def _forget(store: duckdb.DuckDBPyConnection, day: str) -> None:
    """Remove the sums of earlier hours, and the tasks that had ended."""
    began = pruned.begin_ns(day)
    for name in ("call_sum", "call_histogram"):
        store.execute(
            f"DELETE FROM published.{name} WHERE {pruned.is_kept(name, day, 'published.task_sum')}"
        )
    store.execute(
        "CREATE OR REPLACE TEMP TABLE ended AS SELECT task_id FROM published.task_sum "
        f"GROUP BY task_id HAVING max(end_ns) < {began}"
    )
    for name in ("call_answer", "task_sum"):
        store.execute(f"DELETE FROM published.{name} WHERE task_id IN (FROM ended)")
    store.execute("DROP TABLE ended")
    # The answer of a task that goes on is no part of the sums any more.
    for call in _CALLS:
        store.execute(
            f"UPDATE published.call_answer SET {call} = NULL WHERE {call}.start_ns < {began}"
        )


def _settle(store: duckdb.DuckDBPyConnection, day: str) -> None:
    """Let the sums of earlier hours be judged no more: nobody can."""
    hours = pruned.is_kept("call_sum", day, "published.task_sum")
    days = pruned.is_kept("call_histogram", day, "published.task_sum")
    store.execute(f"UPDATE published.call_sum SET judged = FALSE WHERE judged AND {hours}")
    store.execute(
        "UPDATE published.call_histogram SET judged = FALSE, task_id = NULL "
        f"WHERE judged AND {days}"
    )
    last = "greatest(coalesce(main_call.start_ns, 0), coalesce(subagent_call.start_ns, 0))"
    settled = ", ".join(
        f"{call} = CASE WHEN {call} IS NOT NULL THEN struct_update({call}, judged := FALSE) END"
        for call in _CALLS
    )
    store.execute(
        f"UPDATE published.call_answer SET judged = FALSE, {settled} "
        f"WHERE judged AND {last} < {pruned.begin_ns(day)} "
        f"AND {pruned.is_kept('call_answer', day, 'published.task_sum')}"
    )
