"""A simulated week of one coding agent, the week before it, and a chat service beside it.

    python examples/coding_agent_week.py --home /tmp/week
    agenttrace --store /tmp/week report compare --period 2026-W46

Nothing runs and nobody is asked: records of 19,139 model calls are drawn from a seed and written
with dates of November 2026, so that every run gives the same store.

What is taken from measurements is the size of a step. TraceLab, a data set of coding agents under
CC BY 4.0 (<https://arxiv.org/abs/2606.30560>), has medians of 118,656 tokens read from the cache,
875 new and 214 written, 8.8 steps to a request, and about 294 input tokens to an output token, of
which about 96 % are read from the cache. Here all three are lognormal: the medians are those, and
the spreads are chosen so that the two ratios come out. Lognormal is our assumption, and so is
everything else: which models answer, how often a call is refused, when sub-agents are started, what
became of the work, the smaller week before, and the people who chat.
"""

import argparse
import math
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import NormalDist
from typing import Final, NamedTuple

from agenttrace.testing.history import History, Outcome, Task, Work

SEED: Final = 20261109

# Spreads (sigma of the logarithm) that give 294 and 96 % together with the medians, by these means:
# 134,450 cached, 5,602 new and 476 written. The largest are cut at what a context holds.
CACHED_SPREAD: Final = 0.5
NEW_SPREAD: Final = 2.03
OUTPUT_SPREAD: Final = 1.265
MOST_CACHED: Final = 800_000
MOST_NEW: Final = 150_000
MOST_OUTPUT: Final = 64_000

REQUEST_SPREAD: Final = 1.1  # of the steps of a request
REFUSED: Final = 0.01  # of the calls, and then tried again
HANDED_OUT_FROM: Final = 12  # steps; a longer piece of work is shared with sub-agents
DEEPEST: Final = 3
COMPACTED_EVERY: Final = 40  # steps of one agent

OUTCOMES: Final[Mapping[Outcome | None, float]] = {
    "success": 0.72,
    "failure": 0.13,
    "abandoned": 0.08,
    None: 0.07,  # nobody said
}
REQUEST: Final = "coding request"
PROJECTS: Final = ("shop", "billing", "infrastructure")
TOOLS: Final = ("read_file", "search", "shell", "edit_file")
HELPERS: Final = ("explorer", "tester", "reviewer")
DEVELOPERS: Final = tuple(f"developer {number}" for number in range(1, 13))

PEOPLE: Final = tuple(f"person {number}" for number in range(1, 26))
PROMPTS_A_DAY: Final = 3.67  # on working days, as the average weekly user of ChatGPT on all days


class Step(NamedTuple):
    """Tokens of one model call of the coding agent."""

    cached: int
    new: int
    output: int
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Week:
    """What a week of the coding agent is made of.

    Attributes:
        monday: Its first moment.
        steps: Model calls, refused ones included.
        requests: Of people; each is a task.
        cached, new, output: Medians of a step, in tokens.
        models: Which models answer the main agent, by their share of the requests.
        helper: Which one answers its sub-agents; None for the same.
    """

    monday: datetime
    steps: int
    requests: int
    cached: int
    new: int
    output: int
    models: Mapping[str, float]
    helper: str | None = None


BEFORE: Final = Week(
    monday=datetime(2026, 11, 2, tzinfo=UTC),
    steps=11_730,
    requests=1_380,
    cached=104_000,
    new=940,
    output=231,
    models={"claude-opus-4-1": 0.55, "claude-sonnet-4-5": 0.45},
)
WEEK: Final = Week(
    monday=datetime(2026, 11, 9, tzinfo=UTC),
    steps=19_139,
    requests=2_175,
    cached=118_656,
    new=875,
    output=214,
    models={"claude-opus-4-5": 0.15, "claude-sonnet-4-5": 0.85},
    helper="claude-haiku-4-5",
)


