"""What the store says that claims are held against: few numbers, asked for once each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agenttrace.compare.periods import Period
from agenttrace.compare.what_if import Drawn
from agenttrace.energy.grid import certificates
from agenttrace.errors import ConfigError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import selection as selecting
from agenttrace.report import sums
from agenttrace.report.carbon import certified
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.carbon.zones import zones
from agenttrace.report.claims import hardware
from agenttrace.report.claims.hardware import Variant
from agenttrace.report.selection import Selection, selected
from agenttrace.report.sums import Row, held
from agenttrace.report.trend import when
from agenttrace.report.values import Coverage, Method

_HIDDEN_IN_TASKS: Final = """
SELECT
    count(*) AS tasks,
    count(*) FILTER (WHERE task_share.hidden_share > 0.5) AS mostly_hidden_tasks,
    quantile_cont(task_share.hidden_share, 0.5) AS middle
FROM (
    SELECT sum(task_total.hidden_calls) / sum(task_total.calls) AS hidden_share
    FROM task_total
    GROUP BY task_total.task_id
    HAVING sum(task_total.calls) > 0
) AS task_share
"""

_ROLES: Final = """
SELECT role, hidden_calls
FROM role_tokens
WHERE hidden_calls > 0
ORDER BY hidden_calls DESC, role
LIMIT 3
"""

# The day is that on which a task began: its prompts are not told apart by time.
_PERSON_DAYS: Final = """
SELECT
    count(*) AS person_days,
    count(DISTINCT person_day.user_hash) AS people,
    quantile_cont(person_day.prompts, 0.5) AS middle,
    quantile_cont(person_day.prompts, 0.95) AS high,
    max(person_day.prompts)::BIGINT AS most,
    coalesce(sum(person_day.prompts), 0)::BIGINT AS prompts
