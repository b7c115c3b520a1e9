"""Carbon intensity of electricity, annual, by country."""

from dataclasses import dataclass
from typing import Literal

from agenttrace.energy import library
from agenttrace.energy.estimate import HIGH_QUANTILE, LOW_QUANTILE, quantile
from agenttrace.energy.factors import Factors, Mark, Source
from agenttrace.errors import FactorError
from agenttrace.model import Range

WORLD = "WOR"

_AGGREGATES = {WORLD, "EEE"}  # the world, and Europe: sums over countries, not countries
_GRAMS_PER_KG = 1000.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The carbon intensity that a report uses.

    Attributes:
        zone: ISO 3166-1 alpha-3 code, or ``WOR`` where the place is unknown.
        g_per_kwh: Annual average, gCO2e/kWh, location-based. For the world, low and high are the
            5 % and 95 % over the countries, each counted once: the place is what is unknown.
        resolution: ``annual`` for a country, ``world`` where the place is unknown.
        source: Where the figures come from.
        mark: ``read`` for a country's figure, ``derived`` for the range over countries.
    """

    zone: str
    g_per_kwh: Range
    resolution: Literal["annual", "world"]
    source: Source
    mark: Mark


def intensity(zone: str, factors: Factors) -> Grid:
    """Return the annual carbon intensity of a country, or of the world.

    Raises:
        FactorError: There is no mix for *zone*.
    """
    mixes = library.mixes()
    if zone not in mixes:
        raise FactorError(
            f"there is no electricity mix for zone {zone!r}. "
            f"Use an ISO 3166-1 alpha-3 code such as FRA or USA, or {WORLD} for the world."
        )
    source = factors.sources["ecologits-mixes"]
    central = mixes[zone] * _GRAMS_PER_KG
    if zone != WORLD:
        return Grid(zone, Range(central, central, central), "annual", source, "read")
    countries = sorted(gwp for name, gwp in mixes.items() if name not in _AGGREGATES)
    low = quantile(countries, LOW_QUANTILE) * _GRAMS_PER_KG
    high = quantile(countries, HIGH_QUANTILE) * _GRAMS_PER_KG
    return Grid(zone, Range(low, central, high), "world", source, "derived")
