"""What there is in the folder of the data, counted without reading spans."""

import contextlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from agenttrace.config import Settings
from agenttrace.record.files import kind_of
from agenttrace.store import lake, published, rollups, segments
from agenttrace.store.published import Published


@dataclass(frozen=True, slots=True)
class Spool:
    """What processes have recorded since the last fold, and how.

    Attributes:
        files: Files, of whatever kind.
        bytes: What they hold; space that is reserved counts.
        not_folded_bytes: Bytes of segments that are in no store; reserved space counts.
        medium: ``mapped`` or ``written``.
        medium_reason: Why.
        durability: ``process``, ``second`` or ``record``.
        max_bytes: What it may hold; None for no limit.
        in_flight: Calls, agents and tools under way now, or cut short and not folded yet.
    """

    files: int
    bytes: int
    not_folded_bytes: int
    medium: str
    medium_reason: str
    durability: str
    max_bytes: int | None
    in_flight: int


@dataclass(frozen=True, slots=True)
class SpanFiles:
    """The lake.

    Attributes:
        files: Parquet files that are read.
        retired_files: Those that are kept for whoever still reads them.
        spans: Spans in them.
        bytes: What the files that are read take.
        bytes_per_span: Of them; None without spans.
        days: Days on which spans started.
        first: Start of the first span, UTC; None without spans.
        last: Start of the last one.
        pruned_before: Day before which spans were removed; None if never.
    """

    files: int
    retired_files: int
    spans: int
    bytes: int
    bytes_per_span: float | None
    days: int
    first: str | None
    last: str | None
    pruned_before: str | None


@dataclass(frozen=True, slots=True)
class Rollup:
    """``store.duckdb``.

    Attributes:
        bytes: Its size.
        rows: Rows of each stored query.
        schema: Number of its schema; None where there is no store.
        newest_schema: Number of the schema of this agenttrace.
        written_by: Version of agenttrace that wrote it.
        is_up_to_date: Its rows are those of the queries as they are now.
    """

    bytes: int
    rows: dict[str, int]
    schema: int | None
    newest_schema: int
    written_by: str | None
    is_up_to_date: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is in a folder.

    Attributes:
        folder: The folder.
        folder_from: Who named it: ``argument``, ``AGENTTRACE_HOME`` or ``default``.
        spool: What is not folded.
        lake: The spans.
        store: The sums.
        interrupted_calls: Model calls whose process died meanwhile.
        quarantine: Records that were refused, by reason.
        lost: Records that were not written, by reason.
    """

    folder: str
    folder_from: str
    spool: Spool
    lake: SpanFiles
    store: Rollup
    interrupted_calls: int
    quarantine: dict[str, int]
    lost: dict[str, int]

    def to_json(self) -> str:
        """Return it as a JSON object."""
        return json.dumps(asdict(self), indent=2)


def facts(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Facts:
    """Look at a folder; nothing in it changes.

    Args:
        connection: DuckDB in memory, of its own.
        settings: Name the folder, and say how recording is set up.

    Raises:
        SchemaVersionError: A newer agenttrace wrote the store.
        StoreError: The store cannot be read.
    """
    home = settings.home
    try:
        schema, writer = published.version(connection, home)
    except duckdb.Error:
        schema, writer = None, None  # absent; what cannot be read says so below
    state = published.attach(connection, home)
    try:
        return Facts(
            str(home),
            settings.home_from,
            _spool(settings, state),
            _lake(home, state),
            _store(connection, home, state, schema, writer),
            _interrupted(connection) if state.exists else 0,
            _quarantine(connection) if state.exists else {},
            _lost(home / "spool"),
        )
    finally:
        published.detach(connection)


def _spool(settings: Settings, state: Published) -> Spool:
    sizes: list[int] = []
    for path in settings.spool.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    medium = kind_of(settings.spool)
    return Spool(
        len(sizes),
        sum(sizes),
        segments.size(settings.spool, state.watermarks),
        medium.kind,
        medium.reason,
        settings.durability,
        settings.max_spool_bytes,
        sum(segments.under_way(path) for path in segments.find_flights(settings.spool)),
    )


def _lake(home: Path, state: Published) -> SpanFiles:
    found = {lake.name_of(home, path): path for path in lake.find(home)}
    sizes: dict[str, int] = {}
    for part in state.parts:
        with contextlib.suppress(FileNotFoundError):
            sizes[part.file] = (home / lake.FOLDER / part.file).stat().st_size
    rows = sum(part.rows for part in state.parts)
    days = {lake.date_of(part.file) for part in state.parts} - {""}
    return SpanFiles(
        len(state.parts),
        len(found.keys() & state.retired),
        rows,
        sum(sizes.values()),
        sum(sizes.values()) / rows if rows else None,
        len(days),
        _time(min(part.min_start_ns for part in state.parts)) if state.parts else None,
        _time(max(part.max_start_ns for part in state.parts)) if state.parts else None,
        state.pruned_before or None,
    )


def _store(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    state: Published,
    schema: int | None,
    writer: str | None,
) -> Rollup:
    rows: dict[str, int] = {}
    if state.exists:
        for name in rollups.STORED:
            ((rows[name],),) = connection.execute(
                f"SELECT count(*) FROM published.{name}"
            ).fetchall()
    return Rollup(
        (home / published.NAME).stat().st_size if state.exists else 0,
        rows,
        schema,
        published.newest(),
        writer,
        state.definitions == rollups.fingerprint(),
    )


def _interrupted(connection: duckdb.DuckDBPyConnection) -> int:
    ((calls,),) = connection.execute(
        "SELECT coalesce(sum(calls), 0)::BIGINT FROM published.call_sum "
        "WHERE outcome = 'interrupted'"
    ).fetchall()
    return calls


def _quarantine(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(
        connection.execute(
            "SELECT reason, count(*) FROM published.quarantine GROUP BY reason ORDER BY 2 DESC, 1"
        ).fetchall()
    )


def _lost(spool: Path) -> dict[str, int]:
    lost: Counter[str] = Counter()
    for one in segments.lost_records(spool):
        lost[one.reason or "unknown"] += one.records
    return dict(lost.most_common())


def _time(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S")
