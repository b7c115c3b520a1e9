"""What the report on a change says, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from agenttrace.compare.rebound import Rebound
from agenttrace.model import Range
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method, Totals

By: TypeAlias = Literal["agent", "project", "model", "task-name"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two periods, in absolute figures.

    Attributes:
        period: When.
        first_started_at: Start of its first call; None without calls.
        last_started_at: Start of its last call; None without calls.
        tasks: Tasks that made a call in it, or began in it.
        totals: Sums over its calls, as ``agenttrace report`` shows them.
        measured_share: Part of its energy that a meter saw, 0 to 1; None where none is known.
        factor_set: Version of the factors that price it.
    """

    period: str
    first_started_at: str | None
    last_started_at: str | None
    tasks: int
    totals: Totals
    measured_share: float | None
    factor_set: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What one factor adds to a change.

    Attributes:
        factor: ``tasks``, ``calls_per_task``, ``mix``, ``uncached_per_call``, ``cached_per_call``,
            ``output_per_call``, ``measured_per_call``, ``energy_per_token``, ``facility`` or
            ``grid``.
        amount: In the unit of the change: central, and the 5 % to 95 % of the draws of the factors.
        sampling: The 5 % to 95 % of the resamples of the tasks, with the central factors; None
            where there are too few tasks to tell.
        share: Of the change; may be below 0 or above 1. None where nothing changed.
        is_assumed: Nothing moved because both periods are priced with the same factor.
    """

    factor: str
    amount: Range
    sampling: Range | None
    share: float | None
    is_assumed: bool

    @property
    def is_within_sampling(self) -> bool:
        """Whether other tasks of the same kind might have moved it as far."""
        return is_within(self.amount.central, self.sampling)


@dataclass(frozen=True, slots=True)
class Decomposed:
    """A change told apart into effects, which add up to it.

    Attributes:
        what: ``energy`` or ``carbon``.
        unit: ``Wh`` or ``g``.
        before: Central total of the earlier period.
        after: Central total of the later one.
        change: Central, and the 5 % to 95 % of the draws, taken inside each draw.
        part: Of what it was: 0.5 is +50 %; None where it was nothing.
        sampling: The 5 % to 95 % of the resamples of the tasks.
        effects: In the order of the product.
        entered: What models took that made no call in the earlier period, or not in that place; all
            of it is among the mix.
        left: What models took that made no call in the later period, or not in that place.
        residual: What they leave of the central change: rounding.
    """

    what: str
    unit: str
    before: float
    after: float
    change: Range
    part: float | None
    sampling: Range | None
    effects: tuple[Effect, ...]
    entered: float
    left: float
    residual: float

    @property
    def is_within_sampling(self) -> bool:
        """Whether other tasks of the same kind might have made the change."""
        return is_within(self.change.central, self.sampling)


def is_within(amount: float, sampling: Range | None) -> bool:
    """Return whether *amount* is smaller than half the span of the resamples."""
    return sampling is not None and abs(amount) < (sampling.high - sampling.low) / 2


@dataclass(frozen=True, slots=True)
class ReboundLine:
    """The rebound of energy per token.

    Attributes:
        central: R with the central factors, and its reading.
        ratio: The same with the 5 % to 95 % of the draws; None where the energy per token does not
            fall in each of them.
        sentence: What it says.
    """

    central: Rebound
    ratio: Range | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Driver:
    """What one agent, project, model or kind of task adds to the change.

    Attributes:
        name: Of it; None where nothing says.
        before_wh: Its energy in the earlier period, central: 0 where it made no call, None where
            its calls say no usage.
        after_wh: In the later one.
        change_wh: Of what is known.
        share: Of the change of all; may be below 0 or above 1. None where nothing changed.
    """

    name: str | None
    before_wh: float | None
    after_wh: float | None
    change_wh: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Drivers:
    """Who drove the change.

    Attributes:
        by: What the lines are of.
        lines: The largest changes first.
    """

    by: By
    lines: tuple[Driver, ...]


@dataclass(frozen=True, slots=True)
class Month:
    """One month, and what made it differ from the one before.

    Attributes:
        period: The month.
        tasks: Tasks that made a call in it, or began in it.
        calls: Model calls.
        tokens: Input and output; None where no call says.
        energy_wh: Range over the draws; None where it is not known.
        energy_per_task: The same for each task, with its change.
        change_wh: From the month before, central; None where either is not known.
        effects_wh: What each factor adds to that, by its name; none where it is not known.
    """

    period: str
    tasks: int
    calls: int
    tokens: int | None
    energy_wh: Range | None
    energy_per_task: Intensity
    change_wh: float | None
    effects_wh: dict[str, float]


@dataclass(frozen=True, slots=True)
class Trend:
    """Why energy and carbon changed from one period to another.

    Attributes:
        store: Folder of the data.
        selection: Which tasks, where not all of them; empty otherwise.
        boundary: What the energy covers.
        headline: The change in a sentence; what stands in the way of one, where there is none.
        chosen: How the periods were chosen; empty where they were given.
        before: The earlier period; None where there is none.
        after: The later one.
        intensities: Energy and carbon for each task, call and 1,000 tokens.
        why_not: Why the change is not told apart; None where it is.
        energy: Change of the energy; None where it cannot be told apart.
        carbon: Change of the location-based carbon.
        rebound: Of energy per token; None where there is no change to tell of.
        drivers: Who drove the change.
        months: Month by month, where that was asked for.
        resamples: Of the tasks, behind each sampling error; 0 where there are too few tasks.
        assumptions: What is the same on both sides because nothing else is known, a sentence each.
        coverage: What the later period rests on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "trend"

    store: str
    selection: str
    boundary: str
    headline: str
    chosen: str
    before: Side | None
    after: Side
    intensities: tuple[Intensity, ...]
    why_not: str | None
    energy: Decomposed | None
    carbon: Decomposed | None
    rebound: ReboundLine | None
    drivers: tuple[Drivers, ...]
    months: tuple[Month, ...]
    resamples: int
    assumptions: tuple[str, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
