"""The lake: immutable Parquet files of spans, one folder for each day on which they started."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from agenttrace import __version__
from agenttrace.store import columns

FOLDER: Final = Path("lake") / "spans"
_ABSORBED: Final = "agenttrace_absorbed"  # in a file: those that it took in, should the store go
_COLUMNS: Final = "agenttrace_columns"
_WRITER: Final = "agenttrace_version"
_SCHEMA: Final = "agenttrace_schema"
_FILED: Final = ", ".join(column.name for column in columns.FILED)
# Files do not say it, for it is the same thing again.
_SELECTED: Final = ", ".join(
    "make_timestamp(start_ns // 1000) AS started_at" if name == "started_at" else name
    for name in (column.name for column in columns.COLUMNS)
)
_JUDGED: Final = "kind = 'inference' AND counted IS NULL"
PLACED: Final = "(capture IS DISTINCT FROM 'wire' OR scope IS DISTINCT FROM 'agenttrace')"
"""SQL for whether spans other than its own say what a judged span is."""
_FETCHES: Final = "coalesce(operation = 'fetch_response', FALSE)"


class Part(NamedTuple):
    """A file of the lake.

    Attributes:
        file: Path in the lake, with ``/``.
        rows: Spans in it.
        min_start_ns: Start of its earliest span, nanoseconds since 1970-01-01 UTC.
        max_start_ns: Start of its latest span.
        judged_spans: Spans that count as a call or not by what else is recorded.
        placed_spans: Those of them of which other spans tell: they were not seen at the wire by the
            process that made them.
        fetches: Those of them that fetch what earlier calls have used.
        bytes: Size of the file.
        measured_spans: Spans that say what a meter saw for them.
    """

    file: str
    rows: int
    min_start_ns: int
    max_start_ns: int
    judged_spans: int
    placed_spans: int
    fetches: int
    bytes: int
    measured_spans: int


@dataclass(frozen=True, slots=True)
class Lake:
    """Files of spans to read together."""

    home: Path
    parts: Sequence[Part] = ()

    @property
    def rows(self) -> int:
        """Spans in all of them."""
        return sum(part.rows for part in self.parts)

    def spans(self, *, and_those_in: str | None = None) -> str:
        """Return SQL for all spans, and those in a table."""
        return _select(self.home, self.parts, and_those_in)

    def around(self, low_ns: int, high_ns: int) -> str:
        """Return SQL for the spans that started then, and all that fetch a result."""
        inside, outside = self._parted(low_ns, high_ns)
        then = f"start_ns BETWEEN {low_ns} AND {high_ns}"
        return (
            f"SELECT * FROM ({_select(self.home, inside)}) WHERE {then} UNION ALL "
            f"{Lake(self.home, outside).fetching()}"
        )

    def fetching(self) -> str:
        """Return SQL for all spans that fetch what earlier calls have used."""
        found = [part for part in self.parts if part.fetches]
        return f"SELECT * FROM ({_select(self.home, found)}) WHERE {_JUDGED} AND {_FETCHES}"

    def starting(self, low_ns: int, high_ns: int) -> str:
        """Return SQL for the spans that started then."""
        inside, _ = self._parted(low_ns, high_ns)
        then = f"start_ns BETWEEN {low_ns} AND {high_ns}"
        return f"SELECT * FROM ({_select(self.home, inside)}) WHERE {then}"

    def judged(self, low_ns: int, high_ns: int) -> str:
        """Return SQL for the judged spans of files with spans that started then."""
        inside, _ = self._parted(low_ns, high_ns)
        found = [part for part in inside if part.judged_spans]
        return f"SELECT * FROM ({_select(self.home, found)}) WHERE {_JUDGED}"

    def _parted(self, low_ns: int, high_ns: int) -> tuple[list[Part], list[Part]]:
        inside = [
            part
            for part in self.parts
            if part.min_start_ns <= high_ns and part.max_start_ns >= low_ns
        ]
        return inside, [part for part in self.parts if part not in inside]


def find(home: Path) -> list[Path]:
    """Return the files in the lake of *home*, listed or not; those of earlier versions too."""
    return sorted((home / FOLDER).rglob("*.parquet"))


def name_of(home: Path, path: Path) -> str:
    """Return what the store calls a file of the lake."""
    return path.relative_to(home / FOLDER).as_posix()


def date_of(file: str) -> str:
    """Return the day of a file, ``YYYY-MM-DD``; empty for one of earlier versions, in no folder."""
    folder, _, _ = file.rpartition("/")
    return folder.removeprefix("date=")


def dates(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return the days on which the spans of *table* started, the earliest first."""
    found = connection.execute(
        f"SELECT DISTINCT started_at::DATE::VARCHAR AS day FROM {table} ORDER BY day"
    ).fetchall()
    return [day for (day,) in found]


