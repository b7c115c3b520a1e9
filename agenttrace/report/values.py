"""What a report says: plain frozen values, each with its unit in its name.

The JSON report is these values field by field, so their names are part of the interface and
``docs/report.md`` explains each. None means that it was not reported or cannot be known; it never
stands for zero. Times are ISO 8601 in UTC.
"""

from dataclasses import Field, dataclass
from typing import Any, ClassVar, Final, Protocol

from agenttrace.model import Range

REPORT_FORMAT: Final = 2
"""Version of the JSON report; a field that goes away or changes its meaning raises it."""


class Report(Protocol):
    """Values that a reporter can show; a frozen dataclass.

    Attributes:
        kind: What it is about; the module of ``text`` that shows it has this name.
    """

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens by kind, summed over the calls that report the kind; None where no call does.

    Attributes:
        total: Input and output.
        input: Everything sent: uncached, cache reads and cache writes.
        input_uncached: Input that was neither read from a prompt cache nor written to one.
        cache_read: Input read from a prompt cache.
        cache_write: Input written to a prompt cache.
        output: Everything generated, reasoning included.
        output_visible: Output without the reasoning that was reported.
        reasoning: Output that is reasoning.
    """

    total: int | None
    input: int | None
    input_uncached: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    output_visible: int | None
    reasoning: int | None


@dataclass(frozen=True, slots=True)
class Unreported:
    """How many calls do not say a kind of token, and so are missing from its sum.

    Attributes:
        input: Calls without their input.
        cache_read: Calls that do not say what came from a prompt cache.
        cache_write: Calls that do not say what went into a prompt cache.
        output: Calls without their output.
        reasoning: Calls that do not say how much of their output is reasoning.
    """

    input: int
    cache_read: int
    cache_write: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Absolute sums over model calls.

    Attributes:
        calls: Model calls, each attempt once.
        visible_calls: Calls whose output a person reads as the answer.
        hidden_calls: All others.
        hidden_tokens: Input and output of the hidden calls.
        estimated_calls: Calls whose tokens agenttrace estimated, because nobody reported them.
        tokens: By kind.
        unreported_calls: Calls that do not say a kind.
        unpriced_calls: Calls whose usage lacks a side; what is missing is in no energy.
        energy_wh: Energy at the boundary that the method names.
        hidden_energy_wh: Part of it that went into hidden calls, central estimate.
        carbon_g: CO2 equivalent of that energy, location-based.
        water_l: Water that went into it, on the site and where the electricity was made.
    """

    calls: int
    visible_calls: int
    hidden_calls: int
    hidden_tokens: int | None
    estimated_calls: int
    tokens: Tokens
    unreported_calls: Unreported
    unpriced_calls: int
    energy_wh: Range | None
    hidden_energy_wh: float | None
    carbon_g: Range | None
    water_l: Range | None


@dataclass(frozen=True, slots=True)
class Equivalent:
    """How many people of one kind use as much.

    Attributes:
        persona: Id of the persona.
        name: The persona in words.
        prompts_per_day: What one such person asks.
        input_tokens: Of one prompt.
        output_tokens: Of one prompt.
        model_class: Size class of the model that answers.
        model: That model, where the persona names one.
        user_days: Days of one such person that take the same energy.
        user_days_by_tokens: The same by tokens alone, which needs no energy factor.
        days: From the first call to the last, at least 1.
        users: Such persons, active on all of these days, that use the same energy.
        users_by_tokens: The same by tokens alone.
        title: The source of the persona, or the assumption.
        year: Year of the source.
        url: Where it is; None for an assumption.
    """

    persona: str
    name: str
    prompts_per_day: float
    input_tokens: int
    output_tokens: int
    model_class: str
    model: str | None
    user_days: Range | None
    user_days_by_tokens: float | None
    days: float
    users: Range | None
    users_by_tokens: float | None
    title: str
    year: int | None
    url: str | None


