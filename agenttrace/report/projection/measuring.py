"""Measure what a projection rests on: the agentic tasks of a selection, one by one."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from msgspec.structs import replace as changed

from agenttrace.compare.measured_tasks import Measured, Tasks, UserFacing
from agenttrace.compare.periods import ALL, Period
from agenttrace.reader import Reader
from agenttrace.report import figures, naming, sums
from agenttrace.report import selection as selections
from agenttrace.report.projection import people
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held

SAMPLED_AT_MOST: Final = 2000
"""Tasks that are kept one by one; the sums are over all of them."""

_HELD: Final = "projected_task"
_FEW: Final = 30

# A task that reaches over an end of the period has calls outside of it, and is no whole task. One
# without a model call used no energy; of one whose calls say no usage nobody knows.
_TASKS: Final = """
SELECT
    task_workload.task_id,
    task_workload.task_name IS NULL AS is_unframed,
    (task_fact.end_ns - task_fact.start_ns) / 3.6e12 AS hours,
    {whole} AS is_whole,
    coalesce(used.calls, 0) AS calls,
    CASE WHEN used.calls IS NULL THEN 0 ELSE used.tokens END AS tokens,
    CASE WHEN used.calls IS NULL THEN 0 ELSE priced.energy_wh END AS energy_wh
FROM task_workload
INNER JOIN task_fact ON task_workload.task_id = task_fact.task_id
LEFT JOIN (
    SELECT
        task_total.task_id,
        sum(task_total.calls)::BIGINT AS calls,
        CASE
            WHEN sum(task_total.total_tokens_calls) > 0 THEN sum(task_total.total_tokens)
        END::BIGINT AS tokens
    FROM task_total
    GROUP BY task_total.task_id
) AS used ON task_workload.task_id = used.task_id
LEFT JOIN (
    SELECT
        task_moments.task_id,
        sum(task_moments.energy_wh) AS energy_wh
    FROM task_moments
    GROUP BY task_moments.task_id
) AS priced ON task_workload.task_id = priced.task_id
"""

_COUNTS: Final = """
SELECT
    count(*) AS tasks,
    count(*) FILTER (WHERE is_whole) AS whole,
    count(*) FILTER (WHERE is_whole AND hours > 0) AS timed,
    count(*) FILTER (WHERE is_whole AND calls > 0) AS with_calls,
    count(*) FILTER (WHERE is_whole AND calls > 0 AND energy_wh IS NOT NULL) AS priced,
    count(*) FILTER (WHERE is_whole AND is_unframed) AS unframed
FROM projected_task
"""

_SUMS: Final = """
SELECT
    count(*) AS tasks,
    coalesce(sum(calls), 0)::BIGINT AS calls,
    sum(hours) AS hours,
    CASE WHEN count(tokens) FILTER (WHERE calls > 0) > 0 THEN sum(tokens) END::BIGINT AS tokens,
    sum(energy_wh) AS energy_wh
FROM projected_task
WHERE {usable}
"""

_KNOWN: Final = """
SELECT
    count(*) AS models,
    count(*) FILTER (WHERE NOT model_factor.known) AS unknown
FROM (SELECT DISTINCT call_total.provider, call_total.model FROM call_total) AS used
INNER JOIN model_factor
    ON
        used.provider IS NOT DISTINCT FROM model_factor.provider
        AND used.model IS NOT DISTINCT FROM model_factor.model
        AND model_factor.basis = 'estimated'
"""

# By a hash of the id, so that the same store always gives the same tasks; the id stays here.
_SAMPLE: Final = """
SELECT
    hours,
    calls,
    coalesce(tokens, 0) AS tokens,
    energy_wh
FROM projected_task
WHERE {usable}
ORDER BY md5(task_id), task_id
LIMIT {most}
"""


_NONE_WHOLE: Final = (
    "No agentic task with a model call has both a duration and usage that is reported, so nothing "
    "is projected. Give --tasks-per-hour for tasks without a duration."
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is in the store for a projection.

    Attributes:
        measured: The tasks; None where nothing can be projected from them.
        trouble: Why not, with the way out.
        user_facing: The measured calls of people; None where there are none.
        last: The last call of either; None without one.
        warnings: What to know of it.
    """

    measured: Measured | None
    trouble: str | None
    user_facing: UserFacing | None
    last: datetime | None
    warnings: tuple[str, ...]


