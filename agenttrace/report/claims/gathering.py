"""Ask the store, once each, for the few numbers that claims are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agenttrace.compare import periods
from agenttrace.compare.periods import Period
from agenttrace.compare.what_if import Drawn
from agenttrace.energy.grid import certificates
from agenttrace.errors import ConfigError
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches, sums
from agenttrace.report import selection as selecting
from agenttrace.report.carbon import certified
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.carbon.zones import zones
from agenttrace.report.claims import hardware
from agenttrace.report.claims.facts import (
    Agent,
    Equal,
    Facts,
    HiddenInTasks,
    Moved,
    PersonDays,
    Side,
)
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


_OF_ZONES: Final = ("call_rollup", "model_moments", "model_place_draw")
"""What the load of zones is read from; each may read those before it."""


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
        variants = hardware.variants(reader)
        coverage, method = sums.coverage(reader), sums.method(reader)
        warnings = sums.warnings(reader)
    people_only = replace(selection, workload="user-facing")
    with selected(reader, people_only), held(reader, *sums.SHARED):
        people, person_days = _side(reader), _person_days(reader)
    agents_only = replace(selection, workload="agentic")
    with selected(reader, agents_only), held(reader, *sums.SHARED):
        agentic, equals = _side(reader), _equals(reader, selection.period)
        largest = reader.query(_LARGEST_NAME)
    matching = _matching(reader, extent) if extent is not None else ()
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
    if not both.calls and not selection.is_everything:
        naming.check(reader, selection)
        warnings = (*warnings, *absence.elsewhere(absence.recorded(reader)))
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
    return ("call_rollup",) if selection.is_everything else ()


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


def _matching(reader: Reader, extent: Period) -> tuple[MatchLine, ...]:
    """Return the years of *extent* beside their certificates, with all that was recorded in them.

    Certificates are of a year and of nobody's calls: beside some of the calls alone, all of them
    would match those, and the others again.
    """
    bought = certificates.certificates(reader.home)
    if not bought:
        return ()
    residuals = {(one.zone, one.year): one for one in certificates.residuals(reader.home)}
    with selected(reader, Selection()), held(reader, *_OF_ZONES):
        found = [
            year for zone in zones(reader) for year in certified.years(zone, bought, residuals)
        ]
    years = [(one, periods.parse(f"{one.line.year:04}")) for one in found if one.line.bought_wh]
    return tuple(one.line for one, year in years if year.overlaps(extent))


def _agent(
    reader: Reader, agents_only: Selection, everyone: Agent, largest: Sequence[Row]
) -> Agent:
    """Return the agent that is tested as one: what was chosen, else the name with most energy."""
    if agents_only.agent is not None:
        # Tasks are taken whole, so what others did in them is in the figures.
        name = f"the agent {agents_only.agent}, with all else in its tasks,"
        return replace(everyone, name=name)
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
        shared = _of(reader, replace(selection, period=earlier))
        return stretches.overlap(period, earlier, (_sums(both), _sums(shared)))
    before = _of(reader, replace(selection, period=earlier))
    if not before.calls:
        return f"nothing was recorded in {earlier}"
    now = both if period == selection.period else _of(reader, replace(selection, period=period))
    with selected(reader, replace(selection, period=earlier, workload="user-facing")):
        asked = _person_days(reader)
    return Moved(now, before, str(period), str(earlier), how, asked)


def _sums(side: Side) -> stretches.Sums:
    return side.calls, side.energy_wh.central if side.energy_wh else None


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
