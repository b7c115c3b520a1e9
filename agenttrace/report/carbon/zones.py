"""The zones in which calls ran: their sums, the draws of these, and their hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from agenttrace.energy.estimate import spread
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.carbon.values import Marginal, PlaceLine, Resolutions
from agenttrace.report.sums import Row

_WH_PER_KWH: Final = 1e3

# Draws of a zone are added before the quantiles are taken, as those of a model are.
_DRAWS: Final = """
WITH
of_zone AS (
    SELECT
        place.zone,
        model_place_draw.draw,
        coalesce(sum(model_place_draw.energy_wh), 0) AS energy_wh,
        coalesce(sum(model_place_draw.carbon_g), 0) AS carbon_g,
        coalesce(sum(model_place_draw.water_l), 0) AS water_l
    FROM model_place_draw
    INNER JOIN place
        ON
            model_place_draw.provider IS NOT DISTINCT FROM place.provider
            AND model_place_draw.region IS NOT DISTINCT FROM place.region
    GROUP BY place.zone, model_place_draw.draw
)

SELECT
    of_zone.zone,
    list(of_zone.energy_wh ORDER BY of_zone.draw) AS energy_wh,
    list(of_zone.carbon_g ORDER BY of_zone.draw) AS carbon_g,
    list(of_zone.water_l ORDER BY of_zone.draw) AS water_l
FROM of_zone
GROUP BY of_zone.zone
"""

_ZONES: Final = """
SELECT
    place.zone,
    any_value(place.country) AS country,
    any_value(place.resolution) AS resolution,
    string_agg(DISTINCT place.reason, '; ' ORDER BY place.reason) AS reason,
    sum(model_moments.calls)::BIGINT AS calls,
    sum(model_moments.energy_wh) AS energy_wh,
    coalesce(sum(model_moments.energy_wh * model_moments.hourly_share), 0) AS hourly_wh,
    sum(model_moments.carbon_g) AS carbon_g,
    sum(model_moments.water_l) AS water_l
FROM model_moments
INNER JOIN place
    ON
        model_moments.provider IS NOT DISTINCT FROM place.provider
        AND model_moments.region IS NOT DISTINCT FROM place.region
GROUP BY place.zone
ORDER BY energy_wh DESC NULLS LAST, place.zone
"""

# Of an hour that is not known, each place has its year; a zone may hold several places.
_LOAD: Final = """
WITH
used AS (
    SELECT
        place.zone,
        basis_moments.hour,
        sum(list_sum([
            basis_moments.uncached * model_factor.j_uncached,
            basis_moments.uncached_context * model_factor.j_uncached_context,
            basis_moments.cached * model_factor.j_cached,
            basis_moments.output * model_factor.j_output,
            basis_moments.output_context * model_factor.j_output_context
        ])) / 3600 AS energy_wh,
        any_value(place.g_per_kwh) AS annual_g_per_kwh
    FROM basis_moments
    INNER JOIN place
        ON
            basis_moments.provider IS NOT DISTINCT FROM place.provider
            AND basis_moments.region IS NOT DISTINCT FROM place.region
    INNER JOIN model_factor
        ON
            basis_moments.provider IS NOT DISTINCT FROM model_factor.provider
            AND basis_moments.model IS NOT DISTINCT FROM model_factor.model
            AND basis_moments.basis = model_factor.basis
    GROUP BY place.zone, place.provider, place.region, basis_moments.hour
),

hourly AS (
    SELECT
        used.zone,
        used.hour,
        sum(used.energy_wh) AS energy_wh,
        sum(used.energy_wh * coalesce(grid_hour.g_per_kwh, used.annual_g_per_kwh)) AS weighed_g,
        any_value(grid_hour.marginal_g_per_kwh) AS marginal_g_per_kwh,
        any_value(grid_hour.cfe_share) AS cfe_share
    FROM used
    LEFT JOIN grid_hour ON used.zone = grid_hour.zone AND used.hour = grid_hour.hour
    GROUP BY used.zone, used.hour
)

SELECT
    hourly.zone,
    hourly.hour,
    hourly.energy_wh,
    hourly.weighed_g / hourly.energy_wh AS g_per_kwh,
    hourly.marginal_g_per_kwh,
    hourly.cfe_share
