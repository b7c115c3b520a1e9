"""The report on models: one table, or several where the terminal is narrow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import parts, sums
from agenttrace.report.values import (
    ModelsReport,
    ModelUse,
    Percentiles,
)

_LABEL_WIDTH_AT_MOST: Final = 36  # of a model; a longer name gives way to figures


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns that stand together: their titles, and a cell for each in each row."""

    titles: tuple[str, ...]
    rows: tuple[tuple[Text | str, ...], ...]

    @property
    def width(self) -> int:
        """Characters that they take, with the gaps before them."""
        columns = zip(self.titles, *self.rows, strict=True)
        return sum(parts.GAP + max(cell_len(str(cell)) for cell in column) for column in columns)

    def beside(self, other: "_Columns") -> "_Columns":
        """Return these and others as one group."""
        rows = zip(self.rows, other.rows, strict=True)
        return _Columns(self.titles + other.titles, tuple(one + two for one, two in rows))


@dataclass(frozen=True, slots=True)
class _Packed:
    """One table where the width allows it, else some of its columns in each of several."""

    title: str
    labels: tuple[Text, ...]
    groups: tuple[_Columns, ...]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        longest = max(label.cell_len for label in self.labels)
        space = options.max_width - min(longest, _LABEL_WIDTH_AT_MOST)
        packed = [self.groups[0]]
        for group in self.groups[1:]:
            if packed[-1].width + group.width <= space:
                packed[-1] = packed[-1].beside(group)
            else:
                packed.append(group)
        for place, group in enumerate(packed):
            if place > 0:
                yield Text()
            rows = [
                (label.copy(), *row) for label, row in zip(self.labels, group.rows, strict=True)
            ]
            yield parts.table((self.title, *group.titles), rows)


def blocks(report: ModelsReport) -> Iterator[RenderableType]:
    """Yield the report on the models."""
    yield sums.title("agenttrace report models", report.first_started_at, report.last_started_at)
    cut_off = report.coverage.cut_off_tasks
    if not report.totals.calls:
        yield sums.no_calls(None, cut_off)
    else:
        yield sums.headline(report.totals, report.method, None, cut_off)
        yield _model_uses(report.models)
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _model_uses(lines: Sequence[ModelUse]) -> RenderableType:
    return _Packed(
        "Model", tuple(map(_model_label, lines)), (_moved(lines), _used(lines), _took(lines))
    )


def _model_label(line: ModelUse) -> Text:
    label = Text(printable(line.model or "not named"))
    return label.append(f" {printable(line.provider or '')}".rstrip(), parts.QUIET)


def _moved(lines: Sequence[ModelUse]) -> _Columns:
    rows = [
        (
            figures.count(line.calls),
            figures.share(line.hidden_calls, line.calls),
            parts.about(line.tokens.input, line.estimated_calls),
            figures.share(line.cached_share, 1),
            parts.about(line.tokens.output, line.estimated_calls),
        )
        for line in lines
    ]
    return _Columns(("calls", "hidden", "input", "cached", "output"), tuple(rows))


def _used(lines: Sequence[ModelUse]) -> _Columns:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    rows = [
        (
            *parts.about_numbers(line, unit),
            figures.share(line.energy_share, 1),
            figures.count(line.unpriced_calls) if line.unpriced_calls else "",
            Text(line.model_class, style="" if line.known else parts.WARNING),
        )
        for line in lines
    ]
    titles = (f"{unit.symbol} low", "central", "high", "share", "not in full", "class")
    return _Columns(titles, tuple(rows))


def _took(lines: Sequence[ModelUse]) -> _Columns:
    rows = [
        (*_half_and_tail(line.duration_ms), *_half_and_tail(line.time_to_first_token_ms))
        for line in lines
    ]
    return _Columns(("time p50", "p95", "1st token p50", "p95"), tuple(rows))


def _half_and_tail(value: Percentiles | None) -> tuple[str, str]:
    if value is None:
        return "", ""
    return figures.duration(value.p50), figures.duration(value.p95)
