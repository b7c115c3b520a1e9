"""What became of tasks, and what it took."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from agenttrace.model import Range
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method, Totals

By = Literal["project", "task-name"]
Attempt = Literal["first", "retry", "failed"]


@dataclass(frozen=True, slots=True)
class Moved:
    """How far figures moved from the earlier period, as parts of what they were: 0.5 is +50 %.

    Attributes:
        tasks: Of the number of tasks; None where there were none.
        calls: Of the calls; None where there were none.
        energy: Of the central energy; None where either is unknown or it was nothing.
    """

    tasks: float | None
    calls: float | None
    energy: float | None


@dataclass(frozen=True, slots=True)
class OutcomeLine:
    """The tasks with one outcome.

    Attributes:
        outcome: ``success``, ``failure`` or ``abandoned``; None where nothing says.
        tasks: How many; of the traces without a task each counts as one.
        calls: Their model calls.
        tokens: Input and output; None where no call reports them.
        estimated_calls: Calls whose tokens agenttrace estimated.
        unpriced_calls: Calls whose usage lacks a side; what is missing is in no energy.
        energy_wh: Range over the draws of the factors; None where no call reports its usage.
        energy_share: Part of the energy of all tasks that are seen, central.
        change: Against the earlier period; None where there is none.
    """

    outcome: str | None
    tasks: int
    calls: int
    tokens: int | None
    estimated_calls: int
    unpriced_calls: int
    energy_wh: Range | None
    energy_share: float | None
    change: Moved | None


@dataclass(frozen=True, slots=True)
class Unsuccessful:
    """The tasks that failed or were abandoned, together.

    Attributes:
        tasks: How many.
        energy_wh: What went into them.
        energy_share: Part of the energy of the tasks whose outcome is told, central.
    """

    tasks: int
    energy_wh: Range | None
    energy_share: float | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """The calls of one kind of attempt.

    Attributes:
        attempt: ``failed`` ended in an error, whichever attempt it was; of the others ``first`` is
            the first attempt of an operation, and ``retry`` a later one.
        calls: How many.
        tokens: Input and output; None where no call reports them.
        estimated_calls: Calls whose tokens agenttrace estimated.
        unpriced_calls: Calls whose usage lacks a side; what is missing is in no energy.
        energy_wh: By their tokens, whatever a meter saw.
        energy_share: Part of that of all attempts, central.
    """

    attempt: Attempt
    calls: int
    tokens: int | None
    estimated_calls: int
    unpriced_calls: int
    energy_wh: Range | None
    energy_share: float | None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """The tasks of one project, or of one name.

    Attributes:
        name: Of the project or the tasks; None for calls outside of any task.
        tasks: How many.
        successes: Of them, successful ones.
        failures: Failed ones.
        abandoned: Abandoned ones.
        unsaid: Those of which no outcome is told.
        energy_wh: Of all of them.
        per_success: Energy of those whose outcome is told, by the successful ones.
    """

    name: str | None
    tasks: int
    successes: int
    failures: int
    abandoned: int
    unsaid: int
    energy_wh: Range | None
    per_success: Intensity


@dataclass(frozen=True, slots=True)
class OutcomesReport:
    """What became of tasks, and what it took.

    Attributes:
        store: Folder that was read.
        selection: Which calls it is on, in words.
        period: When.
        against: The earlier period; None where there is none with anything in it.
        why_no_change: Why nothing is said to have changed; empty where something is.
        first_started_at: Start of the first call, ISO 8601, UTC; None without calls.
        last_started_at: Start of the last call.
        told_tasks: Tasks whose outcome is told.
        outcomes: Success, failure, abandoned and not said, in this order; those with tasks.
        per_success: Energy, tokens and calls of all tasks whose outcome is told, failed and
            abandoned ones included, by the successful ones among them.
        unsuccessful: The failed and the abandoned ones together.
        attempts: First attempts, retries and failed attempts, of all tasks that are seen.
        by: What *groups* are by.
        groups: The largest by energy.
        groups_left_out: How many there are beside them.
        totals: Sums over all tasks that are seen.
        coverage: What the figures rest on.
        method: How energy is estimated.
        warnings: What to know before believing a figure.
    """

    kind: ClassVar[str] = "outcomes"

    store: str
    selection: str
    period: str
    against: str | None
    why_no_change: str
    first_started_at: str | None
    last_started_at: str | None
    told_tasks: int
    outcomes: tuple[OutcomeLine, ...]
    per_success: tuple[Intensity, ...]
    unsuccessful: Unsuccessful
    attempts: tuple[AttemptLine, ...]
    by: By
    groups: tuple[GroupLine, ...]
    groups_left_out: int
    totals: Totals
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