def lognormal(
    count: int, median: float, spread: float, most: int, chance: random.Random
) -> list[int]:
    """Return *count* values in any order, whose median is *median* whatever the seed.

    They are the quantiles in the middle of *count* equal parts, so nothing is left to luck but
    which of them go together.
    """
    normal = NormalDist(math.log(median), spread)
    values = [
        min(round(math.exp(normal.inv_cdf((place + 0.5) / count))), most) for place in range(count)
    ]
    chance.shuffle(values)
    return values


def sizes(total: int, parts: int, chance: random.Random) -> list[int]:
    """Return *parts* numbers, 1 or more and most of them small, that add up to *total*."""
    drawn = lognormal(parts, 1_000, REQUEST_SPREAD, 1_000_000, chance)
    scale = (total - parts) / sum(drawn)
    found = [1 + int(size * scale) for size in drawn]
    # What rounding has left over goes to the first ones; there are fewer of it than parts.
    for place in range(total - sum(found)):
        found[place] += 1
    return found


def working_hours(monday: datetime, count: int, chance: random.Random) -> list[datetime]:
    """Return *count* moments of the week by day, most of them on working days."""
    days = chance.choices(range(7), weights=(18, 18, 18, 18, 18, 5, 5), k=count)
    return sorted(
        monday + timedelta(days=day, hours=7, seconds=chance.randrange(11 * 3600)) for day in days
    )


def write_week(past: History, week: Week, chance: random.Random) -> None:
    """Write the requests of a week, a task each; the requests of a day and person are a session."""
    refused = round(week.steps * REFUSED)
    starts = working_hours(week.monday, week.requests, chance)
    whose = [chance.choice(DEVELOPERS) for _ in starts]
    sessions = [f"{who} on {at:%Y-%m-%d}" for who, at in zip(whose, starts, strict=True)]
    answered = week.steps - refused - len(set(sessions))  # each session has a title
    steps = iter(drawn_steps(week, answered, refused, chance))
    titled: set[str] = set()
    lengths = sizes(answered, week.requests, chance)
    for at, user, session, length in zip(starts, whose, sessions, lengths, strict=True):
        with past.task(
            REQUEST,
            at=at,
            project=chance.choice(PROJECTS),
            user=user,
            user_turns=1,
            session=session,
        ) as task:
            if session not in titled:
                titled.add(session)
                write_title(task, chance)
            write_request(task, week, [next(steps) for _ in range(length)], chance)


def drawn_steps(week: Week, answered: int, refused: int, chance: random.Random) -> list[Step]:
    """Return the steps that got an answer, *refused* of them at the second attempt."""
    attempts = [2] * refused + [1] * (answered - refused)
    chance.shuffle(attempts)
    cached = lognormal(answered, week.cached, CACHED_SPREAD, MOST_CACHED, chance)
    new = lognormal(answered, week.new, NEW_SPREAD, MOST_NEW, chance)
    output = lognormal(answered, week.output, OUTPUT_SPREAD, MOST_OUTPUT, chance)
    return [Step(*each) for each in zip(cached, new, output, attempts, strict=True)]


def write_title(task: Task, chance: random.Random) -> None:
    """Write the call that names a session."""
    task.call(
        "claude-haiku-4-5",
        provider="anthropic",
        input_tokens=chance.randrange(700, 1_100),
        cache_read_tokens=0,
        cache_write_tokens=0,
        output_tokens=chance.randrange(8, 16),
        role="title",
    )


def write_request(task: Task, week: Week, steps: Sequence[Step], chance: random.Random) -> None:
    """Write the work on one request, and what became of it."""
    [model] = chance.choices(list(week.models), weights=list(week.models.values()))
    # A context grows, so what an agent reads again grows with it.
    in_order = sorted(steps, key=lambda step: step.cached)
    with task.agent("coder") as coder:
        write_agent(coder, model, week.helper or model, in_order, chance)
    [outcome] = chance.choices(list(OUTCOMES), weights=list(OUTCOMES.values()))
    if outcome is not None:
        reference = f"change {chance.randrange(10_000)}" if outcome == "success" else None
        task.outcome(outcome, reference=reference)


