"""Build the report on carbon and water: where energy was used, and what it was matched with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import ClassVar, Final

from agenttrace.compare import matching
from agenttrace.compare.matching import Lot
from agenttrace.energy.estimate import spread
from agenttrace.energy.grid import certificates
from agenttrace.energy.grid.certificates import Certificate, Residual
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.sums import Row, held
from agenttrace.report.values import Coverage, Method, Totals

_WH_PER_KWH: Final = 1e3
_WH_PER_MWH: Final = 1e6

# Draws of a zone are added before the quantiles are taken, as those of a model are.
_DRAWS: Final = """
WITH
moment AS (
    SELECT
        model_moments.region,
        model_moments.provider,
        model_moments.model,
        model_moments.basis,
        model_moments.hourly_share,
        model_moments.hourly_g_per_kwh,
        sum(model_moments.uncached) AS uncached,
        sum(model_moments.uncached_context) AS uncached_context,
        sum(model_moments.cached) AS cached,
        sum(model_moments.output) AS output,
        sum(model_moments.output_context) AS output_context
    FROM model_moments
    GROUP BY ALL
),

drawn AS (
    SELECT
        moment.provider,
        moment.region,
        energy_draw.draw,
        list_sum([
            moment.uncached * energy_draw.j_uncached,
            moment.uncached_context * energy_draw.j_uncached_context,
            moment.cached * energy_draw.j_cached,
            moment.output * energy_draw.j_output,
            moment.output_context * energy_draw.j_output_context
        ]) / 3600 AS energy_wh,
        moment.hourly_share * moment.hourly_g_per_kwh
        + (1 - moment.hourly_share) * energy_draw.g_per_kwh AS g_per_kwh,
        energy_draw.l_per_kwh
    FROM moment
    INNER JOIN energy_draw
        ON
            moment.provider IS NOT DISTINCT FROM energy_draw.provider
            AND moment.region IS NOT DISTINCT FROM energy_draw.region
            AND moment.model IS NOT DISTINCT FROM energy_draw.model
            AND moment.basis = energy_draw.basis
),

