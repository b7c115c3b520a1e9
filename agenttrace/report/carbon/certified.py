"""What certificates make of the energy of a zone and year, by the year and by the hour."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from agenttrace.compare import matching
from agenttrace.compare.matching import Lot
from agenttrace.energy.estimate import spread
from agenttrace.energy.grid.certificates import Certificate, Residual
from agenttrace.report.carbon.values import Matched, MatchLine
from agenttrace.report.carbon.zones import Hour, Zone

_WH_PER_KWH: Final = 1e3
_WH_PER_MWH: Final = 1e6


@dataclass(frozen=True, slots=True)
class Year:
    """A zone and a year: its line, and its market-based emissions in every draw."""

    line: MatchLine
    market_draws: Sequence[float]


def years(
    zone: Zone,
    bought: Sequence[Certificate],
    residuals: Mapping[tuple[str, int], Residual],
) -> Iterator[Year]:
    """Yield the years in which energy was used in a zone, each with what was bought for it."""
    for year in sorted({hour.year for hour in zone.hours}):
        hours = [hour for hour in zone.hours if hour.year == year]
        held = [one for one in bought if (one.zone, one.year) == (zone.zone, year)]
        yield _year(zone, year, hours, held, residuals.get((zone.zone, year)))


def _year(
    zone: Zone,
    year: int,
    hours: Sequence[Hour],
    held: Sequence[Certificate],
    residual: Residual | None,
) -> Year:
    load = [hour.wh / _WH_PER_KWH for hour in hours]
    kwh = fsum(load)
    location_g = matching.location_based(load, [hour.g_per_kwh for hour in hours])
    lots = [Lot(one.mwh * _WH_PER_MWH / _WH_PER_KWH, one.g_per_kwh) for one in held]
    residual_g = residual.g_per_kwh if residual else location_g / kwh
    free = fsum(lot.kwh for lot in lots if lot.g_per_kwh == 0)
    by_hour = _by_hour(held)
    in_hour = [by_hour.get(hour.at, 0.0) for hour in hours]
    shares = [hour.cfe_share for hour in hours]
    known = fsum(one for one, share in zip(load, shares, strict=True) if share is not None)
    clean = [share or 0.0 for share in shares]
    line = MatchLine(
        zone=zone.zone,
        year=year,
        energy_wh=kwh * _WH_PER_KWH,
        bought_wh=fsum(lot.kwh for lot in lots) * _WH_PER_KWH,
        carbon_free_wh=free * _WH_PER_KWH,
        carbon_free_hourly_wh=fsum(by_hour.values()) * _WH_PER_KWH,
        location_g=location_g,
        market_g=matching.market_based(kwh, lots, residual_g).carbon_g,
        residual_g_per_kwh=residual_g,
        residual_source=residual.source if residual else None,
        annual_match=matching.annual_match([kwh], [free]) or 0.0,
        hourly_match=matching.hourly_match(load, in_hour) or 0.0,
        cfe_score=matching.score(load, in_hour, clean) if known else None,
        cfe_known_share=known / kwh,
    )
    return Year(line, list(_market_draws(zone, kwh, lots, residual_g, known=residual is not None)))


def _by_hour(held: Sequence[Certificate]) -> dict[object, float]:
    """Return carbon-free kilowatt-hours by the hour in which they were made."""
    found: dict[object, float] = {}
    for one in held:
        if one.hour is not None and one.g_per_kwh == 0:
            found[one.hour] = found.get(one.hour, 0.0) + one.mwh * _WH_PER_MWH / _WH_PER_KWH
    return found


def _market_draws(
    zone: Zone, kwh: float, lots: Sequence[Lot], residual_g: float, *, known: bool
) -> Iterator[float]:
    """Yield the market-based emissions in every draw: what is certified does not vary with them."""
    usual = zone.carbon_g / zone.energy_wh if zone.energy_wh else 0.0
    for energy_wh, carbon_g in zip(zone.draws.energy_wh, zone.draws.carbon_g, strict=True):
        drawn = carbon_g / energy_wh if energy_wh else 0.0
        dirtier = drawn / usual if usual and not known else 1.0
        used = kwh * energy_wh / zone.energy_wh
        yield matching.market_based(used, lots, residual_g * dirtier).carbon_g


def together(years: Sequence[Year]) -> Matched | None:
    """Return all zones and years together; None where no energy is known."""
    energy = fsum(year.line.energy_wh for year in years)
    if not energy:
        return None
    draws = [fsum(column) for column in zip(*(year.market_draws for year in years), strict=True)]
    lines = [year.line for year in years]
    scores = [line.cfe_score for line in lines]
    clean = [
        (line.hourly_match if score is None else score) * line.energy_wh
        for line, score in zip(lines, scores, strict=True)
    ]
    return Matched(
        market_g=spread(fsum(line.market_g for line in lines), draws),
        bought_wh=fsum(line.bought_wh for line in lines),
        annual_match=min(1.0, fsum(line.annual_match * line.energy_wh for line in lines) / energy),
        hourly_match=min(1.0, fsum(line.hourly_match * line.energy_wh for line in lines) / energy),
        cfe_score=min(1.0, fsum(clean) / energy) if any(s is not None for s in scores) else None,
        cfe_known_share=min(
            1.0, fsum(line.cfe_known_share * line.energy_wh for line in lines) / energy
        ),
    )


def warnings(years: Sequence[Year], bought: Sequence[Certificate]) -> Iterator[str]:
    """Yield what to know of certificates before believing a figure, a sentence each."""
    used = {(year.line.zone, year.line.year) for year in years}
    held = sorted({(one.zone, one.year) for one in bought})
    for zone, year in held:
        if (zone, year) not in used:
            yield f"the certificates of {zone} {year} match nothing: no call ran there in that year"
    for year in years:
        line = year.line
        if line.bought_wh and line.residual_source is None:
            yield (
                f"no residual mix of {line.zone} {line.year} is known: what has no certificate "
                f"has the average of the grid, which is usually lower. "
                f"`agenttrace grid residual FILE` brings it"
            )
        if line.carbon_free_wh > line.carbon_free_hourly_wh:
            yield (
                f"certificates of {line.zone} {line.year} without an hour count in the year, and "
                f"in no hour"
            )
