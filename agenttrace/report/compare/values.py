"""What the report on agents beside people says, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from agenttrace.model import Range
from agenttrace.report.intensity import Intensity
from agenttrace.report.values import Coverage, Method, Totals


@dataclass(frozen=True, slots=True)
class Sentence:
    """A comparison in words, with what it says nothing without.

    Attributes:
        text: The sentence; the others are in it, word for word.
        persona: Who or what agents are compared with, and how that is defined.
        period: When, and how long that is.
        boundary: What the energy covers, or the tokens.
    """

    text: str
    persona: str
    period: str
    boundary: str


@dataclass(frozen=True, slots=True)
class Days:
    """How long people are taken to be active.

    Attributes:
        number: Days, at least 1.
        counted_from: ``period``: from its start to its end. ``calls``: from the first call of the
            agents to the last, where the period has no ends.
    """

    number: float
    counted_from: Literal["period", "calls"]


@dataclass(frozen=True, slots=True)
class PersonaLine:
    """How many people of one kind use as much as the agents.

    Attributes:
        persona: Id of the persona.
        name: The persona in words.
        prompts_per_day: What one such person asks.
        input_tokens: Of one prompt, what is read from a cache included.
        cache_read_tokens: Part of it that is read from a cache.
        output_tokens: Of one prompt.
        model_class: Size class of the model that answers.
        model: The model that answers; None where only its class is given.
        prompt_energy_wh: Of one prompt, at the boundary that the method names.
        definition: All of that in words.
        mark: How the number of prompts is known: ``derived``, ``assumption``, ...
        title: The source of the persona, or the assumption.
        year: Year of the source; None for an assumption.
        url: Where it is; None for an assumption.
        retrieved: When it was looked up, or the assumption made: a date.
        user_days: Days of one such person that take the same energy.
        user_days_by_tokens: The same by tokens alone, which needs no energy factor.
        users: Such persons, active on all days of the report, that use the same energy.
        users_by_tokens: The same by tokens alone.
    """

    persona: str
    name: str
    prompts_per_day: float
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    model_class: str
    model: str | None
    prompt_energy_wh: Range
    definition: str
    mark: str
    title: str
    year: int | None
    url: str | None
    retrieved: str
    user_days: Range | None
    user_days_by_tokens: float | None
    users: Range | None
    users_by_tokens: float | None


@dataclass(frozen=True, slots=True)
class Ratios:
    """Agentic over user-facing; None where a side is unknown, or there is nothing to divide by.

    Attributes:
        calls: Model calls.
        tokens: Input and output.
        energy: Each draw of one side by the same draw of the other, so that what is unknown of both
            cancels.
    """

    calls: float | None
    tokens: float | None
    energy: Range | None


@dataclass(frozen=True, slots=True)
class UserFacing:
    """The user-facing calls that were traced in the same period.

    Attributes:
        selection: Which calls, in words.
        tasks: Tasks, those without a model call included.
        totals: Sums over their calls.
        prompts: By people; None where nobody counted any.
        uncounted_tasks: Tasks of which nobody knows the prompts.
        people: Who prompted, each once; None where no task says who.
        unnamed_tasks: Tasks that do not say who prompted.
        person_days: Days on which a person was answered, over the people; None where no task says
            who prompted.
        ratios: The agents' sums over these.
        each: Prompts, calls, tokens and energy per person and day, of the tasks that say who
            prompted; none where no task does.
    """

    selection: str
    tasks: int
    totals: Totals
    prompts: int | None
    uncounted_tasks: int
    people: int | None
    unnamed_tasks: int
    person_days: int | None
    ratios: Ratios
    each: tuple[Intensity, ...]


@dataclass(frozen=True, slots=True)
class PublishedLine:
    """What others published of agents, and the same of one's own.

    Attributes:
        figure: Id of the figure.
        name: What it is of.
        measure: What it counts: ``tokens_per_task``, ...
        value: As published.
        mark: How it is known: ``excerpt``, ``second-hand``, ...
        note: What to know before comparing; empty if nothing.
        by: Who published it.
        title: Where.
        year: When.
        url: Address or DOI.
        locator: Where in it, and what is found there.
        retrieved: When it was looked up: a date.
        made_of: One's own figures that stand beside it, each with its total and volume; of
            ``chats_per_task`` two, of which the first is divided by the second.
        yours: The same of one's own; None where it is not known.
        times: How many times the published figure that is; None where it is not known.
    """

    figure: str
    name: str
    measure: str
    value: float
    mark: str
    note: str
    by: str
    title: str
    year: int
    url: str
    locator: str
    retrieved: str
    made_of: tuple[Intensity, ...]
    yours: float | None
    times: float | None


@dataclass(frozen=True, slots=True)
class CompareReport:
    """Agents beside people: personas, one's own users, and what others published.

    Attributes:
        store: Folder of the data.
        selection: Which calls of agents, in words.
        period: As it was asked for; ``all`` for everything.
        first_started_at: Start of the first call of the agents.
        last_started_at: Start of the last.
        days: How long people are taken to be active.
        tasks: Tasks of the agents, those without a model call included.
        totals: Sums over the calls of the agents.
        sentences: Every comparison in words, those with personas first.
        personas: The fewest prompts a day first; none where the agents made no call.
        user_facing: One's own users; None where no user-facing task is in the period.
        each: Calls, tokens and energy per task of the agents.
        published: What others published beside one's own.
        missing: What cannot be compared, and what would help, a sentence each.
        coverage: What the figures on the agents rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "compare"

    store: str
    selection: str
    period: str
    first_started_at: str | None
    last_started_at: str | None
    days: Days
    tasks: int
    totals: Totals
    sentences: tuple[Sentence, ...]
    personas: tuple[PersonaLine, ...]
    user_facing: UserFacing | None
    each: tuple[Intensity, ...]
    published: tuple[PublishedLine, ...]
    missing: tuple[str, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
