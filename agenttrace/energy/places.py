"""From what is recorded of a call to where it ran: the grid, the site, and the reason for both.

The place of a call is the first of these that is known: the cloud region in the address that it was
sent to, the geography that the provider says it was kept in, what the user says, where the provider
is taken to serve from, and else the world. The reason is said in words with every place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from agenttrace.energy.estimate import HIGH_QUANTILE, LOW_QUANTILE, quantile
from agenttrace.energy.factors import Factors
from agenttrace.energy.records import Mark, Source
from agenttrace.errors import FactorError
from agenttrace.model import Range

WORLD: Final = "WOR"
EUROPEAN_UNION: Final = "EU"

UNKNOWN_OWNER: Final = "unknown_provider"
"""Before the dot in the ids of the PUE and WUE of a provider that nothing is known about."""

KG_PER_LB: Final = 0.45359237
_GRAMS_PER_KG: Final = 1000.0

_EUROPE: Final = "EEE"
_AGGREGATES: Final = frozenset({WORLD, _EUROPE})  # sums over countries, not countries
_EU_MEMBERS: Final = (
    *("AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV"),
    *("HUN", "IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN"),
    "SWE",
)
_AGGREGATED: Final = {WORLD: WORLD, "WORLD": WORLD, EUROPEAN_UNION: EUROPEAN_UNION}
_WATER_OF_THE_WORLD: Final = "electricity-mix-wue-world"

Resolution = Literal["annual", "world"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call ran, as far as is known, and what electricity and water mean there.

    Attributes:
        zone: Zone of the grid, as Electricity Maps names it (``DE``, ``US-CAL-CISO``), a state or
            province (``US-VA``), ``EU``, or ``WOR`` for the world. Hourly data goes by it.
        country: ISO 3166-1 alpha-3 code; empty where it is not one country.
        g_per_kwh: Annual average carbon intensity, gCO2e/kWh, location-based. A range where the
            zone is not known more closely, or where two figures for it disagree.
        grid_water_l_per_kwh: Litres consumed in generating one kWh.
        pue: Energy of the facility over energy of its IT equipment.
        wue_l_per_kwh: Litres that the site uses per kWh of IT energy.
        resolution: ``annual``, or ``world`` where the place is unknown.
        reason: Why this place, in words.
        sources: What the figures of the grid are from.
        mark: How the place and its intensity came from them: the weaker of the two.
    """

    zone: str
    country: str
    g_per_kwh: Range
    grid_water_l_per_kwh: Range
    pue: Range
    wue_l_per_kwh: Range
    resolution: Resolution
    reason: str
    sources: tuple[Source, ...]
    mark: Mark


def place(
    provider: str | None, region: str | None, factors: Factors, *, default: str | None = None
) -> Place:
    """Return where the calls of *provider* and *region* ran.

    Args:
        provider: As ``gen_ai.provider.name`` has it; None where the record has none.
        region: Cloud region or geography as recorded; None where it has none.
        factors: Where providers and the mixes of countries come from.
        default: What the user says of calls of which nothing else tells: a cloud region, a country
            (ISO 3166-1 alpha-2 or alpha-3), or a zone of the grid.

    Raises:
        FactorError: *default* is none of those.
    """
    spot = _spot(provider, region, factors, default)
    grid = _annual(spot, factors)
    pue, wue = _site(provider, factors)
    return Place(
        zone=spot.zone,
        country=spot.country,
        g_per_kwh=grid.g_per_kwh,
        grid_water_l_per_kwh=_water(spot.country, factors),
        pue=pue,
        wue_l_per_kwh=wue,
        resolution="world" if spot.zone == WORLD else "annual",
        reason=spot.reason,
        sources=grid.sources,
        mark=_weaker(spot.mark, grid.mark),
    )


def zone_of(name: str) -> str:
    """Return the zone that *name* means: a zone, a country, a cloud region, or another's name.

    A name that is none of those is a zone of the user's own: it is returned in upper case.
    """
    atlas = _shipped()
    found = _named(atlas, name)
    return found.zone if found else atlas.tables.alias.get(name.upper(), name.upper())


