"""Turn lines of the spool into rows, in bulk, and say which lines are refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import duckdb

from agenttrace.store import columns
from agenttrace.store.lake import Lake
from agenttrace.store.pieces import MOST_SAID_FIRST
from agenttrace.store.segments import Header, Slice

_LINES: Final = """
INSERT INTO arriving
SELECT slice.segment, generate_subscripts(slice.lines, 1), unnest(slice.lines)
FROM (
    SELECT given.segment, string_split(given.text, chr(10)) AS lines
    FROM (SELECT unnest($segments) AS segment, unnest($texts) AS text) AS given
) AS slice
"""
_SEGMENTS: Final = """
INSERT INTO writer
SELECT unnest($segments), unnest($service_names), unnest($hosts), unnest($pids)
"""
_IDS: Final = "trace_id, span_id, start_ns"
_TOLD_LATER: Final = "coalesce(output_tokens, -1), coalesce(outcome, ''), coalesce(response_id, '')"
# A log and telemetry date the beginning of an agent differently, and its ids name it. Of a turn
# each says what the other does not.
_IS_NAMED: Final = "(scope = 'agenttrace.sources' AND kind = 'agent')"
_START: Final = f"CASE WHEN NOT {_IS_NAMED} THEN start_ns END"
_IS_OURS: Final = "scope = 'agenttrace'"
_DAY_NS: Final = 86_400 * 10**9  # how far apart two sources may say that an agent began
_FAILS_AT_DATA: Final = (duckdb.DataError, duckdb.InvalidInputException)


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is not taken, a part of one (``token count``), or all that a segment brings.

    Attributes:
        segment: Name of the segment.
        byte_offset: Where the record begins in it.
        bytes: Length of the record.
        reason: Why.
        line: The record itself.
    """

    segment: str
    byte_offset: int
    bytes: int
    reason: str
    line: str


