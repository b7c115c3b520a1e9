"""Match electricity that was used with electricity that was bought, hour by hour and over the year.

Everything is in kilowatt-hours; an hour is one place in every sequence, and sequences of one call
are of one zone: electricity that is fed in elsewhere matches nothing here.

    annual match   A = min(1, sum CFE_t / sum L_t)
    hourly match   H = sum min(L_t, CFE_t) / sum L_t              excess of an hour does not carry
    24/7 score     S = sum [m_t + (L_t - m_t) * g_t] / sum L_t    with m_t = min(L_t, CFE_t)

with L_t the load, CFE_t carbon-free electricity that was bought, and g_t the carbon-free share of
the grid. 0 <= H <= A <= 1 and S >= H always hold.

Source: Google, "24/7 Carbon-Free Energy: Methodologies and Metrics" (2021); GHG Protocol, "Scope 2
Guidance" (2015), for the market-based sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum


@dataclass(frozen=True, slots=True)
class Lot:
    """Certificates of one kind.

    Attributes:
        kwh: How much.
        g_per_kwh: What generating it emitted, gCO2e/kWh.
    """

    kwh: float
    g_per_kwh: float


@dataclass(frozen=True, slots=True)
class Market:
    """The market-based emissions of some load.

    Attributes:
        carbon_g: Grams of CO2 equivalent.
        certified_kwh: Load that certificates cover.
        residual_kwh: Load that has the residual mix.
    """

    carbon_g: float
    certified_kwh: float
    residual_kwh: float


def annual_match(load_kwh: Sequence[float], carbon_free_kwh: Sequence[float]) -> float | None:
    """Return the share of the load that carbon-free electricity of the year covers in sum.

    Returns:
        0 to 1; None where there is no load.
    """
    load = fsum(load_kwh)
    return min(1.0, fsum(carbon_free_kwh) / load) if load > 0 else None


def hourly_match(load_kwh: Sequence[float], carbon_free_kwh: Sequence[float]) -> float | None:
    """Return the share of the load that carbon-free electricity of the same hour covers.

    Args:
        load_kwh: Load of each hour.
        carbon_free_kwh: Carbon-free electricity of the same hours.

    Returns:
        0 to 1; None where there is no load.
    """
    load = fsum(load_kwh)
    return min(1.0, fsum(_matched(load_kwh, carbon_free_kwh)) / load) if load > 0 else None


def score(
    load_kwh: Sequence[float], carbon_free_kwh: Sequence[float], grid_share: Sequence[float]
) -> float | None:
    """Return the 24/7 score: what was bought for the hour, and the carbon-free share of the rest.

    Args:
        load_kwh: Load of each hour.
        carbon_free_kwh: Carbon-free electricity of the same hours.
        grid_share: Carbon-free share of the grid in them, 0 to 1.

    Returns:
        0 to 1; None where there is no load.
    """
    total = fsum(load_kwh)
    if total <= 0:
        return None
    matched = _matched(load_kwh, carbon_free_kwh)
    clean = (
        bought + (load - bought) * share
        for load, bought, share in zip(load_kwh, matched, grid_share, strict=True)
    )
    return min(1.0, fsum(clean) / total)


def location_based(load_kwh: Sequence[float], g_per_kwh: Sequence[float]) -> float:
    """Return grams: the load of each hour times the intensity of the grid in it."""
    return fsum(load * g for load, g in zip(load_kwh, g_per_kwh, strict=True))


def market_based(load_kwh: float, lots: Sequence[Lot], residual_g_per_kwh: float) -> Market:
    """Return the emissions of the load after certificates: of each lot, and the residual mix.

    More certificates than load count in part, each kind by the same share: what was not used was
    not used of any kind.

    Args:
        load_kwh: Load of the period and zone that the certificates are of.
        lots: Certificates of it.
        residual_g_per_kwh: What electricity emits there that nobody bought; where it is not known,
            the grid's average.
    """
    bought = fsum(lot.kwh for lot in lots)
    share = 1.0 if bought <= load_kwh else load_kwh / bought
    certified = min(bought, load_kwh)
    rest = load_kwh - certified
    carbon = fsum(lot.kwh * share * lot.g_per_kwh for lot in lots) + rest * residual_g_per_kwh
    return Market(carbon, certified, rest)


def _matched(load_kwh: Sequence[float], carbon_free_kwh: Sequence[float]) -> list[float]:
    return [min(load, free) for load, free in zip(load_kwh, carbon_free_kwh, strict=True)]
