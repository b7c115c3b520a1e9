"""Claims on agents beside people: how much more they run, and who sees any of it."""

from collections.abc import Iterator, Sequence
from typing import Final

from agenttrace.compare.claims import Claim
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.claims import answer
from agenttrace.report.claims.facts import Equal, Facts, Moved, PersonDays, Side
from agenttrace.report.claims.values import ClaimLine, Finding
from agenttrace.report.intensity import Intensity, intensity

_WEEK_DAYS: Final = 7.0


def agents_over_people(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from agentic over user-facing calls, tokens and energy, where both are traced."""
    calls, tokens, energy = claim.bound
    agents, people = facts.agentic, facts.people
    if not agents.calls or not people.calls:
        there = "user-facing" if people.calls else "agentic" if agents.calls else "no"
        only = f"Only {there} calls are recorded" if there != "no" else "No call is recorded"
        said = f"{only} ({answer.within(facts)}), so there is no ratio of the two."
        return answer.line(
            claim,
            facts,
            [answer.nothing(bound, said) for bound in claim.bound],
            also=tuple(_against_personas(facts)) if agents.calls else (),
            persona=_named(_decides(facts.agentic_equals, facts)) if agents.calls else None,
        )
    findings = [
        answer.finding(
            calls,
            answer.exactly(agents.calls / people.calls),
            f"Agents made {_times(agents.calls / people.calls)} as many calls as people asked for: "
            f"{agents.calls:,} agentic, {people.calls:,} user-facing ({answer.within(facts)}).",
        ),
        _of_tokens(claim, facts),
        _of_energy(claim, facts),
    ]
    assert (tokens.of, energy.of) == ("tokens", "energy")
    return answer.line(claim, facts, findings, also=tuple(_unpriced(agents, people)))


def _of_tokens(claim: Claim, facts: Facts) -> Finding:
    bound = claim.bound[1]
    agents, people = facts.agentic.tokens, facts.people.tokens
    if agents is None or not people:
        said = f"No call of one side reports tokens ({answer.within(facts)})."
        return answer.nothing(bound, said)
    said = (
        f"Agents moved {_times(agents / people)} as many tokens: {agents:,} agentic, {people:,} "
        f"user-facing ({answer.within(facts)})."
    )
    return answer.finding(bound, answer.exactly(agents / people), said)


def _of_energy(claim: Claim, facts: Facts) -> Finding:
    bound = claim.bound[2]
    agents, people = facts.agentic.energy_wh, facts.people.energy_wh
    ratio = agents.over(people) if agents and people else None
    if ratio is None or agents is None or people is None:
        said = f"The energy of one side is not known ({answer.within(facts)})."
        return answer.nothing(bound, said)
    said = (
        f"Agents took {answer.ranged(ratio.range)} times the energy, on the same draws: "
        f"{answer.energy(agents.range)} agentic, {answer.energy(people.range)} user-facing "
        f"({answer.within(facts)})."
    )
    return answer.finding(bound, ratio.range, said)


def _unpriced(*sides: Side) -> Iterator[str]:
    missing = sum(side.unpriced_calls for side in sides)
    if missing:
        yield f"{missing:,} calls lack a side of their usage, and what is missing is in no figure."


def _against_personas(facts: Facts) -> Iterator[str]:
    for equal in facts.agentic_equals:
        if (users := _users(equal)) is not None:
            yield f"Against a persona instead, agents equal {_active(users, equal, facts)}."


def most_calls_hidden(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the hidden calls of all, and tell tasks and roles."""
    (bound,) = claim.bound
    side, tasks = facts.both, facts.hidden
    if not side.calls:
        said = f"No call is recorded ({answer.within(facts)})."
        return answer.line(claim, facts, [answer.nothing(bound, said)])
    share = side.hidden_calls / side.calls
    said = (
        f"{figures.share(share, 1)} of {side.calls:,} calls are hidden "
        f"({answer.within(facts)}); more than half of them in {tasks.mostly_hidden_tasks:,} of "
        f"{tasks.tasks:,} tasks."
    )
    return answer.line(
        claim,
        facts,
        [answer.finding(bound, answer.exactly(share), said)],
        also=tuple(_hidden_roles(facts)),
        intensities=[_calls_of_a_task(facts)],
    )


def _hidden_roles(facts: Facts) -> Iterator[str]:
    if facts.hidden.roles:
        named = ", ".join(f"{role} {calls:,}" for role, calls in facts.hidden.roles)
        yield f"Hidden calls by role, the most first: {named} ({answer.within(facts)})."


def _calls_of_a_task(facts: Facts) -> Intensity:
    moved, before = _of_this_period(facts), None
    if moved is not None:
        before = _calls_per_task(moved.before, moved.against)
    return _calls_per_task(facts.both, facts.period, before)


def _of_this_period(facts: Facts) -> Moved | None:
    """Return what moved where its later period is the one that everything else is of."""
    moved = facts.moved
    return None if isinstance(moved, str) or moved.period != facts.period else moved


def _calls_per_task(side: Side, period: str, before: Intensity | None = None) -> Intensity:
    total = answer.exactly(side.calls)
    return intensity(
        "calls", "calls", "task", period=period, total=total, volume=side.tasks, before=before
    )


def one_agent_over_users(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the agent with the most energy, scaled to a week, and a persona's week."""
    (bound,) = claim.bound
    agent, persona = facts.agent, _decides(facts.agent.equals, facts)
    users = _users(persona) if persona is not None else None
    if persona is None or users is None:
        said = f"No agentic call has a known energy ({answer.within(facts)})."
        return answer.line(claim, facts, [answer.nothing(bound, said)], persona=_named(persona))
    said = f"Scaled to a week, {agent.name} equals {_active(users, persona, facts)}."
    also = (*_scaled(facts, persona.days), *_other_users(facts, persona))
    if not agent.side.days or agent.side.days < 1:
        short = f"{said[:-1]}; but it was seen for less than a day, which says little about a week."
        found = answer.nothing(bound, short)
    else:
        found = answer.finding(bound, users, said)
    return answer.line(claim, facts, [found], also=also, persona=_named(persona))


def _scaled(facts: Facts, days: float) -> Iterator[str]:
    side = facts.agent.side
    if side.energy_wh is None:
        return
    week = side.energy_wh.range * (_WEEK_DAYS / days)
    yield (
        f"It took {answer.energy(side.energy_wh.range)} and {side.calls:,} calls in "
        f"{_days(days)} ({answer.within(facts)}), so {answer.energy(week)} in a week; all runs of "
        "one name are taken for one agent."
    )


def _days(number: float) -> str:
    return "a day" if number == 1 else f"{number:,.3g} days"


def _other_users(facts: Facts, persona: Equal) -> Iterator[str]:
    for other in facts.agent.equals:
        users = _users(other)
        if other.id != persona.id and users is not None:
            yield f"With another persona, it equals {_active(users, other, facts)}."


def _decides(equals: Sequence[Equal], facts: Facts) -> Equal | None:
    return next((one for one in equals if one.id == facts.persona), None)


def _users(equal: Equal) -> Range | None:
    """Return how many people, active on the same days, take the same energy."""
    return None if equal.user_days is None else equal.user_days * (1 / equal.days)


def _active(users: Range, equal: Equal, facts: Facts) -> str:
    by_tokens = equal.user_days_by_tokens
    tokens = (
        ""
        if by_tokens is None
        else f"; by tokens alone {figures.significant(by_tokens / equal.days)}"
    )
    return (
        f"{answer.ranged(users)} active users of the persona {equal.name} "
        f"({equal.prompts_per_day:,g} prompts a day; {answer.within(facts)}{tokens})"
    )


def _named(equal: Equal | None) -> str | None:
    if equal is None:
        return None
    return f"{equal.name}, {equal.prompts_per_day:,g} prompts a day ({equal.title})"


def _times(ratio: float) -> str:
    return f"{figures.significant(ratio)} times"


def people_are_bounded(claim: Claim, facts: Facts) -> ClaimLine:
    """Answer from the fullest day of any person who asked; it takes a number of days."""
    (bound,) = claim.bound
    days = facts.person_days
    if not days.person_days or days.most is None or days.middle is None or days.high is None:
        said = f"No user-facing task tells who asked ({answer.within(facts)})."
        return answer.line(claim, facts, [answer.nothing(bound, said)])
    said = (
        f"{figures.counted(days.people, 'person')} asked on "
        f"{figures.counted(days.person_days, 'person-day')}: "
        f"{days.middle:,.3g} prompts on the one in the middle, {days.high:,.3g} at most on 95 % of "
        f"them, {days.most:,} on the fullest ({answer.within(facts)})."
    )
    if days.person_days < claim.least and days.most <= (bound.at_most or 0):
        missing = f"{claim.least} person-days at least; {claim.brings}"
        return answer.line(claim, facts, [answer.nothing(bound, said)], missing=missing)
    found = answer.finding(bound, answer.exactly(days.most), said)
    return answer.line(claim, facts, [found], intensities=[_prompts_of_a_day(facts)])


def _prompts_of_a_day(facts: Facts) -> Intensity:
    moved, before = _of_this_period(facts), None
    if moved is not None and moved.person_days_before.person_days:
        before = _prompts_per_day(moved.person_days_before, moved.against)
    return _prompts_per_day(facts.person_days, facts.period, before)


def _prompts_per_day(days: PersonDays, period: str, before: Intensity | None = None) -> Intensity:
    return intensity(
        "prompts",
        "prompts",
        "person-day",
        period=period,
        total=answer.exactly(days.prompts),
        volume=days.person_days,
        before=before,
    )