def write(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    date: str,
    spans: str,
    absorbed: Iterable[str] = (),
) -> Part:
    """Write spans of one day to a new file.

    Args:
        connection: Where *spans* are.
        home: Folder of the lake.
        date: The day, ``YYYY-MM-DD``.
        spans: SQL for them, with the columns of ``span``.
        absorbed: Files of the lake whose spans are among them.

    Raises:
        duckdb.Error: They cannot be read, or not be written.
    """
    folder = home / FOLDER / f"date={date}"
    make(folder)
    path = folder / f"{time.time_ns()}.parquet"
    facts = {
        _ABSORBED: " ".join(absorbed),
        _WRITER: __version__,
        _SCHEMA: str(_newest_schema()),
        _COLUMNS: json.dumps({column.name: column.comment for column in columns.FILED}),
    }
    said = ", ".join(f"{key}: {string(value)}" for key, value in facts.items())
    # Made first, for DuckDB would let everybody read it.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        connection.execute(
            f"COPY (SELECT {_FILED} FROM ({spans})) TO {string(path)} (FORMAT parquet, "
            "USE_TMP_FILE false, "
            f"COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION V2, KV_METADATA {{{said}}})"
        )
        path.chmod(0o600)
        sync(path)
        sync(folder)
        return describe(connection, home, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _newest_schema() -> int:
    migrations = Path(__file__).parent / "migrations"
    return max(int(step.name.partition("_")[0]) for step in migrations.glob("*.sql"))


def make(folder: Path) -> None:
    """Make a folder that is nobody else's business, and those above it up to the lake's home."""
    for one in (*reversed(folder.parents[:3]), folder):
        one.mkdir(mode=0o700, exist_ok=True)


def describe(connection: duckdb.DuckDBPyConnection, home: Path, path: Path) -> Part:
    """Return what the store keeps about a file.

    Raises:
        duckdb.Error: It is no file of spans.
    """
    (found,) = connection.execute(
        f"SELECT count(*), min(start_ns), max(start_ns), count(*) FILTER ({_JUDGED}), "
        f"count(*) FILTER ({_JUDGED} AND {PLACED}), "
        f"count(*) FILTER ({_JUDGED} AND {_FETCHES}), count(measured_j) FROM ({_read([path])})"
    ).fetchall()
    rows, low, high, judged, placed, fetches, measured = found
    file, size = name_of(home, path), path.stat().st_size
    return Part(file, rows, low, high, judged, placed, fetches, size, measured)


def absorbed_by(connection: duckdb.DuckDBPyConnection, path: Path) -> set[str]:
    """Return the files whose spans *path* has taken in, as it says itself."""
    rows = connection.execute(
        "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = $2",
        [str(path), _ABSORBED],
    ).fetchall()
    return {file for (files,) in rows for file in files.split()}


def broken(
    connection: duckdb.DuckDBPyConnection, home: Path, parts: Iterable[Part]
) -> Iterator[tuple[Path, str]]:
    """Read every value of files; yield those that cannot be read, and why."""
    for part in parts:
        path = home / FOLDER / part.file
        try:
            connection.execute(
                "SELECT max(hash(COLUMNS(*))) FROM read_parquet($1)", [str(path)]
            ).fetchall()
        except duckdb.Error as error:
            yield path, reason(error)


def reason(error: BaseException) -> str:
    """Return what DuckDB, or the system, says is wrong, as a sentence."""
    said = str(error)
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror
    said = said.partition("\n")[0].rstrip()
    return said if said.endswith((".", "!", "?")) else f"{said}."


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def string(value: object) -> str:
    """Return *value* as an SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def _select(home: Path, parts: Iterable[Part], table: str | None = None) -> str:
    paths = [home / FOLDER / part.file for part in parts]
    sources = [f"FROM {table}"] if table else []
    if paths:
        sources.append(_read(paths))
    if not sources:
        return f"{columns.none()}"
    return f"SELECT {_SELECTED} FROM ({' UNION ALL BY NAME '.join(sources)})"


def _read(paths: Iterable[Path]) -> str:
    # By name, for a file that an older agenttrace wrote may lack a column; the empty table has all.
    listed = ", ".join(string(path) for path in paths)
    return (
        f"{columns.none()} UNION ALL BY NAME "
        f"FROM read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
    )
