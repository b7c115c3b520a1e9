import pytest

from agenttrace.energy import places
from agenttrace.energy.grid.zones import nearest, unreached


def test_calls_can_be_in_zones_countries_and_states():
    assert unreached(["DE", "US-CAL-CISO", "US-VA", "CA-QC", "EU", "WOR"]) == []


def test_no_call_is_in_a_zone_that_no_place_has():
    # AQ has no electricity mix, and no place is in the zone that EIA calls SEC.
    assert unreached(["XX", "DE", "ATL", "AQ", "US-FLA-SEC"]) == ["XX", "ATL", "AQ", "US-FLA-SEC"]


def test_what_others_call_a_zone_is_one_that_calls_can_be_in():
    tables = places._shipped().tables  # pyright: ignore[reportPrivateUsage]
    assert unreached(tables.alias.values()) == []


@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("CAISO", ("US-CAL-CISO",)),  # a part of WattTime's CAISO_NORTH
        ("ERCOT", ("US-TEX-ERCO",)),
        ("US-CAL-CAISO", ("US-CAL-CISO", "US")),
        ("DK-DK1", ("DK",)),
        ("US-NE-NPPD", ("US",)),  # Nebraska is not New England
        ("ATL", ()),
        ("XX", ()),
    ],
)
def test_the_nearest_zone_is_one_that_calls_can_be_in(zone: str, known: tuple[str, ...]):
    assert nearest(zone) == known
    assert unreached(known) == []
