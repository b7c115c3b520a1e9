"""Build the report on what became of tasks."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from agenttrace.compare.periods import Period
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches, sums
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.outcomes import figures
from agenttrace.report.outcomes.figures import Told
from agenttrace.report.outcomes.values import (
    Attempt,
    AttemptLine,
    By,
    GroupLine,
    Moved,
    OutcomeLine,
    OutcomesReport,
    Unsuccessful,
)
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held

PER: Final = "successful task"

_OUTCOMES: Final = ("success", "failure", "abandoned", None)
_ATTEMPTS: Final[tuple[Attempt, ...]] = ("first", "retry", "failed")
_NO_BEFORE: Final = (
    "no change is shown: what was recorded in all has no period before it; choose one with --period"
)

_Counted = tuple[Row, Range | None]


@dataclass(frozen=True, slots=True)
class _Before:
    """What an earlier period says.

    Attributes:
        outcomes: By outcome.
        told: Of the tasks whose outcome is told.
        groups: By name.
    """

    outcomes: dict[str | None, _Counted]
    told: Told
    groups: dict[str | None, tuple[Row, Range | None, Range | None]]


def outcomes_report(
    reader: Reader,
    selection: Selection = Selection(),  # noqa: B008 - a frozen value
    *,
    against: Period | None = None,
    by: By = "project",
    limit: int = 10,
) -> OutcomesReport:
    """Report on what became of tasks, and what it took.

    Args:
        reader: An open reader.
        selection: Which calls it is on.
        against: The earlier period; default the one before.
        by: What the groups are by.
        limit: How many groups.
    """
    earlier = against or selection.period.before()
    with _seen(reader, selection):
        (row,) = reader.query("totals")
        outcomes, attempts = figures.by_outcome(reader), figures.by_attempt(reader)
        told, lost_wh = figures.told(reader), figures.unsuccessful_wh(reader)
        groups, number = figures.groups(reader, by, limit=limit)
        totals, coverage = sums.totals(reader), sums.coverage(reader)
        method, warnings = sums.method(reader), sums.warnings(reader)
    names = [group["name"] for group, *_ in groups]
    is_missed = not totals.calls and not selection.is_everything
    if is_missed:
        naming.check(reader, selection)
    recorded = absence.recorded(reader)
    elsewhere = absence.elsewhere(recorded) if is_missed else ()
    found = None if earlier is None else _before(reader, selection, earlier, by, names)
    is_shared = earlier is not None and selection.period.overlaps(earlier)
    before = None if is_shared else found
    period, then = str(selection.period), str(earlier)
    old = None if before is None else _per_success(before.told, then)
    return OutcomesReport(
        store=str(reader.home),
        selection=str(selection),
        period=period,
        against=then if before is not None else None,
        why_no_change=_why(selection.period, earlier, outcomes, found),
        first_started_at=sums.moment(row["first_started_at"]),
        last_started_at=sums.moment(row["last_started_at"]),
        told_tasks=told.tasks,
        outcomes=tuple(_outcome_lines(outcomes, before)),
        per_success=_per_success(told, period, old),
        unsuccessful=Unsuccessful(
            tasks=told.tasks - told.successes,
            energy_wh=lost_wh,
            energy_share=_share(lost_wh, told.energy_wh),
        ),
        attempts=tuple(_attempt_lines(attempts)),
        by=by,
        groups=tuple(_group_line(group, period, before, then) for group in groups),
        groups_left_out=number - len(groups),
        totals=totals,
        coverage=coverage,
        method=method,
        warnings=(
            *warnings,
            *_shared(selection.period, earlier, found),
            *stretches.unfinished(selection.period, recorded),
            *elsewhere,
        ),
    )


@contextmanager
def _seen(reader: Reader, selection: Selection) -> Generator[None]:
    with selected(reader, selection), held(reader, *figures.HELD):
        yield


def _before(
    reader: Reader, selection: Selection, earlier: Period, by: By, names: Sequence[str | None]
) -> _Before | None:
    """Return what was before; None where nothing was recorded then."""
    with _seen(reader, replace(selection, period=earlier)):
        outcomes = figures.by_outcome(reader)
        if not outcomes:
            return None
        groups, _ = figures.groups(reader, by, names=names)
        return _Before(
            outcomes, figures.told(reader), {group[0]["name"]: group for group in groups}
        )


def _why(
    period: Period,
    earlier: Period | None,
    now: dict[str | None, _Counted],
    before: _Before | None,
) -> str:
    if earlier is None:
        return _NO_BEFORE
    if before is None:
        return f"no change is shown: nothing was recorded in {earlier}"
    if period.overlaps(earlier):
        both = stretches.overlap(period, earlier, (_sums(now), _sums(before.outcomes)))
        return f"no change is shown, for {both}"
    if not before.told.tasks:
        return f"no change is shown: no outcome is told of a task in {earlier}"
    return ""


def _shared(period: Period, earlier: Period | None, before: _Before | None) -> Iterator[str]:
    if earlier is None or before is None or before.told.tasks:
        return
    # Where no outcome is told, nothing else says why there is no change.
    if period.overlaps(earlier):
        yield stretches.overlap(period, earlier)


def _sums(outcomes: dict[str | None, _Counted]) -> stretches.Sums:
    known = [energy_wh.central for _, energy_wh in outcomes.values() if energy_wh is not None]
    return sum(row["calls"] for row, _ in outcomes.values()), sum(known) if known else None


def _per_success(
    told: Told, period: str, before: Sequence[Intensity] | None = None
) -> tuple[Intensity, ...]:
    """Divide what all told tasks took by the successful ones."""
    totals = (
        ("energy", "Wh", told.energy_wh),
        ("tokens", "tokens", _exactly(told.tokens)),
        ("calls", "calls", _exactly(told.calls if told.tasks else None)),
    )
    return tuple(
        intensity(
            what,
            unit,
            PER,
            period=period,
            total=total,
            volume=told.successes,
            before=None if before is None else before[place],
        )
        for place, (what, unit, total) in enumerate(totals)
    )


def _exactly(count: int | None) -> Range | None:
    return None if count is None else Range(count, count, count)


def _outcome_lines(
    outcomes: dict[str | None, _Counted], before: _Before | None
) -> Iterator[OutcomeLine]:
    whole = _added(energy_wh for _, energy_wh in outcomes.values())
    for outcome in _OUTCOMES:
        if outcome not in outcomes:
            continue
        row, energy_wh = outcomes[outcome]
        yield OutcomeLine(
            outcome=outcome,
            tasks=row["tasks"],
            calls=row["calls"],
            tokens=row["tokens"],
            estimated_calls=row["estimated_calls"],
            unpriced_calls=row["unpriced_calls"],
            energy_wh=energy_wh,
            energy_share=energy_wh.central / whole if energy_wh and whole else None,
            change=None if before is None else _moved(before.outcomes.get(outcome), row, energy_wh),
        )


def _moved(before: _Counted | None, row: Row, energy_wh: Range | None) -> Moved:
    if before is None:
        return Moved(None, None, None)
    was, was_wh = before
    ratio = _share(energy_wh, was_wh)
    return Moved(
        tasks=row["tasks"] / was["tasks"] - 1 if was["tasks"] else None,
        calls=row["calls"] / was["calls"] - 1 if was["calls"] else None,
        energy=None if ratio is None else ratio - 1,
    )


def _attempt_lines(attempts: dict[str, _Counted]) -> Iterator[AttemptLine]:
    whole = _added(energy_wh for _, energy_wh in attempts.values())
    for attempt in _ATTEMPTS:
        if attempt not in attempts:
            continue
        row, energy_wh = attempts[attempt]
        yield AttemptLine(
            attempt=attempt,
            calls=row["calls"],
            tokens=row["tokens"],
            estimated_calls=row["estimated_calls"],
            unpriced_calls=row["unpriced_calls"],
            energy_wh=energy_wh,
            energy_share=energy_wh.central / whole if energy_wh and whole else None,
        )


def _group_line(
    group: tuple[Row, Range | None, Range | None], period: str, before: _Before | None, then: str
) -> GroupLine:
    row, energy_wh, told_wh = group
    old = None if before is None else before.groups.get(row["name"])
    was = None if old is None else _group_per_success(old[0], old[2], then)
    return GroupLine(
        name=row["name"],
        tasks=row["tasks"],
        successes=row["successes"],
        failures=row["failures"],
        abandoned=row["abandoned"],
        unsaid=row["unsaid"],
        energy_wh=energy_wh,
        per_success=_group_per_success(row, told_wh, period, was),
    )


def _group_per_success(
    row: Row, told_wh: Range | None, period: str, before: Intensity | None = None
) -> Intensity:
    return intensity(
        "energy",
        "Wh",
        PER,
        period=period,
        total=told_wh,
        volume=row["successes"],
        before=before,
    )


def _share(part: Range | None, whole: Range | None) -> float | None:
    return part.central / whole.central if part and whole and whole.central else None


def _added(energies: Iterator[Range | None]) -> float:
    return sum(energy.central for energy in energies if energy is not None)
