"""Who drove a change: the energy of each agent, project, model or kind of task on both sides."""

from collections.abc import Mapping, Sequence
from typing import Final

from agenttrace.reader import Reader
from agenttrace.report.trend.values import By, Driver, Drivers

Energies = Mapping[str | None, float | None]
"""Wh by name, central; None where no call says its usage. What is not in it made no call."""

_OF_TASKS: Final = """
SELECT task_workload.{column} AS name, sum(task_moments.energy_wh) AS energy_wh
FROM task_moments
INNER JOIN task_workload ON task_moments.task_id = task_workload.task_id
GROUP BY name
"""

_SQL: Final[dict[By, str]] = {
    "project": _OF_TASKS.format(column="project"),
    "task-name": _OF_TASKS.format(column="task_name"),
    "model": "SELECT model AS name, sum(energy_wh) AS energy_wh FROM model_moments GROUP BY model",
    # What a meter saw is not kept by agent, so this is the estimate.
    "agent": """
SELECT
    call_rollup.agent AS name,
    CASE
        WHEN sum(call_rollup.input_tokens_calls + call_rollup.output_calls) > 0 THEN sum(
            call_rollup.uncached * model_factor.j_uncached
            + call_rollup.uncached_context_x2 / 2 * model_factor.j_uncached_context
            + call_rollup.cached * model_factor.j_cached
            + call_rollup.output * model_factor.j_output
            + call_rollup.output_context_x2 / 2 * model_factor.j_output_context
        ) / 3600
    END AS energy_wh
FROM call_rollup
INNER JOIN model_factor
    ON
        call_rollup.provider IS NOT DISTINCT FROM model_factor.provider
        AND call_rollup.model IS NOT DISTINCT FROM model_factor.model
        AND model_factor.basis = 'estimated'
GROUP BY call_rollup.agent
HAVING sum(call_rollup.calls) > 0
""",
}


def energies(reader: Reader, by: By) -> Energies:
    """Return the energy of what *reader* shows, by name."""
    return {row["name"]: row["energy_wh"] for row in reader.query(_SQL[by])}


def drivers(by: By, before: Energies, after: Energies) -> Drivers:
    """Set both sides beside each other."""
    names = dict.fromkeys((*after, *before))
    lines = [(name, before.get(name, 0.0), after.get(name, 0.0)) for name in names]
    known = [line for line in lines if line[1] or line[2]]
    whole = sum((later or 0) - (earlier or 0) for _, earlier, later in known)
    found = [_driver(name, earlier, later, whole) for name, earlier, later in known]
    return Drivers(
        by, tuple(sorted(found, key=lambda line: (-abs(line.change_wh), line.name or "")))
    )


def others(lines: Sequence[Driver]) -> Driver | None:
    """Add lines up that are not shown one by one; None where there are none."""
    if not lines:
        return None
    shares = [line.share for line in lines if line.share is not None]
    return Driver(
        name=f"{len(lines):,} others",
        before_wh=sum(line.before_wh or 0 for line in lines),
        after_wh=sum(line.after_wh or 0 for line in lines),
        change_wh=sum(line.change_wh for line in lines),
        share=sum(shares) if shares else None,
    )


def _driver(name: str | None, earlier: float | None, later: float | None, whole: float) -> Driver:
    change = (later or 0) - (earlier or 0)
    return Driver(name, earlier, later, change, change / whole if whole else None)
