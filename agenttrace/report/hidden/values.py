"""What the report on hidden calls says, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from agenttrace.model import Range
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method, Totals

By = Literal["agent", "project", "day", "task"]


@dataclass(frozen=True, slots=True)
class Layer:
    """The calls that a person saw, or those underneath.

    Attributes:
        name: ``visible`` or ``hidden``.
        calls: Model calls.
        calls_share: Part of all calls, 0 to 1; None without any.
        tokens: Input and output; None where no call of it reports them.
        tokens_share: Part of the tokens of all calls.
        energy_wh: Range over the draws of the factors, at the boundary that the method names; None
            where no call of it reports its usage.
        energy_share: Part of the central energy of all calls.
    """

    name: str
    calls: int
    calls_share: float | None
    tokens: int | None
    tokens_share: float | None
    energy_wh: Range | None
    energy_share: float | None


@dataclass(frozen=True, slots=True)
class TurnLine:
    """Tasks by what is known of their user turns.

    Attributes:
        known: ``recorded``; ``by rule`` where a task is taken for one turn; ``none`` where it has
            none, as a headless task; ``unknown`` where nobody knows.
        tasks: Those tasks.
        user_turns: Prompts by a person in them; None where nobody knows.
        calls: Model calls in them.
        tokens: Input and output of those.
        energy_wh: Of those, at the boundary that the method names; None where no call says its
            usage.
    """

    known: str
    tasks: int
    user_turns: int | None
    calls: int
    tokens: int | None
    energy_wh: Range | None


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure is spread over tasks: a few of them can be most of it.

    Attributes:
        what: ``calls``, ``tokens`` or ``energy``.
        unit: ``calls``, ``tokens`` or ``Wh``, central.
        per: ``task``, or ``user turn``: then of each task the mean over its turns.
        period: When.
        tasks: Tasks of which it is known, and for ``user turn`` have one.
        total: Sum over these tasks, in *unit*.
        median: Half of the tasks have at most this.
        p90: Nine in ten have at most this.
        p99: 99 in 100 have at most this.
        largest: The most of any task.
    """

    what: str
    unit: str
    per: str
    period: str
    tasks: int
    total: float
    median: float
    p90: float
    p99: float
    largest: float


@dataclass(frozen=True, slots=True)
class Line:
    """The calls of one role, depth, agent, project, day or task.

    Attributes:
        name: Of what it is; the id of a task, a day as ``YYYY-MM-DD``; None where nothing says.
        task_name: Of a task, its name.
        tasks: Tasks that have such a call, or none at all.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        tokens: Input and output; None where no call reports them.
        hidden_tokens: Part of them that moved in hidden calls.
        energy_wh: Range over the draws of the factors.
        hidden_energy_wh: Part of the central energy that went into hidden calls.
        energy_share: Part of the central energy of everything selected, 0 to 1.
        unknown_tasks: Tasks of which nobody knows the user turns; they are in no figure per turn.
        per_turn: Calls, tokens and energy for each user turn, over the tasks that have one; none
            for a role or a depth.
    """

    name: str | None
    task_name: str | None
    tasks: int
    calls: int
    hidden_calls: int
    tokens: int | None
    hidden_tokens: int | None
    energy_wh: Range | None
    hidden_energy_wh: float | None
    energy_share: float | None
    unknown_tasks: int = 0
    per_turn: tuple[Intensity, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of one kind.

    Attributes:
        by: ``agent``, ``project``, ``day`` or ``task``.
        lines: The most energy first; of days the last ones, in their order.
        left_out: Lines that are not among them.
    """

    by: By
    lines: tuple[Line, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A task, agent, tool or step, and what it started itself.

    Attributes:
        task_id: Its task, for ``agenttrace report task``.
        task_name: Name of the task.
        span_id: Its span.
        kind: ``task``, ``agent``, ``tool`` or ``step``.
        name: Name of the span.
        depth: Frames around it; None where they go round in a circle.
        calls: Model calls directly inside.
        agents: Agents directly inside.
        tools: Tools directly inside.
        steps: Steps, and tasks, directly inside.
        fan_out: All of these together.
    """

    task_id: str
    task_name: str | None
    span_id: str
    kind: str
    name: str
    depth: int | None
    calls: int
    agents: int
    tools: int
    steps: int
    fan_out: int


@dataclass(frozen=True, slots=True)
class FanOut:
    """How widely and how deeply the trees of the tasks with the most spans branch.

    Attributes:
        tasks: Tasks that were looked at, whole, whatever the period.
        spans: Spans of these.
        left_out: Tasks with more spans that were left out, as they have too many.
        levels: Of the deepest tree, from the root to a model call.
        frames: Tasks, agents, tools and steps that started something.
        median: Half of these started at most so much.
        p90: Nine in ten.
        p99: 99 in 100.
        largest: The frames that started the most.
    """

    tasks: int
    spans: int
    left_out: int
    levels: int
    frames: int
    median: int | None
    p90: int | None
    p99: int | None
    largest: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class HiddenReport:
    """What the person saw, what ran underneath, and what a turn sets off.

    Attributes:
        store: Folder of the data.
        selection: What was selected, in words.
        period: The period that every figure is of.
        by: What the lines were asked by; None for a few of each.
        first_started_at: Start of the first call; None without calls.
        last_started_at: Start of the last call.
        tasks: Tasks, those without a model call included.
        totals: Sums over all calls.
        layers: The visible calls, then the hidden ones; none without calls.
        turns: Tasks by what is known of their user turns.
        per_turn: Calls, tokens and energy for each user turn, over the tasks that have one.
        per_task: The same for each task.
        no_change: Why nothing is said to have changed; None where something is.
        spreads: The same over tasks.
        roles: Most energy first.
        depths: Lines by the number of agents around the calls, the shallowest first.
        groups: Lines by agent, project, day and task; or by what was asked for.
        fan_out: Of the tasks with the most spans; None where there are no spans of them.
        coverage: What the figures rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "hidden"

    store: str
    selection: str
    period: str
    by: By | None
    first_started_at: str | None
    last_started_at: str | None
    tasks: int
    totals: Totals
    layers: tuple[Layer, ...]
    turns: tuple[TurnLine, ...]
    per_turn: tuple[Intensity, ...]
    per_task: tuple[Intensity, ...]
    no_change: str | None
    spreads: tuple[Spread, ...]
    roles: tuple[Line, ...]
    depths: tuple[Line, ...]
    groups: tuple[Group, ...]
    fan_out: FanOut | None
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
