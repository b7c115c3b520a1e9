"""Market-based carbon of a kilowatt-hour, by zone and year, where something is known of it.

Certificates of a zone and year are shared by all the energy that was recorded there in that year,
whatever is exported of it. So no certificate counts twice over the months of a year, and what all
months sum to is what ``agenttrace report carbon`` says.

Source: GHG Protocol, "Scope 2 Guidance" (2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.energy.grid import certificates
from agenttrace.energy.grid.certificates import Residual
from agenttrace.reader import Reader
from agenttrace.report.carbon import certified
from agenttrace.report.carbon.certified import Year
from agenttrace.report.carbon.values import MatchLine
from agenttrace.report.carbon.zones import Zone, zones
from agenttrace.report.sums import held

_HELD: Final = ("call_rollup", "call_total", "model_moments", "model_place_draw")
_WH_PER_KWH: Final = 1e3


@dataclass(frozen=True, slots=True)
class Price:
    """What a kilowatt-hour of a zone and year emits by the market-based method.

    Attributes:
        g_per_kwh: Grams of CO2 equivalent per kWh, central.
        draws: The same in every draw of the factors.
        known_from: What it is known from, in words.
        line: The zone and year in all.
    """

    g_per_kwh: float
    draws: tuple[float, ...]
    known_from: str
    line: MatchLine


def prices(reader: Reader) -> dict[tuple[str, int], Price]:
    """Return what is known, by zone and year; of others nothing is.

    Args:
        reader: An open reader that shows everything.

    Raises:
        FactorError: Certificates or residual mixes that are kept cannot be read.
    """
    bought = certificates.certificates(reader.home)
    residuals = {(one.zone, one.year): one for one in certificates.residuals(reader.home)}
    known = {(one.zone, one.year) for one in bought} | residuals.keys()
    if not known:
        return {}
    with held(reader, *_HELD):
        found = {
            (zone.zone, year.line.year): _price(zone, year, residuals)
            for zone in zones(reader)
            for year in certified.years(zone, bought, residuals)
        }
    return {key: price for key, price in found.items() if key in known}


def _price(zone: Zone, year: Year, residuals: dict[tuple[str, int], Residual]) -> Price:
    line = year.line
    share = line.energy_wh / zone.energy_wh
    used = [share * energy_wh for energy_wh in zone.draws.energy_wh]
    return Price(
        g_per_kwh=line.market_g / line.energy_wh * _WH_PER_KWH,
        draws=_each(year.market_draws, used),
        known_from=_known_from(line, has_residual=(line.zone, line.year) in residuals),
        line=line,
    )


def _each(market_g: Sequence[float], used_wh: Sequence[float]) -> tuple[float, ...]:
    return tuple(
        g / wh * _WH_PER_KWH if wh else 0.0 for g, wh in zip(market_g, used_wh, strict=True)
    )


def _known_from(line: MatchLine, *, has_residual: bool) -> str:
    rest = "residual mix" if has_residual else "average of the grid"
    if not line.bought_wh:
        return rest
    if line.bought_wh >= line.energy_wh:
        return "certificates"
    return f"certificates, {rest}"
