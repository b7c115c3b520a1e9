"""The report on carbon and water: totals, places, and what certificates make of them."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.report import figures
from agenttrace.report.carbon.values import (
    CarbonReport,
    Marginal,
    Matched,
    MatchLine,
    PlaceLine,
)
from agenttrace.report.rows import printable
from agenttrace.report.text import parts, sums

_LABEL_WIDTH = 17


def blocks(report: CarbonReport) -> Iterator[RenderableType]:
    """Yield the report on carbon and water."""
    yield sums.title("agenttrace report carbon", report.first_started_at, report.last_started_at)
    if not report.totals.calls:
        yield sums.no_calls(None, report.coverage.cut_off_tasks)
    else:
        yield _headline(report)
        yield _places(report.places)
        marginal = [(line, line.marginal) for line in report.places if line.marginal is not None]
        if marginal:
            yield _marginals([(line.zone, found) for line, found in marginal])
        if report.matched is not None and report.matched.bought_wh:
            yield _matching(report.matching)
        yield sums.basis(report.coverage, report.totals, report.method)
    yield from parts.cautions(report.warnings)


def _headline(report: CarbonReport) -> RenderableType:
    totals, matched = report.totals, report.matched
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    grid.add_column(style=parts.STRONG, no_wrap=True)
    grid.add_column(style=parts.QUIET)
    about = totals.estimated_calls
    without = f", {parts.calls(totals.unpriced_calls)} not in full" if totals.unpriced_calls else ""
    energy = parts.interval(totals.energy_wh, figures.ENERGY)
    grid.add_row("Energy", parts.marked(energy, about), f"{report.method.boundary}{without}")
    location = parts.interval(totals.carbon_g, figures.MASS, of=" CO2e")
    grid.add_row("Carbon", parts.marked(location, about), f"location-based{_known(report)}")
    if matched is not None:
        market = parts.interval(matched.market_g, figures.MASS, of=" CO2e")
        grid.add_row("", parts.marked(market, about), f"market-based{_bought(matched)}")
    water = parts.interval(totals.water_l, figures.VOLUME)
    grid.add_row("Water", parts.marked(water, about), "site and grid")
    if matched is not None and matched.bought_wh:
        grid.add_row("Carbon-free", figures.share(matched.annual_match, 1), "matched by the year")
        grid.add_row("", figures.share(matched.hourly_match, 1), "matched by the hour")
    if matched is not None and matched.cfe_score is not None:
        grid.add_row("", figures.share(matched.cfe_score, 1), f"24/7 score{_score_of(matched)}")
    return grid


def _known(report: CarbonReport) -> str:
    known = report.resolutions
    if known is None:
        return ""
    shares = (("hourly", known.hourly), ("annual", known.annual), ("world average", known.world))
    return "; " + ", ".join(f"{figures.share(part, 1)} {name}" for name, part in shares if part)


def _bought(matched: Matched) -> str:
    return "" if matched.bought_wh else "; no certificates, so the same"


def _score_of(matched: Matched) -> str:
    if matched.cfe_known_share == 1:
        return ""
    return f", with the grid known for {figures.share(matched.cfe_known_share, 1)} of the energy"


def _places(lines: Sequence[PlaceLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh and line.energy_wh.central for line in lines)
    mass = _unit((line.carbon_g and line.carbon_g.central for line in lines), figures.MASS)
    volume = _unit((line.water_l and line.water_l.central for line in lines), figures.VOLUME)
    rows = [
        (
            _place(line),
            figures.count(line.calls),
            parts.energy(line.energy_wh and line.energy_wh.central, unit),
            figures.share(line.hourly_share, 1) if line.energy_wh else figures.DASH,
            parts.UNKNOWN if line.g_per_kwh is None else figures.significant(line.g_per_kwh),
            *parts.numbers(line.carbon_g, mass),
            parts.numbers(line.water_l, volume)[1],
        )
        for line in lines
    ]
    titles = (
        "Place",
        "calls",
        unit.symbol,
        "hourly",
        "g/kWh",
        f"{mass.symbol} low",
        "central",
        "high",
        f"water {volume.symbol}",
    )
    return parts.captioned(parts.table(titles, rows), "\n".join(map(_why, lines)))


def _unit(values: Iterator[float | None], units: tuple[figures.Unit, ...]) -> figures.Unit:
    return figures.unit_of(max((value for value in values if value is not None), default=0), units)


def _place(line: PlaceLine) -> Text:
    name = "the world" if line.otherwise == "world" else line.zone
    country = f" {line.country}" if line.country and line.country != line.zone else ""
    return Text(printable(name)).append(printable(country), parts.QUIET)


def _why(line: PlaceLine) -> str:
    name = "the world" if line.otherwise == "world" else line.zone
    return printable(f"{name}: {line.reason}")


def _marginals(lines: Sequence[tuple[str, Marginal]]) -> RenderableType:
    rows = [
        (
            Text(printable(zone)),
            figures.share(found.energy_share, 1),
            figures.significant(found.average_g_per_kwh),
            figures.significant(found.g_per_kwh),
        )
        for zone, found in lines
    ]
    table = parts.table(("Marginal", "of the energy", "average g/kWh", "marginal g/kWh"), rows)
    return parts.captioned(table, "what one kWh more or less changes; in no total")


def _matching(lines: Sequence[MatchLine]) -> RenderableType:
    unit = parts.unit_of(line.energy_wh for line in lines)
    mass = _unit((line.market_g for line in lines), figures.MASS)
    rows = [
        (
            Text(f"{printable(line.zone)} {line.year}"),
            parts.energy(line.energy_wh, unit),
            parts.energy(line.bought_wh, unit),
            figures.significant(line.location_g / mass.size),
            figures.significant(line.market_g / mass.size),
            figures.share(line.annual_match, 1),
            figures.share(line.hourly_match, 1),
            figures.DASH if line.cfe_score is None else figures.share(line.cfe_score, 1),
        )
        for line in lines
    ]
    titles = (
        "Certificates",
        f"used {unit.symbol}",
        "bought",
        f"location {mass.symbol}",
        "market",
        "by year",
        "by hour",
        "24/7",
    )
    return parts.captioned(
        parts.table(titles, rows),
        "electricity counts in the zone and the year, or the hour, in which it was made",
    )
