"""Hold a store against itself: files against the list, values against what they should be."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from agenttrace.errors import StoreError
from agenttrace.record.spool import FLIGHT_SUFFIX, OPEN_SUFFIX, SEGMENT_SUFFIX
from agenttrace.store import lake, pieces, pruned, published, rollups, upkeep
from agenttrace.store.fold import Progress
from agenttrace.store.lake import Lake, Part
from agenttrace.store.published import Published
from agenttrace.store.rollups import Rollups

_PIECE_ROWS: Final = 1_000_000  # looked at together for spans that repeat
_JUDGED_ROWS: Final = 2_000_000  # spans of tasks with judged calls, judged in one piece
_RELIST: Final = "`agenttrace store compact --rebuild` goes on with the files as they are."
_HEX: Final = "[0-9a-fA-F]"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        trouble: What, and where.
        way_out: What to do about it.
    """

    trouble: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.trouble} {self.way_out}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A store at one moment: files that are merged meanwhile stay for an hour.

    Attributes:
        home: Its folder.
        state: What it says.
        unlisted: Files of the lake that it does not list.
        sizes: Bytes of the files in the spool, by name without suffix.
    """

    home: Path
    state: Published
    unlisted: tuple[str, ...]
    sizes: Mapping[str, int]


@contextlib.contextmanager
def snapshot(
    connection: duckdb.DuckDBPyConnection, home: Path, warnings: list[str], say: upkeep.Say
) -> Generator[Snapshot]:
    """Look at the store while nobody changes it; it stays attached as ``published``.

    Args:
        connection: DuckDB in memory, of its own.
        home: Folder of the store.
        warnings: Gets a sentence if the folder cannot be written, and so nobody kept out.
        say: Is told if somebody else is changing the store.

    Raises:
        SchemaVersionError: A newer agenttrace wrote the store.
        StoreError: The store cannot be read.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(upkeep.alone(home, say))
        except StoreError as error:
            warnings.append(f"{error} So a file that is not listed may be one that is being made.")
        state = published.attach(connection, home)
        found = {lake.name_of(home, path) for path in lake.find(home)}
        sizes = _sizes(home / "spool")
    unlisted = found - {part.file for part in state.parts} - state.retired
    try:
        yield Snapshot(home, state, tuple(sorted(unlisted)), sizes)
    finally:
        published.detach(connection)


def _sizes(spool: Path) -> dict[str, int]:
    suffixes = {OPEN_SUFFIX, SEGMENT_SUFFIX, FLIGHT_SUFFIX}
    sizes: dict[str, int] = {}
    for path in spool.glob("*"):
        if path.suffix in suffixes:
            with contextlib.suppress(FileNotFoundError):
                sizes[path.stem] = path.stat().st_size
    return sizes


