"""The calls of a test start at START_NS, 2025-10-09 08:53:20 UTC, so they are of the hour 08."""

import dataclasses
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from agenttrace.energy.grid.certificates import import_certificates, import_residual
from agenttrace.energy.grid.importing import import_file
from agenttrace.energy.pricing import Pricing
from agenttrace.reader import Reader
from agenttrace.report.carbon import CarbonReport, carbon_report
from agenttrace.report.json import to_json
from agenttrace.report.text import to_text
from tests.builders import add, chat, spans, task

IN_GERMANY = {
    "cloud.region": "eu-central-1",
    "provider": "aws.bedrock",
    "model": "claude-sonnet-4-5",
}
IN_FRANCE = {"cloud.region": "eu-west-3", "provider": "aws.bedrock", "model": "claude-sonnet-4-5"}


def reported(home: Path, region: str | None = None) -> CarbonReport:
    with Reader(home, pricing=Pricing(region=region)) as reader:
        return carbon_report(reader)


def recorded(home: Path, *calls: dict[str, str], tokens: int = 1000) -> None:
    add(home, spans(task("job", *(chat(input=tokens, output=100, **said) for said in calls))))


def given(home: Path, name: str, text: str) -> Path:
    path = home.parent / name
    path.write_text(text)
    return path


def hours(home: Path, text: str) -> None:
    import_file(home, given(home, "grid.csv", text))


