"""What a person saw of the calls, what ran underneath, and what a user turn sets off."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group as Blocks
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.hidden.values import (
    FanOut,
    Frame,
    Group,
    HiddenReport,
    Layer,
    Line,
    Spread,
    TurnLine,
)
from agenttrace.report.intensity import Intensity
from agenttrace.report.rows import printable
from agenttrace.report.text import intensity, parts, sums

_BAR_WIDTH: Final = 60
_EIGHTHS: Final = "▏▎▍▌▋▊▉█"
_TITLES: Final = {
    "agent": "Agent",
    "project": "Project",
    "day": "Day (UTC)",
    "task": "Task",
    "role": "Role",
    "depth": "Agents deep",
}
_NAMELESS: Final = {"agent": "outside of any agent", "project": "not told"}
_OVERLAP: Final = {
    "agent": "Agents work in the same tasks, so tasks and turns overlap; the rest adds up.",
    "day": "A task that goes on over midnight has its turns on each of its days.",
}
_TURNS: Final = {
    "recorded": "recorded",
    "by rule": "by the rule of one turn a task",
    "none": "no turn, as a headless task has none; in no figure per turn",
    "unknown": "nobody knows; in no figure per turn",
}


def blocks(report: HiddenReport) -> Iterator[RenderableType]:
    """Yield the report: the iceberg, turns, spread over tasks, then what it is made of."""
    yield _title(report)
    if not report.totals.calls:
        yield sums.no_calls(report.tasks, report.coverage.cut_off_tasks, report.selection)
    else:
        yield _iceberg(report)
        yield _turns(report.turns)
        yield intensity.table([*report.per_turn, *report.per_task], report.no_change or "")
        yield _spreads(report.spreads)
        yield _lines("role", report.roles)
        yield _depths(report.depths)
        for group in report.groups:
            yield from _grouped(group, in_full=report.by is not None)
        if report.fan_out is not None:
            yield _fan_out(report.fan_out, report.tasks)
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _title(report: HiddenReport) -> Text:
    title = sums.title("agenttrace report hidden", report.first_started_at, report.last_started_at)
    return title.append(f"\n{parts.chosen(report.selection)}", parts.QUIET)


def _iceberg(report: HiddenReport) -> RenderableType:
    totals, about = report.totals, report.totals.estimated_calls
    grid = Table.grid(padding=(0, parts.GAP, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True)
    for _ in range(6):
        grid.add_column(justify="right", no_wrap=True)
    quiet = [Text(text, style=parts.QUIET) for text in ("calls", "tokens", "energy")]
    grid.add_row("", quiet[0], "", quiet[1], "", quiet[2], "")
    for layer in report.layers:
        grid.add_row(
            layer.name,
            parts.strong(figures.count(layer.calls)),
            figures.share(layer.calls_share, 1),
            parts.about(layer.tokens, about),
            figures.share(layer.tokens_share, 1),
            _interval(layer.energy_wh, about),
            figures.share(layer.energy_share, 1),
        )
    grid.add_row(
        "all",
        figures.count(totals.calls),
        "",
        parts.about(totals.tokens.total, about),
        "",
        _interval(totals.energy_wh, about),
        "",
    )
    bars = [bar for layer in report.layers for bar in _bar(layer)]
    return Blocks(grid, Text(), *bars, Text(_iceberg_note(report), style=parts.QUIET))


def _interval(value: Range | None, about: int) -> str:
    if value is None:
        return parts.UNKNOWN
    if not value.high:
        return "0 Wh"
    return parts.marked(figures.interval(value, figures.ENERGY), about)


def _bar(layer: Layer) -> Iterator[RenderableType]:
    """Yield the part of a layer as a bar: of the energy, else of the calls."""
    part = layer.calls_share if layer.energy_share is None else layer.energy_share
    eighths = round(8 * _BAR_WIDTH * (part or 0))
    eighths = max(eighths, 1) if part else eighths
    whole, rest = divmod(eighths, 8)
    text = Text(f"{layer.name:<9}", style=parts.HEADING)
    yield text.append("█" * whole + (_EIGHTHS[rest - 1] if rest else ""), parts.QUIET)


def _iceberg_note(report: HiddenReport) -> str:
    known = report.layers[0].energy_share is not None
    without = report.totals.unpriced_calls
    said = f"Energy at the boundary {report.method.boundary}"
    said += f", {parts.calls(without)} not in full" if without else ""
    bars = "central energy" if known else "calls"
    return (
        f"visible: a person reads the output as the answer; hidden: all other calls. {said}. "
        f"Bars: parts of the {bars}. Below, energy without a range is central, and --format json "
        f"has its range."
    )


def _turns(lines: Sequence[TurnLine]) -> RenderableType:
    unit = parts.unit_of(_central(line.energy_wh) for line in lines)
    titles = ("User turns", "turns", "tasks", "calls", "tokens", unit.symbol)
    return parts.table(
        titles,
        [
            (
                Text(_TURNS[line.known]),
                parts.count(line.user_turns),
                figures.count(line.tasks),
                figures.count(line.calls),
                parts.count(line.tokens),
                parts.energy(_central(line.energy_wh), unit),
            )
            for line in lines
        ],
        cut=False,
    )


def _spreads(lines: Sequence[Spread]) -> RenderableType:
    titles = ("Spread over tasks", "tasks", "in all", "median", "90 %", "99 %", "largest")
    # Tokens go as calls do, and their digits have no room beside.
    table = parts.table(titles, [_spread(line) for line in lines if line.what != "tokens"])
    return parts.captioned(
        table,
        "90 %: nine in ten tasks have at most so much. Per user turn: of each task the mean over "
        "its turns. --format json has tokens as well.",
    )


def _spread(line: Spread) -> tuple[Text | str, ...]:
    values = (line.total, line.median, line.p90, line.p99, line.largest)
    return (
        Text(f"{line.what} per {line.per}"),
        figures.count(line.tasks),
        *(_amount(value, line.unit) for value in values),
    )


def _amount(value: float, unit: str) -> str:
    if unit != "Wh":
        return figures.amount(value)
    fitting = figures.unit_of(value, figures.ENERGY)
    return f"{figures.significant(value / fitting.size)} {fitting.symbol}"


def _lines(by: str, lines: Sequence[Line]) -> Table:
    """Show what was hidden of each line, and its part of all energy."""
    unit = parts.unit_of(_central(line.energy_wh) for line in lines)
    return parts.table(
        (_TITLES[by], "calls", "hidden", "tokens", "hidden", unit.symbol, "hidden", "of all"),
        [
            (
                _label(line, by),
                figures.count(line.calls),
                _share(line.hidden_calls, line.calls),
                parts.count(line.tokens),
                _share(line.hidden_tokens, line.tokens),
                parts.energy(_central(line.energy_wh), unit),
                _share(line.hidden_energy_wh, _central(line.energy_wh)),
                figures.share(line.energy_share, 1),
            )
            for line in lines
        ],
    )


def _depths(lines: Sequence[Line]) -> RenderableType:
    table = _lines("depth", lines)
    tasks = ", ".join(f"{line.name}: {line.tasks:,}" for line in lines)
    return parts.captioned(table, f"Tasks that make calls so deep: {tasks}")


def _grouped(group: Group, *, in_full: bool) -> Iterator[RenderableType]:
    more = [_left_out(group, in_full=in_full)] if group.left_out else []
    notes = [*more, *([_OVERLAP[group.by]] if group.by in _OVERLAP and in_full else [])]
    if in_full:
        yield _lines(group.by, group.lines)
    table = (_per_turn if in_full else _short)(group)
    yield parts.captioned(table, "\n".join(notes)) if notes else table


def _left_out(group: Group, *, in_full: bool) -> str:
    days = "earlier" if group.by == "day" else "more"
    how = f"--limit {len(group.lines) + group.left_out}" if in_full else f"--by {group.by}"
    many = group.by if group.left_out == 1 else f"{group.by}s"
    return f"… {group.left_out:,} {days} {many} ({how})"


def _short(group: Group) -> Table:
    unit = parts.unit_of(_central(line.energy_wh) for line in group.lines)
    titles = (
        _TITLES[group.by],
        "calls",
        "hidden",
        unit.symbol,
        "hidden",
        "turns",
        "their calls",
        "each",
    )
    return parts.table(
        titles,
        [
            (
                _label(line, group.by),
                figures.count(line.calls),
                _share(line.hidden_calls, line.calls),
                parts.energy(_central(line.energy_wh), unit),
                _share(line.hidden_energy_wh, _central(line.energy_wh)),
                _volume(line.per_turn[0]),
                figures.amount(_central(line.per_turn[0].total)),
                _each(line.per_turn[0]),
            )
            for line in group.lines
        ],
    )


def _per_turn(group: Group) -> Table:
    """Show each figure right of its total, both right of the turns that they are of."""
    of_all = parts.unit_of(_central(line.per_turn[2].total) for line in group.lines)
    of_one = parts.unit_of(_central(line.per_turn[2].each) for line in group.lines)
    titles = (
        "Per user turn",
        "turns",
        "calls",
        "each",
        "tokens",
        "each",
        of_all.symbol,
        f"{of_one.symbol} each",
    )
    return parts.table(
        titles,
        [
            (
                _label(line, group.by),
                _volume(line.per_turn[0]),
                figures.amount(_central(line.per_turn[0].total)),
                _each(line.per_turn[0]),
                _known(line.per_turn[1].total),
                _each(line.per_turn[1]),
                parts.energy(_central(line.per_turn[2].total), of_all),
                _each(line.per_turn[2], of_one),
            )
            for line in group.lines
        ],
    )


def _known(value: Range | None) -> str:
    return parts.UNKNOWN if value is None else figures.amount(value.central)


def _volume(one: Intensity) -> str:
    return parts.UNKNOWN if one.volume is None else figures.amount(one.volume)


def _each(one: Intensity, unit: figures.Unit | None = None) -> str:
    """Return the figure for each turn; of no turns there is none."""
    if one.each is None:
        return figures.DASH if one.volume == 0 else parts.UNKNOWN
    if unit is not None:
        return figures.significant(one.each.central / unit.size)
    return figures.amount(_rounded(one.each.central))


def _rounded(value: float) -> float:
    """Return a mean of counts without a fraction where it is large."""
    return round(value) if value >= 100 else value  # noqa: PLR2004 - three digits


def _label(line: Line, by: str) -> Text:
    if line.name is None:
        return Text(_NAMELESS.get(by, "not told"))
    if by == "task":
        named = line.task_name not in (None, line.name)
        name = f" {printable(line.task_name or '')}" if named else ""
        return Text(parts.short(line.name)).append(name, parts.QUIET)
    if by == "depth":
        return Text("0, outside of any" if line.name == "0" else line.name)
    return parts.words(line.name)


def _fan_out(found: FanOut, tasks: int) -> RenderableType:
    table = parts.table(
        ("Largest fan-outs", "task", "calls", "agents", "tools", "steps", "all"),
        [_frame(frame) for frame in found.largest],
    )
    table.columns[1].justify = "left"
    return parts.captioned(table, "\n".join(_fan_out_notes(found, tasks)))


def _fan_out_notes(found: FanOut, tasks: int) -> Iterator[str]:
    many = "1 task" if found.tasks == 1 else f"{found.tasks:,} tasks"
    those = "all tasks" if found.tasks == tasks else f"the {many} with the most spans"
    those += f" but {found.left_out:,} of too many spans" if found.left_out else ""
    half, most, nearly_all = map(parts.count, (found.median, found.p90, found.p99))
    # Where tasks were put together, these are those that were.
    among = f"of {tasks:,}" if found.tasks <= tasks else "as recorded"
    yield (
        f"Directly inside each. Of {those} ({among}; {found.spans:,} spans, at most "
        f"{found.levels:,} levels). Of the {found.frames:,} frames that started something half "
        f"started at most {half}, 90 % at most {most}, 99 % at most {nearly_all}."
    )
    if found.largest:
        task_id = shlex.quote(parts.short(found.largest[0].task_id))
        yield f"Look at one: agenttrace report task {task_id}"


def _frame(frame: Frame) -> tuple[Text | str, ...]:
    return (
        parts.words(f"{frame.kind} {frame.name}"),
        parts.short(frame.task_id),
        figures.count(frame.calls),
        figures.count(frame.agents),
        figures.count(frame.tools),
        figures.count(frame.steps),
        figures.count(frame.fan_out),
    )


def _central(value: Range | None) -> float | None:
    return None if value is None else value.central


def _share(part: float | None, whole: float | None) -> str:
    """Return *part* of *whole* in per cent; all of it is 100 % to the last digit."""
    return figures.share(part / whole if part is not None and whole else None, 1)
