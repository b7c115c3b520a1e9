import dataclasses

import pytest

from agenttrace.energy import library, places, shipped
from agenttrace.energy.places import place, zone_of
from agenttrace.errors import FactorError
from agenttrace.model import Range

FACTORS = shipped()


def mix(country: str) -> float:
    return FACTORS.library.mixes[country].gwp * 1000


def where(
    provider: str | None = None, region: str | None = None, default: str | None = None
) -> tuple[str, str, str]:
    found = place(provider, region, FACTORS, default=default)
    return found.zone, found.country, found.resolution


# The order: what is recorded, what the user says, what is known of the provider, the world.


@pytest.mark.parametrize(
    ("provider", "region", "zone", "country"),
    [
        ("aws.bedrock", "eu-west-1", "IE", "IRL"),
        ("aws.bedrock", "us-east-1", "US-MIDA-PJM", "USA"),
        ("gcp.vertex_ai", "europe-west4", "NL", "NLD"),
        ("gcp.vertex_ai", "us-west1", "US-NW-BPAT", "USA"),
        ("azure.ai.openai", "westeurope", "NL", "NLD"),
        ("azure.ai.openai", "West Europe", "NL", "NLD"),
        ("anthropic", "eu-central-1", "DE", "DEU"),  # through a gateway: the region tells
        ("gcp.vertex_ai", "us-central1-a", "US-MIDW-MISO", "USA"),
        ("gcp.vertex_ai", "europe-west10-b", "DE", "DEU"),
        ("anthropic", "us", "US", "USA"),
        ("aws.bedrock", "us-gov", "US", "USA"),
        ("aws.bedrock", "jp", "JP", "JPN"),
        ("aws.bedrock", "au", "AU", "AUS"),
        ("anthropic", "eu", "EU", ""),
    ],
)
def test_a_recorded_region_is_the_place(provider: str, region: str, zone: str, country: str):
    assert where(provider, region, default="FRA") == (zone, country, "annual")


def test_then_the_place_is_what_the_user_says():
    assert where("openai", None, default="FR") == ("FR", "FRA", "annual")
    assert where("openai", "moon-base-1", default="FR") == ("FR", "FRA", "annual")


def test_then_where_the_provider_is_taken_to_serve_from():
    assert where("openai") == ("US", "USA", "annual")
    assert where("mistral_ai") == ("SE", "SWE", "annual")
    assert place("openai", None, FACTORS).mark == "assumption"


def test_else_it_is_the_world():
    assert where() == ("WOR", "", "world")
    assert where("acme") == ("WOR", "", "world")


def test_anywhere_is_the_world_and_not_where_the_provider_usually_serves_from():
    assert where("anthropic", "global") == ("WOR", "", "world")
    assert where("anthropic", "global", default="DE") == ("DE", "DEU", "annual")


def test_a_geography_of_countries_is_the_world_and_not_where_the_provider_usually_serves_from():
    assert where("aws.bedrock", "apac") == ("WOR", "", "world")
    assert where("aws.bedrock", "apac", default="JP") == ("JP", "JPN", "annual")


def test_a_zone_of_a_region_that_there_is_not_is_not_known():
    assert where("gcp.vertex_ai", "moon-base1-a") == where("gcp.vertex_ai", "moon-base1")


@pytest.mark.parametrize(
    ("provider", "region", "default", "reason"),
    [
        (
            "gcp.vertex_ai",
            "us-central1-a",
            None,
            "region us-central1-a is recorded: Council Bluffs, Iowa, zone us-central1-a of gcp",
        ),
        (
            "aws.bedrock",
            "apac",
            None,
            "region apac spans Asia and the Pacific, which is not one grid; the world",
        ),
        ("aws.bedrock", "eu-west-1", None, "region eu-west-1 is recorded: Dublin, region of aws"),
        ("openai", None, "FRA", "FR is the region asked for"),
        ("openai", "x-1", None, "region x-1 is not known; openai is taken to serve from USA"),
        ("anthropic", "global", None, "region global may be anywhere; the world"),
        (None, None, None, "nothing tells the place; the world"),
    ],
)
def test_the_reason_is_said_in_words(
    provider: str | None, region: str | None, default: str | None, reason: str
):
    assert place(provider, region, FACTORS, default=default).reason == reason


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("DE", "DE"),
        ("de", "DE"),
        ("DEU", "DE"),
        ("US-CAL-CISO", "US-CAL-CISO"),
        ("US-VA", "US-VA"),
        ("CA-QC", "CA-QC"),
        ("eu-west-1", "IE"),
        ("EU", "EU"),
        ("WOR", "WOR"),
        ("world", "WOR"),
    ],
)
def test_a_place_is_named_as_cloud_region_country_or_zone(said: str, zone: str):
    assert place(None, None, FACTORS, default=said).zone == zone
    assert zone_of(said) == zone


