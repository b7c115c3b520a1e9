"""Project a fleet of agents from tasks that were measured: a Monte-Carlo over years.

A fleet of N agents works H hours a week each, and every agent does one task after the other. In a
year that is ``N * H * 365.25 / 7`` agent-hours, each with as many tasks, calls, tokens and as much
energy as an hour of the measured tasks had. A run draws

* one draw of the energy factors, the same for every task and for the user-facing side, because the
  error of a factor is common to all calls and does not average out;
* a bootstrap sample of the measured tasks: how well their mean is known;
* growth, efficiency, grid and every other assumption that is a range, once for all years;
* in each year, the tasks of that year: few tasks can all be large ones, many average out.

Tasks are drawn with replacement and never replaced by their mean, so a few that take most of the
energy stay as likely as they were. The central value of a figure is what the central assumptions
make of the measured sums; low and high are the 5 % and 95 % of the runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from operator import mul
from random import Random
from typing import Final

from agenttrace.compare.measured_tasks import Measured, Tasks, UserFacing
from agenttrace.energy.draws import column
from agenttrace.energy.estimate import spread
from agenttrace.model import Range

WEEKS_A_YEAR: Final = 365.25 / 7
DAYS_A_YEAR: Final = 365.25
RUNS: Final = 2048
"""Eight times the draws of the factors, so that each is used as often as the others."""

SEED: Final = 1

_NOTHING: Final = Range(0.0, 0.0, 0.0)
_ONE: Final = Range(1.0, 1.0, 1.0)
_RESAMPLED_AT_MOST: Final = 1000
_DRAWN_A_YEAR_AT_MOST: Final = 64
_WH_PER_KWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Assumed:
    """The assumptions, as numbers; one that is not known exactly is a range.

    Attributes:
        years: How many.
        agents: In the first year.
        hours_per_week: At work, each agent.
        growth: Of the fleet, a year: 0.5 is half as many more.
        efficiency: By how much the energy of a task falls in a year, and that of a prompt with it.
        tasks_per_hour: Of one agent; None for as many as were measured.
        grid: g/kWh in each year, before its change; None for that of the measured calls.
        grid_change: Of what the grid emits, a year: -0.05 is 5 % less.
        people: Whom the user-facing side stands for, as multiples of it.
        people_growth: Of these, a year.
        runs: Of the Monte-Carlo.
        seed: Of the random numbers; the same seed gives the same figures.
    """

    years: int
    agents: Range
    hours_per_week: Range
    growth: Range
    efficiency: Range
    tasks_per_hour: Range | None = None
    grid: tuple[Range, ...] | None = None
    grid_change: Range = _NOTHING
    people: Range = _ONE
    people_growth: Range = _NOTHING
    runs: int = RUNS
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Year:
    """One year of a projection; what is None is not known.

    Attributes:
        agents: At work, on average over the year.
        hours: That they work, together.
        tasks: That they do.
        calls: Model calls.
        tokens: Input and output.
        energy_wh: Of the agents.
        energy_wh_a_task: In each run by the tasks of the run.
        carbon_g: Of the agents.
        g_per_kwh: In each run by the energy of the run.
        volume: Prompts or calls of the user-facing side.
        user_facing_wh: Energy of that side.
        user_facing_wh_each: In each run by the prompts or calls of the run.
        ratio: Energy of the agents over that of the user-facing side, in each run.
        passing: Share of the runs in which this is the first year with a ratio above 1.
    """

    agents: Range
    hours: Range
    tasks: Range
    calls: Range
    tokens: Range | None
    energy_wh: Range | None
    energy_wh_a_task: Range | None
    carbon_g: Range | None
    g_per_kwh: Range | None
    volume: Range | None
    user_facing_wh: Range | None
    user_facing_wh_each: Range | None
    ratio: Range | None
    passing: float | None


@dataclass(frozen=True, slots=True)
class _Run:
    """One year of one run; zero stands for what is not known, and is left out later."""

    agents: float
    hours: float
    tasks: float
    calls: float
    tokens: float
    energy_wh: float
    g_per_kwh: float
    volume: float
    user_facing_wh: float


_Runs = Sequence[Sequence[_Run]]


def project(
    measured: Measured, assumed: Assumed, user_facing: UserFacing | None = None
) -> tuple[Year, ...]:
    """Return each year of the fleet.

    Args:
        measured: At least one task, with hours unless *assumed* says how many tasks an hour has.
        assumed: The assumptions, within their bounds.
        user_facing: Whom the fleet is compared with; None for nobody.

    Raises:
        ValueError: There is no task, or no hour and no pace.
    """
    if not measured.tasks or not (measured.hours or assumed.tasks_per_hour):
        raise ValueError("a projection needs a task, and its hours or how many tasks an hour has")
    model = _Model(measured, assumed, user_facing)
    central = model.central()
    runs = [model.run(number) for number in range(assumed.runs)]
    passed = _passing(runs) if model.is_compared else None
    return tuple(
        _year(
            model,
            central[year],
            [run[year] for run in runs],
            None if passed is None else passed[year],
        )
        for year in range(assumed.years)
    )


class _Model:
    """What a run draws from."""

    def __init__(
        self, measured: Measured, assumed: Assumed, user_facing: UserFacing | None
    ) -> None:
        self.measured = measured
        self.assumed = assumed
        self.user_facing = user_facing
        self._lean = _lean_of(measured.sample, by_hour=assumed.tasks_per_hour is None)
        # Of their own, so that more agents meet the same tasks, and differ by their number alone.
        self._resampling = Random(f"{assumed.seed} tasks")  # noqa: S311 - sampling, not secrets
        self._working = Random(f"{assumed.seed} years")  # noqa: S311 - likewise

    @property
    def knows_energy(self) -> bool:
        return self.measured.energy_wh is not None

    @property
    def knows_carbon(self) -> bool:
        known = self.assumed.grid is not None or self.measured.g_per_kwh is not None
        return self.knows_energy and known

    @property
    def is_compared(self) -> bool:
        side = self.user_facing
        return self.knows_energy and side is not None and bool(side.energy_wh_a_day)

    @cached_property
    def pace(self) -> float:
        """Tasks of an agent in an hour, as measured."""
        return self.measured.tasks / self.measured.hours if self.measured.hours else 0.0

    def central(self) -> list[_Run]:
        """Return the years that the central assumptions make of the measured sums."""
        side = self.user_facing
        return self._years(
            lambda _, quantity: quantity.central,
            energy=1.0,
            g_per_kwh=self.measured.g_per_kwh or 0.0,
            people_wh=(side.energy_wh_a_day or 0.0) if side else 0.0,
            known=(1.0,) * 4,
            leaning=lambda _: (1.0,) * 4,
        )

    def run(self, number: int) -> list[_Run]:
        """Return the years of one run."""
        side, measured = self.user_facing, self.measured

        def drawn(name: str, quantity: Range) -> float:
            if quantity.low == quantity.high:
                return quantity.central
            return self._column(name, quantity)[number]

        return self._years(
            drawn,
            energy=_taken(measured.energy_draws, number, 1.0),
            g_per_kwh=_taken(measured.g_per_kwh_draws, number, measured.g_per_kwh or 0.0),
            people_wh=_taken(side.draws_wh_a_day, number, 0.0) if side else 0.0,
            known=self._lean(
                self._resampling, min(measured.tasks, _RESAMPLED_AT_MOST), float(measured.tasks)
            ),
            leaning=lambda tasks: self._lean(self._working, _DRAWN_A_YEAR_AT_MOST, tasks),
        )

    def _years(
        self,
        at: Callable[[str, Range], float],
        *,
        energy: float,
        g_per_kwh: float,
        people_wh: float,
        known: Sequence[float],
        leaning: Callable[[float], Sequence[float]],
    ) -> list[_Run]:
        """Return every year.

        Args:
            at: The value of an assumption, by its name and what is known of it.
            energy: What the draw of the factors makes of the energy, as a multiple.
            g_per_kwh: Of the measured calls, in this draw.
            people_wh: Of the user-facing side in a day, in this draw.
            known: What the resampled tasks make of energy, calls, tokens and tasks per hour.
            leaning: The same of the tasks of one year, by their number.
        """
        assumed, measured, side = self.assumed, self.measured, self.user_facing
        agents = at("agents", assumed.agents)
        hours_each = at("hours_per_week", assumed.hours_per_week) * WEEKS_A_YEAR
        growth = at("growth", _plus_one(assumed.growth))
        falling = at("efficiency", _left(assumed.efficiency))
        changing = at("grid_change", _plus_one(assumed.grid_change))
        people = at("people", assumed.people)
        more_people = at("people_growth", _plus_one(assumed.people_growth))
        paced = assumed.tasks_per_hour
        pace = at("tasks_per_hour", paced) if paced is not None else self.pace
        found: list[_Run] = []
        for year in range(assumed.years):
            hours = agents * growth**year * hours_each
            lean = tuple(map(mul, known, leaning(hours * pace)))
            tasks = hours * pace * lean[3]
            # Sums of a measured task, each by what the drawn tasks have of it in the same time.
            each = hours * pace / measured.tasks
            grid = at("grid", assumed.grid[year]) if assumed.grid else g_per_kwh
            found.append(
                _Run(
                    agents=agents * growth**year,
                    hours=hours,
                    tasks=tasks,
                    calls=each * measured.calls * lean[1],
                    tokens=each * (measured.tokens or 0) * lean[2],
                    energy_wh=each * (measured.energy_wh or 0.0) * lean[0] * energy * falling**year,
                    g_per_kwh=grid * changing**year,
                    volume=people * more_people**year * side.volume_a_day * DAYS_A_YEAR
                    if side
                    else 0.0,
                    user_facing_wh=people
                    * more_people**year
                    * people_wh
                    * DAYS_A_YEAR
                    * falling**year,
                )
            )
        return found

    def _column(self, name: str, quantity: Range) -> list[float]:
        """Return a value of an assumption for each run; kept, since all runs ask."""
        kept = self._columns.get((name, quantity))
        if kept is None:
            kept = _spread_over(quantity, f"{self.assumed.seed} {name}", self.assumed.runs)
            self._columns[name, quantity] = kept
        return kept

    @cached_property
    def _columns(self) -> dict[tuple[str, Range], list[float]]:
        return {}


def _spread_over(quantity: Range, name: str, runs: int) -> list[float]:
    """Return *runs* values of *quantity*: its strata again and again, each time in a new order.

    The name gives the orders, so a quantity that changes from year to year is high in all years of
    a run, or low in all.
    """
    rounds: list[float] = []
    while len(rounds) < runs:
        rounds += column(quantity, f"{name} {len(rounds)}")
    return rounds[:runs]


def _taken(draws: Sequence[float], number: int, otherwise: float) -> float:
    return draws[number % len(draws)] if draws else otherwise


def _plus_one(change: Range) -> Range:
    return Range(1 + change.low, 1 + change.central, 1 + change.high)


def _left(fall: Range) -> Range:
    return Range(1 - fall.high, 1 - fall.central, 1 - fall.low)


_Lean = Callable[[Random, int, float], tuple[float, ...]]


def _lean_of(sample: Tasks, *, by_hour: bool) -> _Lean:
    """Return what tells how far some tasks, drawn with replacement, are from all of the sample.

    It returns multiples of energy, calls, tokens and tasks, each by the hours of the drawn tasks,
    or by their number where an hour has a given number of tasks.

    It draws so many tasks at most; where there are more, what they differ by is raised to
    ``sqrt(drawn / tasks)``: the spread of a mean falls with the root of its number, and a multiple
    of nothing or more stays one.
    """
    ones = (1.0,) * len(sample.calls)
    base = sample.hours if by_hour else ones
    columns = [sample.energy_wh, sample.calls, sample.tokens, ones]
    whole = [sum(one) / sum(base) if one else 0.0 for one in columns]
    size = len(base)

    def lean(random: Random, at_most: int, tasks: float) -> tuple[float, ...]:
        if size == 1:
            return (1.0,) * 4
        drawn = min(at_most, max(1, round(tasks)))
        number = random.random
        # As many numbers are taken whatever is drawn, so that runs stay alike.
        which = [int(number() * size) for _ in range(at_most)][:drawn]
        root = sqrt(min(1.0, drawn / tasks)) if tasks else 1.0
        over = sum(map(base.__getitem__, which))
        return tuple(
            (sum(map(one.__getitem__, which)) / over / mean) ** root if mean else 1.0
            for one, mean in zip(columns, whole, strict=True)
        )

    return lean


def _passing(runs: _Runs) -> list[float]:
    """Return for each year the share of runs in which it is the first that agents use more in."""
    firsts = [
        next((year for year, one in enumerate(run) if one.energy_wh > one.user_facing_wh), None)
        for run in runs
    ]
    return [firsts.count(year) / len(runs) for year in range(len(runs[0]))]


def _year(model: _Model, central: _Run, runs: Sequence[_Run], passing: float | None) -> Year:
    def of(figure: Callable[[_Run], float], *, known: bool = True) -> Range | None:
        return spread(figure(central), [figure(run) for run in runs]) if known else None

    def sure(figure: Callable[[_Run], float]) -> Range:
        return spread(figure(central), [figure(run) for run in runs])

    energy, carbon, compared = model.knows_energy, model.knows_carbon, model.is_compared
    works = central.tasks > 0
    asked = compared and central.volume > 0
    return Year(
        agents=sure(lambda run: run.agents),
        hours=sure(lambda run: run.hours),
        tasks=sure(lambda run: run.tasks),
        calls=sure(lambda run: run.calls),
        tokens=of(lambda run: run.tokens, known=model.measured.tokens is not None),
        energy_wh=of(lambda run: run.energy_wh, known=energy),
        energy_wh_a_task=of(lambda run: run.energy_wh / run.tasks, known=energy and works),
        carbon_g=of(lambda run: run.energy_wh * run.g_per_kwh / _WH_PER_KWH, known=carbon),
        g_per_kwh=of(lambda run: run.g_per_kwh, known=carbon),
        volume=of(lambda run: run.volume, known=model.user_facing is not None),
        user_facing_wh=of(lambda run: run.user_facing_wh, known=compared),
        user_facing_wh_each=of(lambda run: run.user_facing_wh / run.volume, known=asked),
        ratio=of(lambda run: run.energy_wh / run.user_facing_wh, known=asked),
        passing=passing,
    )