@dataclass(frozen=True, slots=True)
class RoleLine:
    """The calls of one role.

    Attributes:
        role: Such as ``main``, ``subagent``, ``tool`` or ``retry``.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        tokens: Input and output.
        estimated_calls: Calls whose tokens agenttrace estimated.
        energy_wh: Central estimate.
        energy_share: Its part of the whole, 0 to 1; None where either is unknown.
    """

    role: str
    calls: int
    hidden_calls: int
    tokens: int | None
    estimated_calls: int
    energy_wh: float | None
    energy_share: float | None


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The calls of one model.

    Attributes:
        provider: As recorded; None where nothing says it.
        model: As the response names it, else as it was asked for; None where neither does.
        calls: Model calls.
        tokens: Input and output.
        estimated_calls: Calls whose tokens agenttrace estimated.
        energy_wh: Range over the draws of its factors.
        model_class: Size class whose factors are used.
        known: False where nothing matched the name, and the range spans every class.
        match_reason: Why this class and these parameters.
    """

    provider: str | None
    model: str | None
    calls: int
    tokens: int | None
    estimated_calls: int
    energy_wh: Range | None
    model_class: str
    known: bool
    match_reason: str


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in the list of the largest.

    Attributes:
        task_id: Whole id.
        name: Its name; None until its root span arrives.
        is_cut_off: Its process died before it ended.
        started_at: Start of its first call.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        tokens: Input and output.
        estimated_calls: Calls whose tokens agenttrace estimated.
        energy_wh: Range over the draws of the factors.
    """

    task_id: str
    name: str | None
    is_cut_off: bool
    started_at: str
    calls: int
    hidden_calls: int
    tokens: int | None
    estimated_calls: int
    energy_wh: Range | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the figures rest on, and what is missing from them.

    Attributes:
        reported_calls: The provider says all tokens.
        partial_calls: The provider says a part of them.
        estimated_calls: agenttrace estimated them.
        missing_calls: Nobody says any.
        missing_failed_calls: Those of them that failed, and perhaps used nothing.
        calls_by_capture: Calls by what saw them: ``wire``, ``otlp``, ``frame``, ``log``.
        incomplete_calls: Their response ended early.
        abandoned_calls: The program left their response before its end.
        interrupted_calls: Their process died while they ran.
        cut_off_tasks: Tasks whose process died before they ended.
        failed_calls: They ended in an error.
        retried_calls: Second and later attempts.
        quarantined_records: Records of the whole store that could not be read; they are kept.
        quarantined_by_reason: Those by why they could not be read.
        lost_records: Records of the whole store that could not be written, as far as is known.
        lost_by_reason: Those by why they could not be written.
    """

    reported_calls: int
    partial_calls: int
    estimated_calls: int
    missing_calls: int
    missing_failed_calls: int
    calls_by_capture: dict[str, int]
    incomplete_calls: int
    abandoned_calls: int
    interrupted_calls: int
    cut_off_tasks: int
    failed_calls: int
    retried_calls: int
    quarantined_records: int
    quarantined_by_reason: dict[str, int]
    lost_records: int
    lost_by_reason: dict[str, int]


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls ran, as far as is known, and what electricity and water mean there.

    Attributes:
        zone: Zone of the grid; ``WOR`` for the world.
        resolution: ``hourly`` where hours of the grid are known, else ``annual``; ``world`` where
            the place is unknown.
        energy_share: Part of the energy that was used there, 0 to 1; None where none is known.
        g_per_kwh: Grams of CO2 equivalent per kWh; over the hours that the energy fell into, where
            those are known.
        l_per_kwh: Litres of water per kWh at the boundary.
        reason: Why this place.
        title: The source of the intensity.
        url: Where it is.
    """

    zone: str
    resolution: str
    energy_share: float | None
    g_per_kwh: Range
    l_per_kwh: Range
    reason: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where factors are from.

    Attributes:
        title: The work.
        authors: Who wrote it.
        year: When it appeared.
        url: Where it is.
        factors: What rests on it.
    """

    title: str
    authors: str
    year: int
    url: str
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """How energy and carbon were estimated.

    Attributes:
        factor_set: Version of all factors together.
        boundary: What the energy includes.
        draws: Joint draws of the uncertain factors behind each range.
        low_quantile: What the low end of a range is, 0 to 1.
        high_quantile: What the high end of a range is, 0 to 1.
        places: Where the energy was used, the most first.
        measured_share: Part of the energy that a meter saw, 0 to 1; None where none is known.
        sources: Of the factors.
    """

    factor_set: str
    boundary: str
    draws: int
    low_quantile: float
    high_quantile: float
    places: tuple[Place, ...]
    measured_share: float | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Unseen:
    """What the log of a program cannot know, where calls from that log are counted.

    Attributes:
        source: The program, as ``service.name`` has it.
        title: As its makers write it.
        log_calls: Calls that count and only its log told of.
        lacks: What the log says nothing of.
        way: How to get it; None where no way is known.
    """

    source: str
    title: str
    log_calls: int
    lacks: str
    way: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything recorded in one folder, totals first.

    Attributes:
        store: The folder.
        first_started_at: Start of the first call; None without calls.
        last_started_at: Start of the last call; None without calls.
        tasks: Tasks, those without a model call included.
        totals: Sums over all calls.
        equivalents: People who use as much, in the order of the personas' file.
        roles: Most energy first.
        models: Most energy first.
        top_tasks: Most energy first, as many as were asked for.
        coverage: What the figures rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
        unseen: What the logs that calls were read from cannot know, a program each.
    """

    kind: ClassVar[str] = "overview"

    store: str
    first_started_at: str | None
    last_started_at: str | None
    tasks: int
    totals: Totals
    equivalents: tuple[Equivalent, ...]
    roles: tuple[RoleLine, ...]
    models: tuple[ModelLine, ...]
    top_tasks: tuple[TaskLine, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
    unseen: tuple[Unseen, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """What a node of the tree adds when it is a model call.

    Attributes:
        call_id: As in the query ``model_call``.
        operation_id: Attempts of one operation share it.
        operation: ``chat``, ``embeddings``, ...
        role: Why the call was made.
        hidden: Nobody reads its output as the answer.
        attempt: 1 for the first.
        provider: Who answered.
        model: Model that answered.
        tokens: By kind.
        usage: ``reported``, ``partial``, ``estimated`` or ``missing``.
        capture: What saw it.
        outcome: How the response ended: ``complete``, ``incomplete``, ``abandoned``, or
            ``interrupted`` with its process.
        http_status: HTTP status of the response.
        time_to_first_token_ms: From the request to the first chunk of a stream.
        measured_share: Part of its time that a meter covers, 0 to 1; the rest is estimated.
    """

    call_id: str
    operation_id: str | None
    operation: str | None
    role: str
    hidden: bool
    attempt: int
    provider: str | None
    model: str | None
    tokens: Tokens
    usage: str
    capture: str
    outcome: str | None
    http_status: int | None
    time_to_first_token_ms: float | None
    measured_share: float


@dataclass(frozen=True, slots=True)
class Node:
    """One span of a task's tree, with sums over everything inside it.

    Attributes:
        span_id: The span.
        parent_span_id: The node it hangs from; None for a root.
        depth: 0 for a root.
        kind: ``task``, ``agent``, ``tool``, ``step`` or ``inference``.
        name: Name of the span.
        agent: Nearest enclosing agent; of an agent, itself.
        status: ``ok``, ``error`` or ``unset``.
        error_type: Class or code of the error.
        is_interrupted: Its process died while it ran.
        started_at: Start.
        duration_ms: Milliseconds; None where the end is not known.
        calls: Model calls inside, itself included.
        failed_calls: Those that ended in an error.
        estimated_calls: Those whose tokens agenttrace estimated.
        unreported_calls: Those that do not say their input or their output.
        input_tokens: Of these calls.
        output_tokens: Of these calls.
        energy_wh: Of these calls, central estimate.
        call: Of a model call, what it was.
    """

    span_id: str
    parent_span_id: str | None
    depth: int
    kind: str
    name: str
    agent: str | None
    status: str
    error_type: str | None
    is_interrupted: bool
    started_at: str
    duration_ms: float | None
    calls: int
    failed_calls: int
    estimated_calls: int
    unreported_calls: int
    input_tokens: int | None
    output_tokens: int | None
    energy_wh: float | None
    call: Call | None


@dataclass(frozen=True, slots=True)
class AgentLine:
    """The calls of one agent, or of agents of one name and depth, in one role and with one model.

    Attributes:
        agent: Name of the agent; None for calls outside of any agent.
        depth: Agents around the call: 0 none, 1 inside the root agent.
        role: Why the calls were made.
        provider: Who answered.
        model: Model that answered.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        failed_calls: Those that ended in an error.
        estimated_calls: Those whose tokens agenttrace estimated.
        input_tokens: Of these calls.
        output_tokens: Of these calls.
        energy_wh: Of these calls, central estimate.
    """

    agent: str | None
    depth: int
    role: str
    provider: str | None
    model: str | None
    calls: int
    hidden_calls: int
    failed_calls: int
    estimated_calls: int
    input_tokens: int | None
    output_tokens: int | None
    energy_wh: float | None


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task as a tree, totals first.

    Attributes:
        store: The folder.
        task_id: Whole id.
        name: Name of the task; None until its root span arrives.
        workload: ``agentic`` or ``user-facing``.
        session_id: Conversation, where one is known.
        is_cut_off: Its process died before it ended.
        started_at: Start of its first span.
        duration_ms: From its first start to its last end.
        totals: Sums over its calls.
        coverage: What the figures rest on.
        spans: Spans of the task.
        pruned_before: Day (UTC) before which its spans were pruned; None where all are there.
        nodes: Each node before what hangs from it, siblings by their start; none where it is
            summed up.
        agents: What it is summed up by where its spans are too many to show: by depth and agent,
            most energy first; none where there are nodes.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "task"

    store: str
    task_id: str
    name: str | None
    workload: str | None
    session_id: str | None
    is_cut_off: bool
    started_at: str
    duration_ms: float | None
    totals: Totals
    coverage: Coverage
    spans: int
    pruned_before: str | None
    nodes: tuple[Node, ...]
    agents: tuple[AgentLine, ...]
    method: Method
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long calls take: within 1 %, in milliseconds.

    Attributes:
        p50: Half of them take at most this.
        p95: 19 in 20 take at most this.
    """

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class ModelUse:
    """What the calls of one model moved, used and took.

    Attributes:
        provider: As recorded; None where nothing says it.
        model: As the response names it, else as it was asked for; None where neither does.
        model_class: Size class whose factors are used.
        known: False where nothing matched the name, and the range spans every class.
        match_reason: Why this class and these parameters.
        calls: Model calls.
        hidden_calls: Those that no person reads.
        hidden_share: Their part, 0 to 1.
        failed_calls: Those that ended in an error.
        retried_calls: Second and later attempts.
        estimated_calls: Those whose tokens agenttrace estimated.
        unpriced_calls: Those whose usage lacks a side; what is missing is in no energy.
        tokens: By kind.
        cached_share: Part of the input that was read from a prompt cache, 0 to 1; None where
            either is not reported.
        energy_wh: Range over the draws of its factors.
        energy_share: Its part of the energy of all models, 0 to 1; None where either is unknown.
        carbon_g: CO2 equivalent of that energy, location-based.
        duration_ms: From the request to the end of the response; None where no call says it.
        time_to_first_token_ms: From the request to the first chunk of a stream; None without one.
    """

    provider: str | None
    model: str | None
    model_class: str
    known: bool
    match_reason: str
    calls: int
    hidden_calls: int
    hidden_share: float
    failed_calls: int
    retried_calls: int
    estimated_calls: int
    unpriced_calls: int
    tokens: Tokens
    cached_share: float | None
    energy_wh: Range | None
    energy_share: float | None
    carbon_g: Range | None
    duration_ms: Percentiles | None
    time_to_first_token_ms: Percentiles | None


@dataclass(frozen=True, slots=True)
class ModelsReport:
    """Every model that was called, beside the totals.

    Attributes:
        store: The folder.
        first_started_at: Start of the first call; None without calls.
        last_started_at: Start of the last call; None without calls.
        totals: Sums over all calls.
        models: Most energy first.
        coverage: What the figures rest on.
        method: How energy was estimated.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "models"

    store: str
    first_started_at: str | None
    last_started_at: str | None
    totals: Totals
    models: tuple[ModelUse, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
