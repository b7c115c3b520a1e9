"""Keep hourly data of the grid: one Parquet file per zone in the folder of the data.

An hour has an average and a marginal intensity, side by side and never mixed: each with its source.
What is imported again for an hour replaces what was there; what the new file does not say stays.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace.errors import FactorError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER: Final = Path("grid") / "hourly"

COLUMNS: Final = (
    ("zone", "VARCHAR"),
    ("hour", "TIMESTAMP"),
    ("g_per_kwh", "DOUBLE"),
    ("marginal_g_per_kwh", "DOUBLE"),
    ("cfe_share", "DOUBLE"),
    ("source", "VARCHAR"),
    ("marginal_source", "VARCHAR"),
    ("imported_at", "TIMESTAMP"),
)
"""Of every file: the hour is its beginning in UTC, intensities are gCO2e/kWh, cfe_share is the
carbon-free share of the electricity, 0 to 1, and imported_at is UTC."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The hourly data of one zone.

    Attributes:
        zone: Its name.
        first: Its first hour, UTC.
        last: Its last hour, UTC.
        hours: Hours with any value.
        missing: Hours between the first and the last that have none.
        average_hours: Hours with an average intensity.
        marginal_hours: Hours with a marginal intensity.
        cfe_hours: Hours with a carbon-free share.
        g_per_kwh: Mean of the average intensity over its hours; None where there is none.
        g_per_kwh_least: Its smallest value.
        g_per_kwh_most: Its largest value.
        marginal_g_per_kwh: Mean of the marginal intensity over its hours; None where there is none.
        cfe_share: Mean of the carbon-free share over its hours; None where there is none.
        sources: Where the averages are from.
        marginal_sources: Where the marginal intensities are from.
    """

    zone: str
    first: datetime
    last: datetime
    hours: int
    missing: int
    average_hours: int
    marginal_hours: int
    cfe_hours: int
    g_per_kwh: float | None
    g_per_kwh_least: float | None
    g_per_kwh_most: float | None
    marginal_g_per_kwh: float | None
    cfe_share: float | None
    sources: tuple[str, ...]
    marginal_sources: tuple[str, ...]


def files(home: Path) -> list[Path]:
    """Return the files with the columns of :data:`COLUMNS`, one per zone, by name."""
    return sorted((home / FOLDER).glob("*.parquet"))


def file_of(home: Path, zone: str) -> Path:
    """Return where the hours of *zone* are kept, whether or not there are any."""
    return home / FOLDER / f"{zone}.parquet"


def define(connection: "DuckDBPyConnection", home: Path, name: str = "grid_hour") -> None:
    """Create the view *name* over all hours, or an empty table where there are none."""
    if found := files(home):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {select(found)}")
        return
    columns = ", ".join(f"{column} {type_}" for column, type_ in COLUMNS)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")


def select(paths: list[Path]) -> str:
    """Return SQL for the rows of *paths*, at least one."""
    listed = ", ".join(quoted(path) for path in paths)
    return f"SELECT {', '.join(column for column, _ in COLUMNS)} FROM read_parquet([{listed}])"


def quoted(path: Path) -> str:
    """Return *path* as a string of SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def zones(home: Path, zone: str | None = None) -> list[Zone]:
    """Return what is kept, by zone.

    Args:
        home: Folder of the data.
        zone: Only this one.

    Raises:
        FactorError: A file cannot be read.
    """
    found = [path for path in files(home) if zone in (None, path.stem)]
    return [summary for path in found for summary in _summaries(path)]


_SUMMARY: Final = """
SELECT
    zone,
    min(hour),
    max(hour),
    count(*),
    date_diff('hour', min(hour), max(hour)) + 1 - count(*),
    count(g_per_kwh),
    count(marginal_g_per_kwh),
    count(cfe_share),
    avg(g_per_kwh),
    min(g_per_kwh),
    max(g_per_kwh),
    avg(marginal_g_per_kwh),
    avg(cfe_share),
    list_filter(list_sort(list(DISTINCT source)), lambda said: said IS NOT NULL),
    list_filter(list_sort(list(DISTINCT marginal_source)), lambda said: said IS NOT NULL)
FROM ({rows})
GROUP BY zone
"""


def _summaries(path: Path) -> Iterator[Zone]:
    # 40 ms to import, and only reading the data needs it.
    import duckdb

    try:
        with duckdb.connect() as connection:
            rows = connection.execute(_SUMMARY.format(rows=select([path]))).fetchall()
    except duckdb.Error as error:
        raise unreadable(path) from error
    for row in rows:
        sources, marginal_sources = row[-2:]
        yield Zone(*row[:-2], sources=tuple(sources), marginal_sources=tuple(marginal_sources))