of_zone AS (
    SELECT
        place.zone,
        drawn.draw,
        coalesce(sum(drawn.energy_wh), 0) AS energy_wh,
        coalesce(sum(drawn.energy_wh * drawn.g_per_kwh), 0) / 1000 AS carbon_g,
        coalesce(sum(drawn.energy_wh * drawn.l_per_kwh), 0) / 1000 AS water_l
    FROM drawn
    INNER JOIN place
        ON
            drawn.provider IS NOT DISTINCT FROM place.provider
            AND drawn.region IS NOT DISTINCT FROM place.region
    GROUP BY place.zone, drawn.draw
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


def carbon_report(reader: Reader) -> CarbonReport:
    """Report on the carbon and the water of every call.

    Args:
        reader: An open reader.

    Raises:
        FactorError: Certificates or residual mixes that are kept cannot be read.
    """
    bought = certificates.certificates(reader.home)
    residuals = {(one.zone, one.year): one for one in certificates.residuals(reader.home)}
    with held(reader, "call_rollup", "call_total", *sums.SHARED):
        (row,) = reader.query("totals")
        zones = list(_zones(reader))
        years = [year for zone in zones for year in _years(zone, bought, residuals)]
        return CarbonReport(
            store=str(reader.home),
            first_started_at=sums.moment(row["first_started_at"]),
            last_started_at=sums.moment(row["last_started_at"]),
            totals=sums.totals(reader),
            resolutions=_resolutions(zones),
            places=tuple(_line(zone, zones) for zone in zones),
            matched=_matched(years),
            matching=tuple(year.line for year in years),
            coverage=sums.coverage(reader),
            method=sums.method(reader),
            warnings=(*sums.warnings(reader), *_warnings(years, bought)),
        )


@dataclass(frozen=True, slots=True)
class _Draws:
    """One value per draw of the factors."""

    energy_wh: Sequence[float]
    carbon_g: Sequence[float]
    water_l: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Hour:
    """Energy of an hour of UTC, and what is known of the grid in it."""

    year: int
    at: object
    wh: float
    g_per_kwh: float
    marginal_g_per_kwh: float | None
    cfe_share: float | None


@dataclass(frozen=True, slots=True)
class _Zone:
    """A zone: its sums, their draws, and its hours."""

    row: Row
    draws: _Draws
    hours: Sequence[_Hour]

    @property
    def zone(self) -> str:
        return self.row["zone"]

    @property
    def energy_wh(self) -> float:
        return self.row["energy_wh"] or 0.0

    @property
    def carbon_g(self) -> float:
        return self.row["carbon_g"] or 0.0


def _zones(reader: Reader) -> Iterator[_Zone]:
    draws = {
        row["zone"]: _Draws(row["energy_wh"], row["carbon_g"], row["water_l"])
        for row in reader.query(_DRAWS)
    }
    load: dict[str, list[Row]] = {}
    for row in reader.query(_LOAD):
        load.setdefault(row["zone"], []).append(row)
    for row in reader.query(_ZONES):
        hours = load.get(row["zone"], [])
        yield _Zone(row, draws.get(row["zone"], _Draws((), (), ())), _scaled(row, hours))


def _scaled(zone: Row, hours: Sequence[Row]) -> Sequence[_Hour]:
    """Return the hours, adding up to what the zone used: meters may have seen more or less."""
    estimated = fsum(hour["energy_wh"] for hour in hours)
    scale = (zone["energy_wh"] or 0.0) / estimated if estimated else 0.0
    emitted = fsum(hour["energy_wh"] * hour["g_per_kwh"] for hour in hours) * scale / _WH_PER_KWH
    intensity = (zone["carbon_g"] or 0.0) / emitted if emitted else 1.0
    return [
        _Hour(
            year=hour["hour"].year,
            at=hour["hour"],
            wh=hour["energy_wh"] * scale,
            g_per_kwh=hour["g_per_kwh"] * intensity,
            marginal_g_per_kwh=hour["marginal_g_per_kwh"],
            cfe_share=hour["cfe_share"],
        )
        for hour in hours
    ]


def _line(zone: _Zone, zones: Sequence[_Zone]) -> PlaceLine:
    row, everything = zone.row, fsum(one.energy_wh for one in zones)
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


def _marginal(zone: _Zone) -> Marginal | None:
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


def _resolutions(zones: Sequence[_Zone]) -> Resolutions | None:
    energy = fsum(zone.energy_wh for zone in zones)
    if not energy:
        return None
    hourly = fsum(zone.row["hourly_wh"] for zone in zones)
    world = fsum(
        zone.energy_wh - zone.row["hourly_wh"]
        for zone in zones
        if zone.row["resolution"] == "world"
    )
    return Resolutions(hourly / energy, max(0.0, energy - hourly - world) / energy, world / energy)


@dataclass(frozen=True, slots=True)
class _Year:
    """A zone and a year: its line, and its market-based emissions in every draw."""

    line: MatchLine
    market_draws: Sequence[float]


def _years(
    zone: _Zone,
    bought: Sequence[Certificate],
    residuals: Mapping[tuple[str, int], Residual],
) -> Iterator[_Year]:
    for year in sorted({hour.year for hour in zone.hours}):
        hours = [hour for hour in zone.hours if hour.year == year]
        held = [one for one in bought if (one.zone, one.year) == (zone.zone, year)]
        yield _year(zone, year, hours, held, residuals.get((zone.zone, year)))


def _year(
    zone: _Zone,
    year: int,
    hours: Sequence[_Hour],
    held: Sequence[Certificate],
    residual: Residual | None,
) -> _Year:
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
    return _Year(line, list(_market_draws(zone, kwh, lots, residual_g, known=residual is not None)))


def _by_hour(held: Sequence[Certificate]) -> dict[object, float]:
    """Return carbon-free kilowatt-hours by the hour in which they were made."""
    found: dict[object, float] = {}
    for one in held:
        if one.hour is not None and one.g_per_kwh == 0:
            found[one.hour] = found.get(one.hour, 0.0) + one.mwh * _WH_PER_MWH / _WH_PER_KWH
    return found


def _market_draws(
    zone: _Zone, kwh: float, lots: Sequence[Lot], residual_g: float, *, known: bool
) -> Iterator[float]:
    """Yield the market-based emissions in every draw: what is certified does not vary with them."""
    usual = zone.carbon_g / zone.energy_wh if zone.energy_wh else 0.0
    for energy_wh, carbon_g in zip(zone.draws.energy_wh, zone.draws.carbon_g, strict=True):
        drawn = carbon_g / energy_wh if energy_wh else 0.0
        dirtier = drawn / usual if usual and not known else 1.0
        used = kwh * energy_wh / zone.energy_wh
        yield matching.market_based(used, lots, residual_g * dirtier).carbon_g


def _matched(years: Sequence[_Year]) -> Matched | None:
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


def _warnings(years: Sequence[_Year], bought: Sequence[Certificate]) -> Iterator[str]:
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
