"""Build the report on hidden calls: what the person saw, and what ran underneath."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from agenttrace.compare.periods import Period
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches, sums
from agenttrace.report.hidden import groups
from agenttrace.report.hidden.energies import NONE, energies
from agenttrace.report.hidden.fan_out import fan_out
from agenttrace.report.hidden.values import By, HiddenReport, Spread, TurnLine
from agenttrace.report.intensity import Intensity
from agenttrace.report.selection import WHOLE_TASKS, Selection, selected

SHORT: Final = 3
"""Lines of each kind where none was asked for."""

_LINES: Final = 10
_FRAMES: Final = 5

# Each may read those before it.
_HELD: Final = ("task_fact", "task_workload", "energy_draw", "agent_moments", "amplification")

_KNOWN: Final = ("recorded", "by rule", "none", "unknown")
_WHAT_IS_KNOWN: Final = """
CASE
    WHEN {task}.user_turns IS NULL THEN 'unknown'
    WHEN {task}.user_turns = 0 THEN 'none'
    WHEN {task}.user_turns_from = 'recorded' THEN 'recorded'
    ELSE 'by rule'
END
"""
_TURNS: Final = f"""
SELECT
    {_WHAT_IS_KNOWN.format(task="amplification")} AS known,
    count(*) AS tasks,
    sum(amplification.user_turns)::BIGINT AS user_turns,
    sum(amplification.calls)::BIGINT AS calls,
    sum(CASE WHEN amplification.calls = 0 THEN 0 ELSE amplification.total_tokens END)::BIGINT
        AS tokens
FROM amplification
GROUP BY ALL
"""  # noqa: S608 - both are ours

# What a task has of each, and for each of its turns; without a call it is nothing, and known.
_SPREADS: Final = """
WITH
figure AS (
    SELECT
        unnest(['calls', 'tokens', 'energy']) AS what,
        unnest([1, 2, 3]) AS place,
        unnest([
            calls,
            CASE WHEN calls = 0 THEN 0 ELSE total_tokens END,
            CASE WHEN calls = 0 THEN 0 ELSE energy_wh END
        ]::DOUBLE[]) AS amount,
        user_turns
    FROM amplification
),

each AS (
    SELECT 'user turn' AS per, what, place, amount, amount / user_turns AS figure
    FROM figure
    WHERE user_turns > 0
    UNION ALL
    SELECT 'task' AS per, what, place, amount, amount AS figure
    FROM figure
)

SELECT
    per,
    what,
    count(*) AS tasks,
    sum(amount) AS total,
    quantile_disc(figure, [0.5, 0.9, 0.99]) AS quantiles,
    max(figure) AS largest