def find(reader: Reader, selection: Selection, *, paced: bool) -> Found:
    """Look for agentic tasks and for user-facing calls in *selection*.

    Args:
        reader: An open reader.
        selection: Which; its workload does not count.
        paced: The scenario says how many tasks an hour has, so they need no duration.
    """
    with _seen(reader, replace(selection, workload="agentic")):
        counts, told = _count(reader, paced=paced)
        trouble = _trouble(counts, selection, paced=paced)
        measured = None if trouble else _measured(reader, selection, counts, paced=paced)
        if measured is not None and not measured.calls:
            measured, trouble = None, _NONE_WHOLE
        warnings = (*told, *sums.warnings(reader))
        agents = selections.extent(reader)
    if not counts["tasks"]:
        naming.check(reader, selection)
        trouble = f"{trouble}{_elsewhere(reader, selection)}"
    with _seen(reader, replace(selection, workload="user-facing"), tasks=False):
        asked = selections.extent(reader)
        span = _together(agents, asked)
        user_facing = people.recorded(reader, selection, span) if asked and span else None
    return Found(
        measured=measured,
        trouble=trouble,
        user_facing=user_facing,
        last=span[1] if span else None,
        warnings=warnings,
    )


@contextmanager
def _seen(reader: Reader, selection: Selection, *, tasks: bool = True) -> Generator[None]:
    with selected(reader, selection), held(reader, *sums.SHARED):
        if not tasks:
            yield
            return
        start, end = selection.period.start, selection.period.end
        inside = [
            f"make_timestamp(task_fact.{column} // 1000) {sign} "
            f"TIMESTAMP {sums.quoted(moment.isoformat(' '))}"
            for column, sign, moment in (("start_ns", ">=", start), ("end_ns", "<", end))
            if moment is not None
        ]
        whole = " AND ".join(inside) or "TRUE"
        with held(reader, **{_HELD: _TASKS.format(whole=whole)}):
            yield


def _count(reader: Reader, *, paced: bool) -> tuple[Row, tuple[str, ...]]:
    (row,) = reader.query(_COUNTS)
    return row, tuple(_left_out(row, reader, paced=paced))


def _trouble(counts: Row, selection: Selection, *, paced: bool) -> str | None:
    if not counts["tasks"]:
        return (
            f"No agentic task is recorded ({selection}), so there is nothing to project from. "
            "Record one with agenttrace.configure() and @agenttrace.task, or choose other calls."
        )
    if not counts["whole"]:
        return (
            f"No agentic task lies whole in the period {selection.period}: each of them "
            f"({counts['tasks']:,}) reaches over an end of it. Choose a longer --period."
        )
    if not paced and not counts["timed"]:
        return (
            f"No agentic task ({counts['whole']:,} recorded) says how long it took, so how many an "
            "agent does in an hour is not measured. Give --tasks-per-hour."
        )
    if not counts["with_calls"]:
        return (
            f"No agentic task ({counts['whole']:,} recorded; {selection}) made a model call, so "
            "there is nothing to project. Is agenttrace.configure() called in the process that "
            "makes them?"
        )
    return None


def _elsewhere(reader: Reader, selection: Selection) -> str:
    """Say when there are agentic calls, if not in the period; empty if there are none."""
    if selection.period == ALL:
        return ""
    with selected(reader, replace(selection, period=ALL, workload="agentic")):
        extent = selections.extent(reader)
    return "" if extent is None else f" There are agentic calls in {extent}."