def unreadable(path: Path) -> FactorError:
    """Return what to raise where a file of hours is broken."""
    return FactorError(
        f"{path} cannot be read. Remove it with `agenttrace grid remove {path.stem}`, "
        f"and import the data again."
    )


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Say the way out where files in *folder* cannot be written.

    Raises:
        FactorError: They cannot.
    """
    # 40 ms to import, and only writing the data needs them.
    import duckdb

    from agenttrace.store import lake

    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise FactorError(
            f"{folder} cannot be written: {lake.reason(error)} Make it writable, or name another "
            f"folder of the data with --store or AGENTTRACE_HOME."
        ) from error


def remove(home: Path, zone: str) -> bool:
    """Remove the hours of *zone*; return whether there were any.

    Raises:
        FactorError: The file cannot be removed.
    """
    path = file_of(home, zone)
    if path not in files(home):
        return False
    with writing(path.parent):
        path.unlink()
    return True


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the hours of one zone.

    Attributes:
        zone: Its name.
        first: First hour of the file, UTC.
        last: Last hour of the file, UTC.
        added: Hours that were not there before, or had nothing of this kind.
        replaced: Hours that had another value.
        unchanged: Hours that had the same.
    """

    zone: str
    first: datetime
    last: datetime
    added: int
    replaced: int
    unchanged: int


def keep(connection: "DuckDBPyConnection", home: Path) -> list[Written]:
    """Put the rows of the table ``new_hour`` (:data:`COLUMNS`) to those that are kept.

    Every file is written beside the old one first, and then all of them are put in place, so a
    failure leaves the old data.

    Raises:
        FactorError: A file that is kept cannot be read, or the new one not be written.
    """
    folder = home / FOLDER
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return _keep(connection, home)


def _keep(connection: "DuckDBPyConnection", home: Path) -> list[Written]:
    found = connection.execute("SELECT DISTINCT zone FROM new_hour ORDER BY zone").fetchall()
    beside: list[tuple[Path, Path]] = []
    try:
        written: list[Written] = []
        for (zone,) in found:
            path = file_of(home, zone)
            beside.append((path.with_suffix(f".{os.getpid()}.tmp"), path))
            written.append(_merge(connection, zone, path, beside[-1][0]))
        for new, path in beside:
            new.replace(path)
    finally:
        for new, _ in beside:
            with suppress(OSError):  # what could not be written is not there
                new.unlink(missing_ok=True)
    return written


_JOINED: Final = """
CREATE OR REPLACE TEMP TABLE merged_hour AS
SELECT
    zone,
    hour,
    coalesce(new_hour.g_per_kwh, kept_hour.g_per_kwh) AS g_per_kwh,
    coalesce(new_hour.marginal_g_per_kwh, kept_hour.marginal_g_per_kwh) AS marginal_g_per_kwh,
    coalesce(new_hour.cfe_share, kept_hour.cfe_share) AS cfe_share,
    coalesce(new_hour.source, kept_hour.source) AS source,
    coalesce(new_hour.marginal_source, kept_hour.marginal_source) AS marginal_source,
    coalesce(new_hour.imported_at, kept_hour.imported_at) AS imported_at,
    new_hour.hour IS NOT NULL AS is_new,
    coalesce(new_hour.g_per_kwh IS NULL OR new_hour.g_per_kwh = kept_hour.g_per_kwh, FALSE)
    AND coalesce(
        new_hour.marginal_g_per_kwh IS NULL
        OR new_hour.marginal_g_per_kwh = kept_hour.marginal_g_per_kwh,
        FALSE
    )
    AND coalesce(new_hour.cfe_share IS NULL OR new_hour.cfe_share = kept_hour.cfe_share, FALSE)
    AS is_same,
    (new_hour.g_per_kwh IS NOT NULL AND kept_hour.g_per_kwh IS NOT NULL)
    OR (new_hour.marginal_g_per_kwh IS NOT NULL AND kept_hour.marginal_g_per_kwh IS NOT NULL)
    OR (new_hour.cfe_share IS NOT NULL AND kept_hour.cfe_share IS NOT NULL) AS was_there
FROM (SELECT * FROM new_hour WHERE zone = $zone) AS new_hour
FULL JOIN ({kept}) AS kept_hour USING (zone, hour)
"""

_COUNTS: Final = """
SELECT
    min(hour),
    max(hour),
    count(*) FILTER (WHERE NOT is_same AND NOT was_there),
    count(*) FILTER (WHERE NOT is_same AND was_there),
    count(*) FILTER (WHERE is_same)
FROM merged_hour
WHERE is_new
"""


def _merge(connection: "DuckDBPyConnection", zone: str, path: Path, new: Path) -> Written:
    # 40 ms to import, and only reading the data needs it.
    import duckdb

    kept = select([path]) if path.exists() else "SELECT * FROM new_hour WHERE FALSE"
    try:
        connection.execute(_JOINED.format(kept=kept), {"zone": zone})
    except duckdb.Error as error:
        raise unreadable(path) from error
    columns = ", ".join(column for column, _ in COLUMNS)
    connection.execute(
        f"COPY (SELECT {columns} FROM merged_hour ORDER BY hour) TO {quoted(new)} (FORMAT parquet)"
    )
    counts = connection.execute(_COUNTS).fetchone()
    assert counts is not None
    return Written(zone, *counts)
