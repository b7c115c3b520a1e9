"""Build the report on why energy and carbon changed from one period to another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import fsum
from operator import attrgetter
from typing import Final

from agenttrace.compare import periods
from agenttrace.compare.decomposition import Decomposition
from agenttrace.compare.periods import Period
from agenttrace.energy.estimate import spread
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.selection import Selection, extent, selected
from agenttrace.report.trend import when, words
from agenttrace.report.trend.chain import (
    CARBON_FACTORS,
    ENERGY_FACTORS,
    Amounts,
    Chained,
    Part,
    carbon_chains,
    energy_chains,
    prices,
    told_apart,
)
from agenttrace.report.trend.drivers import drivers
from agenttrace.report.trend.look import Look, intensities, look
from agenttrace.report.trend.sampling import resampled
from agenttrace.report.trend.saving import rebound_line
from agenttrace.report.trend.values import (
    By,
    Decomposed,
    Drivers,
    Effect,
    Month,
    Side,
    Trend,
)

DEFAULT_BY: Final[tuple[By, ...]] = ("project", "model")

_NOTHING: Final = 1e-9  # of the totals: a change that rounding may have made


@dataclass(frozen=True, slots=True)
class _Told:
    """How one sum is told apart: energy or carbon."""

    what: str
    unit: str
    chains: Chained
    factors: tuple[str, ...]
    amount: Callable[[Part], float]

    def alone(self, one: Amounts, other: Amounts) -> float:
        """Return what models of *one* take that made no call in *other*, or not in that place."""
        found = one.parts.items()
        return fsum(self.amount(part) for (place, *_), part in found if place not in other.calls)


_ENERGY: Final = _Told("energy", "Wh", energy_chains, ENERGY_FACTORS, attrgetter("energy_wh"))
_CARBON: Final = _Told("carbon", "g", carbon_chains, CARBON_FACTORS, attrgetter("carbon_g"))

_Pairs = Sequence[tuple[Amounts, Amounts]]


def trend(
    reader: Reader,
    selection: Selection,
    *,
    against: Period | None = None,
    earlier: Reader | None = None,
    by: Sequence[By] = DEFAULT_BY,
    months: int = 0,
) -> Trend:
    """Report on why energy and carbon changed.

    Args:
        reader: An open reader.
        selection: The later period and which tasks; periods are chosen from the data where it is
            everything.
        against: The earlier period; the one before if not given.
        earlier: Prices the earlier period, where other factors are to; of the same folder.
        by: What to tell by who drove the change.
        months: How many months to tell of one by one, the last ones; 0 for none.
    """
    earlier = reader if earlier is None else earlier
    after, before, how = _periods(reader, selection, against)
    mine = prices(reader)
    theirs = mine if earlier is reader else prices(earlier)
    later = look(reader, replace(selection, period=after), mine, by=by, sampled=True)
    former = None
    if before is not None:
        chosen = replace(selection, period=before)
        former = look(earlier, chosen, theirs, by=by, sampled=True)
        if against is None and not former.side.totals.calls and not former.side.tasks:
            former = None
    why_not = _why_not(later, former, selection)
    report = replace(
        _absolute(reader, later, former, why_not), selection=selection.tasks, chosen=how
    )
    if not later.side.totals.calls and not selection.is_everything:
        naming.check(reader, selection)
        elsewhere = absence.elsewhere(absence.recorded(reader))
        report = replace(report, warnings=(*report.warnings, *elsewhere))
    whole = stretches.unfinished(after, absence.recorded(reader))
    report = replace(report, warnings=(*report.warnings, *whole))
    if former is not None and why_not is None:
        report = _changed(reader, report, later, former)
    if months:
        report = replace(report, months=_months(reader, selection, months))
    return report


def _periods(
    reader: Reader, selection: Selection, against: Period | None
) -> tuple[Period, Period | None, str]:
    """Return the later period, the earlier one, and how they were chosen."""
    if selection.period != periods.ALL:
        return selection.period, against or selection.period.before(), ""
    if against is not None:
        return periods.ALL, against, ""
    with selected(reader, selection):
        seen = extent(reader)
    return (periods.ALL, None, "") if seen is None else when.chosen(seen)


def _why_not(later: Look, former: Look | None, selection: Selection) -> str | None:
    if not later.side.totals.calls:
        return _nothing_in(selection, later)
    if former is None:
        return words.nothing_before(later.side.period)
    if later.period.overlaps(former.period):
        return stretches.overlap(later.period, former.period)
    if not former.side.totals.calls:
        return _nothing_in(selection, former)
    for one in (former, later):
        if not one.is_priced:
            return words.not_said(one.side.period)
    return None


def _nothing_in(selection: Selection, one: Look) -> str:
    absent = absence.nothing_in(replace(selection, period=one.period))
    return f"{absent}, so there is no change to tell"


def _absolute(reader: Reader, later: Look, former: Look | None, why_not: str | None) -> Trend:
    """Return what can be told in any case: both totals and the intensities."""
    before = None if former is None else former.side
    is_shared = former is not None and later.period.overlaps(former.period)
    boundary = reader.factors.boundary
    return Trend(
        store=str(reader.home),
        selection="",
        boundary=boundary,
        headline=words.totals_only(why_not or "", before, later.side, boundary),
        chosen="",
        before=before,
        after=later.side,
        intensities=intensities(later.side, None if is_shared else before),
        why_not=why_not,
        energy=None,
        carbon=None,
        rebound=None,
        drivers=(),
        months=(),
        resamples=0,
        assumptions=(),
        coverage=later.coverage,
        method=later.method,
        warnings=tuple(dict.fromkeys((*later.warnings, *(former.warnings if former else ())))),
    )


def _changed(reader: Reader, report: Trend, later: Look, former: Look) -> Trend:
    """Tell the change apart."""
    same = later.prices is former.prices
    draws = range(1, min(later.prices.states, former.prices.states))
    central = former.amounts(), later.amounts()
    drawn = [(former.amounts(state), later.amounts(state)) for state in draws]
    assert later.groups is not None
    assert former.groups is not None
    can_tell = later.groups.can_tell and former.groups.can_tell
    samples = list(resampled(former.groups, later.groups)) if can_tell else []
    assumed = {"facility"} if same else set[str]()
    if same and not reader.has_hours:
        assumed.add("grid")
    energy = _decomposed(_ENERGY, central, drawn, samples, assumed)
    carbon = _decomposed(_CARBON, central, drawn, samples, assumed)
    sides = former.side, later.side
    alone = [] if can_tell else [_too_few(former, later)]
    return replace(
        report,
        headline=words.headline(energy, *sides, report.boundary),
        energy=energy,
        carbon=carbon,
        rebound=rebound_line(central, drawn, *sides, report.boundary),
        drivers=_drivers(later, former),
        resamples=len(samples),
        assumptions=tuple(
            words.assumptions(*sides, hours=reader.has_hours, meters=reader.is_measured)
        ),
        warnings=(
            *report.warnings,
            *words.cautions(*sides),
            *_other_meters(former, later),
            *words.swapped(energy),
            *alone,
            *_estimated_by_agent(reader, later),
        ),
    )


def _decomposed(
    told: _Told, central: tuple[Amounts, Amounts], drawn: _Pairs, samples: _Pairs, assumed: set[str]
) -> Decomposed:
    found = told_apart(*central, told.chains)
    in_draws = [told_apart(*pair, told.chains) for pair in drawn]
    in_samples = [told_apart(*pair, told.chains) for pair in samples]
    scale = max(found.before, found.after)
    whole = found.change if abs(found.change) > _NOTHING * scale else 0.0
    return Decomposed(
        what=told.what,
        unit=told.unit,
        before=found.before,
        after=found.after,
        change=spread(found.change, [one.change for one in in_draws] or [found.change]),
        part=found.change / found.before if found.before else None,
        sampling=_sampling(found.change, [one.change for one in in_samples]),
        effects=tuple(
            Effect(name, Range(0.0, 0.0, 0.0), None, None, is_assumed=True)  # but for rounding
            if name in assumed
            else _effect(name, whole, found, in_draws, in_samples)
            for name in told.factors
            if name in found.effects
        ),
        entered=told.alone(*reversed(central)),
        left=told.alone(*central),
        residual=found.residual,
    )


def _effect(
    name: str,
    whole: float,
    found: Decomposition,
    in_draws: Sequence[Decomposition],
    in_samples: Sequence[Decomposition],
) -> Effect:
    effect = found.effects[name]
    drawn = [one.effects.get(name, 0.0) for one in in_draws]
    return Effect(
        factor=name,
        amount=spread(effect, drawn or [effect]),
        sampling=_sampling(effect, [one.effects.get(name, 0.0) for one in in_samples]),
        share=effect / whole + 0.0 if whole else None,  # of minus zero it makes zero
        is_assumed=False,
    )


def _sampling(central: float, values: Sequence[float]) -> Range | None:
    return spread(central, values) if values else None


def _drivers(later: Look, former: Look) -> tuple[Drivers, ...]:
    return tuple(drivers(by, former.by[by], later.by[by]) for by in later.by)


def _too_few(former: Look, later: Look) -> str:
    """Say of which period the sampling error cannot be told."""
    few = later if former.groups is not None and former.groups.can_tell else former
    tasks, period = few.side.tasks, few.side.period
    why = "has 1 task" if tasks == 1 else f"has {tasks:,} tasks, all in one group"
    return (
        f"the sampling error is unknown: {period} {why}, and one tells nothing of how they differ"
    )


def _other_meters(former: Look, later: Look) -> Sequence[str]:
    before, after = (
        sorted({row["basis"] for row in one.rows} - {"estimated"}) for one in (former, later)
    )
    if before == after or not before or not after:
        return ()  # that a meter came or went is said with the part that it saw
    return (words.other_meters(before, after, former.side, later.side),)


def _estimated_by_agent(reader: Reader, later: Look) -> Sequence[str]:
    if not reader.is_measured or "agent" not in later.by:
        return ()
    return ("by agent there are estimates only: what a meter saw is not kept by agent",)


def _months(reader: Reader, selection: Selection, number: int) -> tuple[Month, ...]:
    """Tell of the last months until the end of the selected period one by one."""
    until = periods.ALL
    if selection.period.end is not None:
        until = Period("until then", end=selection.period.end)
    with selected(reader, replace(selection, period=until)):
        seen = extent(reader)
    if seen is None or seen.start is None or seen.end is None:
        return ()
    mine = prices(reader)
    first_of_next = seen.end
    found = [month for month in periods.months(seen.start, first_of_next) if month.overlaps(seen)]
    # The one before the first is looked at for the change from it.
    looks = [look(reader, replace(selection, period=one), mine) for one in found[-number - 1 :]]
    lines = [_month(looks[0], None), *(_month(after, one) for one, after in pairwise(looks))]
    return tuple(lines[-number:])


def _month(one: Look, before: Look | None) -> Month:
    totals = one.side.totals
    told = None
    if before is not None and before.is_priced and one.is_priced:
        told = told_apart(before.amounts(), one.amounts(), energy_chains)
    return Month(
        period=one.side.period,
        tasks=one.side.tasks,
        calls=totals.calls,
        tokens=totals.tokens.total,
        energy_wh=totals.energy_wh,
        energy_per_task=_per_task(one.side, before and before.side),
        change_wh=None if told is None else told.change,
        effects_wh={
            name: told.effects[name]
            for name in ENERGY_FACTORS
            if told is not None and name in told.effects
        },
    )


def _per_task(side: Side, before: Side | None) -> Intensity:
    return intensity(
        "energy",
        "Wh",
        "task",
        period=side.period,
        total=side.totals.energy_wh,
        volume=side.tasks,
        before=None if before is None else _per_task(before, None),
    )
