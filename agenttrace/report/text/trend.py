"""The report on a change: both totals, what it is made of, the rebound, and who drove it."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import intensity, parts, sums
from agenttrace.report.trend.drivers import others
from agenttrace.report.trend.values import Decomposed, Driver, Drivers, Effect, Month, Side, Trend

_UNITS: Final = {"Wh": figures.ENERGY, "g": figures.MASS}
_DRIVERS_SHOWN: Final = 6
_ASSUMED: Final = "as before"
_PERCENT: Final = 0.01
_CHANCE: Final = " *"
_ROUNDING: Final = 1e-9  # of the unit of a column: what is left of nothing

FACTORS: Final = {
    "tasks": "tasks (volume)",
    "calls_per_task": "calls per task",
    "mix": "mix of models and places",
    "uncached_per_call": "uncached input per call",
    "cached_per_call": "cache reads per call",
    "output_per_call": "output per call",
    "measured_per_call": "metered tokens per call",
    "energy_per_token": "energy per token, same model",
    "facility": "facility",
    "grid": "grid",
}
"""What each factor is called in a table."""

# By column of the table of months: whose effects are added up.
_MONTHLY: Final = {
    "tasks": ("tasks",),
    "calls": ("calls_per_task",),
    "mix": ("mix",),
    "tokens": ("uncached_per_call", "cached_per_call", "output_per_call", "measured_per_call"),
    "same model": ("energy_per_token",),
}


def blocks(report: Trend) -> Iterator[RenderableType]:
    """Yield the report on a change."""
    yield _title(report)
    if not report.after.totals.calls and report.after.period == "all" and not report.selection:
        yield sums.no_calls(None, report.coverage.cut_off_tasks)
        yield from parts.cautions(report.warnings)
        return
    yield _said(report)
    yield _absolute(report)
    why = f"no change is shown: {report.why_not}" if report.why_not else intensity.NOTHING_BEFORE
    yield intensity.table(report.intensities, why)
    if report.energy is not None:
        yield _effects(report.energy, report)
    if report.carbon is not None:
        yield _effects(report.carbon, report)
    if report.energy is not None:
        yield _notes(report)
    if report.rebound is not None:
        yield Text.assemble(("Rebound  ", parts.HEADING), printable(report.rebound.sentence))
    for found in report.drivers:
        yield _drivers(found, report)
    if report.months:
        yield _months(report.months, report.boundary)
    if report.after.totals.calls:
        yield sums.basis(report.coverage, report.after.totals, report.method)
    yield from parts.cautions(report.warnings)


def _title(report: Trend) -> Text:
    when = parts.of_period(report.after.period) if report.before is None else _when(report)
    which = f", {report.selection}" if report.selection else ""
    return Text.assemble(
        ("agenttrace report trend", parts.STRONG), (f"  {printable(when + which)}", parts.QUIET)
    )


def _when(report: Trend) -> str:
    assert report.before is not None
    return f"{report.before.period} to {report.after.period}"


def _said(report: Trend) -> RenderableType:
    said = Text(printable(report.headline), style=parts.STRONG)
    if not report.chosen:
        return said
    chosen = f"Chosen without --period: {report.chosen}."
    return Group(said, Text(printable(chosen), style=parts.QUIET))


def _absolute(report: Trend) -> RenderableType:
    sides = [side for side in (report.before, report.after) if side is not None]
    grid = Table(box=None, pad_edge=False, padding=(0, parts.GAP, 0, 0), header_style="none")
    grid.add_column(Text("In all", style=parts.HEADING))
    for side in sides:
        grid.add_column(Text(printable(side.period), style=parts.QUIET), justify="right")
    if report.before is not None:
        grid.add_column(Text("change", style=parts.QUIET), justify="right")
    for lines in zip(*map(_column, sides), strict=True):
        row = [lines[0][0], *(shown for _, shown, _ in lines)]
        if report.before is not None:
            (_, _, earlier), (_, _, later) = lines
            row.append(figures.change(_part(earlier, later)))
        grid.add_row(*row)
    return grid


def _column(side: Side) -> list[tuple[str, str, float | None]]:
    """Return a line per total: its name, how it is shown, and its central value."""
    totals, about = side.totals, side.totals.estimated_calls
    energy, carbon = totals.energy_wh, totals.carbon_g
    counts: list[tuple[str, str, float | None]] = [
        ("Tasks", figures.count(side.tasks), side.tasks),
        ("Calls", figures.count(totals.calls), totals.calls),
    ]
    if not totals.calls:  # of no calls nothing is unreported
        return [*counts, *((name, figures.DASH, None) for name in ("Tokens", "Energy", "Carbon"))]
    return [
        *counts,
        ("Tokens", parts.about(totals.tokens.total, about), totals.tokens.total),
        (
            "Energy",
            parts.marked(parts.interval(energy, figures.ENERGY), about),
            energy and energy.central,
        ),
        (
            "Carbon",
            parts.marked(parts.interval(carbon, figures.MASS), about),
            carbon and carbon.central,
        ),
    ]


def _part(before: float | None, after: float | None) -> float | None:
    return after / before - 1 if before and after is not None else None


def _effects(found: Decomposed, report: Trend) -> RenderableType:
    values = [found.change, *(effect.amount for effect in found.effects)]
    largest = max(max(abs(one.low), abs(one.high)) for one in values)
    unit = figures.unit_of(largest, _UNITS[found.unit])
    of = " CO2e" if found.unit == "g" else ""
    rows = [_effect(effect, unit) for effect in found.effects]
    whole = Effect("", found.change, found.sampling, 1.0 if found.part else None, is_assumed=False)
    name, *cells = _effect(whole, unit)
    rows.append((f"change{name}", *cells))
    titles = (
        f"Effects on {found.what}, {unit.symbol}{of}",
        "low",
        "central",
        "high",
        "± sampling",
        "share",
    )
    sampling = (
        f"± half of the same span of {report.resamples:,} resamples of the tasks"
        if report.resamples
        else "? the sampling error is unknown"
    )
    if any(_is_chance(effect, unit) for effect in (*found.effects, whole)):
        sampling += "; * smaller than its sampling error: chance may have made it"
    place = ", location-based" if found.unit == "g" else ""
    moved = (
        f"; in the mix: models or places that entered {_signed(found.entered, unit)}, that left "
        f"{_signed(-found.left, unit)}"
        if found.entered or found.left
        else ""
    )
    return parts.captioned(
        parts.table(titles, rows),
        f"{_when(report)} ({report.boundary}{place}); low and high: 5 % and 95 % of the draws of "
        f"the factors; {sampling}{moved}",
    )


def _effect(effect: Effect, unit: figures.Unit) -> tuple[str, ...]:
    name = FACTORS.get(effect.factor, effect.factor)
    if effect.is_assumed:
        return name, figures.DASH, _ASSUMED, figures.DASH, figures.DASH, figures.DASH
    amount, sampling = effect.amount, effect.sampling
    spread = None if sampling is None else (sampling.high - sampling.low) / 2
    return (
        f"{name}{_CHANCE}" if _is_chance(effect, unit) else name,
        *(_signed(value, unit) for value in (amount.low, amount.central, amount.high)),
        parts.UNKNOWN if spread is None else _signed(spread, unit).lstrip("+"),
        _share(effect.share),
    )


def _is_chance(effect: Effect, unit: figures.Unit) -> bool:
    sampling = effect.sampling
    is_shown = sampling is not None and sampling.high - sampling.low > _ROUNDING * unit.size
    return is_shown and effect.is_within_sampling


def _signed(value: float, unit: figures.Unit) -> str:
    scaled = value / unit.size
    if abs(scaled) < _ROUNDING:
        return "0"
    return f"{'+' if scaled > 0 else '-'}{figures.significant(abs(scaled))}"


def _share(part: float | None) -> str:
    """Return a part of the change, which is negative where it went against it."""
    if part is not None and part <= -_PERCENT:
        return f"{100 * part:,.0f} %"
    return figures.share(None if part is None else abs(part), 1)


def _notes(report: Trend) -> RenderableType:
    return Text(printable("\n".join(report.assumptions)), style=parts.QUIET)


def _drivers(found: Drivers, report: Trend) -> RenderableType:
    is_all = len(found.lines) <= _DRIVERS_SHOWN + 1  # one more takes no more room than "others"
    shown = found.lines if is_all else found.lines[:_DRIVERS_SHOWN]
    rest = others(found.lines[len(shown) :])
    lines = [*shown, *([rest] if rest is not None else [])]
    unit = parts.unit_of(
        value for line in lines for value in (line.before_wh, line.after_wh, abs(line.change_wh))
    )
    rows = [_driver(line, unit) for line in lines]
    titles = (f"By {found.by}, {unit.symbol}", "before", "after", "change", "share")
    return parts.captioned(
        parts.table(titles, rows), f"energy, {_when(report)} ({report.boundary}), central"
    )


def _driver(line: Driver, unit: figures.Unit) -> tuple[Text | str, ...]:
    return (
        Text(printable(line.name)) if line.name is not None else Text("not told", parts.QUIET),
        *(
            figures.DASH if value is None else parts.energy(value, unit)
            for value in (line.before_wh, line.after_wh)
        ),
        _signed(line.change_wh, unit),
        _share(line.share),
    )


def _months(months: Sequence[Month], boundary: str) -> RenderableType:
    figures_of = [month.energy_per_task for month in months]
    absolute = intensity.table(figures_of, "the first month has none before it")
    told = [month for month in months if month.change_wh is not None]
    if not told:
        return Group(absolute, Text("no two months in a row to compare", style=parts.QUIET))
    largest = max(
        abs(value)
        for month in told
        for value in (month.change_wh, *month.effects_wh.values())
        if value is not None
    )
    unit = figures.unit_of(largest, figures.ENERGY)
    rows = [_month(month, unit) for month in told]
    table = parts.table((f"By month, {unit.symbol}", "change", *_MONTHLY), rows)
    return Group(
        absolute,
        Text(),
        parts.captioned(
            table,
            f"effects on energy against the month before ({boundary}), central; same model: energy "
            "per token of it; facility as before",
        ),
    )


def _month(month: Month, unit: figures.Unit) -> tuple[str, ...]:
    effects = [
        sum(month.effects_wh.get(name, 0.0) for name in names) for names in _MONTHLY.values()
    ]
    return month.period, *(_signed(value, unit) for value in (month.change_wh or 0.0, *effects))
