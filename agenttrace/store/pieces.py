"""Spans in pieces of time that fit into the memory, and spans that are there more than once."""

import duckdb

from agenttrace.store import lake
from agenttrace.store.lake import Lake

SPAN_KEY = "trace_id, span_id, start_ns, coalesce(task_id, trace_id)"
MOST_SAID_FIRST = (
    "coalesce(outcome = 'interrupted', FALSE), capture = 'wire' DESC NULLS LAST, "
    "output_tokens DESC NULLS LAST, outcome = 'complete' DESC NULLS LAST, "
    "response_id DESC NULLS LAST, duration_ns DESC NULLS LAST"
)
"""What makes two rows the same span; ids alone do not, for seeded programs repeat them."""


def of_time(
    connection: duckdb.DuckDBPyConnection, spans: str, rows_at_most: int
) -> list[tuple[int, int]]:
    """Cut spans into pieces of about so many rows; more only where one second has more.

    Args:
        connection: Where *spans* are.
        spans: SQL for them, best those of one day.
        rows_at_most: Rows of a piece.

    Returns:
        The first and the last nanosecond of each piece, since 1970-01-01 UTC, in order.
    """
    seconds = connection.execute(
        f"SELECT start_ns // 1000000000 AS second, count(*) FROM ({spans}) "
        "GROUP BY second ORDER BY second"
    ).fetchall()
    found: list[tuple[int, int]] = []
    rows = rows_at_most
    for second, more in seconds:
        end = (second + 1) * 10**9 - 1
        rows += more
        if rows > rows_at_most:
            found.append((second * 10**9, end))
            rows = more
        else:
            found[-1] = (found[-1][0], end)
    return found


def within(spans: str, low_ns: int, high_ns: int) -> str:
    """Return SQL for the spans that started then."""
    return f"SELECT * FROM ({spans}) WHERE start_ns BETWEEN {low_ns} AND {high_ns}"


def days(files: Lake) -> dict[str, Lake]:
    """Return the files of each day; those that lie in no day's folder under an empty name."""
    found: dict[str, list[lake.Part]] = {}
    for part in files.parts:
        found.setdefault(lake.date_of(part.file), []).append(part)
    return {date: Lake(files.home, found[date]) for date in sorted(found)}


def repeats(connection: duckdb.DuckDBPyConnection, spans: str, rows_at_most: int) -> int:
    """Return how many rows of *spans* are a span that another row is as well."""
    found = 0
    for low, high in of_time(connection, spans, rows_at_most):
        ((more,),) = connection.execute(
            f"SELECT coalesce(sum(rows - 1), 0)::BIGINT FROM (SELECT count(*) AS rows FROM "
            f"({within(spans, low, high)}) GROUP BY {SPAN_KEY} HAVING count(*) > 1)"
        ).fetchall()
        found += more
    return found


def distinct(spans: str) -> str:
    """Return SQL for *spans*, each once: of several rows the one that says most."""
    return (
        f"SELECT * FROM ({spans}) QUALIFY row_number() OVER (PARTITION BY {SPAN_KEY} "
        f"ORDER BY {MOST_SAID_FIRST}) = 1"
    )
