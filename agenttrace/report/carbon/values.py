"""What the report on carbon and water says, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar

from agenttrace.model import Range
from agenttrace.report.values import Coverage, Method, Totals


@dataclass(frozen=True, slots=True)
class Marginal:
    """What one kilowatt-hour more emits, in the hours of which that is known.

    Attributes:
        energy_share: Part of the energy of the place that fell into those hours, 0 to 1.
        g_per_kwh: Marginal intensity, by the energy of the hours.
        average_g_per_kwh: Average intensity in the same hours; annual where no hour is known.
    """

    energy_share: float
    g_per_kwh: float
    average_g_per_kwh: float


@dataclass(frozen=True, slots=True)
class PlaceLine:
    """The calls that ran in one zone.

    Attributes:
        zone: Zone of the grid; ``WOR`` where the place is unknown.
        country: ISO 3166-1 alpha-3 code; empty where it is not one country.
        reason: Why this place.
        calls: Model calls.
        energy_wh: Energy at the boundary that the method names; None where no call says its usage.
        energy_share: Part of the energy of all places, 0 to 1.
        hourly_share: Part of its energy of which the hour of the grid is known, 0 to 1; the rest
            has ``otherwise``.
        otherwise: ``annual``, or ``world`` where the place is unknown.
        g_per_kwh: Grams of CO2 equivalent per kWh used, central.
        carbon_g: Location-based.
        water_l: On the site and where the electricity was made.
        marginal: Beside the average and never in it; None where no hour of it is known.
    """

    zone: str
    country: str
    reason: str
    calls: int
    energy_wh: Range | None
    energy_share: float | None
    hourly_share: float
    otherwise: str
    g_per_kwh: float | None
    carbon_g: Range | None
    water_l: Range | None
    marginal: Marginal | None


@dataclass(frozen=True, slots=True)
class MatchLine:
    """Energy of one zone and year beside the certificates of that zone and year.

    Attributes:
        zone: Zone of the grid.
        year: Of the calls and of the certificates.
        energy_wh: Energy used, central.
        bought_wh: Certificates of any kind.
        carbon_free_wh: Those whose generation emits nothing.
        carbon_free_hourly_wh: Those of them whose hour is known.
        location_g: Location-based, central.
        market_g: Market-based, central.
        residual_g_per_kwh: What the energy without certificates emits per kWh.
        residual_source: Where that is from; None where it is not known, and the average of the grid
            stands for it.
        annual_match: Share of the energy that carbon-free certificates cover in the year, 0 to 1.
        hourly_match: Share that they cover in the same hour.
        cfe_score: That, and the carbon-free share of the grid for the rest; None where no hour of
            that share is known. Hours without it count as not carbon-free.
        cfe_known_share: Part of the energy in hours of which that share is known, 0 to 1.
    """

    zone: str
    year: int
    energy_wh: float
    bought_wh: float
    carbon_free_wh: float
    carbon_free_hourly_wh: float
    location_g: float
    market_g: float
    residual_g_per_kwh: float
    residual_source: str | None
    annual_match: float
    hourly_match: float
    cfe_score: float | None
    cfe_known_share: float


@dataclass(frozen=True, slots=True)
class Resolutions:
    """How well the grid is known of the energy, each 0 to 1 and 1 together.

    Attributes:
        hourly: The hour of the grid is known.
        annual: The zone is known, and its year.
        world: The place is unknown.
    """

    hourly: float
    annual: float
    world: float


@dataclass(frozen=True, slots=True)
class Matched:
    """Everything together, over zones and years: electricity matches where and when it was made.

    Attributes:
        market_g: Market-based emissions, beside the location-based ones of the totals.
        bought_wh: Certificates of the zones and years in which calls ran.
        annual_match: Share of the energy that carbon-free certificates cover in the year.
        hourly_match: Share that they cover in the same hour.
        cfe_score: 24/7 score; None where no hour of the carbon-free share of a grid is known.
        cfe_known_share: Part of the energy in hours of which that share is known.
    """

    market_g: Range
    bought_wh: float
    annual_match: float
    hourly_match: float
    cfe_score: float | None
    cfe_known_share: float


@dataclass(frozen=True, slots=True)
class CarbonReport:
    """Carbon and water of everything recorded.

    Attributes:
        store: Folder of the data.
        first_started_at: Start of the first call.
        last_started_at: Start of the last call.
        totals: Sums over all calls; their carbon is location-based.
        resolutions: How well the grid is known; None where no energy is.
        places: One line per zone, the most energy first.
        matched: What certificates make of it; None where no energy is known.
        matching: One line per zone and year.
        coverage: What the totals rest on.
        method: How they were estimated.
        warnings: What to know before believing a figure.
    """

    kind: ClassVar[str] = "carbon"

    store: str
    first_started_at: str | None
    last_started_at: str | None
    totals: Totals
    resolutions: Resolutions | None
    places: tuple[PlaceLine, ...]
    matched: Matched | None
    matching: tuple[MatchLine, ...]
    coverage: Coverage
    method: Method
    warnings: tuple[str, ...]
