"""Windows of measured energy: what one is, and the files that keep them."""

import hashlib
import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Final, Literal, NamedTuple

import duckdb

from agenttrace.energy.pricing import Boundary
from agenttrace.errors import FactorError
from agenttrace.store import engine
from agenttrace.store.lake import reason, string, sync

FOLDER: Final = "measured"
SECOND_NS: Final = 1_000_000_000
WATTS_AT_MOST: Final = 1e7
"""A whole data hall; what claims more is a wrong unit."""

DAYS_AT_MOST: Final = 31
"""Of a window; what is longer is a wrong date, and tells nothing of a call."""

Mark = Literal["measured", "modelled in part"]

# The fields of a window, in order.
_TYPES: Final = {
    "start_ns": "BIGINT",
    "end_ns": "BIGINT",
    "joules": "DOUBLE",
    "boundary": "VARCHAR",
    "device": "VARCHAR",
    "host": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "service_name": "VARCHAR",
    "mark": "VARCHAR",
    "meter": "VARCHAR",
    "source": "VARCHAR",
}
_COMMENTS: Final = {
    "file": "File in measured/, without its ending.",
    "number": "Number of the window in the file, from 0.",
    "start_ns": "Nanoseconds since 1970-01-01 UTC.",
    "end_ns": "The same; after the start.",
    "joules": "What was used between the two.",
    "boundary": "What the meter covers: accelerator, server or facility.",
    "device": "Which device of the host; NULL for all that the meter covers.",
    "host": "Machine, in lower case; NULL where the source does not say it.",
    "provider": "Only calls to this provider share it; NULL for any.",
    "model": "Only calls to this model share it; NULL for any.",
    "service_name": "Only calls from this service share it; NULL for any.",
    "mark": "measured, or modelled in part.",
    "meter": "What measured it, such as zeus.",
    "source": "File that it was read from, or the command that was measured.",
}


@dataclass(frozen=True, slots=True)
class Window:
    """The energy that a meter saw between two moments.

    Attributes:
        start_ns: Nanoseconds since 1970-01-01 UTC.
        end_ns: The same; after the start.
        joules: What was used between the two, 0 or more.
        boundary: What the meter covers: ``accelerator`` for NVML and DCGM, ``server`` where CPU and
            memory are in it.
        device: Which of the host's devices; None for all of them together.
        host: Machine, in lower case; None where the source does not say it.
        provider: Only calls to this provider share it, as gen_ai.provider.name; None for any.
        model: Only calls to this model share it; None for any.
        service_name: Only calls from this service share it; None for any.
        mark: ``measured``, or ``modelled in part`` where the meter computes a part from the load.
        meter: What measured it, such as ``zeus``.
        source: File that it was read from, or the command that was measured.
    """

    start_ns: int
    end_ns: int
    joules: float
    boundary: Boundary = "accelerator"
    device: str | None = None
    host: str | None = None
    provider: str | None = None
    model: str | None = None
    service_name: str | None = None
    mark: Mark = "measured"
    meter: str = "windows"
    source: str = ""

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules * SECOND_NS / (self.end_ns - self.start_ns)


class Added(NamedTuple):
    """What became of windows that were to be kept.

    Attributes:
        windows: How many were written.
        known: How many were left out: the same time of the same device is measured already.
        joules: Of those written.
        path: The new file; None where nothing was new.
    """

    windows: int
    known: int
    joules: float
    path: Path | None


def add(home: Path, windows: Iterable[Window]) -> Added:
    """Keep windows in a file of their own, those left out whose time is measured already.

    The same windows a second time change nothing: joules that two sources tell of count once.

    Args:
        home: Folder of the data; made if it is not there.
        windows: Of one source, in any order.

    Raises:
        FactorError: A file that is there cannot be read, or the folder cannot be written.
    """
    new = sorted(windows, key=lambda window: (window.start_ns, window.end_ns))
    fresh = _unknown(new, _read_beside(home, new)) if new and files(home) else new
    with _writing(home / FOLDER):
        path = _write(home / FOLDER, fresh) if fresh else None
    return Added(len(fresh), len(new) - len(fresh), sum(one.joules for one in fresh), path)


@contextmanager
def _writing(folder: Path) -> Generator[None]:
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise FactorError(
            f"{folder} cannot be written: {reason(error)} Make it writable, or name another "
            f"folder of the data with --store or AGENTTRACE_HOME."
        ) from error


def files(home: Path) -> list[Path]:
    """Return the files of windows, oldest name first."""
    return sorted((home / FOLDER).glob("*.parquet"))


def first_day(home: Path) -> str | None:
    """Return the day of the first window, ``YYYY-MM-DD`` (UTC); None where there are none."""
    with engine.connect() as connection:
        if not define(connection, home):
            return None
        ((day,),) = connection.execute(
            "SELECT strftime(make_timestamp(min(start_ns) // 1000), '%Y-%m-%d') "
            "FROM measured_window"
        ).fetchall()
    return day


def define(connection: duckdb.DuckDBPyConnection, home: Path | None) -> bool:
    """Create the view ``measured_window``, which the queries read.

    Nothing is read but the files' own descriptions.

    Args:
        connection: Where to create them.
        home: Folder of the data; None for no windows.

    Returns:
        Whether there are windows.

    Raises:
        FactorError: A file cannot be read.
    """
    found = files(home) if home is not None else []
    try:
        connection.execute(f"CREATE OR REPLACE VIEW measured_window AS {_select(found)}")
    except duckdb.Error as error:
        raise _unreadable(connection, found, error) from error
    if found:
        connection.execute(_comments())
    return bool(found)


