"""What one run came to: the calls of its tasks, priced as every report prices them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import ClassVar, Final

from agenttrace.launch.ended import Run
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import figures, sums
from agenttrace.report.rows import printable
from agenttrace.report.sums import held, narrowed
from agenttrace.report.values import Method, Totals
from agenttrace.sources.told import Total

# A task of the run's agent ends in it; one of the same session that has ended before is not of it.
_OF_AGENT: Final = """
SELECT task_id, session_id
FROM task_fact
WHERE service_name = $1 AND end_ns >= $2 AND start_ns <= $3
ORDER BY start_ns, task_id
"""

_WITH_CALLS: Final = """
SELECT task_id
FROM call_rollup
GROUP BY task_id
HAVING sum(calls) > 0
"""

_LIKE: Final = """
SELECT name, prompts_per_day, user_days_low, user_days, user_days_high, user_days_by_tokens
FROM human_equivalent
ORDER BY url IS NULL, prompts_per_day, persona
"""

_COLUMNS: Final = 80
_SHORT_ID: Final = 12
_NS_PER_MS: Final = 1e6


@dataclass(frozen=True, slots=True)
class Said:
    """What the program itself says that its session has used.

    Attributes:
        model: Of which model; None for all together.
        input_tokens: Inclusive; None where it does not say.
        output_tokens: Inclusive.
        cost_usd: US dollars.
    """

    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Like:
    """How long a person of one kind takes to use as much.

    Attributes:
        name: The person in words.
        prompts_per_day: What one asks.
        user_days: Days of one that take the same energy.
        user_days_by_tokens: The same by tokens alone.
    """

    name: str
    prompts_per_day: float
    user_days: Range | None
    user_days_by_tokens: float | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a run came to.

    Attributes:
        store: Folder of the data.
        name: Of the run.
        agent: The coding agent; None for a program.
        status: Exit status of the command.
        duration_ms: How long it took.
        tasks: Ids of its tasks that hold calls: the one around it, then those of the agent in
            time; the first alone where none does.
        sessions: Sessions of the agent in the time of the run.
        totals: Sums over its calls.
        equivalents: People who use as much.
        method: How the energy was estimated.
        said: What it said itself; in no sum.
        notes: What to know, a sentence each.
        warnings: As every report has them.
    """

    kind: ClassVar = "receipt"

    store: str
    name: str
    agent: str | None
    status: int
    duration_ms: float
    tasks: tuple[str, ...]
    sessions: tuple[str, ...]
    totals: Totals
    equivalents: tuple[Like, ...]
    method: Method
    said: tuple[Said, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def receipt(home: Path, run: Run) -> Receipt:
    """Return what *run* came to.

    Raises:
        AgentTraceError: What was recorded cannot be read.
    """
    with Reader(home) as reader:
        tasks, sessions = _tasks(reader, run)
        with narrowed(reader, *tasks), held(reader, "call_total", *sums.SHARED):
            return Receipt(
                store=str(reader.home),
                name=run.name,
                agent=run.agent,
                status=run.status,
                duration_ms=(run.end_ns - run.start_ns) / _NS_PER_MS,
                tasks=_with_calls(reader, tasks),
                sessions=sessions,
                totals=sums.totals(reader),
                equivalents=_equivalents(reader),
                method=sums.method(reader),
                said=tuple(map(_said, run.said)),
                notes=run.notes,
                warnings=sums.warnings(reader),
            )


def _tasks(reader: Reader, run: Run) -> tuple[tuple[str, ...], tuple[str, ...]]:
    own = (run.task_id,) if run.task_id else ("",)
    if run.agent is None:
        return own, ()
    found = reader.query(_OF_AGENT, [run.agent, run.start_ns, run.end_ns])
    if run.session and any(row["session_id"] == run.session for row in found):
        found = [row for row in found if row["session_id"] == run.session]
    sessions = dict.fromkeys(str(row["session_id"]) for row in found if row["session_id"])
    return (*own, *(str(row["task_id"]) for row in found)), tuple(sessions)


def _with_calls(reader: Reader, tasks: tuple[str, ...]) -> tuple[str, ...]:
    held_by = {row["task_id"] for row in reader.query(_WITH_CALLS)}
    return tuple(task for task in tasks if task in held_by) or tasks[:1]


def _equivalents(reader: Reader) -> tuple[Like, ...]:
    return tuple(
        Like(
            row["name"],
            row["prompts_per_day"],
            sums.spread(row["user_days_low"], row["user_days"], row["user_days_high"]),
            row["user_days_by_tokens"],
        )
        for row in reader.query(_LIKE)
    )


def _said(total: Total) -> Said:
    usage = total.usage
    return Said(total.model, usage.input_tokens, usage.output_tokens, total.cost_usd)


def lines(receipt: Receipt) -> Sequence[str]:
    """Return *receipt* as a few lines of text."""
    took = figures.duration(receipt.duration_ms)
    found = [f"agenttrace: {printable(receipt.name)}, {took}, exit status {receipt.status}"]
    if receipt.totals.calls:
        for label, text in _figures(receipt):
            found += wrap(
                text, _COLUMNS, initial_indent=f"  {label:<9}", subsequent_indent=" " * 11
            )
        found.append(f"  {'More':<9}agenttrace report task {_more(receipt)}")
    else:
        found.append("  No model call was seen.")
    found += [f"  {'Said':<9}{_said_line(one)}" for one in receipt.said]
    if len(receipt.sessions) > 1:
        found.append(f"  These are {len(receipt.sessions)} sessions that ran meanwhile.")
    return [*found, *(f"  {note}" for note in receipt.notes)]


def _figures(receipt: Receipt) -> list[tuple[str, str]]:
    totals, tokens = receipt.totals, receipt.totals.tokens
    about = "~" if totals.estimated_calls else ""
    hidden = figures.share(totals.hidden_calls, totals.calls)
    hidden_tokens = figures.share(totals.hidden_tokens, tokens.total)
    rows = [
        (
            "Calls",
            f"{totals.calls:,}, {totals.hidden_calls:,} hidden "
            f"({hidden} of calls, {hidden_tokens} of tokens)",
        ),
        (
            "Tokens",
            f"{about}{figures.count(tokens.total)}: {figures.count(tokens.input)} input, "
            f"{figures.count(tokens.output)} output",
        ),
        ("Energy", f"{about}{_energy(totals)}, {receipt.method.boundary}"),
    ]
    if receipt.equivalents and receipt.equivalents[0].user_days is not None:
        rows.append(("Like", _like(receipt.equivalents[0])))
    return rows


def _energy(totals: Totals) -> str:
    if totals.energy_wh is None:
        return figures.UNKNOWN
    return figures.interval(totals.energy_wh, figures.ENERGY)


def _like(like: Like) -> str:
    """Say how much that is in prompts, or in days where it is more than a day's."""
    assert like.user_days is not None
    is_long = like.user_days.central >= 1
    amount = like.user_days if is_long else like.user_days * like.prompts_per_day
    span = figures.dashed(figures.bounds(amount, figures.Unit("", 1.0)))
    unit = f"days, {like.prompts_per_day:,g} prompts each," if is_long else "prompts"
    return f"{span} {unit} of an {printable(like.name)}"


def _more(receipt: Receipt) -> str:
    # The task around an agent holds what its tools called; its own calls are in its turns.
    task = receipt.tasks[-1]
    is_random = len(task) == 32 and not set(task) - set("0123456789abcdef")  # noqa: PLR2004
    return task[:_SHORT_ID] if is_random else printable(task)


def _said_line(said: Said) -> str:
    cost = "" if said.cost_usd is None else f", ${said.cost_usd:,.4f}"
    return (
        f"{printable(said.model or 'the agent')}: {figures.count(said.input_tokens)} input, "
        f"{figures.count(said.output_tokens)} output{cost}"
    )