@pytest.mark.parametrize("said", ["XX", "us-middle-1", "Germany", "-"])
def test_what_is_no_place_is_an_error_with_the_way_out(said: str):
    with pytest.raises(
        FactorError, match=f"there is no place '{said}'. Give a cloud region such as"
    ):
        place(None, None, FACTORS, default=said)


def test_a_country_without_a_mix_is_an_error_with_the_way_out():
    # Hourly data of its own would not help: a call that has none falls back to the annual figure.
    with pytest.raises(FactorError, match=r"no electricity mix for 'AQ'\. Give another --region:"):
        place(None, None, FACTORS, default="AQ")


def test_other_exports_have_other_names_for_a_zone():
    assert (zone_of("CISO"), zone_of("CAISO_NORTH")) == ("US-CAL-CISO", "US-CAL-CISO")
    assert zone_of("my-campus") == "MY-CAMPUS"


def test_every_region_that_is_listed_has_a_place_with_figures():
    tables = places._shipped().tables  # pyright: ignore[reportPrivateUsage]
    for cloud, regions in tables.region.items():
        for region in regions:
            found = place(cloud, region, FACTORS)
            low, central, high = dataclasses.astuple(found.g_per_kwh)
            assert 0 < low <= central <= high < 1000, region
            assert found.resolution == "annual"
            assert len(found.country) == 3
            assert found.sources


@pytest.mark.parametrize(
    ("cloud", "region", "zone", "country"),
    [
        ("aws", "ap-northeast-1", "JP-TK", "JPN"),
        ("aws", "ap-south-1", "IN-WE", "IND"),
        ("aws", "ca-central-1", "CA-QC", "CAN"),
        ("aws", "eu-central-1", "DE", "DEU"),
        ("aws", "eu-north-1", "SE", "SWE"),
        ("aws", "sa-east-1", "BR-CS", "BRA"),
        ("aws", "us-east-1", "US-MIDA-PJM", "USA"),
        ("aws", "us-east-2", "US-MIDA-PJM", "USA"),
        ("aws", "us-west-1", "US-CAL-CISO", "USA"),
        ("aws", "us-west-2", "US-NW-BPAT", "USA"),
        ("azure", "australiaeast", "AU-NSW", "AUS"),
        ("azure", "canadaeast", "CA-QC", "CAN"),
        ("azure", "northeurope", "IE", "IRL"),
        ("azure", "swedencentral", "SE", "SWE"),
        ("azure", "uksouth", "GB", "GBR"),
        ("azure", "westeurope", "NL", "NLD"),
        ("gcp", "asia-southeast1", "SG", "SGP"),
        ("gcp", "europe-west1", "BE", "BEL"),
        ("gcp", "europe-west9", "FR", "FRA"),
        ("gcp", "us-central1", "US-MIDW-MISO", "USA"),
    ],
)
def test_regions_that_many_use_are_where_their_cloud_says(
    cloud: str, region: str, zone: str, country: str
):
    assert where(cloud, region) == (zone, country, "annual")


def test_a_region_of_the_usa_is_in_a_state_that_its_grid_reaches():
    tables = places._shipped().tables  # pyright: ignore[reportPrivateUsage]
    found: dict[str, set[str]] = {}
    for regions in tables.region.values():
        for region in regions.values():
            if region.zone.startswith("US-"):
                found.setdefault(region.zone, set()).add(region.state)
    assert found == {
        "US-CAL-CISO": {"US-CA"},
        "US-CAR-SC": {"US-SC"},
        "US-CENT-SWPP": {"US-OK"},
        "US-MIDA-PJM": {"US-IL", "US-OH", "US-VA"},
        "US-MIDW-MISO": {"US-IA"},
        "US-NW-BPAT": {"US-OR"},
        "US-NW-GCPD": {"US-WA"},
        "US-NW-NEVP": {"US-NV"},
        "US-NW-PACE": {"US-UT"},
        "US-NW-WACM": {"US-WY"},
        "US-SE-SOCO": {"US-GA"},
        "US-SW-AZPS": {"US-AZ"},
        "US-SW-SRP": {"US-AZ"},
        "US-TEN-TVA": {"US-TN"},
        "US-TEX-ERCO": {"US-TX"},
    }


