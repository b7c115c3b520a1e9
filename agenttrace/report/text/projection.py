"""A fleet in years to come: what follows, beside what it is for each task, and what was assumed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.projection.values import (
    AssumptionLine,
    Passing,
    ProjectedYear,
    ProjectionReport,
    SpreadLine,
)
from agenttrace.report.rows import printable
from agenttrace.report.text import intensity, parts

_COUNTS: Final = (
    figures.Unit("", 1.0),
    figures.Unit("k", 1e3),
    figures.Unit("M", 1e6),
    figures.Unit("bn", 1e9),
    figures.Unit("tn", 1e12),
)
_HOURS: Final = (
    figures.Unit("ms", 1 / 3.6e6),
    figures.Unit("s", 1 / 3600),
    figures.Unit("min", 1 / 60),
    figures.Unit("h", 1.0),
)
_TIMES: Final = (_COUNTS[0], *_COUNTS[2:])
_PLAIN: Final = figures.Unit("", 1.0)
_UNITS: Final = {"Wh": figures.ENERGY, "h": _HOURS}
_NO_FORECAST: Final = (
    "A scenario, not a forecast: this is what follows if everything under Assumed holds."
)


def blocks(report: ProjectionReport) -> Iterator[RenderableType]:
    """Yield the projection: totals by year, when agents pass people, intensities, assumptions."""
    yield _title(report)
    if report.trouble is not None:
        yield Text(printable(report.trouble))
    if report.years:
        yield Text(_NO_FORECAST, style=parts.STRONG)
        yield _totals(report.years, report.boundary)
        if report.passing is not None:
            yield _against(report.years, report.passing)
        yield _intensities(report.years)
    if report.measured:
        yield Group(
            Text("What it rests on", style=parts.HEADING),
            intensity.table(
                report.measured, "measured, and so without a change: the years are above"
            ),
        )
    if report.spread:
        yield _spread(report.spread, report)
    yield _assumed(report.assumptions)
    if report.years:
        yield _method(report)
    yield from parts.cautions(report.warnings)


def _title(report: ProjectionReport) -> Text:
    text = Text.assemble(("agenttrace project", parts.STRONG))
    if report.years:
        text.append(f"  {report.years[0].year} to {report.years[-1].year}", parts.HEADING)
    if report.title or report.scenario:
        named = [part for part in (report.title, report.scenario) if part]
        text.append(f"\n{printable(', '.join(named))}", parts.QUIET)
    if report.note:
        text.append(f"\n{printable(report.note)}", parts.QUIET)
    if report.years:
        text.append(f"\nmeasured: {parts.chosen(report.selection)}", parts.QUIET)
    return text


def _totals(years: Sequence[ProjectedYear], boundary: str) -> RenderableType:
    energy = _unit((year.energy_wh for year in years), figures.ENERGY)
    mass = _unit((year.carbon_g for year in years), figures.MASS)
    rows = [
        (
            str(year.year),
            *parts.numbers(year.energy_wh, energy),
            *parts.numbers(year.carbon_g, mass),
        )
        for year in years
    ]
    ends = ("low", "central", "high")
    titles = [f"{unit.symbol} {end}" for unit in (energy, mass) for end in ends]
    caption = f"Energy at the boundary {boundary}; carbon is CO2e, location-based."
    return Group(
        _volumes(years),
        Text(),
        parts.captioned(parts.table(("In all", *titles), rows), caption),
    )


def _volumes(years: Sequence[ProjectedYear]) -> RenderableType:
    columns: tuple[tuple[str, Callable[[ProjectedYear], Range | None]], ...] = (
        ("agents", lambda year: year.agents),
        ("hours", lambda year: year.agent_hours),
        ("tasks", lambda year: year.tasks),
        ("calls", lambda year: year.calls),
        ("tokens", lambda year: year.tokens),
    )
    units = [_unit((of(year) for year in years), _COUNTS) for _, of in columns]
    rows = [
        (
            str(year.year),
            *(_central(of(year), unit) for (_, of), unit in zip(columns, units, strict=True)),
        )
        for year in years
    ]
    titles = [
        f"{name} {unit.symbol}".rstrip() for (name, _), unit in zip(columns, units, strict=True)
    ]
    return parts.captioned(
        parts.table(("Volume", *titles), rows), "central; --format json has the ranges"
    )


def _unit(values: Iterator[Range | None], units: tuple[figures.Unit, ...]) -> figures.Unit:
    known = [value.central for value in values if value is not None]
    return figures.unit_of(max(known, default=0), units)


def _central(value: Range | None, unit: figures.Unit) -> str:
    return parts.UNKNOWN if value is None else figures.significant(value.central / unit.size)


def _against(years: Sequence[ProjectedYear], passing: Passing) -> RenderableType:
    # Agents and people may be a million times apart, so each column has a unit of its own.
    unit = _unit((year.energy_wh for year in years), figures.ENERGY)
    theirs = _unit((year.user_facing_wh for year in years), figures.ENERGY)
    times = _unit((year.ratio for year in years), _TIMES)
    rows = [
        (
            str(year.year),
            _central(year.energy_wh, unit),
            _central(year.user_facing_wh, theirs),
            *parts.numbers(year.ratio, times),
            figures.share(year.passes, 1),
            figures.share(year.passed, 1),
        )
        for year in years
    ]
    titles = (
        "Energy",
        f"agents {unit.symbol}",
        f"people {theirs.symbol}",
        f"ratio {times.symbol} low".replace("  ", " "),
        "central",
        "high",
        "pass now",
        "so far",
    )
    return Group(
        parts.table(titles, rows),
        Text("pass: share of the runs in which agents first use more energy", style=parts.QUIET),
        Text(printable(passing.said)),
    )


def _intensities(years: Sequence[ProjectedYear]) -> RenderableType:
    """Show the first year and the last, which the JSON has between as well."""
    first, last = years[0], years[-1]
    if first is last:
        return intensity.table(first.intensities, "one year: there is none before it")
    return Group(
        intensity.table(first.intensities, f"the first year; {last.year} is set against it"),
        Text(),
        intensity.table(last.intensities),
    )


def _spread(lines: Sequence[SpreadLine], report: ProjectionReport) -> RenderableType:
    rows: list[tuple[str, ...]] = []
    for line in lines:
        unit = figures.unit_of(line.median, _UNITS.get(line.unit, (_PLAIN,)))
        numbers = (line.low, line.median, line.high, line.largest)
        rows.append(
            (
                f"{line.what} {unit.symbol}".rstrip(),
                *(figures.significant(number / unit.size) for number in numbers),
                figures.DASH if line.top_share is None else figures.share(line.top_share, 1),
            )
        )
    titles = ("One task", "5 %", "median", "95 %", "largest", "in top tenth")
    tasks = figures.counted(report.tasks, "task")
    sampled = (
        f"{report.sampled_tasks:,} of {tasks}, by a hash"
        if report.sampled_tasks < report.tasks
        else tasks
    )
    caption = (
        f"{sampled}, period {report.period}; in top tenth: what the largest tenth has of the sum."
    )
    return parts.captioned(parts.table(titles, rows), printable(caption))


def _assumed(lines: Sequence[AssumptionLine]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, parts.GAP, 0, 0), header_style="none")
    table.add_column(Text("Assumed", style=parts.HEADING))
    table.add_column(Text("value", style=parts.QUIET), justify="right", no_wrap=True)
    for line in lines:
        why = line.why if line.why.startswith(line.origin) else f"{line.origin}: {line.why}"
        table.add_row(parts.words(line.label), parts.strong(_value(line)))
        table.add_row(Padding(Text(printable(why), style=parts.QUIET), (0, 0, 0, parts.GAP)), "")
    return table


def _value(line: AssumptionLine) -> str:
    value = line.value
    if value is None:
        return ""
    if line.unit == "year":
        return f"{value.central:.0f}"
    if line.unit == "%":
        value = Range(100 * value.low, 100 * value.central, 100 * value.high)
    numbers = (
        (value.central,) if value.low == value.high else (value.low, value.central, value.high)
    )
    return f"{figures.dashed(tuple(map(_number, numbers)))} {line.unit}".rstrip()


def _number(value: float) -> str:
    """Return what a person said as it is, and what was measured in three digits."""
    said = f"{value:,.10g}"
    return said if len(said) <= len("1,000,000") else figures.significant(value, 3)


def _method(report: ProjectionReport) -> RenderableType:
    return Text(
        f"{report.runs:,} runs, seed {report.seed}; low and high are 5 % and 95 % of them. Each "
        f"has one draw of factors {report.factor_set} for agents and people, tasks drawn anew from "
        "those measured, and one value of every assumption that is a range. docs/project.md has "
        "the method.",
        style=parts.QUIET,
    )
