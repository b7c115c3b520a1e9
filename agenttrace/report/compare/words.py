"""Comparisons in words: each says who or what with, when, and what its energy covers."""

from dataclasses import astuple
from typing import Final

from agenttrace.model import Range
from agenttrace.report import absence, figures
from agenttrace.report.compare.values import Days, PersonaLine, Sentence, UserFacing
from agenttrace.report.rows import printable
from agenttrace.report.selection import Selection

_SAID: Final = ("persona", "period", "boundary")
_MINUTE: Final = len("2026-11-01T08:53")
_UNKNOWN: Final = "an unknown number of times"

_TRACE_USERS: Final = (
    'To trace people\'s own calls, say `agenttrace.task(workload="user-facing")` around what '
    "answers them, or name its project or service in workloads.toml in the folder of the data."
)
_TRACE_AGENTS: Final = (
    "A task is agentic unless something says otherwise: `agenttrace query task_workload` has what."
)


def sentence(
    template: str, *, persona: str, period: str, boundary: str, **said: object
) -> Sentence:
    """Fill in *template*, which has to name persona, period and boundary.

    Raises:
        ValueError: It leaves one of them out, or one is empty.
    """
    named = {"persona": persona, "period": period, "boundary": boundary}
    left_out = [one for one in _SAID if f"{{{one}}}" not in template or not named[one]]
    if left_out:
        raise ValueError(f"a comparison says nothing without its {' and '.join(left_out)}")
    return Sentence(template.format(**named, **said), persona, period, boundary)


def users(
    line: PersonaLine, who: str, energy: Range | None, period: str, boundary: str
) -> Sentence:
    """Say how many people of a kind use as much energy as the agents did."""
    unknown = line.users is None or energy is None
    by_tokens = "" if line.users_by_tokens is None else figures.significant(line.users_by_tokens)
    return sentence(
        "In {period} the energy of {who} ({boundary}) is not known, for no call reports its usage; "
        "so it is not known how many active users of the kind {persona} use as much{rest}."
        if unknown
        else "In {period} {who} used {energy} ({boundary}): as much as {users} active users of the "
        "kind {persona}, over the same days{rest}.",
        persona=line.definition,
        period=period,
        boundary=boundary,
        who=who,
        energy="" if energy is None else figures.interval(energy, figures.ENERGY),
        users="" if line.users is None else spread(line.users),
        rest=f"; by tokens alone as much as {by_tokens}" if by_tokens else "",
    )


def own(line: UserFacing, who: str, period: str, boundary: str) -> Sentence:
    """Say how many times as much as one's own users the agents took."""
    found = line.ratios
    return sentence(
        "In {period} {who} made {calls} the calls, moved {tokens} the tokens and used {energy} the "
        "energy ({boundary}) of {persona}.",
        persona=f"the traced users ({prompting(line)})",
        period=period,
        boundary=boundary,
        who=who,
        calls=_UNKNOWN if found.calls is None else figures.times(found.calls),
        tokens=_UNKNOWN if found.tokens is None else figures.times(found.tokens),
        energy=_UNKNOWN if found.energy is None else f"{spread(found.energy)} times",
    )


def prompting(line: UserFacing) -> str:
    """Return how many people prompted how often, and what is not known of that."""
    tasks = figures.counted(line.tasks, "task")
    if line.people is None:
        people = "nobody told how many"
    elif line.unnamed_tasks:
        unnamed = figures.counted(line.unnamed_tasks, "task")
        people = f"at least {figures.counted(line.people, 'person')}, not told by {unnamed}"
    else:
        people = figures.counted(line.people, "person")
    if line.prompts is None:
        return f"{people}; {tasks}"
    least = "at least " if line.uncounted_tasks else ""
    return f"{people}; {least}{figures.counted(line.prompts, 'prompt')} in {tasks}"


def agents(selection: Selection) -> str:
    """Return which agents were chosen: ``the agents``, and what narrows them."""
    chosen = {
        "project": selection.project,
        "task": selection.task_name,
        "agent": selection.agent,
    }
    narrowed = ", ".join(f"{what} {printable(name)}" for what, name in chosen.items() if name)
    return f"the agents ({narrowed})" if narrowed else "the agents"


def when(selection: Selection, days: Days, first: str | None, last: str | None) -> str:
    """Return the period with its length, as it stands after *in*."""
    if selection.period.days is not None:
        return f"{selection.period} ({long(days, selection.period.days)})"
    if first is None or last is None:
        return "all that was recorded"
    return f"all that was recorded ({_between(first, last)}, {long(days, 0)})"


def long(days: Days, really: float) -> str:
    """Return a number of days in words; *really* less than one are taken as one."""
    number = f"{round(days.number, 1):,g}"
    if number != "1":
        return f"{number} days"
    return "1 day" if really == 1 else "taken as 1 day"


def definition(
    name: str, prompts_per_day: float, tokens: tuple[int, int, int], answering: str, origin: str
) -> str:
    """Return a persona in words.

    Args:
        name: Its name.
        prompts_per_day: What one asks.
        tokens: Of one prompt: input, what of it is read from a cache, and output.
        answering: The model or the class that answers.
        origin: Its source, or that it is an assumption.
    """
    read, cached, written = tokens
    size = f"{read:,} ({cached:,} from a cache)" if cached else f"{read:,}"
    return printable(
        f"{name} ({prompts_per_day:,g} prompts a day of {size} + {written:,} tokens, {answering}; "
        f"{origin})"
    )


def no_agents(who: str, period: str, recorded: tuple[str, str] | None) -> str:
    """Say that agents made no call, and when calls were made."""
    if recorded is None:
        return f"No model call of {who} is traced in {period}, and none of anybody at any time."
    return (
        f"No model call of {who} is traced in {period}, so nothing is compared; "
        f"{absence.when(*recorded)}. {_TRACE_AGENTS}"
    )


def no_users(period: str, project: str | None) -> str:
    """Say that no person's call was traced, and how it would be."""
    of = f" of project {printable(project)}" if project else ""
    return f"No user-facing call{of} is traced in {period}. {_TRACE_USERS}"


def unnamed(line: UserFacing, period: str) -> str:
    """Say that it is not told who prompted, and how it would be."""
    return (
        f"Who prompted is not told by {line.unnamed_tasks:,} of "
        f"{figures.counted(line.tasks, 'user-facing task')} in {period}: "
        f'`agenttrace.task(user="...")` keeps a keyed hash of it.'
    )


def _between(first: str, last: str) -> str:
    start, end = (moment[:_MINUTE].replace("T", " ") for moment in (first, last))
    return f"{start} UTC" if start == end else f"{start} to {end} UTC"


def spread(value: Range) -> str:
    """Return low, central and high, or the one number that all of them are."""
    low, central, high = map(figures.significant, astuple(value))
    return central if low == high else figures.dashed((low, central, high))
