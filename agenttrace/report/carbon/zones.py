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

_LOAD: Final = """
WITH
used AS (
    SELECT
        place.zone,
        call_rollup.hour,
        sum(
            call_rollup.uncached * model_factor.j_uncached
            + call_rollup.uncached_context_x2 / 2 * model_factor.j_uncached_context
            + call_rollup.cached * model_factor.j_cached
            + call_rollup.output * model_factor.j_output
            + call_rollup.output_context_x2 / 2 * model_factor.j_output_context
        ) / 3600 AS energy_wh,
        any_value(place.g_per_kwh) AS annual_g_per_kwh
    FROM call_rollup
    INNER JOIN place
        ON
            call_rollup.provider IS NOT DISTINCT FROM place.provider
            AND call_rollup.region IS NOT DISTINCT FROM place.region
    INNER JOIN model_factor
        ON
            call_rollup.provider IS NOT DISTINCT FROM model_factor.provider
            AND call_rollup.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
    GROUP BY place.zone, call_rollup.hour
)

SELECT
    used.zone,
    used.hour,
    used.energy_wh,
    coalesce(grid_hour.g_per_kwh, used.annual_g_per_kwh) AS g_per_kwh,
    grid_hour.g_per_kwh IS NOT NULL AS is_hourly,
    grid_hour.marginal_g_per_kwh,
    grid_hour.cfe_share
FROM used
LEFT JOIN grid_hour ON used.zone = grid_hour.zone AND used.hour = grid_hour.hour
WHERE used.energy_wh > 0
ORDER BY used.zone, used.hour
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
    load: dict[str, list[Row]] = {}
    for row in reader.query(_LOAD):
        load.setdefault(row["zone"], []).append(row)
    for row in reader.query(_ZONES):
        hours = load.get(row["zone"], [])
        yield Zone(row, draws.get(row["zone"], Draws((), (), ())), _scaled(row, hours))


def _scaled(zone: Row, hours: Sequence[Row]) -> Sequence[Hour]:
    """Return the hours, adding up to what the zone used: meters may have seen more or less."""
    estimated = fsum(hour["energy_wh"] for hour in hours)
    scale = (zone["energy_wh"] or 0.0) / estimated if estimated else 0.0
    emitted = fsum(hour["energy_wh"] * hour["g_per_kwh"] for hour in hours) * scale / _WH_PER_KWH
    intensity = (zone["carbon_g"] or 0.0) / emitted if emitted else 1.0
    return [
        Hour(
            year=hour["hour"].year,
            at=hour["hour"],
            wh=hour["energy_wh"] * scale,
            g_per_kwh=hour["g_per_kwh"] * intensity,
            marginal_g_per_kwh=hour["marginal_g_per_kwh"],
            cfe_share=hour["cfe_share"],
        )
        for hour in hours
    ]


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
