"""Count the tasks of each outcome, and what they took, in what a reader shows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.outcomes.values import By
from agenttrace.report.sums import Row, quoted

HELD: Final = ("task_workload", *sums.SHARED, "outcome_moments", "attempt_moments")
"""Queries that the functions below read; each may read those before it."""

_COLUMNS: Final[dict[By, str]] = {"project": "project", "task-name": "task_name"}

# What is put in are names of ours. Draws are added up per key, for what two have in common stays.
_ENERGY: Final = """
WITH
used AS (
    SELECT
        {key} AS name,
        region,
        provider,
        model,
        basis,
        sum(energy_wh) AS energy_wh,
        sum(uncached) AS uncached,
        sum(uncached_context) AS uncached_context,
        sum(cached) AS cached,
        sum(output) AS output,
        sum(output_context) AS output_context
    FROM {moments}
    WHERE {condition}
    GROUP BY ALL
),

drawn AS (
    SELECT
        used.name,
        energy_draw.draw,
        sum(list_sum([
            used.uncached * energy_draw.j_uncached,
            used.uncached_context * energy_draw.j_uncached_context,
            used.cached * energy_draw.j_cached,
            used.output * energy_draw.j_output,
            used.output_context * energy_draw.j_output_context
        ])) / 3600 AS energy_wh
    FROM used
    INNER JOIN energy_draw
        ON
            used.region IS NOT DISTINCT FROM energy_draw.region
            AND used.provider IS NOT DISTINCT FROM energy_draw.provider
            AND used.model IS NOT DISTINCT FROM energy_draw.model
            AND used.basis = energy_draw.basis
    GROUP BY used.name, energy_draw.draw
),

bound AS (
    SELECT name, low_of_draws(energy_wh) AS low_wh, high_of_draws(energy_wh) AS high_wh
    FROM drawn
    GROUP BY name
),

central AS (
    SELECT name, sum(energy_wh) AS energy_wh
    FROM used
    GROUP BY name
)

SELECT central.name, central.energy_wh, bound.low_wh, bound.high_wh
FROM central
LEFT JOIN bound ON central.name IS NOT DISTINCT FROM bound.name
"""

_COUNTS: Final = """
WITH
moved AS (
    SELECT
        task_id,
        sum(calls)::BIGINT AS calls,
        sum(unpriced_calls)::BIGINT AS unpriced_calls,
        sum(estimated_calls)::BIGINT AS estimated_calls,
        sum(total_tokens)::BIGINT AS total_tokens,
        sum(total_tokens_calls)::BIGINT AS total_tokens_calls
    FROM task_total
    GROUP BY task_id
)

SELECT
    task_workload.outcome,
    count(*) AS tasks,
    coalesce(sum(moved.calls), 0)::BIGINT AS calls,
    coalesce(sum(moved.unpriced_calls), 0)::BIGINT AS unpriced_calls,
    coalesce(sum(moved.estimated_calls), 0)::BIGINT AS estimated_calls,
    CASE
        WHEN sum(moved.total_tokens_calls) > 0 THEN sum(moved.total_tokens)
    END::BIGINT AS tokens
FROM task_workload
LEFT JOIN moved ON task_workload.task_id = moved.task_id
GROUP BY task_workload.outcome
"""

_ATTEMPTS: Final = """
SELECT
    attempt,
    sum(calls)::BIGINT AS calls,
    sum(calls_unpriced)::BIGINT AS unpriced_calls,
    sum(estimated_calls)::BIGINT AS estimated_calls,
    sum(total_tokens)::BIGINT AS tokens
FROM attempt_moments
GROUP BY attempt
"""

_GROUPS: Final = """
WITH
used AS (
    SELECT {column} AS name, sum(energy_wh) AS energy_wh
    FROM outcome_moments
    GROUP BY {column}
)

SELECT
    task_workload.{column} AS name,
    count(*) AS tasks,
    count(*) FILTER (WHERE task_workload.outcome = 'success') AS successes,
    count(*) FILTER (WHERE task_workload.outcome = 'failure') AS failures,
    count(*) FILTER (WHERE task_workload.outcome = 'abandoned') AS abandoned,
    count(*) FILTER (WHERE task_workload.outcome IS NULL) AS unsaid,
    count(*) OVER () AS groups
