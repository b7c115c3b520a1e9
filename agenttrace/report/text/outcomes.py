"""The report on what became of tasks: by outcome, per success, by attempt, by project."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.outcomes.values import (
    AttemptLine,
    GroupLine,
    OutcomeLine,
    OutcomesReport,
)
from agenttrace.report.text import intensity, parts, sums

_NAMES: Final = {None: "not said", "success": "success", "failure": "failure"}
_ATTEMPTS: Final = {
    "first": "first",
    "retry": "retries",
    "failed": "failed",
}
_GROUPS: Final = {"project": "Project", "task-name": "Task name"}
_HOW: Final = """\
No outcome is recorded yet. Tell it where it is known, in the program or afterwards:

    agenttrace.task.outcome("success", reference="PR 1")

    agenttrace outcomes import outcomes.csv    # columns task_id, outcome"""


def blocks(report: OutcomesReport) -> Iterator[RenderableType]:
    """Yield the report on what became of tasks."""
    yield Group(
        sums.title("agenttrace report outcomes", report.first_started_at, report.last_started_at),
        Text(parts.chosen(report.selection), style=parts.QUIET),
    )
    if not report.outcomes:
        yield sums.no_calls(None, report.coverage.cut_off_tasks, report.selection)
    else:
        yield _outcomes(report)
        if report.told_tasks:
            yield Group(
                intensity.table(report.per_success, report.why_no_change),
                Text(_divided(report), style=parts.QUIET),
            )
        else:
            yield Text(_HOW)
        if report.attempts:
            yield _attempts(report.attempts)
        if report.told_tasks:
            yield _groups(report)
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _outcomes(report: OutcomesReport) -> RenderableType:
    lines = report.outcomes
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    rows = [
        (
            _outcome(line.outcome),
            figures.count(line.tasks),
            figures.count(line.calls),
            parts.about(line.tokens, line.estimated_calls),
            *_numbers(line, unit),
            figures.share(line.energy_share, 1),
        )
        for line in lines
    ]
    titles = (
        "Outcome",
        "tasks",
        "calls",
        "tokens",
        f"{unit.symbol} low",
        "central",
        "high",
        "of all",
    )
    table = parts.captioned(parts.table(titles, rows), _caption(report))
    moved = [line for line in lines if line.change is not None]
    return Group(table, Text(), _moved(moved, report)) if moved else table


def _caption(report: OutcomesReport) -> str:
    said = [f"energy at the boundary {report.method.boundary}"]
    without = sum(line.unpriced_calls for line in report.outcomes)
    if without:
        said.append(f"{parts.calls(without)} not in full")
    return "; ".join(said)


def _moved(lines: Sequence[OutcomeLine], report: OutcomesReport) -> RenderableType:
    rows = [
        (
            _outcome(line.outcome),
            figures.change(line.change.tasks),
            figures.change(line.change.calls),
            figures.change(line.change.energy),
        )
        for line in lines
        if line.change is not None
    ]
    titles = ("Change", "tasks", "calls", "energy")
    caption = f"{report.period} against {report.against}, boundary {report.method.boundary}"
    return parts.captioned(parts.table(titles, rows), caption)


def _divided(report: OutcomesReport) -> str:
    told, lost = report.told_tasks, report.unsuccessful
    said = (
        f"in all is what the {told:,} tasks took whose outcome is told, failed and abandoned ones "
        "included"
        if told > 1
        else "in all is what the 1 task took whose outcome is told"
    )
    if not lost.tasks:
        return f"{said}; none of them failed or was abandoned"
    energy = parts.interval(lost.energy_wh, figures.ENERGY)
    share = figures.share(lost.energy_share, 1)
    part = "" if share == figures.DASH else f", {share} of their energy"
    return f"{said}; {lost.tasks:,} failed or abandoned: {energy}{part}"


def _attempts(lines: Sequence[AttemptLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    rows = [
        (
            _ATTEMPTS[line.attempt],
            figures.count(line.calls),
            figures.count(line.unpriced_calls),
            parts.about(line.tokens, line.estimated_calls),
            *_numbers(line, unit),
            figures.share(line.energy_share, 1),
        )
        for line in lines
    ]
    titles = (
        "Attempts",
        "calls",
        "partly",
        "tokens",
        f"{unit.symbol} low",
        "central",
        "high",
        "of all",
    )
    caption = (
        "of all outcomes; a failed attempt ended in an error, a retry in none. Of those under "
        "partly no full usage is reported, so their energy is unknown, not zero"
    )
    return parts.captioned(parts.table(titles, rows), caption)


def _groups(report: OutcomesReport) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in report.groups)
    rows = [
        (
            parts.words("outside of any task" if line.name is None else line.name),
            figures.count(line.tasks),
            figures.count(line.tasks - line.unsaid),
            figures.count(line.successes),
            *parts.numbers(line.energy_wh, unit),
        )
        for line in report.groups
    ]
    titles = (
        _GROUPS[report.by],
        "tasks",
        "told",
        "success",
        f"{unit.symbol} low",
        "central",
        "high",
    )
    told = [line for line in report.groups if line.per_success.volume]
    left = report.groups_left_out
    caption = "of all tasks; told are those whose outcome is"
    if left:
        caption += f". {left:,} more that took less"
    return Group(
        parts.captioned(parts.table(titles, rows), caption),
        *(Padding(_per_success(line, report.method.boundary), (1, 0, 0, 0)) for line in told),
    )


def _per_success(line: GroupLine, boundary: str) -> Text:
    name = parts.words("outside of any task" if line.name is None else line.name)
    name.stylize(parts.HEADING)
    return Text.assemble(name, ": ", intensity.cell(line.per_success), f"; boundary {boundary}")


def _numbers(line: OutcomeLine | AttemptLine, unit: figures.Unit) -> Iterator[str]:
    for number in parts.numbers(line.energy_wh, unit):
        yield parts.marked(number, line.estimated_calls)


def _outcome(name: str | None) -> str:
    return _NAMES.get(name, str(name))