FROM (
    SELECT
        task_workload.user_hash,
        sum(task_workload.user_turns) AS prompts
    FROM task_workload
    INNER JOIN task_fact ON task_workload.task_id = task_fact.task_id
    WHERE task_workload.user_hash IS NOT NULL AND task_workload.user_turns > 0
    GROUP BY task_workload.user_hash, make_timestamp(task_fact.start_ns // 1000)::DATE
) AS person_day
"""

_LARGEST_NAME: Final = """
SELECT task_fact.task_name
FROM task_moments
INNER JOIN task_fact ON task_moments.task_id = task_fact.task_id
WHERE task_fact.task_name IS NOT NULL
GROUP BY task_fact.task_name
HAVING sum(task_moments.energy_wh) > 0
ORDER BY sum(task_moments.energy_wh) DESC, task_fact.task_name
LIMIT 1
"""


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


@dataclass(frozen=True, slots=True)
class Found:
    """The facts, and what a report says of them."""

    facts: Facts
    first_started_at: str | None
    last_started_at: str | None
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]


def gathered(
    reader: Reader,
    selection: Selection,
    *,
    against: Period | None = None,
    persona: str | None = None,
    training_share: float | None = None,
) -> Found:
    """Ask *reader* for all that claims are held against.

    Args:
        reader: An open reader.
        selection: What is looked at, of both workloads.
        against: An earlier period; the one before where it is not given.
        persona: Id of the persona that decides; the first with a source where it is not given.
        training_share: Share of training in the electricity of models, 0 to 1.

    Raises:
        ConfigError: There is no such persona.
    """
    decides = _decides(reader, persona)
    with selected(reader, selection), held(reader, *_held(selection), *sums.SHARED):
        (row,) = reader.query("totals")
        both, hidden = _side(reader), _hidden(reader)
        extent = selecting.extent(reader)
        matching, variants = _matching(reader), hardware.variants(reader)
        coverage, method = sums.coverage(reader), sums.method(reader)
        warnings = sums.warnings(reader)
    people_only = replace(selection, workload="user-facing")
    with selected(reader, people_only), held(reader, *sums.SHARED):
        people, person_days = _side(reader), _person_days(reader)
    agents_only = replace(selection, workload="agentic")
    with selected(reader, agents_only), held(reader, *sums.SHARED):
        agentic, equals = _side(reader), _equals(reader, selection.period)
        largest = reader.query(_LARGEST_NAME)
    facts = Facts(
        period=_period(selection.period),
        boundary=reader.factors.boundary,
        both=both,
        agentic=agentic,
        people=people,
        agentic_equals=equals,
        agent=_agent(reader, agents_only, Agent("all agentic work", agentic, equals), largest),
        persona=decides,
        hidden=hidden,
        person_days=person_days,
        moved=_moved(reader, selection, against, both, extent),
        matching=matching,
        variants=variants,
        training_share=training_share,
    )
    return Found(
        facts=facts,
        first_started_at=sums.moment(row["first_started_at"]),
        last_started_at=sums.moment(row["last_started_at"]),
        coverage=coverage,
        method=method,
        warnings=warnings,
    )


def _held(selection: Selection) -> tuple[str, ...]:
    # A selection of something holds its roll-up already.
    rolled = ("call_rollup",) if selection.is_everything else ()
    return (*rolled, "model_moments", "model_place_draw")


def _side(reader: Reader) -> Side:
    """Return the sums over the calls that *reader* shows."""
    (row,) = reader.query("totals")
    extent = selecting.extent(reader)
    return Side(
        tasks=row["tasks"],
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        unpriced_calls=row["calls_unpriced"],
        tokens=row["total_tokens"],
        energy_wh=_energy(row, selecting.draws(reader)),
        days=extent.days if extent is not None else None,
    )


def _energy(row: Row, draws: Sequence[dict[str, float]]) -> Drawn | None:
    if row["energy_wh"] is None or not draws:
        return None
    return Drawn(row["energy_wh"], tuple(draw["energy_wh"] for draw in draws))


def _hidden(reader: Reader) -> HiddenInTasks:
    (row,) = reader.query(_HIDDEN_IN_TASKS)
    roles = tuple((one["role"], one["hidden_calls"]) for one in reader.query(_ROLES))
    return HiddenInTasks(row["tasks"], row["mostly_hidden_tasks"], row["middle"], roles)


def _person_days(reader: Reader) -> PersonDays:
    (row,) = reader.query(_PERSON_DAYS)
    return PersonDays(**row)


def _matching(reader: Reader) -> tuple[MatchLine, ...]:
    bought = certificates.certificates(reader.home)
    if not bought:
        return ()
    residuals = {(one.zone, one.year): one for one in certificates.residuals(reader.home)}
    years = [year for zone in zones(reader) for year in certified.years(zone, bought, residuals)]
    return tuple(year.line for year in years if year.line.bought_wh)


def _agent(
    reader: Reader, agents_only: Selection, everyone: Agent, largest: Sequence[Row]
) -> Agent:
    """Return the agent that is tested as one: what was chosen, else the name with most energy."""
    if agents_only.agent is not None:
        return replace(everyone, name=f"the agent {agents_only.agent}")
    if agents_only.task_name is not None:
        return replace(everyone, name=f"the agent of the task {agents_only.task_name}")
    if not largest:
        return everyone
    name = largest[0]["task_name"]
    with selected(reader, replace(agents_only, task_name=name)), held(reader, *sums.SHARED):
        return Agent(
            f"the agent of the task {name}", _side(reader), _equals(reader, agents_only.period)
        )


def _moved(
    reader: Reader,
    selection: Selection,
    against: Period | None,
    both: Side,
    extent: Period | None,
) -> Moved | str:
    """Return two periods, or why there are no two, without a full stop."""
    period, how = selection.period, ""
    earlier = against or period.before()
    if earlier is None and extent is not None:
        period, earlier, how = when.chosen(extent)
    if earlier is None:
        return how or "no call is recorded"
    if earlier.overlaps(period):
        return f"{_period(period)} and {_period(earlier)} overlap"
    before = _of(reader, replace(selection, period=earlier))
    if not before.calls:
        return f"nothing was recorded in {earlier}"
    now = both if period == selection.period else _of(reader, replace(selection, period=period))
    with selected(reader, replace(selection, period=earlier, workload="user-facing")):
        asked = _person_days(reader)
    return Moved(now, before, str(period), str(earlier), how, asked)


def _of(reader: Reader, selection: Selection) -> Side:
    with selected(reader, selection), held(reader, *sums.SHARED):
        return _side(reader)


def _period(period: Period) -> str:
    return "all recorded" if period.start is None and period.end is None else str(period)


def _equals(reader: Reader, period: Period) -> tuple[Equal, ...]:
    return tuple(
        Equal(
            id=row["persona"],
            name=row["name"],
            prompts_per_day=row["prompts_per_day"],
            title=row["title"],
            is_sourced=row["url"] is not None,
            days=max(1.0, period.days or row["days"] or 1.0),
            user_days=sums.spread(row["user_days_low"], row["user_days"], row["user_days_high"]),
            user_days_by_tokens=row["user_days_by_tokens"],
        )
        for row in reader.query("FROM human_equivalent ORDER BY prompts_per_day, persona")
    )


def _decides(reader: Reader, chosen: str | None) -> str | None:
    """Return the id of the persona that decides: the first with a source, unless one is chosen."""
    rows = reader.query("SELECT id FROM persona ORDER BY url IS NULL, prompts_per_day, id")
    ids = [str(row["id"]) for row in rows]
    if chosen is None:
        return ids[0] if ids else None
    if chosen in ids:
        return chosen
    raise ConfigError(f"there is no persona {chosen!r}. Known: {', '.join(ids) or 'none'}.")