def _comments() -> str:
    said = ["COMMENT ON VIEW measured_window IS 'One row per window of measured energy.'"]
    said += [
        f"COMMENT ON COLUMN measured_window.{name} IS {string(text)}"
        for name, text in _COMMENTS.items()
    ]
    return ";".join(said)


def within_itself(windows: Iterable[Window]) -> tuple[list[Window], int]:
    """Return windows of which no two tell of the same joules, and how many are left out.

    A meter may be asked for windows inside of windows, as Zeus may, an epoch and its steps: the
    finest stay.
    """
    in_time = sorted(windows, key=lambda window: (window.start_ns, window.end_ns))
    kept = _unknown(in_time, [])
    if len(kept) < len(in_time):
        kept = _unknown(sorted(in_time, key=lambda window: window.end_ns - window.start_ns), [])
        kept.sort(key=lambda window: (window.start_ns, window.end_ns))
    return kept, len(in_time) - len(kept)


def _unknown(new: Iterable[Window], known: Iterable[Window]) -> list[Window]:
    """Return those of *new* whose time no other window of the same device has."""
    taken: defaultdict[tuple[str | None, str], _Taken] = defaultdict(_Taken)
    for window in known:
        taken[window.host, window.boundary].take(window)
    return [window for window in new if taken[window.host, window.boundary].take(window)]


class _Taken:
    """Times of which something is known, by device."""

    def __init__(self) -> None:
        self._by_device: defaultdict[str | None, list[tuple[int, int]]] = defaultdict(list)

    def take(self, window: Window) -> bool:
        """Take the time of *window*; False where that is taken.

        What covers all devices has a share in the joules of each.
        """
        others = list(self._by_device) if window.device is None else [window.device, None]
        if any(_overlaps(window, self._by_device[other]) for other in others):
            return False
        times = self._by_device[window.device]
        times.insert(bisect_left(times, (window.start_ns, window.end_ns)), _time(window))
        return True


def _time(window: Window) -> tuple[int, int]:
    return window.start_ns, window.end_ns


def _overlaps(window: Window, times: Sequence[tuple[int, int]]) -> bool:
    """Whether *window* shares time with one of *times*, in order and apart from each other.

    Clocks of two windows side by side may differ by a little: a hundredth of the window.
    """
    slack = (window.end_ns - window.start_ns) // 100
    place = bisect_left(times, (window.start_ns, window.end_ns))
    beside = times[max(place - 1, 0) : place + 1]
    return any(
        start < window.end_ns - slack and end > window.start_ns + slack for start, end in beside
    )


def _write(folder: Path, windows: Sequence[Window]) -> Path:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{_fingerprint(windows)}.parquet"
    unfinished = path.with_suffix(".new")
    # Made first, for DuckDB would let everybody read it.
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    columns = list(zip(*map(attrgetter(*_TYPES), windows), strict=True))
    values = ", ".join(
        f"unnest(${number}::{kind}[]) AS {name}"
        for number, (name, kind) in enumerate(_TYPES.items(), start=1)
    )
    try:
        with engine.connect() as connection:
            connection.execute(f"CREATE TABLE new_window AS SELECT {values}", columns)
            connection.execute(
                f"COPY new_window TO {string(unfinished)} "
                "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
            )
        unfinished.chmod(0o600)
        sync(unfinished)
        unfinished.replace(path)
        sync(folder)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return path


def _fingerprint(windows: Iterable[Window]) -> str:
    """Return a name that the same windows always have, whatever their file was called."""
    content = attrgetter(*(name for name in _TYPES if name != "source"))
    lines = sorted(repr(content(window)) for window in windows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _read_beside(home: Path, new: Sequence[Window]) -> list[Window]:
    """Return the windows that are kept and share time with one of *new*, or lie between them."""
    found = files(home)
    low, high = new[0].start_ns, max(window.end_ns for window in new)
    sql = f"SELECT {', '.join(_TYPES)} FROM ({_select(found)})"  # noqa: S608 - names of ours
    with engine.connect() as connection:
        try:
            rows = connection.execute(
                f"{sql} WHERE end_ns > $1 AND start_ns < $2 ORDER BY start_ns", [low, high]
            ).fetchall()
        except duckdb.Error as error:
            raise _unreadable(connection, found, error) from error
    return [Window(*row) for row in rows]


def _select(found: Sequence[Path]) -> str:
    """Return SQL for the windows of files; by name, for a file may lack a column or have more."""
    types = {"filename": "VARCHAR", "file_row_number": "BIGINT", **_TYPES}
    none = ", ".join(f"NULL::{kind} AS {name}" for name, kind in types.items())
    listed = ", ".join(map(string, found))
    rows = (
        f"FROM read_parquet([{listed}], union_by_name = true, filename = true, "
        "file_row_number = true) UNION ALL BY NAME "
        if found
        else ""
    )
    names = ", ".join(_TYPES)
    return (
        f"SELECT parse_filename(filename, true) AS file, file_row_number AS number, {names} "  # noqa: S608 - names of ours, paths quoted
        f"FROM ({rows}SELECT {none} WHERE FALSE)"
    )


def _unreadable(
    connection: duckdb.DuckDBPyConnection, found: Iterable[Path], error: duckdb.Error
) -> FactorError:
    for path in found:
        try:
            connection.execute("FROM read_parquet($1) LIMIT 0", [str(path)]).fetchall()
        except duckdb.Error as of_file:
            return FactorError(
                f"{path} holds no windows that can be read: {reason(of_file)} "
                "Move it away, and import its source again."
            )
    return FactorError(f"the windows cannot be read: {reason(error)}")