FROM task_workload
LEFT JOIN used ON task_workload.{column} IS NOT DISTINCT FROM used.name
WHERE {condition}
GROUP BY task_workload.{column}, used.energy_wh
ORDER BY used.energy_wh DESC NULLS LAST, tasks DESC, name
"""


@dataclass(frozen=True, slots=True)
class Told:
    """The tasks whose outcome is told, together.

    Attributes:
        tasks: How many.
        successes: Successful ones among them.
        calls: Calls of all of them.
        tokens: Their tokens; None where no call reports them.
        energy_wh: Their energy; None where no call reports its usage.
    """

    tasks: int
    successes: int
    calls: int
    tokens: int | None
    energy_wh: Range | None


def by_outcome(reader: Reader) -> dict[str | None, tuple[Row, Range | None]]:
    """Return of each outcome the counts of its tasks, and their energy."""
    energies = energy(reader, "outcome_moments", "outcome")
    return {row["outcome"]: (row, energies.get(row["outcome"])) for row in reader.query(_COUNTS)}


def by_attempt(reader: Reader) -> dict[str, tuple[Row, Range | None]]:
    """Return of each kind of attempt the counts of its calls, and their energy."""
    energies = energy(reader, "attempt_moments", "attempt")
    return {row["attempt"]: (row, energies.get(row["attempt"])) for row in reader.query(_ATTEMPTS)}


def told(reader: Reader) -> Told:
    """Return what the tasks whose outcome is told took together."""
    rows = [row for row in reader.query(_COUNTS) if row["outcome"] is not None]
    tokens = [row["tokens"] for row in rows if row["tokens"] is not None]
    energies = energy(reader, "outcome_moments", "outcome IS NOT NULL")
    return Told(
        tasks=sum(row["tasks"] for row in rows),
        successes=sum(row["tasks"] for row in rows if row["outcome"] == "success"),
        calls=sum(row["calls"] for row in rows),
        tokens=sum(tokens) if tokens else None,
        energy_wh=energies.get(True),
    )


def unsuccessful_wh(reader: Reader) -> Range | None:
    """Return the energy of the tasks that failed or were abandoned."""
    return energy(reader, "outcome_moments", "outcome IN ('failure', 'abandoned')").get(True)


def groups(
    reader: Reader, by: By, *, limit: int | None = None, names: Sequence[str | None] | None = None
) -> tuple[list[tuple[Row, Range | None, Range | None]], int]:
    """Return the largest groups by energy, and how many there are in all.

    Args:
        reader: An open reader.
        by: What they are grouped by.
        limit: How many at most; default all.
        names: Those that are wanted; default all.

    Returns:
        Of each its counts, the energy of its tasks, and of those whose outcome is told.
    """
    column = _COLUMNS[by]
    condition = "TRUE" if names is None else _one_of(column, names)
    rows = reader.query(_GROUPS.format(column=column, condition=condition))
    shown = rows[:limit]
    among = _one_of(column, [row["name"] for row in shown])
    all_wh = energy(reader, "outcome_moments", column, among)
    told_wh = energy(reader, "outcome_moments", column, f"{among} AND outcome IS NOT NULL")
    found = [(row, all_wh.get(row["name"]), told_wh.get(row["name"])) for row in shown]
    return found, len(rows)


def energy(
    reader: Reader, moments: str, key: str, condition: str = "TRUE"
) -> dict[Any, Range | None]:
    """Return the energy of what has the same key.

    Args:
        reader: An open reader.
        moments: ``outcome_moments`` or ``attempt_moments``.
        key: SQL, trusted.
        condition: Which rows count; SQL, trusted.
    """
    rows = reader.query(_ENERGY.format(key=key, moments=moments, condition=condition))
    return {
        row["name"]: sums.spread(row["low_wh"], row["energy_wh"], row["high_wh"]) for row in rows
    }


def _one_of(column: str, names: Sequence[str | None]) -> str:
    return f"({' OR '.join(_conditions(column, names)) or 'FALSE'})"


def _conditions(column: str, names: Sequence[str | None]) -> Iterator[str]:
    listed = ", ".join(quoted(name) for name in names if name is not None)
    if listed:
        yield f"{column} IN ({listed})"
    if None in names:
        yield f"{column} IS NULL"