def write_agent(
    agent: Work,
    model: str,
    helper: str,
    steps: Sequence[Step],
    chance: random.Random,
    *,
    depth: int = 1,
) -> None:
    """Write the steps of an agent; of much work its sub-agents do the half with small contexts."""
    half = len(steps) // 2 if len(steps) >= HANDED_OUT_FROM and depth < DEEPEST else 0
    handed, own = steps[:half], steps[half:]
    write_step(agent, model, own[0], None, chance)
    for start in range(0, half, HANDED_OUT_FROM * 2):
        part = handed[start : start + HANDED_OUT_FROM * 2]
        with agent.agent(chance.choice(HELPERS)) as inner:
            write_agent(inner, helper, helper, part, chance, depth=depth + 1)
    for number, step in enumerate(own[1:], start=2):
        role = "summary" if number % COMPACTED_EVERY == 0 else None
        write_step(agent, model, step, role, chance)


def write_step(
    agent: Work, model: str, step: Step, role: str | None, chance: random.Random
) -> None:
    """Write a model call, and after most of them the tool that it asked for."""
    agent.call(
        model,
        provider="anthropic",
        input_tokens=step.cached + step.new,
        cache_read_tokens=step.cached,
        cache_write_tokens=step.new * 9 // 10,
        output_tokens=step.output,
        role=role,
        attempts=step.attempts,
        seconds=1.5 + step.output / 70,
    )
    if chance.random() < 0.6:
        agent.use(chance.choice(TOOLS), seconds=chance.uniform(0.1, 8))


def write_chats(past: History, monday: datetime, chance: random.Random) -> None:
    """Write a week of the chat service: people ask, a model answers, and it names their session."""
    for person, day in ((person, day) for person in PEOPLE for day in range(5)):
        session = f"{person} on {monday + timedelta(days=day):%Y-%m-%d}"
        for number, at in enumerate(prompts_of_a_day(monday + timedelta(days=day), chance)):
            with past.task(
                "chat",
                at=at,
                workload="user-facing",
                project="help desk",
                user=person,
                user_turns=1,
                session=session,
            ) as task:
                if not number:
                    task.call("gpt-5-mini", input_tokens=60, output_tokens=9, role="title")
                output = round(chance.lognormvariate(math.log(300), 0.6))
                task.call(
                    "gpt-5",
                    input_tokens=round(chance.lognormvariate(math.log(500), 0.7)),
                    cache_read_tokens=0,
                    output_tokens=output,
                    seconds=1 + output / 90,
                )


def prompts_of_a_day(day: datetime, chance: random.Random) -> Iterator[datetime]:
    """Yield when one person prompts: at random between 7 and 18 o'clock, a Poisson process."""
    hour = 7.0
    while (hour := hour + chance.expovariate(PROMPTS_A_DAY / 11)) < 18:
        yield day + timedelta(hours=hour)


def write(home: Path) -> None:
    """Write both weeks into *home*, the agent as one process and the chat service as another."""
    with History(home, "coding-agent", seed=SEED) as past:
        for week in (BEFORE, WEEK):
            write_week(past, week, chance_of("agent", week))
    with History(home, "chat", seed=SEED) as past:
        for week in (BEFORE, WEEK):
            write_chats(past, week.monday, chance_of("chat", week))


def chance_of(what: str, week: Week) -> random.Random:
    return random.Random(f"{SEED} {what} {week.monday}")  # noqa: S311 - a simulation


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, help="folder to write into; default a temporary one")
    home = parser.parse_args().home or Path(tempfile.mkdtemp(prefix="agenttrace-week-"))
    if (home / "spool").exists():
        parser.error(f"{home} holds something already, and the weeks would mix with it.")
    write(home)
    print(f"Two weeks of a coding agent and of a chat service are in {home}. Look at them:")
    for line in (
        "report compare --period 2026-W46",
        "report trend --period 2026-W46 --against 2026-W45",
        "report claims --period 2026-W46",
    ):
        print(f"  agenttrace --store {home} {line}")


if __name__ == "__main__":
    main()
