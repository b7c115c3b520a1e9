"""The parts of the report on everything recorded."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import parts, sums
from agenttrace.report.values import (
    Equivalent,
    ModelLine,
    Overview,
    RoleLine,
    TaskLine,
)


def blocks(report: Overview) -> Iterator[RenderableType]:
    """Yield the report on everything recorded."""
    yield sums.title("agenttrace report", report.first_started_at, report.last_started_at)
    cut_off = report.coverage.cut_off_tasks
    if not report.totals.calls:
        yield sums.no_calls(report.tasks, cut_off)
    else:
        yield sums.headline(report.totals, report.method, report.tasks, cut_off)
        yield _equivalents(report.equivalents)
        yield _roles(report.roles)
        yield _models(report.models)
        if report.top_tasks:
            yield _tasks(report.top_tasks, report.tasks)
        yield sums.basis(report.coverage, report.totals, report.method, report.unseen)
    yield from parts.cautions(report.warnings)


def _equivalents(lines: Sequence[Equivalent]) -> RenderableType:
    days = max((line.days for line in lines), default=1.0)
    period = "a day" if days <= 1 else f"{days:.1f} days"
    table = parts.table(
        (f"Active users over {period}", "low", "central", "high", "by tokens"),
        [
            (
                _persona(line),
                *parts.numbers(line.users),
                parts.UNKNOWN
                if line.users_by_tokens is None
                else figures.significant(line.users_by_tokens),
            )
            for line in lines
        ],
        cut=False,
    )
    prompts = dict.fromkeys(
        f"{line.input_tokens:,} + {line.output_tokens:,} tokens, "
        f"{line.model or f'class {line.model_class}'}"
        for line in lines
    )
    sources = dict.fromkeys(printable(line.title) for line in lines if line.url is not None)
    return parts.captioned(table, f"One prompt: {'; '.join(prompts)}. Source: {'; '.join(sources)}")


def _persona(line: Equivalent) -> Text:
    text = Text(f"{printable(line.name)}, {line.prompts_per_day:,g} prompts/day")
    return text.append(" (assumed)", parts.QUIET) if line.url is None else text


def _roles(lines: Sequence[RoleLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh for line in lines)
    return parts.table(
        ("Role", "calls", "hidden", "tokens", unit.symbol, "share"),
        [
            (
                parts.words(line.role),
                figures.count(line.calls),
                figures.count(line.hidden_calls),
                parts.about(line.tokens, line.estimated_calls),
                parts.marked(parts.energy(line.energy_wh, unit), line.estimated_calls),
                figures.share(line.energy_share, 1),
            )
            for line in lines
        ],
    )


def _models(lines: Sequence[ModelLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    table = parts.table(
        ("Model", "calls", "tokens", f"{unit.symbol} low", "central", "high", "class"),
        [
            (
                parts.words(line.model or "not named"),
                figures.count(line.calls),
                parts.about(line.tokens, line.estimated_calls),
                *parts.about_numbers(line, unit),
                Text(line.model_class, style="" if line.known else parts.WARNING),
            )
            for line in lines
        ],
    )
    table.columns[-1].justify = "left"
    return table


def _tasks(lines: Sequence[TaskLine], tasks: int) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    return parts.table(
        (
            "Task" if len(lines) == tasks else "Largest tasks",
            "calls",
            "hidden",
            "tokens",
            f"{unit.symbol} low",
            "central",
            "high",
        ),
        [
            (
                _task_label(line),
                figures.count(line.calls),
                figures.count(line.hidden_calls),
                parts.about(line.tokens, line.estimated_calls),
                *parts.about_numbers(line, unit),
            )
            for line in lines
        ],
    )


def _task_label(line: TaskLine) -> Text:
    label = Text(parts.short(line.task_id))
    if line.is_cut_off:
        label.append(" cut off", parts.WARNING)
    return label.append(f" {printable(line.name or '')}", parts.QUIET)