def test_every_table_says_its_licence_and_source():
    tables = places._shipped().tables  # pyright: ignore[reportPrivateUsage]
    cited = {zone.source for zone in tables.zone.values() if zone.g_per_kwh is not None}
    cited |= {kind.source for kind in tables.generation.values()}
    cited |= {tables.states.source, tables.provinces.source}
    assert cited <= places.sources().keys()
    assert all(source.licence and source.url for source in places.sources().values())


# Intensities


def test_a_country_has_its_annual_mix_and_no_range():
    france = place(None, None, FACTORS, default="FRA")
    assert france.g_per_kwh == Range(mix("FRA"), mix("FRA"), mix("FRA"))
    assert (france.mark, france.sources[0].title[:9]) == ("read", "EcoLogits")


def test_a_country_of_states_ranges_over_them():
    usa = place(None, None, FACTORS, default="USA").g_per_kwh
    rates = places._shipped().tables.states.lb_per_mwh  # pyright: ignore[reportPrivateUsage]
    states = sorted(rate * 0.45359237 for rate in rates.values())
    assert usa.central == mix("USA")
    assert sum(g < usa.low for g in states) == sum(g > usa.high for g in states) == 3  # 5 % of 51


def test_a_state_has_the_rate_of_egrid():
    # 539.599 lb/MWh times 0.45359237 kg/lb
    assert place(None, None, FACTORS, default="US-VA").g_per_kwh.central == pytest.approx(244.758)


def test_a_province_has_its_mix_times_the_medians_of_the_ipcc():
    quebec = place("aws.bedrock", "ca-central-1", FACTORS)
    # gas, oil, biomass, sun, wind and water in per cent of what is made there
    grams = (0.2 * 490 + 0.3 * 611 + 0.7 * 230 + 0.01 * 48 + 6.7 * 11 + 92.1 * 24) / 100.01
    assert quebec.g_per_kwh.central == pytest.approx(grams)
    assert quebec.mark == "derived"


def test_two_figures_for_one_region_are_a_range():
    virginia = place("aws.bedrock", "us-east-1", FACTORS)
    # PJM as a whole, and the state in which the region lies
    assert virginia.g_per_kwh.low == pytest.approx(244.758)
    assert (virginia.g_per_kwh.central, virginia.g_per_kwh.high) == (322.0, 322.0)
    assert len(virginia.sources) == 2


def test_an_unknown_place_ranges_over_the_countries():
    world = place(None, None, FACTORS).g_per_kwh
    countries = [
        one.gwp * 1000 for name, one in FACTORS.library.mixes.items() if name not in ("WOR", "EEE")
    ]
    below = sum(grams < world.low for grams in countries) / len(countries)
    above = sum(grams > world.high for grams in countries) / len(countries)
    assert below == pytest.approx(0.05, abs=0.01)
    assert above == pytest.approx(0.05, abs=0.01)
    assert world.central == mix("WOR")


def test_a_mix_of_zero_is_a_gap_and_not_clean_electricity():
    zero, some = (
        b'{"name": "%b", "gwp": %b, "adpe": 0, "pe": 0, "wue": 1}' % named
        for named in ((b"AAA", b"0.0"), (b"BBB", b"0.1"))
    )
    data = b'{"electricity_mixes": [%b, %b]}' % (zero, some)
    assert list(library.Library(b"", data).mixes) == ["BBB"]


# Water


def test_water_is_that_of_the_country_and_the_worlds_with_a_range_where_it_has_none():
    mixes = FACTORS.library.mixes
    france = place(None, None, FACTORS, default="FRA").grid_water_l_per_kwh
    assert {france.low, france.central, france.high} == {mixes["FRA"].wue}
    aruba = place(None, None, FACTORS, default="ABW").grid_water_l_per_kwh
    assert aruba.low < aruba.central < aruba.high
    assert aruba.central == mixes["WOR"].wue


@pytest.mark.parametrize(
    ("provider", "owner"),
    [
        ("aws.bedrock", "aws"),
        ("aws.something_new", "aws"),
        ("gcp.gemini", "gcp"),
        ("azure.ai.openai", "azure"),
        ("openai", "openai"),
        ("cohere", "gcp"),
        ("acme", "unknown_provider"),
        (None, "unknown_provider"),
    ],
)
def test_site_figures_are_those_of_the_operator(provider: str | None, owner: str):
    found = place(provider, None, FACTORS)
    assert found.pue == FACTORS.factors[f"{owner}.pue"].range
    assert found.wue_l_per_kwh == FACTORS.factors[f"{owner}.wue_l_per_kwh"].range


def test_an_unknown_operator_has_a_wide_range():
    widest = place(None, None, FACTORS).pue
    for provider in FACTORS.providers:
        known = place(provider, None, FACTORS).pue
        assert widest.low <= known.low
        assert known.high <= widest.high
