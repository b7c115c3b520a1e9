"""Rows of the roll-ups whose spans were removed: which they are, and how they stay.

After a prune nobody can tell from the spans what happened before the day ``pruned_before``. Rows of
earlier hours, and of tasks that had begun, are kept as they are: they are added to, and neither
worked out anew nor compared.
"""

from datetime import date
from typing import Final

import duckdb

from agenttrace.store import rollups
from agenttrace.store.lake import string

_DAY_NS: Final = 86_400 * 10**9
_ASIDE: Final = "memory.main.aside_"


def is_kept(name: str, day: str, tasks: str) -> str:
    """Return an SQL condition that holds for the rows of a stored query that are kept as they are.

    Args:
        name: One of the stored queries.
        day: Before which spans were removed, ``YYYY-MM-DD`` (UTC).
        tasks: Table with the rows of ``task_sum``, which tell when a task began.
    """
    match name:
        case "call_sum":
            return f"hour < TIMESTAMP {string(day)}"
        case "call_histogram":
            return f"day < DATE {string(day)}"
        case _:
            return (
                f"task_id IN (SELECT task_id FROM {tasks} GROUP BY task_id "
                f"HAVING min(start_ns) < {begin_ns(day)})"
            )


def begin_ns(day: str) -> int:
    """Return when a day begins, in nanoseconds since 1970-01-01 UTC; it may be beyond 64 bits."""
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * _DAY_NS


def put_aside(connection: duckdb.DuckDBPyConnection, database: str, day: str) -> None:
    """Remember the rows of *database* that are kept as they are."""
    for name in rollups.STORED:
        kept = is_kept(name, day, f"{database}.task_sum")
        connection.execute(
            f"CREATE OR REPLACE TABLE {_ASIDE}{name} AS FROM {database}.{name} WHERE {kept}"
        )


def put_back(connection: duckdb.DuckDBPyConnection, database: str, day: str) -> None:
    """Put the rows that were remembered in place of what was worked out for their time."""
    for name in reversed(rollups.STORED):
        kept = is_kept(name, day, f"{_ASIDE}task_sum")
        connection.execute(f"DELETE FROM {database}.{name} WHERE {kept}")
        connection.execute(f"INSERT INTO {database}.{name} BY NAME FROM {_ASIDE}{name}")
    for name in rollups.STORED:
        connection.execute(f"DROP TABLE {_ASIDE}{name}")