def certified(home: Path, text: str) -> None:
    import_certificates(
        home, given(home, "bought.csv", "zone,hour,year,mwh,source,g_per_kwh\n" + text)
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_an_hour_that_is_known_is_used_and_the_others_have_the_year(home: Path):
    recorded(home, IN_GERMANY, IN_FRANCE)
    hours(home, "timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,DE,500\n2025-10-09T09:00Z,DE,1")
    report = reported(home)
    german, french = report.places
    assert (german.zone, german.hourly_share, german.g_per_kwh) == ("DE", 1.0, pytest.approx(500))
    assert (french.zone, french.hourly_share, french.otherwise) == ("FR", 0.0, "annual")
    # The same calls: half the energy in each place.
    assert report.resolutions is not None
    assert dataclasses.astuple(report.resolutions) == pytest.approx((0.5, 0.5, 0.0))
    assert german.carbon_g is not None
    assert german.energy_wh is not None
    assert german.carbon_g.central == pytest.approx(german.energy_wh.central * 0.5)
    # The hour has no range, so the carbon's is that of the energy alone.
    assert german.carbon_g.low == pytest.approx(german.energy_wh.low * 0.5)


def test_places_add_up_to_the_totals(home: Path):
    recorded(home, IN_GERMANY, IN_FRANCE, {})
    report = reported(home)
    for sums, of_place in (
        (report.totals.energy_wh, [line.energy_wh for line in report.places]),
        (report.totals.carbon_g, [line.carbon_g for line in report.places]),
        (report.totals.water_l, [line.water_l for line in report.places]),
    ):
        assert sums is not None
        assert sums.central == pytest.approx(sum(one.central for one in of_place if one))
    assert sum(line.energy_share or 0 for line in report.places) == pytest.approx(1)


def test_without_certificates_market_based_is_location_based(home: Path):
    recorded(home, IN_GERMANY, IN_FRANCE)
    report = reported(home)
    assert report.matched is not None
    assert report.totals.carbon_g is not None
    assert report.matched.market_g.central == pytest.approx(report.totals.carbon_g.central)
    assert report.matched.market_g.low == pytest.approx(report.totals.carbon_g.low)
    assert report.matched.market_g.high == pytest.approx(report.totals.carbon_g.high)
    assert (report.matched.annual_match, report.matched.hourly_match) == (0.0, 0.0)


def test_sun_of_another_hour_matches_the_year_and_not_the_hour(home: Path):
    recorded(home, IN_GERMANY)
    certified(home, "DE,2025-10-09T12:00Z,,1,sun,0")
    hours(home, "timestamp,zone,g_per_kwh,cfe_share\n2025-10-09T08:00Z,DE,500,0.25")
    report = reported(home)
    (line,) = report.matching
    assert (line.zone, line.year, line.bought_wh) == ("DE", 2025, 1e6)
    assert (line.annual_match, line.hourly_match, line.cfe_score) == (1.0, 0.0, 0.25)
    assert line.market_g == 0.0
    assert line.location_g > 0


def test_sun_of_the_same_hour_and_zone_matches_the_hour(home: Path):
    recorded(home, IN_GERMANY)
    certified(home, "DE,2025-10-09T08:00Z,,1,sun,0")
    (line,) = reported(home).matching
    assert (line.annual_match, line.hourly_match, line.cfe_score) == (1.0, 1.0, None)


def test_sun_of_another_zone_or_year_matches_nothing_and_that_is_said(home: Path):
    recorded(home, IN_GERMANY)
    certified(home, "FR,2025-10-09T08:00Z,,1,sun,0\nDE,2024-10-09T08:00Z,,1,sun,0")
    report = reported(home)
    (line,) = report.matching
    assert (line.annual_match, line.hourly_match, line.bought_wh) == (0.0, 0.0, 0.0)
    assert [warning for warning in report.warnings if "match nothing" in warning] == [
        "the certificates of DE 2024 match nothing: no call ran there in that year",
        "the certificates of FR 2025 match nothing: no call ran there in that year",
    ]


def test_what_is_not_certified_has_the_residual_mix_where_it_is_known(home: Path):
    recorded(home, IN_GERMANY)
    used = reported(home).places[0].energy_wh
    assert used is not None
    half_mwh = used.central / 2 / 1e6
    certified(home, f"DE,,2025,{half_mwh!r},wind,0")
    without = reported(home)
    assert without.matching[0].residual_source is None
    assert without.matching[0].market_g == pytest.approx(without.matching[0].location_g / 2)
    assert any("no residual mix of DE 2025 is known" in one for one in without.warnings)
    import_residual(home, given(home, "mix.csv", "zone,year,g_per_kwh,source\nDE,2025,700,AIB"))
    (line,) = reported(home).matching
    assert (line.residual_g_per_kwh, line.residual_source) == (700.0, "AIB")
    # half of the energy at 700 g/kWh
    assert line.market_g == pytest.approx(used.central / 2 / 1000 * 700)


def test_marginal_stands_beside_the_average_and_is_in_no_total(home: Path):
    recorded(home, IN_GERMANY)
    before = reported(home).totals.carbon_g
    hours(home, "timestamp,zone,marginal_g_per_kwh\n2025-10-09T08:00Z,DE,900")
    report = reported(home)
    assert report.totals.carbon_g == before
    marginal = report.places[0].marginal
    assert marginal is not None
    assert (marginal.energy_share, marginal.g_per_kwh) == (1.0, pytest.approx(900))
    assert report.places[0].hourly_share == 0.0


def measured(home: Path, joules: float, **said: str) -> None:
    """Record one call of which a meter at the facility tells."""
    told = {"agenttrace.energy.boundary": "facility", **said}
    add(home, spans(task("job", chat(measured_j=str(joules), **IN_GERMANY, **told))))


def test_what_was_measured_is_matched_in_its_hour_whether_or_not_tokens_are_known(home: Path):
    """36,000 J are 10 Wh, at 500 g/kWh 5 g; 4 Wh of sun in that hour leave 6 Wh, and 3 g."""
    measured(home, 36000)
    hours(home, "timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,DE,500")
    certified(home, "DE,2025-10-09T08:00Z,,0.000004,sun,0")
    report = reported(home)
    (place,) = report.places
    assert place.hourly_share == pytest.approx(1)
    assert report.matched is not None
    assert report.matched.hourly_match == pytest.approx(0.4)
    assert (place.carbon_g and place.carbon_g.central, report.matched.market_g.central) == (
        pytest.approx(5),
        pytest.approx(3),
    )


def test_a_meter_that_saw_nothing_breaks_no_share(home: Path):
    measured(home, 0)
    report = reported(home)
    assert (report.matched, [line.energy_share for line in report.places]) == (None, [None])


def test_only_what_is_carbon_free_matches_the_year(home: Path):
    """A gas plant's certificate covers the call, and is no carbon-free energy."""
    recorded(home, IN_GERMANY)
    certified(home, "DE,,2025,1,gas,490")
    report = reported(home)
    assert report.matched is not None
    assert (report.matched.annual_match, report.matched.bought_wh) == (0.0, 1e6)


def test_what_has_no_certificate_is_as_unsure_as_the_grid(home: Path):
    """Without a residual mix the rest has the grid's average, in every draw that of the draw."""
    recorded(home, {"provider": "acme", "model": "claude-sonnet-4-5"})
    report = reported(home)
    assert report.matched is not None
    assert report.totals.carbon_g is not None
    market, located = map(dataclasses.astuple, (report.matched.market_g, report.totals.carbon_g))
    assert market == pytest.approx(located)


def test_calls_that_say_no_usage_have_a_place_and_no_carbon(home: Path):
    add(home, spans(task("job", chat(**IN_GERMANY))))
    report = reported(home)
    (line,) = report.places
    assert (line.zone, line.calls, line.energy_wh, line.carbon_g) == ("DE", 1, None, None)
    assert (report.matched, report.resolutions, report.matching) == (None, None, ())


def test_the_user_says_where_calls_ran_that_tell_no_place(home: Path):
    recorded(home, {"provider": "acme", "model": "claude-sonnet-4-5"})
    assert [line.zone for line in reported(home).places] == ["WOR"]
    assert [line.zone for line in reported(home, region="FR").places] == ["FR"]


def test_a_query_of_draws_that_is_replaced_counts_for_the_places_as_for_the_totals(home: Path):
    """One place holds everything, so its range is that of the totals."""
    recorded(home, IN_GERMANY)
    (home / "queries").mkdir()
    (home / "queries" / "model_place_draw.sql").write_text(
        "SELECT energy_draw.provider, energy_draw.region, energy_draw.model, energy_draw.draw, "
        "1e6 AS energy_wh, 3e6 AS carbon_g, 5e6 AS water_l FROM energy_draw"
    )
    report = reported(home)
    (german,) = report.places
    assert german.energy_wh is not None
    assert german.energy_wh.high == pytest.approx(1e6)
    assert (german.energy_wh, german.carbon_g, german.water_l) == (
        report.totals.energy_wh,
        report.totals.carbon_g,
        report.totals.water_l,
    )


def shown(report: CarbonReport) -> str:
    return to_text(report, Console(width=100, file=StringIO(), color_system=None))


def test_the_text_says_both_sums_the_shares_and_why(home: Path):
    recorded(home, IN_GERMANY)
    certified(home, "DE,2025-10-09T12:00Z,,1,sun,0")
    hours(home, "timestamp,zone,g_per_kwh,cfe_share\n2025-10-09T08:00Z,DE,500,0.25")
    text = shown(reported(home))
    for said in (
        "location-based; 100 % hourly",
        "market-based",
        "100 %",
        "matched by the hour",
        "24/7 score",
        "DE: region eu-central-1 is recorded: Frankfurt, region of aws",
    ):
        assert said in text


def test_an_empty_store_has_a_report(home: Path):
    report = reported(home)
    assert (report.places, report.matched, report.matching) == ((), None, ())
    assert "No model call was recorded" in shown(report)
    assert '"kind": "carbon"' in to_json(report)