def stage(connection: duckdb.DuckDBPyConnection, slices: Sequence[Slice]) -> list[Refused]:
    """Read the lines of *slices* into ``arrived_span``, which has the columns of ``span``.

    Args:
        connection: Where it is made; one of that name is replaced.
        slices: What is new in the spool.

    Returns:
        What is refused, in the order of segments and offsets.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE arriving (segment INT, number INT, line VARCHAR)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE writer "
        "(segment INT, service_name VARCHAR, host VARCHAR, pid BIGINT)"
    )
    written = [number for number, one in enumerate(slices) if one.text]
    if written:
        headers = [_writer(slices[number]) for number in written]
        texts = [slices[number].text for number in written]
        connection.execute(_LINES, {"segments": written, "texts": texts})
        connection.execute(
            _SEGMENTS,
            {
                "segments": written,
                "service_names": [header.service_name for header in headers],
                "hosts": [header.host for header in headers],
                "pids": [header.pid for header in headers],
            },
        )
    failed = _read_lines(connection, written)
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW arrived_span AS SELECT {columns.NAMES} "
        "FROM arrived WHERE refused IS NULL"
    )
    connection.execute("DROP TABLE arriving")
    connection.execute("DROP TABLE writer")
    whole = [
        Refused(one.name, one.start, one.end - one.start, one.trouble or failed[number], one.text)
        for number, one in enumerate(slices)
        if one.trouble or number in failed
    ]
    return whole + _refused(connection, slices)


def _writer(one: Slice) -> Header:
    """Return whose records these are, unless they say so themselves."""
    return Header() if one.header.is_retold else one.header


def _read_lines(connection: duckdb.DuckDBPyConnection, written: Sequence[int]) -> dict[int, str]:
    """Read ``arriving`` into ``arrived``; return why, for each segment that DuckDB fails at.

    Whatever a record holds, the others are read: one segment at a time if not all at once.
    """
    create = "CREATE OR REPLACE TEMP TABLE arrived AS"
    try:
        connection.execute(f"{create} {columns.rows_of('arriving', 'writer')}")
    except _FAILS_AT_DATA:
        connection.execute(f"{create} {columns.rows_of('(FROM arriving LIMIT 0)', 'writer')}")
    else:
        return {}
    failed: dict[int, str] = {}
    for number in written:
        lines = f"(FROM arriving WHERE segment = {number})"
        try:
            connection.execute(f"INSERT INTO arrived {columns.rows_of(lines, 'writer')}")
        except _FAILS_AT_DATA as error:
            failed[number] = f"unreadable: {str(error).partition(chr(10))[0]}"
    return failed


def _refused(connection: duckdb.DuckDBPyConnection, slices: Sequence[Slice]) -> list[Refused]:
    rows: list[tuple[int, int, str]] = connection.execute(
        "SELECT segment, number, coalesce(refused, 'token count') FROM arrived "
        "WHERE refused IS NOT NULL OR tokens_refused ORDER BY segment, number"
    ).fetchall()
    lines: dict[int, list[tuple[int, str]]] = {}
    found: list[Refused] = []
    for segment, number, reason in rows:
        one = slices[segment]
        if segment not in lines:
            lines[segment] = one.lines()
        offset, line = lines[segment][number - 1]
        found.append(Refused(one.name, offset, len(line.encode()), reason, line))
    return found


def drop_repeats(
    connection: duckdb.DuckDBPyConnection,
    slices: Sequence[Slice],
    before: Lake,
    *,
    and_in: str | None = None,
    is_doubtful: bool = False,
    is_received: bool = False,
) -> None:
    """Let go of spans that arrived twice, and of what was in flight and is known to have ended.

    Ids alone do not tell: a program that seeds its random numbers has the same ones in every run.
    What a source tells again with more output than before is no repeat, nor with an outcome or an
    id of the response that it did not know: the call had not ended.

    Args:
        connection: Where they are staged.
        slices: What was staged.
        before: The spans that were there before.
        and_in: Table with more of them.
        is_doubtful: Any of them may have been there before: a store that said so was lost.
        is_received: What agenttrace recorded may have been there before: it was also sent here.
    """
    connection.execute(f"""
        DELETE FROM arrived
        WHERE rowid IN (
            SELECT rowid
            FROM arrived
            SEMI JOIN (
                SELECT span_id
                FROM arrived
                WHERE refused IS NULL
                GROUP BY span_id, {_START}
                HAVING count(*) > 1
            ) AS repeated USING (span_id)
            WHERE refused IS NULL
            QUALIFY row_number() OVER (
                PARTITION BY span_id, {_START}, trace_id, coalesce(task_id, trace_id)
                ORDER BY {MOST_SAID_FIRST}
            ) > 1
        )
    """)
    known = partial(_drop_known, connection, before=before, and_in=and_in)
    known([number for number, one in enumerate(slices) if one.in_flight or is_doubtful], _IDS)
    if is_received:
        known([*range(len(slices))], _IDS, only=_IS_OURS)
    retold = [number for number, one in enumerate(slices) if one.header.is_retold]
    known(retold, f"{_IDS}, {_TOLD_LATER}")
    known(retold, "trace_id, span_id", only=_IS_NAMED, apart_ns=_DAY_NS)


def _drop_known(
    connection: duckdb.DuckDBPyConnection,
    segments: Sequence[int],
    identity: str,
    *,
    before: Lake,
    and_in: str | None,
    only: str = "TRUE",
    apart_ns: int = 0,
) -> None:
    """Let go of spans of some segments that are there already.

    Args:
        connection: Where they are staged.
        segments: Numbers of the segments.
        identity: Columns that tell a span.
        before: The spans that were there before.
        and_in: Table with more of them.
        only: Of which spans this is true.
        apart_ns: How far apart the two may begin.
    """
    ((low, high),) = connection.execute(
        "SELECT min(start_ns), max(start_ns) FROM arrived "
        f"WHERE list_contains($1::INT[], segment) AND {only}",
        [segments],
    ).fetchall()
    if low is None:
        return
    known = before.around(low - apart_ns, high + apart_ns)
    if and_in:
        known += f" UNION ALL FROM {and_in}"
    connection.execute(
        f"DELETE FROM arrived WHERE list_contains($1::INT[], segment) AND {only} "
        f"AND ({identity}) IN (SELECT ({identity}) FROM ({known}) WHERE {only})",
        [segments],
    )


def has_received(connection: duckdb.DuckDBPyConnection, slices: Sequence[Slice]) -> bool:
    """Whether spans that agenttrace recorded somewhere are among what was sent here."""
    retold = [number for number, one in enumerate(slices) if one.header.is_retold]
    if not retold:
        return False
    ((found,),) = connection.execute(
        f"SELECT count(*) FROM arrived WHERE list_contains($1::INT[], segment) AND {_IS_OURS}",
        [retold],
    ).fetchall()
    return found > 0


def discard(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of what was staged."""
    connection.execute("DROP VIEW arrived_span")
    connection.execute("DROP TABLE arrived")


def insert_refused(
    connection: duckdb.DuckDBPyConnection, table: str, refused: Sequence[Refused]
) -> None:
    """Add *refused* to a table with the columns of ``quarantine``."""
    connection.execute(
        f"INSERT INTO {table} SELECT unnest($1), unnest($2), unnest($3), unnest($4), "
        "current_timestamp AT TIME ZONE 'UTC'",
        [
            [one.segment for one in refused],
            [one.byte_offset for one in refused],
            [one.bytes for one in refused],
            [one.reason for one in refused],
        ],
    )
