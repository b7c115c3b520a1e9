"""Draw every factor within its range: the same draws in every run, on every machine.

A factor is split-lognormal: its median is the central value, and its 5 % and 95 % are low and high.
Every column of draws is stratified (a Latin hypercube): each of the strata holds one value, in an
order that depends on the column's name alone. So a model's draws do not depend on which other
models are in the report, and what is shared by all models is one column for all of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from agenttrace.energy.catalogue import Match
from agenttrace.energy.estimate import (
    Coefficients,
    Constants,
    ModelFactor,
    Parameters,
    coefficients,
    spread,
    water_l_per_kwh,
)
from agenttrace.energy.factors import Factor, Factors
from agenttrace.energy.places import Place
from agenttrace.energy.pricing import Boundary
from agenttrace.model import Range

SCHEME = 1
"""Part of the version of a factor set; raise it when the same factors give other draws."""

DRAWS = 256
"""Draws of each factor.

The 5 % and 95 % of a call then carry a sampling error of 3 to 9 % (one standard deviation over
60 seeds: 3 to 6 % for a chat turn, 5 to 9 % for an agent step), beside ranges whose ends lie a
factor of 3 to 9 apart for known models. Twice the draws bring it to 2 to 6 %, at twice the cost of
every report.
"""

_KEPT = 256
"""Columns, and models, whose draws are kept for the next report of the process: a few MB."""


@dataclass(frozen=True, slots=True)
class PlaceFactor:
    """A place, ready to turn energy into carbon and water.

    Attributes:
        provider: Who served the calls, as traces say; None where they do not.
        region: Cloud region of the calls, as traces say; None where they do not.
        place: Where, and how that is known.
        g_per_kwh: gCO2e per kWh of electricity, location-based; an annual average.
        l_per_kwh: Litres of water per kWh at the boundary of the energy.
        g_draws: One value per draw; all the same where the place is known.
        l_draws: One value per draw.
    """

    provider: str | None
    region: str | None
    place: Place
    g_per_kwh: Range
    l_per_kwh: Range
    g_draws: Sequence[float]
    l_draws: Sequence[float]


def shared(factors: Factors) -> tuple[Constants, ...]:
    """Draw the constants that every model shares."""
    return _shared(tuple(factors.constants()))


@lru_cache(maxsize=_KEPT)
def _shared(constants: tuple[Factor, ...]) -> tuple[Constants, ...]:
    columns = (_column(factor, factor.id) for factor in constants)
    return tuple(Constants(*row) for row in zip(*columns, strict=True))


def central(factors: Factors) -> Constants:
    """Return the central values of the constants that every model shares."""
    return Constants(*(factor.central for factor in factors.constants()))


def placed(
    provider: str | None, region: str | None, place: Place, boundary: Boundary = "facility"
) -> PlaceFactor:
    """Return what a kWh at *boundary* emits and takes at *place*, central and drawn."""
    water = zip(
        column(place.pue, f"pue {provider}", least=1.0),
        column(place.wue_l_per_kwh, f"wue {provider}"),
        column(place.grid_water_l_per_kwh, f"grid water {place.zone}"),
        strict=True,
    )
    litres = [water_l_per_kwh(*drawn, boundary) for drawn in water]
    central = water_l_per_kwh(
        place.pue.central,
        place.wue_l_per_kwh.central,
        place.grid_water_l_per_kwh.central,
        boundary,
    )
    return PlaceFactor(
        provider=provider,
        region=region,
        place=place,
        g_per_kwh=place.g_per_kwh,
        l_per_kwh=spread(central, litres),
        g_draws=column(place.g_per_kwh, f"grid {place.zone}"),
        l_draws=litres,
    )


def priced(
    provider: str | None,
    model: str | None,
    match: Match,
    factors: Factors,
    constants: Sequence[Constants],
    *,
    boundary: Boundary = "facility",
) -> ModelFactor:
    """Return a model's coefficients, central and drawn.

    Args:
        provider: Who serves it; kept as it is.
        model: Its name in the trace; kept as it is.
        match: What the name was taken for; its key decides the order of the model's own draws.
        factors: Where the central constants come from.
        constants: Draws of :func:`shared`.
        boundary: What the energy is to cover.
    """
    parts = (
        match.parts.active_parameters_b,
        match.parts.decode_j_per_token,
        match.parts.cache_bytes_per_token,
    )
    return ModelFactor(
        provider=provider,
        model=model,
        match=match,
        coefficients=coefficients(
            central(factors),
            Parameters(*(part.central if part else 0.0 for part in parts)),
            boundary,
        ),
        draws=_priced(parts, match.key, tuple(constants), boundary),
    )


@lru_cache(maxsize=_KEPT)
def _priced(
    parts: tuple[Factor | None, ...], key: str, constants: tuple[Constants, ...], boundary: Boundary
) -> tuple[Coefficients, ...]:
    columns = [
        _column(part, f"{key}.{name}") if part else (0.0,) * DRAWS
        for name, part in zip(Parameters._fields, parts, strict=True)
    ]
    return tuple(
        coefficients(shared, Parameters(*own), boundary)
        for shared, own in zip(constants, zip(*columns, strict=True), strict=True)
    )


@lru_cache(maxsize=_KEPT)
def column(
    quantity: Range, name: str, *, least: float = 0.0, most: float = math.inf
) -> tuple[float, ...]:
    """Return :data:`DRAWS` values of *quantity*, one per stratum, in the order that *name* gives.

    Args:
        quantity: 5 %, median and 95 %; one value where it is known. Where low, or central, is zero,
            draws fall to it in a straight line.
        name: Of the column; the same name gives the same order.
        least: Values end here below.
        most: Values end here above.
    """
    if quantity.low == quantity.high:
        return (quantity.central,) * DRAWS
    values = [min(max(_at(z, quantity), least), most) for z in _scores()]
    return tuple(values[stratum] for stratum in _order(name))


def _at(z: float, quantity: Range) -> float:
    """Return the value *z* of the way from the median to the 5 % (-1) or to the 95 % (1)."""
    low, median, high = quantity.low, quantity.central, quantity.high
    if z < 0:
        return median * (low / median) ** -z if low > 0 else median * (1 + z)
    return median * (high / median) ** z if median > 0 else high * z


def _column(factor: Factor, name: str) -> tuple[float, ...]:
    return column(factor.range, name, least=factor.least, most=factor.most)


@cache
def _scores() -> tuple[float, ...]:
    """Return the middle of every stratum, in units of the distance from the median to the 95 %."""
    # 6 ms to import, and only estimates need it.
    from statistics import NormalDist

    normal = NormalDist()
    unit = normal.inv_cdf(0.95)
    return tuple(normal.inv_cdf((stratum + 0.5) / DRAWS) / unit for stratum in range(DRAWS))


def _order(name: str) -> list[int]:
    # 2 ms to import, and only estimates need it.
    import random

    # Only random() is promised to give the same numbers in every Python; shuffle() is not.
    generator = random.Random(f"agenttrace draws {SCHEME}: {name}")  # noqa: S311  # sampling, not secrets
    keys = [generator.random() for _ in range(DRAWS)]
    return sorted(range(DRAWS), key=keys.__getitem__)