def _left_out(counts: Row, reader: Reader, *, paced: bool) -> Iterator[str]:
    whole = counts["whole"]
    if not whole:
        return
    cut = counts["tasks"] - whole
    if cut:
        yield f"{figures.counted(cut, 'task')} left out: not all of it is in the period"
    silent = counts["with_calls"] - counts["priced"]
    if silent and counts["priced"]:
        yield f"{figures.counted(silent, 'task')} left out: none of its calls says its usage"
    if counts["with_calls"] and not counts["priced"]:
        yield "no call of these tasks says its usage, so their energy and carbon are not known"
    if not paced and counts["timed"] and (untimed := whole - counts["timed"]):
        yield f"{figures.counted(untimed, 'task')} left out: how long it took is not known"
    if counts["unframed"]:
        yield (
            f"no @agenttrace.task was around the calls of {counts['unframed']:,} of "
            f"{figures.counted(whole, 'task')}: each trace is taken for one"
        )
    (known,) = reader.query(_KNOWN)
    if known["unknown"] and known["unknown"] == known["models"]:
        yield "no model of these tasks is known, so their energy spans every class of models"
    (row,) = reader.query("totals")
    if row["calls_unpriced"]:
        yield (
            f"{row['calls_unpriced']:,} of {row['calls']:,} agentic calls do not say all of their "
            "usage: what is missing is in no figure"
        )


def spread_known(tasks: int) -> str | None:
    """Return what to know of a distribution of so few tasks; None where they are enough."""
    if tasks == 1:
        return (
            "one task is measured: how far tasks lie apart is not known, and the ranges have "
            "nothing of it; they are too narrow"
        )
    if tasks < _FEW:
        return (
            f"only {tasks} tasks are measured: rarer ones, among them the largest, may be missing, "
            "and the ranges be too narrow"
        )
    return None


def _measured(reader: Reader, selection: Selection, counts: Row, *, paced: bool) -> Measured:
    has_energy = bool(counts["priced"])
    conditions = ["is_whole"]
    if has_energy:
        conditions.append("energy_wh IS NOT NULL")
    if not paced:
        conditions.append("hours > 0")
    usable = " AND ".join(conditions)
    (total,) = reader.query(_SUMS.format(usable=usable))
    rows = reader.query(_SAMPLE.format(usable=usable, most=SAMPLED_AT_MOST))
    (factors,) = reader.query("FROM factor_set")
    (shown,) = reader.query("totals")
    draws = selections.draws(reader) if has_energy else []
    known = total["tokens"] is not None
    measured = Measured(
        period=_period(selection, selections.extent(reader)),
        selection=str(replace(selection, workload="agentic")),
        factor_set=factors["version"],
        boundary=factors["boundary"],
        tasks=total["tasks"],
        calls=total["calls"],
        hours=None if paced else total["hours"],
        tokens=total["tokens"],
        energy_wh=total["energy_wh"] if has_energy else None,
        sample=Tasks(
            energy_wh=tuple(row["energy_wh"] for row in rows) if has_energy else (),
            hours=() if paced else tuple(row["hours"] for row in rows),
            calls=tuple(row["calls"] for row in rows),
            tokens=tuple(row["tokens"] for row in rows) if known else (),
        ),
    )
    return _drawn(measured, shown, draws) if has_energy else measured


def _drawn(measured: Measured, shown: Row, draws: Sequence[dict[str, float]]) -> Measured:
    """Add what the draws of all agentic calls make of energy, and of carbon per kWh."""
    energy, carbon = shown["energy_wh"], shown["carbon_g"]
    if not energy:
        return changed(measured, energy_draws=(1.0,) * len(draws))
    return changed(
        measured,
        energy_draws=tuple(draw["energy_wh"] / energy for draw in draws),
        g_per_kwh=1000 * carbon / energy,
        g_per_kwh_draws=tuple(1000 * draw["carbon_g"] / draw["energy_wh"] for draw in draws),
    )


def _period(selection: Selection, extent: Period | None) -> str:
    if extent is None or selection.period.label == extent.label:
        return selection.period.label
    if selection.period == ALL:
        return extent.label
    return f"{selection.period.label}, calls {extent.label}"


def _together(*extents: Period | None) -> people.Span | None:
    known = [(one.start, one.end) for one in extents if one is not None]
    starts = [start for start, _ in known if start is not None]
    ends = [end for _, end in known if end is not None]
    return (min(starts), max(ends)) if starts and ends else None