def lake_findings(
    connection: duckdb.DuckDBPyConnection,
    seen: Snapshot,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[Finding]:
    """Read every value of every file, and yield what is wrong with files, spans and watermarks."""
    yield from _list_findings(seen)
    yield from _watermark_findings(seen)
    whole: list[Part] = []
    for number, part in enumerate(seen.state.parts, 1):
        found = _part_findings(connection, seen.home, part)
        yield from found
        if not found:
            whole.append(part)
        progress(number, len(seen.state.parts))
    for date, files in pieces.days(Lake(seen.home, whole)).items():
        repeated = pieces.repeats(connection, files.spans(), _PIECE_ROWS)
        if repeated:
            yield Finding(
                f"{date or 'The lake'} has spans more than once: {repeated:,} too many.",
                "`agenttrace store compact --rebuild` keeps one of each.",
            )


def _list_findings(seen: Snapshot) -> Iterator[Finding]:
    for file in seen.unlisted:
        yield Finding(
            f"{seen.home / lake.FOLDER / file} belongs to no store.",
            "The next fold moves it to quarantine; its spans do not count.",
        )
    names = [part.file for part in seen.state.parts]
    for file in sorted({file for file in names if names.count(file) > 1}):
        yield Finding(f"{file} is listed more than once.", _RELIST)


def _watermark_findings(seen: Snapshot) -> Iterator[Finding]:
    for name, offset in seen.state.watermarks.items():
        size = seen.sizes.get(name)
        if offset < 0 or (size is not None and offset > size):
            yield Finding(
                f"{seen.home / 'spool' / name} holds {size or 0:,} bytes, of which {offset:,} have "
                "been folded: it was cut, or replaced.",
                "What was folded is safe in the lake; move the file away.",
            )


def _part_findings(connection: duckdb.DuckDBPyConnection, home: Path, part: Part) -> list[Finding]:
    path = home / lake.FOLDER / part.file
    if not path.exists():
        return [Finding(f"{path} is missing.", f"Restore it, or else {_RELIST}")]
    try:
        for _, reason in lake.broken(connection, home, [part]):
            return [_unreadable(path, reason)]
        return [
            *_list_findings_of(connection, home, part),
            *_span_findings(connection, home, part),
        ]
    except duckdb.Error as error:  # a column of another type
        return [_unreadable(path, lake.reason(error))]


def _unreadable(path: Path, reason: str) -> Finding:
    return Finding(
        f"{path} cannot be read: {reason}", f"Restore the file; or move it away, and then {_RELIST}"
    )


def _list_findings_of(
    connection: duckdb.DuckDBPyConnection, home: Path, part: Part
) -> Iterator[Finding]:
    path = home / lake.FOLDER / part.file
    said = lake.describe(connection, home, path)
    known = said
    if not part.bytes:  # an older store does not say it, nor what is judged
        known = part._replace(file=said.file, rows=said.rows)
        known = known._replace(min_start_ns=said.min_start_ns, max_start_ns=said.max_start_ns)
    if known != part:
        yield Finding(
            f"{path} is not as it is listed: {said.rows:,} spans of {part.rows:,}, "
            f"{said.bytes:,} bytes of {part.bytes:,}.",
            f"Restore it, or else {_RELIST}",
        )


def _span_findings(
    connection: duckdb.DuckDBPyConnection, home: Path, part: Part
) -> Iterator[Finding]:
    date = lake.date_of(part.file)
    elsewhere = f"started_at::DATE <> DATE {lake.string(date)}" if date else "FALSE"
    ((unformed, misplaced),) = connection.execute(
        "SELECT count(*) FILTER (NOT coalesce("
        f"regexp_full_match(trace_id, '{_HEX}{{32}}') "
        f"AND regexp_full_match(span_id, '{_HEX}{{16}}'), FALSE)), "
        f"count(*) FILTER ({elsewhere}) FROM ({Lake(home, [part]).spans()})"
    ).fetchall()
    path = home / lake.FOLDER / part.file
    if unformed:
        yield Finding(
            f"{path} has {unformed:,} spans whose ids are not 32 and 16 hex digits.",
            "They count; what recorded them should be mended.",
        )
    if misplaced:
        yield Finding(
            f"{path} has {misplaced:,} spans of other days.",
            "`agenttrace store compact --rebuild` brings them where they belong.",
        )


def rollup_findings(connection: duckdb.DuckDBPyConnection, seen: Snapshot) -> Iterator[Finding]:
    """Work the roll-ups out from the lake, and yield where the stored ones differ.

    What is from before a prune is not compared: its spans are gone.

    Raises:
        duckdb.Error: A file of the lake cannot be read.
    """
    if seen.state.definitions != rollups.fingerprint():
        yield Finding(
            "The roll-ups are rows of other definitions, or of none.",
            "`agenttrace store migrate` brings them up to date, as the next report does.",
        )
        return
    Rollups(connection).work_out(
        "published", Lake(seen.home, seen.state.parts), _pieces(connection)
    )
    differing = [
        *(
            (name, _differing(connection, name, seen.state.pruned_before))
            for name in rollups.STORED
        ),
        *_derived_differing(connection),
    ]
    for name, rows in differing:
        if rows:
            yield Finding(
                f"{rows:,} rows of {name} are not what the spans in the lake add up to.",
                "`agenttrace store compact --rebuild` works them out again.",
            )


def _pieces(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return in how many pieces to judge; None where all spans at once fit into the memory."""
    ((spans, judged, placed),) = connection.execute("""
        SELECT
            coalesce(sum(spans), 0),
            coalesce(sum(judged_spans), 0),
            coalesce(sum(spans) FILTER (placed_spans > 0), 0)
        FROM (
            SELECT
                sum(spans) AS spans,
                sum(judged_spans) AS judged_spans,
                sum(placed_spans) AS placed_spans
            FROM published.task_sum
            GROUP BY task_id
            HAVING sum(judged_spans) > 0
        )
    """).fetchall()
    if spans <= _JUDGED_ROWS:
        return None
    return 1 + int(judged + placed) // _JUDGED_ROWS


def _differing(connection: duckdb.DuckDBPyConnection, name: str, pruned_before: str) -> int:
    """Return how many rows of a stored query only one has, the store or its definition."""
    compared = "TRUE"
    if pruned_before:
        kept = pruned.is_kept(name, pruned_before, "published.task_sum")
        compared = f"(({kept}) IS NOT TRUE)"
    sides = [
        f"SELECT * FROM ({rollups.merged(connection, name, source)}) WHERE {compared}"
        for source in (f"published.{name}", f"new_{name}")
    ]
    return _in_one_only(connection, *sides)


def _derived_differing(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, int]]:
    """Yield the derived queries, and how many rows only one has, the store or its definition."""
    connection.execute("DROP SCHEMA IF EXISTS memory.derived_anew CASCADE")
    connection.execute("CREATE SCHEMA memory.derived_anew")
    for name in rollups.STORED:
        connection.execute(f"CREATE VIEW memory.derived_anew.{name} AS FROM published.{name}")
    for name in rollups.DERIVED:
        connection.execute(
            f"CREATE TABLE memory.derived_anew.{name} AS FROM published.{name} LIMIT 0"
        )
    rollups.derive(connection, "memory.derived_anew")
    for name in rollups.DERIVED:
        sides = (f"FROM published.{name}", f"FROM memory.derived_anew.{name}")
        yield name, _in_one_only(connection, *sides)


def _in_one_only(connection: duckdb.DuckDBPyConnection, kept: str, anew: str) -> int:
    digests: list[object] = []
    for side, rows in (("kept", kept), ("anew", anew)):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {side} AS {rows}")
        ((digest,),) = connection.execute(
            f"SELECT (count(*), sum(hash({side})::HUGEINT), bit_xor(hash({side}))) FROM {side}"
        ).fetchall()
        digests.append(digest)
    found = 0
    # Comparing rows costs more than telling that all are equal.
    if digests[0] != digests[1]:
        ((found,),) = connection.execute(
            "SELECT count(*) FROM ((FROM kept EXCEPT ALL FROM anew) "
            "UNION ALL (FROM anew EXCEPT ALL FROM kept))"
        ).fetchall()
    connection.execute("DROP TABLE temp.kept; DROP TABLE temp.anew")
    return found
