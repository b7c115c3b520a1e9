"""One's own users and what others published, set beside the agents."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agenttrace.compare import ratios
from agenttrace.compare.published import Figure, Measure
from agenttrace.model import Range
from agenttrace.report.compare.seen import Seen
from agenttrace.report.compare.values import PublishedLine, Ratios, UserFacing
from agenttrace.report.intensity import Intensity, intensity
from agenttrace.report.values import Tokens, Totals

_TASK: Final = "task"
_CHAT: Final = "user-facing task"


def user_facing(agents: Seen, people: Seen, named: Seen, *, what: str, period: str) -> UserFacing:
    """Return one's own users beside the agents.

    Args:
        agents: What agents did.
        people: What was done for people.
        named: The part of it that says for whom; the same where all does.
        what: Which calls, in words.
        period: When, as intensities have it.
    """
    said = people.people
    return UserFacing(
        selection=what,
        tasks=people.tasks,
        totals=people.totals,
        prompts=said.prompts,
        uncounted_tasks=said.uncounted_tasks,
        people=said.people or None,
        unnamed_tasks=said.unnamed_tasks,
        person_days=said.person_days if said.people else None,
        ratios=_ratios(agents, people),
        each=_each_day(named, period) if said.people else (),
    )


def per_task(seen: Seen, period: str, per: str = _TASK) -> tuple[Intensity, ...]:
    """Return calls, tokens and energy for each task."""
    return _each(seen.totals, seen.tasks, per, period)


def published(
    figures: Sequence[Figure], agents: Seen, people: Seen, period: str
) -> tuple[PublishedLine, ...]:
    """Return what others published, each beside the same of one's own."""
    return tuple(_published(figure, agents, people, period) for figure in figures)


def _ratios(agents: Seen, people: Seen) -> Ratios:
    above, below = agents.totals, people.totals
    if not above.calls:  # of nothing that was traced, nobody knows whether it was nothing
        return Ratios(None, None, None)
    return Ratios(
        calls=ratios.times(above.calls, below.calls),
        tokens=ratios.times(above.tokens.total, below.tokens.total),
        energy=ratios.ratio(agents.energy, people.energy),
    )


def _each_day(named: Seen, period: str) -> tuple[Intensity, ...]:
    days, per = named.people.person_days, "person-day"
    prompts = intensity(
        "prompts",
        "prompts",
        per,
        period=period,
        total=_exactly(named.people.prompts),
        volume=days,
    )
    return (prompts, *_each(named.totals, days, per, period))


def _each(totals: Totals, volume: int, per: str, period: str) -> tuple[Intensity, ...]:
    return (
        _count("calls", totals.calls, volume, per, period),
        _count("tokens", totals.tokens.total, volume, per, period),
        intensity("energy", "Wh", per, period=period, total=totals.energy_wh, volume=volume),
    )


def _count(what: str, total: int | None, volume: int, per: str, period: str) -> Intensity:
    unit = "calls" if what == "calls" else "tokens"
    return intensity(what, unit, per, period=period, total=_exactly(total), volume=volume)


def _exactly(number: int | None) -> Range | None:
    return None if number is None else Range(number, number, number)


def _other_input(tokens: Tokens) -> int | None:
    if tokens.input is None:
        return None
    return tokens.input - (tokens.cache_read or 0)


_OF_CALLS: Final[Mapping[Measure, tuple[str, Callable[[Tokens], int | None]]]] = {
    "cache_read_tokens_per_call": ("cached input tokens", lambda tokens: tokens.cache_read),
    "other_input_tokens_per_call": ("other input tokens", _other_input),
    "output_tokens_per_call": ("output tokens", lambda tokens: tokens.output),
}


def _made_of(measure: Measure, agents: Seen, people: Seen, period: str) -> tuple[Intensity, ...]:
    """Return the figures of one's own that a published one stands beside."""
    totals = agents.totals
    if measure == "calls_per_task":
        return (_count("calls", totals.calls, agents.tasks, _TASK, period),)
    if measure in _OF_CALLS:
        what, of = _OF_CALLS[measure]
        return (_count(what, of(totals.tokens), totals.calls, "call", period),)
    a_task = _count("tokens", totals.tokens.total, agents.tasks, _TASK, period)
    if measure == "tokens_per_task":
        return (a_task,)
    return a_task, _count("tokens", people.totals.tokens.total, people.tasks, _CHAT, period)


def _published(figure: Figure, agents: Seen, people: Seen, period: str) -> PublishedLine:
    made_of = _made_of(figure.measure, agents, people, period)
    each = [one.each.central if one.each else None for one in made_of]
    yours = ratios.times(*each) if len(each) > 1 else each[0]
    return PublishedLine(
        figure=figure.id,
        name=figure.name,
        measure=figure.measure,
        value=figure.value,
        mark=figure.mark,
        note=figure.note,
        by=figure.source.by,
        title=figure.source.title,
        year=figure.source.year,
        url=figure.source.url,
        locator=figure.locator,
        retrieved=figure.retrieved.isoformat(),
        made_of=made_of,
        yours=yours,
        times=ratios.times(yours, figure.value),
    )
