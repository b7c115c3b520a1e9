"""Agents beside people: sums first, then what they equal, then the figures behind it."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.compare import words
from agenttrace.report.compare.values import (
    CompareReport,
    PersonaLine,
    PublishedLine,
    Sentence,
    UserFacing,
)
from agenttrace.report.rows import printable
from agenttrace.report.text import intensity, parts, sums
from agenttrace.report.values import Totals

_MEASURES: Final = {
    "chats_per_task": "times the tokens of a chat",
    "tokens_per_task": "tokens a task",
    "calls_per_task": "calls",
    "cache_read_tokens_per_call": "tokens",
    "other_input_tokens_per_call": "tokens",
    "output_tokens_per_call": "tokens",
}

_NO_CHANGE: Final = (
    "no change is shown: no earlier period was chosen, or nothing is in it; `agenttrace report "
    "trend` says why a total changed"
)


def blocks(report: CompareReport) -> Iterator[RenderableType]:
    """Yield the report on agents beside people."""
    yield _title(report)
    if report.totals.calls:
        yield sums.headline(
            report.totals, report.method, report.tasks, report.coverage.cut_off_tasks
        )
    if report.sentences:
        yield _sentences(report.sentences)
    if report.personas:
        yield _personas(report)
    if report.user_facing is not None and report.user_facing.totals.calls:
        yield from _users(report, report.user_facing)
    if report.each:
        agents = intensity.table(report.each, _NO_CHANGE)
        yield Group(Text("The agents", style=parts.HEADING), agents)
    if report.published:
        yield _published(report)
    if report.missing:
        yield _listed("Not known", report.missing)
    if report.totals.calls:
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _title(report: CompareReport) -> Text:
    title = sums.title("agenttrace report compare", report.first_started_at, report.last_started_at)
    return title.append(f"\n{parts.chosen(report.selection)}", parts.QUIET)


def _sentences(sentences: Sequence[Sentence]) -> RenderableType:
    return _listed("What that equals", [sentence.text for sentence in sentences])


def _listed(heading: str, said: Sequence[str]) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    for one in said:
        grid.add_row("-", parts.words(one))
    return Group(Text(heading, style=parts.HEADING), grid)


def _personas(report: CompareReport) -> RenderableType:
    days = words.long(report.days, report.days.number)
    table = parts.table(
        (f"Active users, {days}", "low", "central", "high", "by tokens"),
        [
            (
                _persona(line),
                *parts.numbers(line.users),
                _amount(line.users_by_tokens),
            )
            for line in report.personas
        ],
        cut=False,
    )
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(style=parts.QUIET, no_wrap=True)
    grid.add_column(style=parts.QUIET)
    for line in report.personas:
        grid.add_row(parts.words(line.name), parts.words(_origin(line)))
    boundary = (
        f"energy at the boundary {report.method.boundary}, "
        f"{parts.of_period(report.period)}; both sides on the same "
        f"{report.method.draws:,} draws"
    )
    return Group(table, Text(boundary, style=parts.QUIET), grid)


def _persona(line: PersonaLine) -> Text:
    text = parts.words(f"{line.name}, {line.prompts_per_day:,g} prompts/day")
    return text.append(" (assumed)", parts.QUIET) if line.url is None else text


def _origin(line: PersonaLine) -> str:
    """Return how the number of prompts is known."""
    where = line.title if line.url is None else f"{line.title}, {line.year}, {line.url}"
    return f"{where} ({line.mark}, {line.retrieved})"


def _users(report: CompareReport, line: UserFacing) -> Iterator[RenderableType]:
    said = Text(
        f"{_who(line)}\nratio: agents over users, of energy draw by draw", style=parts.QUIET
    )
    yield Group(_side_by_side(report, line), said)
    if line.each:
        of = ", of the tasks that say who prompted" if line.unnamed_tasks else ""
        users = intensity.table(line.each, _NO_CHANGE)
        yield Group(Text(f"The users{of}", style=parts.HEADING), users)


def _side_by_side(report: CompareReport, line: UserFacing) -> RenderableType:
    agents, people = report.totals, line.totals
    unit = parts.unit_of(one.energy_wh and one.energy_wh.central for one in (agents, people))
    rows = [
        ("Calls", f"{agents.calls:,}", f"{people.calls:,}", _amount(line.ratios.calls)),
        ("Tokens", _tokens(agents), _tokens(people), _amount(line.ratios.tokens)),
        (
            f"Energy {unit.symbol}, {report.method.boundary}",
            _interval(agents, unit),
            _interval(people, unit),
            _ratio(line.ratios.energy),
        ),
    ]
    when = parts.of_period(report.period)
    return parts.table((when, "agents", "users", "ratio"), rows)


def _who(line: UserFacing) -> str:
    return f"users: {words.prompting(line)}; {parts.chosen(line.selection)}"


def _tokens(totals: Totals) -> str:
    return parts.about(totals.tokens.total, totals.estimated_calls)


def _interval(totals: Totals, unit: figures.Unit) -> str:
    return parts.marked(_dashed(totals.energy_wh, unit), totals.estimated_calls)


def _dashed(value: Range | None, unit: figures.Unit) -> str:
    return parts.UNKNOWN if value is None else figures.dashed(figures.bounds(value, unit))


def _ratio(value: Range | None) -> str:
    return parts.UNKNOWN if value is None else words.spread(value)


def _amount(value: float | None) -> str:
    return parts.UNKNOWN if value is None else figures.significant(value)


def _published(report: CompareReport) -> RenderableType:
    grid = Table(box=None, pad_edge=False, padding=(0, parts.GAP, 0, 0), header_style="none")
    grid.add_column(Text("Published of agents, and yours", style=parts.HEADING))
    grid.add_column(Text("yours by it", style=parts.QUIET), justify="right", no_wrap=True)
    shown = None
    for line in report.published:
        grid.add_row(parts.words(_figure(line)), parts.strong(_amount(line.times)))
        for own in line.made_of if line.made_of != shown else ():
            grid.add_row(Padding(intensity.cell(own), (0, 0, 0, 2)), "")
        shown = line.made_of
    said = [
        "yours are means over all tasks or calls, hidden calls too",
        *dict.fromkeys(_cited(line) for line in report.published),
    ]
    return Group(grid, *(Text(printable(one), style=parts.QUIET) for one in said))


def _figure(line: PublishedLine) -> str:
    known = f"{line.note}; {line.mark}" if line.note else line.mark
    return f"{line.name}: {figures.amount(line.value)} {_MEASURES[line.measure]} ({known})"


def _cited(line: PublishedLine) -> str:
    return f"{line.by} {line.year}, {line.title}, {line.url}"
