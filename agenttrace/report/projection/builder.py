"""Build the projection of a scenario: measure what it rests on, or take what a file has of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from msgspec.structs import replace as changed

from agenttrace.compare import scenario as scenarios
from agenttrace.compare.measured_tasks import Measured, UserFacing
from agenttrace.compare.projection import RUNS, SEED, Assumed, Year, project
from agenttrace.compare.scenario import Scenario
from agenttrace.energy.estimate import quantile, spread
from agenttrace.errors import ConfigError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.projection import measuring, people, words
from agenttrace.report.projection.measuring import Found
from agenttrace.report.projection.values import (
    Passing,
    ProjectedYear,
    ProjectionReport,
    SpreadLine,
)
from agenttrace.report.projection.words import Said
from agenttrace.report.selection import Selection

_WH_PER_KWH: Final = 1000.0
_TOP: Final = 0.1
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Projected:
    """A projection, and the scenario that gives it again.

    Attributes:
        report: What it says.
        scenario: With every option and everything measured in it; None where nothing is projected.
    """

    report: ProjectionReport
    scenario: Scenario | None


def projected(
    scenario: Scenario,
    reader: Reader | None = None,
    selection: Selection | None = None,
    *,
    options: frozenset[str] = frozenset(),
    file: str | None = None,
) -> Projected:
    """Project *scenario*.

    Args:
        scenario: The assumptions, options in it.
        reader: Where its tasks are measured; None if it has them.
        selection: Which tasks are measured; everything if not given.
        options: Names of the assumptions that an option gave.
        file: Name of the scenario's file.

    Raises:
        ConfigError: An assumption that has no default is missing, or there is neither a reader nor
            anything measured.
    """
    said = Said(options, file)
    scenarios.assumed(scenario, 1)  # what is missing is said before anything is measured
    found = _found(scenario, reader, selection or Selection())
    side = _user_facing(scenario, found.user_facing, reader)
    first_year = scenario.first_year or (found.last.year + 1 if found.last else None)
    report = _empty(
        scenario,
        found,
        side,
        selection=selection or Selection(),
        said=said,
        first_year=first_year,
        reader=reader,
    )
    if found.measured is None:
        return Projected(report, None)
    if first_year is None:
        raise ConfigError("nothing says which year is the first. Give --first-year YEAR.")
    numbers = scenarios.assumed(scenario, first_year)
    years = project(found.measured, numbers, side)
    report = replace(
        report,
        years=tuple(_years(years, first_year, side)),
        passing=_passing(years, first_year, numbers, found.measured, side),
    )
    whole = changed(
        scenario,
        first_year=first_year,
        years=numbers.years,
        runs=numbers.runs,
        seed=numbers.seed,
        measured=found.measured,
        user_facing=side,
    )
    return Projected(report, whole)


def _found(scenario: Scenario, reader: Reader | None, selection: Selection) -> Found:
    if reader is not None:
        return measuring.find(reader, selection, paced=scenario.tasks_per_hour is not None)
    measured = scenario.measured
    if measured is None:
        raise ConfigError("the scenario has no measured tasks. Run it with a store that has some.")
    trouble = None
    if scenario.tasks_per_hour is None and not measured.hours:
        trouble = (
            "The scenario has no hours of its measured tasks, so how many an agent does in an hour "
            "is not known. Give --tasks-per-hour."
        )
    return Found(
        measured=None if trouble else measured,
        trouble=trouble,
        user_facing=scenario.user_facing,
        last=None,
        warnings=(),
    )


def _user_facing(
    scenario: Scenario, measured: UserFacing | None, reader: Reader | None
) -> UserFacing | None:
    """Return people if some were asked for, else the measured calls, else nobody."""
    if scenario.people is None:
        return measured if measured is None or measured.origin == "measured" else None
    if reader is not None:
        return people.persona(reader, scenario.persona or scenarios.PERSONA)
    if measured is None or measured.origin != "persona":
        raise ConfigError(
            "the scenario has no persona to compare people with: it was saved without. Run it "
            "without its [measured] part, or without --people."
        )
    return measured


def _empty(
    scenario: Scenario,
    found: Found,
    side: UserFacing | None,
    *,
    selection: Selection,
    said: Said,
    first_year: int | None,
    reader: Reader | None,
) -> ProjectionReport:
    """Return the report without its years: what was measured, and what is assumed."""
    measured = found.measured
    numbers = scenarios.assumed(scenario, first_year or 1)
    return ProjectionReport(
        store=str(reader.home) if reader else None,
        title=scenario.title,
        note=scenario.note,
        scenario=said.file,
        period=measured.period if measured else str(selection.period),
        selection=measured.selection if measured else str(replace(selection, workload="agentic")),
        trouble=found.trouble,
        tasks=measured.tasks if measured else 0,
        sampled_tasks=len(measured.sample.calls) if measured else 0,
        measured=tuple(_of_a_task(measured)) if measured else (),
        spread=tuple(_spread(measured)) if measured else (),
        years=(),
        passing=None,
        assumptions=tuple(
            words.assumptions(
                scenario,
                numbers,
                said,
                first_year=first_year,
                measured=measured,
                user_facing=side,
            )
        ),
        runs=scenario.runs or RUNS,
        seed=SEED if scenario.seed is None else scenario.seed,
        factor_set=measured.factor_set if measured else _factor_set(reader),
        boundary=measured.boundary if measured else _boundary(reader),
        warnings=(*_warnings(measured, side), *found.warnings),
    )


def _factor_set(reader: Reader | None) -> str:
    return str(reader.query("FROM factor_set")[0]["version"]) if reader else ""


def _boundary(reader: Reader | None) -> str:
    return reader.pricing.boundary if reader else ""


def _warnings(measured: Measured | None, side: UserFacing | None) -> Iterator[str]:
    if measured is not None and (few := measuring.spread_known(measured.tasks)):
        yield few
    if side is None:
        yield (
            "no user-facing call is recorded, so there is nobody to compare the agents with. "
            "`--people N` takes people of a persona"
        )
    elif side.energy_wh_a_day is None:
        yield "no user-facing call says its usage, so the agents cannot be compared with them"


def _of_a_task(measured: Measured) -> Iterator[Intensity]:
    energy = measured.energy_wh
    yield intensity(
        "energy",
        "Wh",
        "task",
        period=measured.period,
        total=None if energy is None else _drawn(energy, measured.energy_draws),
        volume=measured.tasks,
    )
    for what, total in (("calls", measured.calls), ("tokens", measured.tokens)):
        yield intensity(
            what,
            what,
            "task",
            period=measured.period,
            total=None if total is None else Range(total, total, total),
            volume=measured.tasks,
        )


def _drawn(central: float, multiples: Sequence[float]) -> Range:
    return spread(central, [central * one for one in multiples])


def _spread(measured: Measured) -> Iterator[SpreadLine]:
    sample = measured.sample
    for what, unit, column in (
        ("energy", "Wh", sample.energy_wh),
        ("duration", "h", sample.hours),
        ("calls", "calls", sample.calls),
        ("tokens", "tokens", sample.tokens),
    ):
        if not column:
            continue
        ordered = sorted(map(float, column))
        top = max(1, round(_TOP * len(ordered)))
        yield SpreadLine(
            what=what,
            unit=unit,
            low=quantile(ordered, 0.05),
            median=quantile(ordered, _HALF),
            high=quantile(ordered, 0.95),
            largest=ordered[-1],
            top_share=sum(ordered[-top:]) / sum(ordered) if sum(ordered) else None,
        )


def _years(
    years: Sequence[Year], first_year: int, side: UserFacing | None
) -> Iterator[ProjectedYear]:
    passed = [round(share, 12) for share in accumulate(year.passing or 0.0 for year in years)]
    first = _intensities(years[0], first_year, side, ())
    for number, year in enumerate(years):
        yield ProjectedYear(
            year=first_year + number,
            agents=year.agents,
            agent_hours=year.hours,
            tasks=year.tasks,
            calls=year.calls,
            tokens=year.tokens,
            energy_wh=year.energy_wh,
            carbon_g=year.carbon_g,
            user_facing_wh=year.user_facing_wh,
            ratio=year.ratio,
            passes=year.passing,
            passed=None if year.passing is None else passed[number],
            intensities=_intensities(year, first_year + number, side, first) if number else first,
        )


def _intensities(
    year: Year, calendar: int, side: UserFacing | None, first: Sequence[Intensity]
) -> tuple[Intensity, ...]:
    """Return the figures of a year, each against the first year.

    Where totals and volumes are unsure together, a figure for each one is surer than both: its
    range is that of the runs, each of which divides its own total by its own volume.
    """
    parts = [
        ("energy", "Wh", "task", year.energy_wh, year.tasks.central, year.energy_wh_a_task),
        ("carbon", "g", "kWh", year.carbon_g, _kwh(year), year.g_per_kwh),
    ]
    if side is not None and year.volume is not None:
        total, each = year.user_facing_wh, year.user_facing_wh_each
        parts.append(("energy", "Wh", side.per, total, year.volume.central, each))
    before = first or [None] * len(parts)
    return tuple(
        _in_each_run(
            intensity(
                what, unit, per, period=str(calendar), total=total, volume=volume, before=earlier
            ),
            each,
        )
        for (what, unit, per, total, volume, each), earlier in zip(parts, before, strict=True)
    )


def _in_each_run(made: Intensity, each: Range | None) -> Intensity:
    of_runs = made if made.each is None or each is None else replace(made, each=each)
    change = of_runs.change
    if change is None:
        return of_runs
    # What differs by the rounding of floating-point numbers alone has not changed, not even to -0.
    moved = {
        name: None if (part := getattr(change, name)) is None else round(part, 12) + 0.0
        for name in ("total", "volume", "each")
    }
    return replace(of_runs, change=replace(change, **moved))


def _kwh(year: Year) -> float | None:
    return None if year.energy_wh is None else year.energy_wh.central / _WH_PER_KWH


def _passing(
    years: Sequence[Year],
    first_year: int,
    numbers: Assumed,
    measured: Measured,
    side: UserFacing | None,
) -> Passing | None:
    shares = [year.passing for year in years if year.passing is not None]
    if side is None or not shares:
        return None
    passed = [round(share, 12) for share in accumulate(shares)]  # a sum of exact parts of the runs
    median = next((number for number, share in enumerate(passed) if share >= _HALF), None)
    calendar = [first_year + number for number in range(len(shares))]
    in_median = None if median is None else calendar[median]
    who = side.who
    if side.origin == "persona":
        who = f"{words.number(numbers.people)} people of the persona {side.who}"
    said = f"{who} ({side.definition})"
    return Passing(
        who=who,
        definition=side.definition,
        already=shares[0],
        median=in_median,
        never=1 - passed[-1],
        said=words.passing_sentence(said, measured.boundary, calendar, passed, in_median),
    )
