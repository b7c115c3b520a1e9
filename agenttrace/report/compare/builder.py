"""Build the report on agents beside people: personas, one's own users, what others published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from agenttrace import compare
from agenttrace.compare import published
from agenttrace.compare.periods import Period
from agenttrace.compare.personas import Persona
from agenttrace.energy.factors import UNKNOWN
from agenttrace.reader import Reader
from agenttrace.report import absence, naming, stretches, sums
from agenttrace.report.compare import beside, words
from agenttrace.report.compare.seen import Seen, seen
from agenttrace.report.compare.values import (
    CompareReport,
    Days,
    PersonaLine,
    Sentence,
    UserFacing,
)
from agenttrace.report.intensity import Intensity, set_against
from agenttrace.report.rows import printable
from agenttrace.report.selection import Selection
from agenttrace.report.sums import Row

_DAY: Final = timedelta(days=1)


def compare_report(
    reader: Reader,
    selection: Selection | None = None,
    *,
    against: Period | None = None,
    personas: Sequence[Path] = (),
) -> CompareReport:
    """Set what agents used beside what people use.

    Args:
        reader: An open reader.
        selection: Which agents, and when; of its workload only what is agentic. One's own users
            are those of the same period and project, whatever task or agent is chosen.
        against: An earlier period, from which figures changed; default the one before.
        personas: Files of personas, over ours and those in the folder of the data.

    Raises:
        FactorError: A file of personas is not as it must be.
    """
    known = _define(reader, personas)
    sides = _sides(reader, selection or Selection())
    agents, label = sides.agents, str(sides.chosen.period)
    any_calls = agents.totals.calls > 0
    if not any_calls:
        naming.check(reader, sides.chosen)
    lines = tuple(_persona(row, sides.days) for row in agents.equivalents) if any_calls else ()
    own = _own(sides) if sides.people.tasks else None
    then = _earlier(reader, sides, against)
    others = beside.published(published.shipped(), agents, sides.people, label)
    return CompareReport(
        store=str(reader.home),
        selection=str(sides.chosen),
        period=label,
        first_started_at=agents.first_started_at,
        last_started_at=agents.last_started_at,
        days=sides.days,
        tasks=agents.tasks,
        totals=agents.totals,
        sentences=tuple(_sentences(sides, lines, own)),
        personas=lines,
        user_facing=own and _changed(own, then),
        each=_per_task(agents, label, then) if any_calls else (),
        published=others if any_calls else (),
        missing=tuple(_missing(reader, sides, own)),
        coverage=agents.coverage,
        method=agents.method,
        warnings=(
            *dict.fromkeys((*agents.warnings, *sides.people.warnings)),
            *_unknown_models(known),
            *_partly(sides.chosen, agents),
            *_overlap(sides.chosen.period, against),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """Agents and one's own users.

    Attributes:
        chosen: Which agents.
        agents: What they did.
        theirs: Which users.
        people: What was done for them.
        named: The part of it that says for whom.
        days: How long people are taken to be active.
        period: In words.
    """

    chosen: Selection
    agents: Seen
    theirs: Selection
    people: Seen
    named: Seen
    days: Days
    period: str


def _sides(reader: Reader, selection: Selection) -> _Sides:
    chosen = replace(selection, workload="agentic")
    theirs = Selection(chosen.period, workload="user-facing", project=chosen.project)
    agents, people = seen(reader, chosen), seen(reader, theirs)
    some = people.people.people > 0 and people.people.unnamed_tasks > 0
    days = _days(chosen, agents)
    return _Sides(
        chosen=chosen,
        agents=agents,
        theirs=theirs,
        people=people,
        named=seen(reader, theirs, named=True) if some else people,
        days=days,
        period=words.when(chosen, days, agents.first_started_at, agents.last_started_at),
    )


def _earlier(reader: Reader, sides: _Sides, against: Period | None) -> _Sides | None:
    """Return both sides of the earlier period; None without one, or where the two overlap."""
    period = against or sides.chosen.period.before()
    if period is None or period.overlaps(sides.chosen.period):
        return None
    return _sides(reader, replace(sides.chosen, period=period))


def _per_task(agents: Seen, label: str, then: _Sides | None) -> tuple[Intensity, ...]:
    each = beside.per_task(agents, label)
    if then is None or not then.agents.totals.calls:
        return each
    return set_against(each, beside.per_task(then.agents, str(then.chosen.period)))


def _changed(own: UserFacing, then: _Sides | None) -> UserFacing:
    if then is None or not then.people.totals.calls:
        return own
    return replace(own, each=set_against(own.each, _own(then).each))


def _own(sides: _Sides) -> UserFacing:
    return beside.user_facing(
        sides.agents,
        sides.people,
        sides.named,
        what=str(sides.theirs),
        period=str(sides.chosen.period),
    )


def _define(reader: Reader, files: Sequence[Path]) -> tuple[Persona, ...]:
    """Let queries see the personas of *files* as well; return all of them."""
    found = compare.layered(files, reader.home, reader.factors.origin)
    if files:
        compare.define(
            reader.connection,
            personas=found,
            factors=reader.factors.origin,
            boundary=reader.pricing.boundary,
            home=reader.home,
        )
    return found


def _days(selection: Selection, agents: Seen) -> Days:
    asked = selection.period.days
    if asked is not None:
        return Days(max(1.0, asked), "period")
    # As human_equivalent has it, so that the two say the same of everything.
    return Days(agents.equivalents[0]["days"] or 1.0 if agents.equivalents else 1.0, "calls")


def _persona(row: Row, days: Days) -> PersonaLine:
    by_tokens = row["user_days_by_tokens"]
    user_days = sums.spread(row["user_days_low"], row["user_days"], row["user_days_high"])
    prompt = sums.spread(row["prompt_low_wh"], row["prompt_energy_wh"], row["prompt_high_wh"])
    assert prompt is not None
    users = user_days and replace(
        user_days,
        low=user_days.low / days.number,
        central=user_days.central / days.number,
        high=user_days.high / days.number,
    )
    return PersonaLine(
        persona=row["persona"],
        name=row["name"],
        prompts_per_day=row["prompts_per_day"],
        input_tokens=row["input_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        output_tokens=row["output_tokens"],
        model_class=row["class"],
        model=row["model"],
        prompt_energy_wh=prompt,
        definition=_definition(row),
        mark=row["mark"],
        title=row["title"],
        year=row["year"],
        url=row["url"],
        retrieved=row["retrieved"].isoformat(),
        user_days=user_days,
        user_days_by_tokens=by_tokens,
        users=users,
        users_by_tokens=None if by_tokens is None else by_tokens / days.number,
    )


def _definition(row: Row) -> str:
    tokens = (row["input_tokens"], row["cache_read_tokens"], row["output_tokens"])
    answering = f"class {row['class']}" if row["model"] is None else f"model {row['model']}"
    origin = row["title"] if row["year"] is None else f"{row['title']}, {row['year']}"
    marked = row["mark"] if row["mark"] == "assumption" else f"{origin}; {row['mark']}"
    return words.definition(row["name"], row["prompts_per_day"], tokens, answering, marked)


def _sentences(
    sides: _Sides, lines: Sequence[PersonaLine], own: UserFacing | None
) -> Iterator[Sentence]:
    who, agents = words.agents(sides.chosen), sides.agents
    boundary = agents.method.boundary
    for line in lines:
        yield words.users(line, who, agents.totals.energy_wh, sides.period, boundary)
    if own is not None and own.totals.calls and agents.totals.calls:
        yield words.own(own, who, sides.period, boundary)


def _missing(reader: Reader, sides: _Sides, own: UserFacing | None) -> Iterator[str]:
    if not sides.agents.totals.calls:
        calls = absence.recorded(reader)
        yield words.no_agents(words.agents(sides.chosen), sides.period, calls)
        if calls is None:
            return
    if own is None or not own.totals.calls:
        yield words.no_users(sides.period, sides.chosen.project)
    elif own.unnamed_tasks:
        yield words.unnamed(own, sides.period)


def _unknown_models(personas: Sequence[Persona]) -> Iterator[str]:
    for persona in personas:
        if persona.model is not None and persona.class_name == UNKNOWN:
            yield (
                f"persona {printable(persona.id)} names model {printable(persona.model)}, which is "
                f"not in the catalogue: its range spans every class"
            )


def _overlap(period: Period, against: Period | None) -> Iterator[str]:
    if against is not None and period.overlaps(against):
        yield f"no change is shown: {stretches.overlap(period, against)}"


def _partly(selection: Selection, agents: Seen) -> Iterator[str]:
    """Say where the calls of agents fill only a part of the days that people are active on."""
    first, last = agents.first_started_at, agents.last_started_at
    asked = selection.period.days
    if asked is None or first is None or last is None:
        return
    start, end = (datetime.fromisoformat(moment.removesuffix("Z")) for moment in (first, last))
    if asked > 1 and (end - start) / _DAY < asked - 1:
        yield (
            f"calls of agents fill {stretches.length(end - start)}, from {first[:10]} to "
            f"{last[:10]}, of the {asked:g} days of {selection.period}, and people are taken to be "
            f"active on all of them"
        )
