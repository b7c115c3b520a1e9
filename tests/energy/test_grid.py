import pytest

from agenttrace.energy import factor_set, library, shipped
from agenttrace.energy.grid import intensity
from agenttrace.errors import FactorError
from agenttrace.model import Range

FACTORS = shipped()


def test_a_country_has_its_annual_mix_and_no_range():
    france = intensity("FRA", FACTORS)
    grams = library.mixes()["FRA"] * 1000
    assert (france.zone, france.g_per_kwh, france.resolution, france.mark) == (
        "FRA",
        Range(grams, grams, grams),
        "annual",
        "read",
    )
    assert 20 < grams < 80


def test_an_unknown_place_ranges_over_the_countries():
    world = intensity("WOR", FACTORS)
    countries = [gwp * 1000 for zone, gwp in library.mixes().items() if zone not in ("WOR", "EEE")]
    below = sum(grams < world.g_per_kwh.low for grams in countries) / len(countries)
    above = sum(grams > world.g_per_kwh.high for grams in countries) / len(countries)
    assert below == pytest.approx(0.05, abs=0.01)
    assert above == pytest.approx(0.05, abs=0.01)
    assert world.g_per_kwh.central == library.mixes()["WOR"] * 1000
    assert (world.resolution, world.mark) == ("world", "derived")


def test_the_place_is_unknown_unless_it_is_given():
    assert factor_set([]).grid.zone == "WOR"
    assert factor_set([], zone="IRL").grid.zone == "IRL"


@pytest.mark.parametrize("zone", ["XXX", "fra", "us-east-1", ""])
def test_a_zone_without_a_mix_is_an_error_with_the_way_out(zone: str):
    with pytest.raises(FactorError, match=r"Use an ISO 3166-1 alpha-3 code .* or WOR"):
        intensity(zone, FACTORS)


def test_a_mix_of_zero_is_a_gap_and_not_clean_electricity(monkeypatch: pytest.MonkeyPatch):
    def two_mixes(name: str) -> bytes:
        return b'{"electricity_mixes": [{"name": "AAA", "gwp": 0.0}, {"name": "BBB", "gwp": 0.1}]}'

    monkeypatch.setattr(library, "read", two_mixes)
    library.mixes.cache_clear()
    try:
        assert library.mixes() == {"BBB": 0.1}
    finally:
        library.mixes.cache_clear()


def test_the_source_is_named():
    assert intensity("WOR", FACTORS).source.title.startswith("EcoLogits")
