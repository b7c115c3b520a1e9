"""Say what a projection takes for granted, and when agents pass people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.compare import grid_years
from agenttrace.compare.assumptions import Assumption
from agenttrace.compare.measured_tasks import Measured, UserFacing
from agenttrace.compare.projection import DAYS_A_YEAR, WEEKS_A_YEAR, Assumed
from agenttrace.compare.scenario import Scenario
from agenttrace.energy.estimate import spread
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.projection.values import AssumptionLine, Origin

_SHARE: Final = "%"


@dataclass(frozen=True, slots=True)
class Said:
    """Who says an assumption.

    Attributes:
        options: Names that an option gave.
        file: Name of the scenario file; None without one.
    """

    options: frozenset[str]
    file: str | None

    @property
    def named(self) -> str:
        """The scenario in words."""
        return f"scenario {self.file}" if self.file else "scenario"

    def origin(self, name: str, said: Assumption | None) -> Origin:
        """Return where the assumption *name* is from; *said* is None where nobody says it."""
        if name in self.options:
            return "given"
        return "default" if said is None else "scenario"

    def why(self, name: str, said: Assumption | None, otherwise: str) -> str:
        """Return what an assumption is from, in words."""
        match self.origin(name, said):
            case "given":
                return "given"
            case "scenario" if said is not None:
                told = "; ".join(part for part in (said.note, said.source) if part)
                return told or self.named
            case _:
                return otherwise


# What an assumption is called, its unit, and what it is where nobody says it.
_CHOSEN: Final[Mapping[str, tuple[str, str, str]]] = {
    "agents": ("agents in the first year", "", ""),
    "hours_per_week": ("hours that each works in a week", "h", ""),
    "growth": ("growth of the fleet in a year", _SHARE, "default: no more and no fewer"),
    "efficiency": (
        "fall of the energy of a task in a year",
        _SHARE,
        "default: as much energy as measured",
    ),
    "people": ("people that it is compared with", "", ""),
    "people_growth": (
        "growth of the user-facing side in a year",
        _SHARE,
        "default: no more and no fewer",
    ),
}


def assumptions(
    scenario: Scenario,
    numbers: Assumed | None,
    said: Said,
    *,
    first_year: int | None,
    measured: Measured | None,
    user_facing: UserFacing | None,
) -> Iterator[AssumptionLine]:
    """Yield everything that is taken for granted.

    Args:
        scenario: With options and defaults in it.
        numbers: The same as numbers; None where they are not whole.
        said: Who says what.
        first_year: Of the projection; None where nothing is projected.
        measured: The tasks; None where there are none.
        user_facing: The people; None without any.
    """
    for name in ("agents", "hours_per_week", "growth", "efficiency"):
        yield _chosen(name, scenario, numbers, said)
    yield _years(scenario, said, first_year)
    yield _pace(scenario, said, measured)
    if measured is not None:
        yield from _of_tasks(measured)
    yield from _grid(scenario, said, measured, first_year)
    yield from _people(scenario, numbers, said, user_facing)
    yield AssumptionLine(
        name="year",
        label="weeks in a year",
        value=_exactly(WEEKS_A_YEAR),
        unit="",
        origin="assumed",
        why=f"{DAYS_A_YEAR:g} days; every week of the year is like the others",
    )


def _chosen(name: str, scenario: Scenario, numbers: Assumed | None, said: Said) -> AssumptionLine:
    label, unit, otherwise = _CHOSEN[name]
    assumption: Assumption | None = getattr(scenario, name)
    value: Range | None = getattr(numbers, name) if numbers else None
    return AssumptionLine(
        name=name,
        label=label,
        value=value,
        unit=unit,
        origin=said.origin(name, assumption),
        why=said.why(name, assumption, otherwise),
    )


def _years(scenario: Scenario, said: Said, first_year: int | None) -> AssumptionLine:
    given = "first_year" in said.options
    told = scenario.first_year is not None
    return AssumptionLine(
        name="first_year",
        label="first year",
        value=None if first_year is None else _exactly(first_year),
        unit="year",
        origin="given" if given else "scenario" if told else "default",
        why="given"
        if given
        else said.named
        if told
        else "default: the year after the last recorded call",
    )


def _pace(scenario: Scenario, said: Said, measured: Measured | None) -> AssumptionLine:
    pace = scenario.tasks_per_hour
    if pace is not None:
        return AssumptionLine(
            name="tasks_per_hour",
            label="tasks that an agent does in an hour",
            value=pace.range,
            unit="",
            origin=said.origin("tasks_per_hour", pace),
            why=said.why("tasks_per_hour", pace, ""),
        )
    if measured is None or not measured.hours:
        return AssumptionLine(
            name="tasks_per_hour",
            label="tasks that an agent does in an hour",
            value=None,
            unit="",
            origin="measured",
            why="not known, since no task is measured",
        )
    return AssumptionLine(
        name="tasks_per_hour",
        label="tasks that an agent does in an hour",
        value=_exactly(measured.tasks / measured.hours),
        unit="",
        origin="measured",
        why=f"{figures.counted(measured.tasks, 'task')} took "
        f"{figures.duration(3.6e6 * measured.hours)} together (period {measured.period}); an "
        "agent does one after the other, without a break",
    )


def _of_tasks(measured: Measured) -> Iterator[AssumptionLine]:
    yield AssumptionLine(
        name="tasks",
        label="what a task takes",
        value=None,
        unit="",
        origin="measured",
        why=f"{figures.counted(measured.tasks, 'task')} ({measured.selection}), drawn with "
        "replacement; those to come are like them: the same models, caches and mix of work",
    )
    yield AssumptionLine(
        name="factors",
        label="energy of a token",
        value=None,
        unit="",
        origin="assumed",
        why=f"factors {measured.factor_set}, boundary {measured.boundary}; a run has one draw of "
        "them, for all tasks and for the user-facing side",
    )


def _grid(
    scenario: Scenario, said: Said, measured: Measured | None, first_year: int | None
) -> Iterator[AssumptionLine]:
    if scenario.grid_year:
        yield _grid_by_year(scenario, said, first_year)
        return
    rate = scenario.grid
    if rate is not None:
        yield AssumptionLine(
            name="grid",
            label="grid in the first year",
            value=rate.range,
            unit="g/kWh",
            origin=said.origin("grid", rate),
            why=said.why("grid", rate, ""),
        )
    elif measured is not None:
        yield AssumptionLine(
            name="grid",
            label="grid in the first year",
            value=_measured_grid(measured),
            unit="g/kWh",
            origin="measured",
            why="location-based, of the places of the measured calls; --grid gives another",
        )
    change = scenario.grid_change
    yield AssumptionLine(
        name="grid_change",
        label="change of the grid in a year",
        value=_exactly(0.0) if change is None else change.range,
        unit=_SHARE,
        origin=said.origin("grid_change", change),
        why=said.why("grid_change", change, "default: it stays as it is"),
    )


def _measured_grid(measured: Measured) -> Range | None:
    if measured.g_per_kwh is None:
        return None
    return spread(measured.g_per_kwh, measured.g_per_kwh_draws)


def _grid_by_year(scenario: Scenario, said: Said, first_year: int | None) -> AssumptionLine:
    known = scenario.grid_year
    sources = "; ".join(dict.fromkeys(one.source for one in known if one.source))
    ordered = sorted(known, key=lambda one: one.year)
    years = ", ".join(f"{one.year} {number(one.range)}" for one in ordered)
    return AssumptionLine(
        name="grid_year",
        label="grid in the first year",
        value=None if first_year is None else grid_years.of_years(known, first_year, 1)[0],
        unit="g/kWh",
        origin="given" if "grid_year" in said.options else "scenario",
        why=f"{sources or said.named}: {years}; straight lines between, and the "
        "nearest before and after",
    )


def _people(
    scenario: Scenario, numbers: Assumed | None, said: Said, side: UserFacing | None
) -> Iterator[AssumptionLine]:
    if side is None:
        return
    if side.origin == "persona":
        yield _chosen("people", scenario, numbers, said)
    yield AssumptionLine(
        name="user_facing",
        label=side.who,
        value=None,
        unit="",
        origin="measured" if side.origin == "measured" else "assumed",
        why=side.definition,
    )
    yield _chosen("people_growth", scenario, numbers, said)
    yield AssumptionLine(
        name="user_facing_efficiency",
        label="fall of the energy of a prompt in a year",
        value=numbers.efficiency if numbers else None,
        unit=_SHARE,
        origin="assumed",
        why="as that of a task: the same kind of models and machines answers both",
    )


def number(value: Range) -> str:
    """Return an assumption as it was said: one number, or three with a dash between."""
    ends = [f"{end:,.12g}" for end in (value.low, value.central, value.high)]
    return ends[0] if value.low == value.high else figures.dashed((ends[0], ends[1], ends[2]))


def passing_sentence(
    who: str, boundary: str, years: Sequence[int], passed: Sequence[float], median: int | None
) -> str:
    """Say when the agents use more energy than *who*: with period and boundary.

    Args:
        who: The people, with their number and definition.
        boundary: What the energy covers.
        years: All of them, in order.
        passed: Part of the runs in which it or an earlier one has more energy of agents.
        median: First year by which they are in half of the runs.
    """
    if passed[0] >= 1:
        when = f"in every run already in {years[0]}"
    elif passed[-1] <= 0:
        when = f"in no run within the {_years_of(len(years))}"
    else:
        later = median is not None and median > years[0]
        middle = f"in half of them by the end of {median}, " if later else ""
        when = (
            f"in {figures.share(passed[0], 1)} of the runs already in {years[0]}, {middle}and in "
            f"{figures.share(1 - passed[-1], 1)} never within the {_years_of(len(years))}"
        )
    return (
        f"From {years[0]} to {years[-1]}, boundary {boundary}, the agents use more energy than "
        f"{who}: {when}."
    )


def _years_of(number: int) -> str:
    return "year" if number == 1 else f"{number} years"


def _exactly(number: float) -> Range:
    return Range(number, number, number)
