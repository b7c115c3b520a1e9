"""What the projection of a fleet says, as plain values.

Units are in the names. ``None`` is what is not known, never zero. Ranges are the 5 % and 95 % of
the runs around what the central assumptions give.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from agenttrace.model import Range
from agenttrace.report.intensity import Intensity

Origin = Literal["given", "scenario", "measured", "default", "assumed"]


@dataclass(frozen=True, slots=True)
class AssumptionLine:
    """One thing that the projection takes for granted.

    Attributes:
        name: Key of it in a scenario file; a word of its own where it cannot be chosen.
        label: In words.
        value: As a number; None where it is said in words alone.
        unit: Of *value*; ``%`` where it is a share, which *value* has as a part of 1.
        origin: ``given`` by an option, by the ``scenario`` file, ``measured``, a ``default`` that
            an option changes, or ``assumed`` by the method.
        why: What it is from, in words.
    """

    name: str
    label: str
    value: Range | None
    unit: str
    origin: Origin
    why: str


@dataclass(frozen=True, slots=True)
class SpreadLine:
    """How far the measured tasks lie apart.

    Attributes:
        what: ``energy``, ``duration``, ``calls`` or ``tokens`` of one task.
        unit: ``Wh``, ``h``, or that of the count.
        low: 5 % of the tasks have at most this.
        median: Half of them.
        high: 95 % of them.
        largest: The largest of those that were taken.
        top_share: Part of the sum that the largest tenth of the tasks has, 0 to 1; None where the
            sum is nothing.
    """

    what: str
    unit: str
    low: float
    median: float
    high: float
    largest: float
    top_share: float | None


@dataclass(frozen=True, slots=True)
class ProjectedYear:
    """One year.

    Attributes:
        year: Of the calendar.
        agents: At work, on average over the year.
        agent_hours: That they work, together.
        tasks: That they do.
        calls: Model calls.
        tokens: Input and output.
        energy_wh: Of the agents.
        carbon_g: Of the agents, location-based.
        user_facing_wh: Energy of the people that they are compared with.
        ratio: Energy of the agents over that, inside each run.
        passes: Share of the runs in which this is the first year with more energy of agents.
        passed: Share of the runs in which this or an earlier one is.
        intensities: Energy for each task, carbon for each kWh, and energy for each prompt or call
            of the people, each beside its total and volume and the change from the year before.
    """

    year: int
    agents: Range
    agent_hours: Range
    tasks: Range
    calls: Range
    tokens: Range | None
    energy_wh: Range | None
    carbon_g: Range | None
    user_facing_wh: Range | None
    ratio: Range | None
    passes: float | None
    passed: float | None
    intensities: tuple[Intensity, ...]


@dataclass(frozen=True, slots=True)
class Passing:
    """When the agents use more energy than the people that they are compared with.

    Attributes:
        who: The people.
        definition: What one of them does in a day, or how that was measured.
        already: Share of the runs in which they do in the first year, 0 to 1.
        median: First year by which they do in half of the runs; None where that is never so.
        never: Share of the runs in which they do not within the years.
        said: The same in a sentence, with the people, the period and the boundary.
    """

    who: str
    definition: str
    already: float
    median: int | None
    never: float
    said: str


@dataclass(frozen=True, slots=True)
class ProjectionReport:
    """A scenario, year by year.

    Attributes:
        store: Folder of the data; None where the scenario file had all of it.
        title: Of the scenario; empty without one.
        note: Of the scenario.
        scenario: File of it; None without one.
        period: Of the measured tasks.
        selection: Which tasks, in words.
        trouble: Why nothing can be projected, with the way out; None where it can.
        tasks: Measured tasks that it rests on.
        sampled_tasks: Those of them that runs draw from.
        measured: What was measured for each task, each beside its total and volume.
        spread: How far the measured tasks lie apart.
        years: One by one.
        passing: When agents pass people; None where they cannot be compared.
        assumptions: All of them.
        runs: Of the Monte-Carlo.
        seed: Of its random numbers.
        factor_set: Version of the factors.
        boundary: What the energy covers.
        warnings: What to know before believing a figure.
    """

    kind: ClassVar[str] = "projection"

    store: str | None
    title: str
    note: str
    scenario: str | None
    period: str
    selection: str
    trouble: str | None
    tasks: int
    sampled_tasks: int
    measured: tuple[Intensity, ...]
    spread: tuple[SpreadLine, ...]
    years: tuple[ProjectedYear, ...]
    passing: Passing | None
    assumptions: tuple[AssumptionLine, ...]
    runs: int
    seed: int
    factor_set: str
    boundary: str
    warnings: tuple[str, ...]
