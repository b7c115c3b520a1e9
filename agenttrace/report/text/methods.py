"""The report on methods: ours and others on the same calls, and what each leaves out."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.compare.methods import Work
from agenttrace.report import figures
from agenttrace.report.methods import MethodLine, MethodsReport, ModelMethods
from agenttrace.report.rows import printable
from agenttrace.report.text import hardware, parts, sums

_TIMES: Final = "\N{MULTIPLICATION SIGN}"


def blocks(report: MethodsReport) -> Iterator[RenderableType]:
    """Yield the report on methods."""
    what = "agenttrace report methods"
    if report.task_id is not None:
        what += f" {printable(report.task_name or parts.short(report.task_id))}"
    yield sums.title(what, report.first_started_at, report.last_started_at)
    if not report.calls:
        yield sums.no_calls(None, report.coverage.cut_off_tasks)
    elif not report.compared_calls:
        yield Text(f"None of {parts.calls(report.calls)} reports both input and output.")
    else:
        yield _compared(report)
        yield _methods(report.lines)
        yield _models(report.models)
        yield _left_out(report.lines)
        yield hardware.block(report.embodied, report.compared_calls)
        yield _basis(report)
    yield from parts.cautions(report.warnings)


def _compared(report: MethodsReport) -> RenderableType:
    left = report.calls - report.compared_calls
    text = Text.assemble(
        ("Calls  ", parts.HEADING),
        (f"{report.compared_calls:,} compared", parts.STRONG),
        (f", {report.visible_calls:,} of them visible", parts.QUIET),
    )
    if left:
        text.append(f"; {left:,} left out, which do not report both sides", parts.QUIET)
    return text


def _methods(lines: Sequence[MethodLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    rows: list[tuple[Text | str, ...]] = []
    for line in lines:
        rows.append(
            (
                line.name,
                figures.count(line.calls),
                *parts.numbers(line.energy_wh, unit),
                _times(line),
            )
        )
        if line.unknown_models:
            rows.append(
                (
                    Text("  agenttrace, the same calls", style=parts.QUIET),
                    figures.count(line.calls),
                    *parts.numbers(line.ours_wh, unit),
                    "",
                )
            )
    titles = ("Method", "calls", f"{unit.symbol} low", "central", "high", "of ours")
    return parts.table(titles, rows)


def _times(line: MethodLine) -> str:
    if line.method == "agenttrace":
        return ""
    return (
        parts.UNKNOWN if line.times_ours is None else _TIMES + figures.significant(line.times_ours)
    )


def _models(lines: Sequence[ModelMethods]) -> RenderableType:
    unit = parts.unit_of(line.ours_wh for line in lines)
    return parts.table(
        (f"Model, {unit.symbol}", "calls", "agenttrace", "EcoLogits", "by price"),
        [
            (
                Text(printable(line.model or "not named")),
                figures.count(line.calls),
                parts.energy(line.ours_wh, unit),
                parts.energy(line.ecologits_wh, unit),
                parts.energy(line.price_wh, unit),
            )
            for line in lines
        ],
    )


def _left_out(lines: Sequence[MethodLine]) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING)
    grid.add_column()
    grid.add_row("What it ignores", "")
    told: set[str] = set()
    for line in lines:
        if line.ignores in told:
            continue
        told.add(line.ignores)
        grid.add_row(Text(line.name, style="not bold"), Text(f"{line.ignores}; {line.boundary}"))
    unknown = [name for line in lines for name in line.unknown_models]
    if unknown:
        grid.add_row(
            Text("EcoLogits", style="not bold"),
            Text(f"does not know {', '.join(map(printable, unknown))}"),
        )
    return grid


def _basis(report: MethodsReport) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.QUIET, no_wrap=True)
    grid.add_column(style=parts.QUIET)
    method = report.method
    grid.add_row(
        "Ours",
        f"factors {method.factor_set}, boundary {method.boundary}; `agenttrace factors list` shows"
        " them",
    )
    grid.add_row(
        "EcoLogits",
        f"{report.ecologits_version}, the mean call of each kind times their number: at most a"
        " little above the sum over the calls",
    )
    works = dict.fromkeys(work for line in report.lines for work in line.sources)
    grid.add_row("Sources", "; ".join(map(_cited, works)))
    return grid


def _cited(work: Work) -> str:
    return f"{work.authors} {work.year} ({work.mark}) {work.url}"
