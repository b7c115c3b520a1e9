import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.compare.matching import (
    Lot,
    Market,
    annual_match,
    hourly_match,
    location_based,
    market_based,
    score,
)

DAY = range(24)


def test_an_agent_that_runs_at_night_on_solar_certificates_is_matched_by_the_year_alone():
    load = [1.0 if hour < 6 else 0.0 for hour in DAY]  # 6 kWh, from midnight to 6
    sun = [0.5 if 9 <= hour < 21 else 0.0 for hour in DAY]  # 6 kWh, from 9 to 21
    assert annual_match(load, sun) == 1.0
    assert hourly_match(load, sun) == 0.0
    assert score(load, sun, [0.25] * 24) == 0.25  # nothing but the grid: a quarter is carbon-free


def test_a_flat_load_on_the_same_amount_of_sun_is_matched_while_it_shines():
    load = [1.0] * 25  # 25 hours of 1 kWh
    # 11 of them have sun, each more than 1 kWh, and all of it is 25 kWh: 11 / 25 = 44 %
    sun = [25 / 11 if 7 <= hour < 18 else 0.0 for hour in range(25)]
    assert annual_match(load, sun) == pytest.approx(1.0)
    assert hourly_match(load, sun) == pytest.approx(0.44)
    # 0.44 + 0.56 * 0.5
    assert score(load, sun, [0.5] * 25) == pytest.approx(0.72)


def test_excess_of_an_hour_does_not_carry_to_the_next():
    assert hourly_match([1.0, 1.0], [2.0, 0.0]) == 0.5
    assert annual_match([1.0, 1.0], [2.0, 0.0]) == 1.0


def test_nothing_used_is_no_share_rather_than_all_or_nothing():
    assert annual_match([0.0], [1.0]) is None
    assert hourly_match([], []) is None
    assert score([0.0], [1.0], [1.0]) is None


def test_the_grid_counts_by_the_hour():
    assert location_based([1.0, 2.0], [100.0, 400.0]) == 900.0


def test_what_certificates_do_not_cover_has_the_residual_mix():
    # 4 kWh of wind at 0 g, 1 kWh of biomass at 230 g, and 5 kWh at 600 g
    lots = [Lot(4.0, 0.0), Lot(1.0, 230.0)]
    assert market_based(10.0, lots, 600.0) == Market(3230.0, 5.0, 5.0)


def test_more_certificates_than_load_count_by_the_same_share():
    # 2 kWh used of 8 kWh bought, half of which emits 200 g/kWh: 1 kWh of each
    lots = [Lot(4.0, 0.0), Lot(4.0, 200.0)]
    assert market_based(2.0, lots, 600.0) == Market(200.0, 2.0, 0.0)


kwh = st.floats(min_value=0, max_value=1e6)
hours = st.lists(st.tuples(kwh, kwh, st.floats(min_value=0, max_value=1)), min_size=1, max_size=50)


@given(hours)
def test_an_hour_never_matches_more_than_the_year_and_the_grid_only_adds(
    day: list[tuple[float, float, float]],
):
    load, free, grid = ([hour[i] for hour in day] for i in range(3))
    annual, hourly, total = (
        annual_match(load, free),
        hourly_match(load, free),
        score(load, free, grid),
    )
    if sum(load) == 0:
        assert (annual, hourly, total) == (None, None, None)
        return
    assert annual is not None
    assert hourly is not None
    assert total is not None
    assert 0 <= hourly <= annual * (1 + 1e-12) <= 1 + 1e-12
    assert hourly <= total * (1 + 1e-12) <= 1 + 1e-12


@given(kwh, st.floats(min_value=0, max_value=3000))
def test_without_certificates_everything_has_the_residual_mix(load: float, residual: float):
    assert market_based(load, [], residual).carbon_g == pytest.approx(load * residual)


@given(kwh, st.lists(st.builds(Lot, kwh, st.floats(min_value=0, max_value=3000)), max_size=5))
def test_load_is_covered_once(load: float, lots: list[Lot]):
    market = market_based(load, lots, 500.0)
    assert market.certified_kwh + market.residual_kwh == pytest.approx(load)
    most = max([500.0, *(lot.g_per_kwh for lot in lots)])
    assert -1e-9 <= market.carbon_g <= load * most * (1 + 1e-9) + 1e-9
