"""The recorded calls under another choice: the difference first, then models, then assumptions."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import parts
from agenttrace.report.text.explain import factors
from agenttrace.report.what_if.values import Change, ModelChange, WhatIf

_MODELS_SHOWN: Final = 10
_HARDLY_ANYTHING_LEFT: Final = 0.005


def blocks(report: WhatIf) -> Iterator[RenderableType]:
    """Yield the comparison: what was chosen, what it changes, and what that takes for granted."""
    yield _title(report)
    if not report.calls:
        yield Text("No model call is in it, so nothing changes.")
    elif report.energy_wh is None:
        yield Text("No call in it reports its usage, so nothing can be priced.")
    else:
        yield _amounts(report)
        yield _tokens(report)
        yield _models(report.models)
    if report.assumed:
        yield _assumed(report.assumed)
    if report.factors:
        yield factors(report.factors)
    yield Text(
        f"Boundary {report.boundary}, factors {report.factor_set}; both sides on the same "
        f"{report.draws:,} draws, and differences inside each draw.",
        style=parts.QUIET,
    )
    yield from parts.cautions(report.warnings)


def _title(report: WhatIf) -> Text:
    text = Text.assemble(("agenttrace what-if", parts.STRONG))
    text.append(f"  {printable('; '.join(report.choices))}", parts.HEADING)
    if report.id is not None:
        name = f"{printable(report.name)}, " if report.name else ""
        text.append(f"\n{name}task {printable(report.id)}", parts.QUIET)
    if report.since is not None:
        text.append(f"\nsince {parts.minute(report.since)} UTC", parts.QUIET)
    return text


def _amounts(report: WhatIf) -> RenderableType:
    titles = ("", "before", "after", "difference", "change")
    rows = [
        _row(name, change, units)
        for name, change, units in (
            ("Energy", report.energy_wh, figures.ENERGY),
            ("Carbon", report.carbon_g, figures.MASS),
            ("Water", report.water_l, figures.VOLUME),
        )
        if change is not None
    ]
    lows = [cell for row in rows for cell in row]
    return Group(
        parts.table(titles, lows),
        Text("Each with its 5 % and 95 % below.", style=parts.QUIET),
    )


def _row(
    name: str, change: Change, units: tuple[figures.Unit, ...]
) -> tuple[Sequence[Text | str], Sequence[Text | str]]:
    unit = figures.unit_of(max(change.before.central, change.after.central), units)
    central = (
        Text.assemble((name, parts.HEADING), (f" {unit.symbol}", parts.QUIET)),
        figures.significant(change.before.central / unit.size),
        figures.significant(change.after.central / unit.size),
        parts.strong(_signed(change.difference.central / unit.size)),
        parts.strong(_percent(change.ratio.central if change.ratio else None)),
    )
    ends = (
        "",
        _ends(change.before, unit),
        _ends(change.after, unit),
        _between(
            _signed(change.difference.low / unit.size), _signed(change.difference.high / unit.size)
        ),
        _percents(change.ratio),
    )
    return central, tuple(Text(cell, style=parts.QUIET) for cell in ends)


def _ends(value: Range, unit: figures.Unit) -> str:
    low, _, high = figures.bounds(value, unit)
    return _between(low, high)


def _signed(value: float) -> str:
    if not value:
        return "0"
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    return sign + figures.significant(abs(value))


def _percent(ratio: float | None) -> str:
    """Return a ratio as the change that it is; a change of hardly anything is not none."""
    if ratio is None:
        return figures.DASH
    percent = 100 * (ratio - 1)
    if not percent:
        return "0 %"
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    size = abs(percent)
    if size < 1:
        return f"{sign}<1 %"
    if ratio < _HARDLY_ANYTHING_LEFT:
        return f"{sign}>99 %"
    return f"{sign}{size:,.0f} %"


def _percents(ratio: Range | None) -> str:
    if ratio is None:
        return ""
    return _between(_percent(ratio.low), _percent(ratio.high))


def _between(low: str, high: str) -> str:
    return f"{low} to {high}" if low != high else ""


def _tokens(report: WhatIf) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True)
    grid.add_column()
    remarks = parts.listed(
        ("not in full", report.unpriced_calls), ("of estimated tokens", report.estimated_calls)
    )
    grid.add_row("Calls", Text(f"{report.calls:,}").append(f"  {remarks}".rstrip(), parts.QUIET))
    for name, (before, after) in (
        ("Input", report.input_tokens),
        ("  cached", report.cached_tokens),
    ):
        same = f"{before:,} tokens"
        grid.add_row(name, same if before == after else f"{before:,} to {after:,} tokens")
    if report.cut_calls:
        cut = f"{parts.calls(report.cut_calls)}, by {report.cut_tokens:,} tokens"
        grid.add_row("  cut", cut)
    return grid


def _models(lines: Sequence[ModelChange]) -> RenderableType:
    shown = lines[:_MODELS_SHOWN]
    unit = parts.unit_of(
        max(line.energy_wh.before.central, line.energy_wh.after.central)
        for line in shown
        if line.energy_wh
    )
    titles = ("Model", "calls", f"{unit.symbol} before", "after", "difference", "change")
    table = parts.table(titles, [_model(line, unit) for line in shown])
    if not lines[_MODELS_SHOWN:]:
        return table
    more = f"… {len(lines) - _MODELS_SHOWN:,} more models (--format json has each)"
    return parts.captioned(table, more)


def _model(line: ModelChange, unit: figures.Unit) -> tuple[Text | str, ...]:
    label = parts.words(line.model or "not named")
    if line.becomes is not None and line.becomes != line.model:
        label.append(f" → {printable(line.becomes)}", parts.HEADING)
    calls = figures.count(line.calls)
    if line.energy_wh is None:
        return label, calls, parts.UNKNOWN, parts.UNKNOWN, parts.UNKNOWN, ""
    change = line.energy_wh
    return (
        label,
        calls,
        figures.significant(change.before.central / unit.size),
        figures.significant(change.after.central / unit.size),
        _signed(change.difference.central / unit.size),
        _percent(change.ratio.central if change.ratio else None),
    )


def _assumed(sentences: Sequence[str]) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    for sentence in sentences:
        grid.add_row("-", printable(sentence))
    return Group(Text("Taken for granted", style=parts.HEADING), grid)