FROM hourly
WHERE hourly.energy_wh > 0
ORDER BY hourly.zone, hourly.hour
"""


@dataclass(frozen=True, slots=True)
class Draws:
    """One value per draw of the factors."""

    energy_wh: Sequence[float]
    carbon_g: Sequence[float]
    water_l: Sequence[float]


@dataclass(frozen=True, slots=True)
class Hour:
    """Energy of an hour of UTC, and what is known of the grid in it."""

    year: int
    at: object
    wh: float
    g_per_kwh: float
    marginal_g_per_kwh: float | None
    cfe_share: float | None


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone: its sums, their draws, and its hours."""

    row: Row
    draws: Draws
    hours: Sequence[Hour]

    @property
    def zone(self) -> str:
        """Its name, as in ``place``."""
        return self.row["zone"]

    @property
    def energy_wh(self) -> float:
        """Central; 0 where no call says its usage."""
        return self.row["energy_wh"] or 0.0

    @property
    def carbon_g(self) -> float:
        """Location-based and central; 0 where no call says its usage."""
        return self.row["carbon_g"] or 0.0


def zones(reader: Reader) -> Iterator[Zone]:
    """Yield the zones, the most energy first.

    Args:
        reader: An open reader, in which the queries that this reads are held.
    """
    draws = {
        row["zone"]: Draws(row["energy_wh"], row["carbon_g"], row["water_l"])
        for row in reader.query(_DRAWS)
    }
    hours: dict[str, list[Hour]] = {}
    for row in reader.query(_LOAD):
        hours.setdefault(row["zone"], []).append(_hour(row))
    for row in reader.query(_ZONES):
        none = Draws((), (), ())
        yield Zone(row, draws.get(row["zone"], none), hours.get(row["zone"], []))


def _hour(row: Row) -> Hour:
    return Hour(
        year=row["hour"].year,
        at=row["hour"],
        wh=row["energy_wh"],
        g_per_kwh=row["g_per_kwh"],
        marginal_g_per_kwh=row["marginal_g_per_kwh"],
        cfe_share=row["cfe_share"],
    )


def line(zone: Zone, among: Sequence[Zone]) -> PlaceLine:
    """Return what the report says of a zone, *among* all of them."""
    row, everything = zone.row, fsum(one.energy_wh for one in among)
    return PlaceLine(
        zone=row["zone"],
        country=row["country"],
        reason=row["reason"],
        calls=row["calls"],
        energy_wh=_range(row["energy_wh"], zone.draws.energy_wh),
        energy_share=zone.energy_wh / everything if everything else None,
        hourly_share=row["hourly_wh"] / zone.energy_wh if zone.energy_wh else 0.0,
        otherwise=row["resolution"],
        g_per_kwh=_WH_PER_KWH * zone.carbon_g / zone.energy_wh if zone.energy_wh else None,
        carbon_g=_range(row["carbon_g"], zone.draws.carbon_g),
        water_l=_range(row["water_l"], zone.draws.water_l),
        marginal=_marginal(zone),
    )


def _range(central: float | None, draws: Sequence[float]) -> Range | None:
    return None if central is None else spread(central, draws)


def _marginal(zone: Zone) -> Marginal | None:
    hours = [
        (hour, hour.marginal_g_per_kwh)
        for hour in zone.hours
        if hour.marginal_g_per_kwh is not None
    ]
    energy = fsum(hour.wh for hour, _ in hours)
    if not energy:
        return None
    return Marginal(
        energy_share=min(1.0, energy / zone.energy_wh),
        g_per_kwh=fsum(hour.wh * g for hour, g in hours) / energy,
        average_g_per_kwh=fsum(hour.wh * hour.g_per_kwh for hour, _ in hours) / energy,
    )


def resolutions(among: Sequence[Zone]) -> Resolutions | None:
    """Return how well the grid is known of the energy of all zones; None where there is none."""
    energy = fsum(zone.energy_wh for zone in among)
    if not energy:
        return None
    hourly = fsum(zone.row["hourly_wh"] for zone in among)
    world = fsum(
        zone.energy_wh - zone.row["hourly_wh"]
        for zone in among
        if zone.row["resolution"] == "world"
    )
    return Resolutions(hourly / energy, max(0.0, energy - hourly - world) / energy, world / energy)