FROM each
WHERE figure IS NOT NULL
GROUP BY per, what, place
ORDER BY per DESC, place
"""
_UNITS: Final = {"calls": "calls", "tokens": "tokens", "energy": "Wh"}

_Figures = tuple[tuple[Intensity, ...], tuple[Intensity, ...]]


def hidden_report(
    reader: Reader,
    selection: Selection | None = None,
    *,
    against: Period | None = None,
    by: By | None = None,
    limit: int | None = None,
) -> HiddenReport:
    """Report on what a person saw of the calls, and on what ran underneath.

    Args:
        reader: An open reader.
        selection: Which calls; everything if not given.
        against: An earlier period; the one before that of *selection* if not given.
        by: The one kind of line to list; a few lines of each if not given.
        limit: How many lines to list of a kind.
    """
    chosen = selection or Selection()
    earlier = against or chosen.period.before()
    found_before = _before(reader, replace(chosen, period=earlier)) if earlier else None
    is_shared = earlier is not None and chosen.period.overlaps(earlier)
    before = None if is_shared else found_before
    # Without stored rows, which spans are calls is worked out before some are put out of sight.
    is_counted = not (reader.is_rolled_up or chosen.is_everything)
    recorded = absence.recorded(reader)
    with selected(reader, chosen), sums.held(reader, *sums.SHARED, *_HELD):
        (row,) = reader.query("totals")
        totals, period = sums.totals(reader), str(chosen.period)
        kinds = groups.KINDS if by is None else (by,)
        lines = (SHORT if by is None else _LINES) if limit is None else limit
        found = tuple(_turns(reader))
        turns, tasks = _figures(reader, period, found, before)
        report = HiddenReport(
            store=str(reader.home),
            selection=str(chosen),
            period=period,
            by=by,
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            tasks=row["tasks"],
            totals=totals,
            layers=tuple(groups.layers(reader, totals)),
            turns=found,
            per_turn=turns,
            per_task=tasks,
            no_change=None if before else _no_change(chosen.period, earlier, tasks, found_before),
            spreads=tuple(_spreads(reader, period)),
            roles=groups.roles(reader, totals),
            depths=groups.depths(reader, totals),
            groups=tuple(
                groups.group(reader, kind, lines, period=period, totals=totals) for kind in kinds
            ),
            fan_out=fan_out(
                reader,
                _FRAMES,
                is_counted=is_counted,
                tasks_of="task_fact" if chosen.grouping == "turn" else WHOLE_TASKS,
            ),
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=(
                *sums.warnings(reader),
                *stretches.unfinished(chosen.period, recorded),
                *_compared(earlier if before else None, recorded),
                *_pruned(reader),
                *([] if totals.calls or chosen.is_everything else absence.elsewhere(recorded)),
            ),
        )
    if not report.totals.calls:
        naming.check(reader, chosen)
    return report


def _before(reader: Reader, earlier: Selection) -> _Figures | None:
    """Return the figures of an earlier period; None where nothing is in it."""
    with selected(reader, earlier), sums.held(reader, *_HELD):
        turns, tasks = _figures(reader, str(earlier.period), tuple(_turns(reader)), None)
    return (turns, tasks) if tasks[0].volume else None


def _figures(
    reader: Reader, period: str, found: Sequence[TurnLine], before: _Figures | None
) -> _Figures:
    """Return calls, tokens and energy for each user turn and for each task."""
    energy = energies(reader, "TRUE").get(True, NONE)
    asked = [line for line in found if line.known in ("recorded", "by rule")]
    before_turns, before_tasks = before or (None, None)
    turns = groups.per_turn(
        period,
        user_turns=_total(line.user_turns for line in asked) or _none_or_unknown(found),
        calls=sum(line.calls for line in asked),
        tokens=_total(line.tokens for line in asked),
        energy_wh=energy.turn_wh,
        before=before_turns,
    )
    tasks = groups.per_task(
        period,
        tasks=sum(line.tasks for line in found),
        calls=sum(line.calls for line in found),
        tokens=_total(line.tokens for line in found),
        energy_wh=energy.all_wh,
        before=before_tasks,
    )
    return turns, tasks


def _none_or_unknown(found: Sequence[TurnLine]) -> int | None:
    """Say of no turns whether there are none, or nobody knows of any task."""
    return None if found and all(line.known == "unknown" for line in found) else 0


def _total(values: Iterator[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _turns(reader: Reader) -> Iterator[TurnLine]:
    rows = {row["known"]: row for row in reader.query(_TURNS)}
    priced = energies(reader, _WHAT_IS_KNOWN.format(task="task_workload"))
    for known in _KNOWN:
        if known in rows:
            nothing = None if rows[known]["calls"] else Range(0, 0, 0)
            energy = priced.get(known, NONE).all_wh or nothing
            yield TurnLine(**rows[known], energy_wh=energy)


def _spreads(reader: Reader, period: str) -> Iterator[Spread]:
    for row in reader.query(_SPREADS):
        median, p90, p99 = row["quantiles"]
        yield Spread(
            what=row["what"],
            unit=_UNITS[row["what"]],
            per=row["per"],
            period=period,
            tasks=row["tasks"],
            total=row["total"],
            median=median,
            p90=p90,
            p99=p99,
            largest=row["largest"],
        )


def _no_change(
    period: Period,
    earlier: Period | None,
    now: Sequence[Intensity],
    before: _Figures | None,
) -> str:
    if earlier is not None and before is not None:
        both = stretches.overlap(period, earlier, (_sums(now), _sums(before[1])))
        return f"no change is shown: {both}"
    if earlier is None:
        return (
            "no change is shown: choose a --period, and the one before it is set against it, or "
            "one with --against"
        )
    return f"no change is shown: nothing is recorded in the period {earlier}"


def _sums(tasks: Sequence[Intensity]) -> stretches.Sums:
    """Return calls and energy in all of figures for each task."""
    total = {one.what: one.total for one in tasks}
    calls, energy = total["calls"], total["energy"]
    return round(calls.central) if calls else 0, energy.central if energy else None


def _compared(earlier: Period | None, recorded: tuple[str, str] | None) -> Iterator[str]:
    if earlier is None or recorded is None:
        return
    first = datetime.fromisoformat(recorded[0]).replace(tzinfo=None)
    if earlier.start is not None and earlier.start.date() < first.date():
        yield (
            f"nothing is recorded before {first:%Y-%m-%d}, so the earlier period {earlier} is not "
            f"whole, and changes of totals and volumes are too large"
        )


def _pruned(reader: Reader) -> Iterator[str]:
    if reader.pruned_before:
        yield (
            f"spans before {reader.pruned_before} were pruned: the fan-out of tasks of that time "
            f"is of what is left of them"
        )