class _Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zone: str
    place: str
    state: str = ""


class _Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    country: str
    name: str
    g_per_kwh: float | None = None
    source: str = ""
    locator: str = ""


class Generation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way of making electricity.

    Attributes:
        g_per_kwh: Life-cycle emissions, gCO2e/kWh, median of the literature.
        source: Key of the source.
        locator: Where in it.
        carbon_free: Whether it counts as carbon-free.
    """

    g_per_kwh: float
    source: str
    locator: str
    carbon_free: bool = False


class Cited(Source, frozen=True, forbid_unknown_fields=True):
    """A source of the tables of places.

    Attributes:
        licence: Under which its figures may be passed on.
    """

    licence: str


class _States(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    lb_per_mwh: dict[str, float]


class _Provinces(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    percent: dict[str, dict[str, float]]


class _Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Cited]
    generation: dict[str, Generation]
    states: _States
    provinces: _Provinces
    zone: dict[str, _Zone]
    region: dict[str, dict[str, _Region]]
    geo: dict[str, str]
    alias: dict[str, str]
    spans: dict[str, str] = {}


class _Countries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    country: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Atlas:
    """What is known of places.

    Attributes:
        tables: Zones, regions and their figures.
        alpha_2: Countries by ISO 3166-1 alpha-3 code.
        alpha_3: Countries by ISO 3166-1 alpha-2 code.
    """

    tables: _Tables
    alpha_2: Mapping[str, str]
    alpha_3: Mapping[str, str]


# By the text: a kept set of factors brings the places that it was made with.
@cache
def _atlas(regions: str, countries: str) -> _Atlas:
    alpha_2 = msgspec.toml.decode(countries, type=_Countries).country
    return _Atlas(
        msgspec.toml.decode(regions, type=_Tables),
        alpha_2,
        {short: long for long, short in alpha_2.items()},
    )


def _of(factors: Factors) -> _Atlas:
    return _atlas(factors.places["regions.toml"], factors.places["countries.toml"])


@cache
def _shipped() -> _Atlas:
    return _atlas(_text("regions.toml"), _text("countries.toml"))


def _text(name: str) -> str:
    return (Path(__file__).parent / "data" / "places" / name).read_text(encoding="utf-8")


def sources() -> Mapping[str, Cited]:
    """Return the sources of the tables of places by key, each with its licence."""
    return _shipped().tables.source


def generation() -> Mapping[str, Generation]:
    """Return what making electricity emits, by kind: what ENTSO-E and others tell the mix of."""
    return _shipped().tables.generation


class _Spot(NamedTuple):
    """A place before its figures."""

    zone: str
    country: str
    state: str = ""
    reason: str = ""
    mark: Mark = "read"


def _spot(provider: str | None, region: str | None, factors: Factors, default: str | None) -> _Spot:
    atlas = _of(factors)
    said = f"region {region}" if region else ""
    if region and (found := _recorded(atlas, provider, region)):
        return found._replace(reason=f"{said} is recorded: {found.reason}")
    geo = (region or "").strip().lower()
    if atlas.tables.geo.get(geo) == WORLD:
        said, provider = f"region {region} may be anywhere", None
    elif spans := atlas.tables.spans.get(geo):
        # Where the provider usually serves from would contradict what is recorded.
        said, provider = f"region {region} spans {spans}, which is not one grid", None
    elif region:
        said = f"region {region} is not known"
    because = f"{said}; " if said else ""
    if default:
        return _default(atlas, default, because)
    if found := _usual(provider, factors):
        return found._replace(reason=because + found.reason)
    return _Spot(
        WORLD, "", reason=f"{because or 'nothing tells the place; '}the world", mark="read"
    )


def _recorded(atlas: _Atlas, provider: str | None, region: str) -> _Spot | None:
    name = region.strip().lower().replace(" ", "")
    tables = atlas.tables
    own = (provider or "").partition(".")[0]
    clouds = sorted(tables.region, key=lambda cloud: cloud != own)
    for cloud in clouds:
        if entry := tables.region[cloud].get(name):
            return _at(atlas, entry, f"{entry.place}, region of {cloud}")
    if within := _ZONE_OF_GCP.fullmatch(name):
        return _in_region_of_gcp(atlas, name, within[1])
    bound = tables.geo.get(name)
    return _named(atlas, bound) if bound and bound != WORLD else None


# us-central1-a is a part of us-central1 (<https://cloud.google.com/compute/docs/regions-zones>).
_ZONE_OF_GCP: Final = re.compile(r"(.+\d)-[a-z]")


def _in_region_of_gcp(atlas: _Atlas, name: str, region: str) -> _Spot | None:
    entry = atlas.tables.region.get("gcp", {}).get(region)
    return _at(atlas, entry, f"{entry.place}, zone {name} of gcp") if entry else None


def _at(atlas: _Atlas, entry: _Region, reason: str) -> _Spot:
    zone = atlas.tables.zone.get(entry.zone)
    country = zone.country if zone else _country_of(atlas, entry.zone)
    return _Spot(entry.zone, country, entry.state, reason)


def _default(atlas: _Atlas, default: str, because: str) -> _Spot:
    found = _named(atlas, default)
    if found is None:
        raise FactorError(
            f"there is no place {default!r}. Give a cloud region such as eu-west-1, a country such "
            f"as DE or DEU, a zone of the grid such as US-CAL-CISO, or {WORLD} for the world."
        )
    return found._replace(reason=f"{because}{found.zone} is the region asked for")


def _usual(provider: str | None, factors: Factors) -> _Spot | None:
    entry = factors.providers.get(provider or "")
    name = (entry.region or entry.zone) if entry else ""
    found = _named(_of(factors), name) if name else None
    if entry is None or found is None:
        return None
    return found._replace(
        reason=f"{provider} is taken to serve from {found.country or found.zone}", mark=entry.mark
    )


def _named(atlas: _Atlas, name: str) -> _Spot | None:
    """Return the place that a name of any kind means; None if it means none."""
    tables, upper = atlas.tables, name.strip().upper()
    if upper in _AGGREGATED:
        return _Spot(_AGGREGATED[upper], "", reason=_AGGREGATED[upper])
    country = atlas.alpha_3.get(upper) or (upper if upper in atlas.alpha_2 else "")
    if country:
        return _Spot(atlas.alpha_2[country], country, reason=country)
    if zone := tables.zone.get(upper):
        return _Spot(upper, zone.country, reason=zone.name)
    if upper in tables.states.lb_per_mwh or upper in tables.provinces.percent:
        return _Spot(upper, _country_of(atlas, upper), reason=upper)
    return _recorded(atlas, None, name)


def _country_of(atlas: _Atlas, zone: str) -> str:
    return atlas.alpha_3.get(zone.partition("-")[0], "")


class _Annual(NamedTuple):
    g_per_kwh: Range
    sources: tuple[Source, ...]
    mark: Mark


def _annual(spot: _Spot, factors: Factors) -> _Annual:
    """Return the annual intensity of the smallest area around *spot* that has a figure."""
    tables = _of(factors).tables
    zone = tables.zone.get(spot.zone)
    state = _state(tables, spot.state or spot.zone)
    if zone and zone.g_per_kwh is not None:
        cited = tables.source[zone.source]
        if state is None:
            return _Annual(_known(zone.g_per_kwh), (cited,), cited.mark)
        figures = (zone.g_per_kwh, state.g_per_kwh.central)
        spread = Range(min(figures), zone.g_per_kwh, max(figures))
        return _Annual(spread, (cited, *state.sources), "derived")
    if state:
        return state
    if spot.zone == WORLD:
        return _world(factors)
    return _country(spot, factors)


def _state(tables: _Tables, name: str) -> _Annual | None:
    """Return the intensity of a state of the USA or a province of Canada; None for others."""
    if name in tables.states.lb_per_mwh:
        cited = tables.source[tables.states.source]
        return _Annual(_known(tables.states.lb_per_mwh[name] * KG_PER_LB), (cited,), cited.mark)
    if name in tables.provinces.percent:
        cited = (tables.source[tables.provinces.source], tables.source["ipcc-2014"])
        return _Annual(_known(_of_mix(tables, tables.provinces.percent[name])), cited, "derived")
    return None


def _of_mix(tables: _Tables, shares: Mapping[str, float]) -> float:
    kinds = tables.generation
    return sum(share * kinds[kind].g_per_kwh for kind, share in shares.items()) / sum(
        shares.values()
    )


def _country(spot: _Spot, factors: Factors) -> _Annual:
    mixes = factors.library.mixes
    name = _EUROPE if spot.zone == EUROPEAN_UNION else spot.country
    if name not in mixes:
        raise FactorError(
            f"there is no electricity mix for {spot.zone!r}. Give another --region: a neighbour "
            f"with a similar grid, or {WORLD} for the world."
        )
    central = mixes[name].gwp * _GRAMS_PER_KG
    cited = (factors.sources["ecologits-mixes"],)
    parts = sorted(_parts(spot.zone, spot.country, factors))
    if not parts:
        return _Annual(_known(central), cited, "read")
    tables = _of(factors).tables
    if spot.country:
        key = tables.states.source if spot.country == "USA" else tables.provinces.source
        cited = (*cited, tables.source[key])
    return _Annual(_around(central, parts), cited, "derived")


def _parts(zone: str, country: str, factors: Factors) -> list[float]:
    """Return the intensities of what *zone* is made of, where its parts differ and are known."""
    tables = _of(factors).tables
    if zone == EUROPEAN_UNION:
        mixes = factors.library.mixes
        return [mixes[name].gwp * _GRAMS_PER_KG for name in _EU_MEMBERS if name in mixes]
    if country == "USA":
        return [rate * KG_PER_LB for rate in tables.states.lb_per_mwh.values()]
    if country == "CAN":
        return [_of_mix(tables, mix) for mix in tables.provinces.percent.values()]
    return []


def _world(factors: Factors) -> _Annual:
    mixes = factors.library.mixes
    countries = sorted(
        mix.gwp * _GRAMS_PER_KG for name, mix in mixes.items() if name not in _AGGREGATES
    )
    spread = _around(mixes[WORLD].gwp * _GRAMS_PER_KG, countries)
    return _Annual(spread, (factors.sources["ecologits-mixes"],), "derived")


def _water(country: str, factors: Factors) -> Range:
    """Return litres per kWh generated.

    Where a country has no figure of its own, it is the world's, with the range over countries.
    """
    mixes = factors.library.mixes
    own = {
        name: mix.wue
        for name, mix in mixes.items()
        if mix.wue is not None
        and name not in _AGGREGATES
        and _WATER_OF_THE_WORLD not in (mix.warnings or ())
    }
    if country in own:
        return _known(own[country])
    world = mixes[WORLD].wue
    if world is None:
        raise FactorError(
            "the installed ecologits has no water for the world's electricity. Install a version "
            "that has it: pip install 'ecologits>=0.11,<0.12'"
        )
    return _around(world, sorted(own.values()))


def _site(provider: str | None, factors: Factors) -> tuple[Range, Range]:
    entry = factors.providers.get(provider or "")
    owners = (
        entry.factor_owner if entry else "",
        provider or "",
        (provider or "").partition(".")[0],
        UNKNOWN_OWNER,
    )
    return (
        next(factors.factors[f"{o}.pue"].range for o in owners if f"{o}.pue" in factors.factors),
        next(
            factors.factors[f"{o}.wue_l_per_kwh"].range
            for o in owners
            if f"{o}.wue_l_per_kwh" in factors.factors
        ),
    )


def _known(value: float) -> Range:
    return Range(value, value, value)


def _around(central: float, ordered: list[float]) -> Range:
    """Return 5 % and 95 % of *ordered*, each counted once, widened to hold *central*."""
    low, high = quantile(ordered, LOW_QUANTILE), quantile(ordered, HIGH_QUANTILE)
    return Range(min(low, central), central, max(high, central))


_MARKS: Final[tuple[Mark, ...]] = ("read", "excerpt", "derived", "second-hand", "assumption")


def _weaker(one: Mark, other: Mark) -> Mark:
    return one if _MARKS.index(one) > _MARKS.index(other) else other
