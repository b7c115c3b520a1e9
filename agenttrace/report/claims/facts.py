"""What claims are held against: few numbers, as plain values."""

from dataclasses import dataclass

from agenttrace.compare.what_if import Drawn
from agenttrace.model import Range
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.claims.hardware import Variant


@dataclass(frozen=True, slots=True)
class Side:
    """Some of the calls, summed.

    Attributes:
        tasks: Tasks with a call in it, and those that began.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        unpriced_calls: Those whose usage lacks a side.
        tokens: Input and output; None where no call reports any.
        energy_wh: Central and in each draw; None where no call reports its usage.
        days: From the hour of the first call to that of the last; None without calls.
    """

    tasks: int
    calls: int
    hidden_calls: int
    unpriced_calls: int
    tokens: int | None
    energy_wh: Drawn | None
    days: float | None


@dataclass(frozen=True, slots=True)
class PersonDays:
    """Prompts of people who are told apart, by person and day.

    Attributes:
        person_days: Days on which a person asked, over all people.
        people: People.
        middle: Prompts on half of these days, at most.
        high: Prompts on 95 % of them, at most.
        most: Prompts on the fullest of them.
        prompts: All of them.
    """

    person_days: int
    people: int
    middle: float | None
    high: float | None
    most: int | None
    prompts: int


@dataclass(frozen=True, slots=True)
class Equal:
    """How long a person of one kind takes to use as much.

    Attributes:
        id: Of the persona.
        name: In words.
        prompts_per_day: What one such person asks.
        title: The source of the persona, or the assumption.
        is_sourced: Whether it is a source.
        days: Days that it is over: of the period, else from the first call to the last; at least 1.
        user_days: Days of one such person with the same energy; None where that is unknown.
        user_days_by_tokens: With as many tokens, which needs no energy factor.
    """

    id: str
    name: str
    prompts_per_day: float
    title: str
    is_sourced: bool
    days: float
    user_days: Range | None
    user_days_by_tokens: float | None


@dataclass(frozen=True, slots=True)
class Agent:
    """The work that is tested as that of one agent.

    Attributes:
        name: How it is told.
        side: Its sums.
        equals: What people use as much, by persona.
    """

    name: str
    side: Side
    equals: tuple[Equal, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Two periods.

    Attributes:
        now: Sums of the later one.
        before: Of the earlier one.
        period: The later one.
        against: The earlier one.
        how: How they were chosen; empty where somebody said them.
        person_days_before: Of people who are told apart, in the earlier one.
    """

    now: Side
    before: Side
    period: str
    against: str
    how: str
    person_days_before: PersonDays


@dataclass(frozen=True, slots=True)
class HiddenInTasks:
    """How many tasks have mostly hidden calls.

    Attributes:
        tasks: Tasks with a call.
        mostly_hidden_tasks: Those of them in which more than half of the calls are hidden.
        middle: Hidden share of the task in the middle; None without tasks.
        roles: Roles with the most hidden calls, and how many each has.
    """

    tasks: int
    mostly_hidden_tasks: int
    middle: float | None
    roles: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that claims are held against.

    Attributes:
        period: In words.
        boundary: What the energy covers.
        both: All calls of the period.
        agentic: Of tasks in which an agent worked.
        people: Of tasks in which a person was answered.
        agentic_equals: What people use as much as all agents.
        agent: The agent that is tested as one.
        persona: Id of the persona that decides.
        hidden: By task and by role.
        person_days: Of people who are told apart.
        moved: Two periods, or why there are no two.
        matching: Energy beside certificates, by zone and year.
        variants: What the calls would take on other hardware.
        training_share: As the user says; None where they do not.
    """

    period: str
    boundary: str
    both: Side
    agentic: Side
    people: Side
    agentic_equals: tuple[Equal, ...]
    agent: Agent
    persona: str | None
    hidden: HiddenInTasks
    person_days: PersonDays
    moved: Moved | str
    matching: tuple[MatchLine, ...]
    variants: tuple[Variant, ...]
    training_share: float | None
