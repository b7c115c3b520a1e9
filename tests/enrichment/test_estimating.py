"""An estimate as attributes is that of reports, whole: range, boundary, factors."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agenttrace
from agenttrace.energy.pricing import Pricing
from agenttrace.enrichment import Estimator, attributes, names
from agenttrace.errors import FactorError
from agenttrace.model import TokenUsage

_HUNDRED = TokenUsage(input_tokens=1000, output_tokens=300, cache_read_tokens=100)


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> Estimator:
    return Estimator(home=tmp_path_factory.mktemp("home"))


def test_attributes_are_what_estimate_says_of_the_same_call(estimator: Estimator):
    found = estimator.attributes(_HUNDRED, model="claude-sonnet-4-5", provider="anthropic")
    same = agenttrace.estimate(
        model="claude-sonnet-4-5",
        provider="anthropic",
        input_tokens=1000,
        output_tokens=300,
        cache_read_tokens=100,
    )
    energy, carbon = same.energy_wh, same.carbon_g
    assert found == {
        names.ENERGY_LOW_WH: pytest.approx(energy.low),
        names.ENERGY_CENTRAL_WH: pytest.approx(energy.central),
        names.ENERGY_HIGH_WH: pytest.approx(energy.high),
        names.CARBON_LOW_G: pytest.approx(carbon.low),
        names.CARBON_CENTRAL_G: pytest.approx(carbon.central),
        names.CARBON_HIGH_G: pytest.approx(carbon.high),
        names.ENERGY_BOUNDARY: "facility",
        names.MODEL_CLASS: same.class_name,
        names.MODEL_IS_KNOWN: True,
        names.CARBON_ZONE: same.place.zone,
        names.FACTORS_VERSION: same.factors_version,
    }


def test_a_range_never_goes_without_its_boundary_and_factors(estimator: Estimator):
    assert set(estimator.attributes(_HUNDRED, model="gpt-5")) == names.OURS


def test_an_unknown_model_has_a_wide_range_and_says_so(estimator: Estimator):
    found = estimator.attributes(_HUNDRED, model="nobody-knows-it-9")
    known = estimator.attributes(_HUNDRED, model="gpt-5")
    assert found[names.MODEL_IS_KNOWN] is False
    assert _width(found) > 5 * _width(known)


def test_a_call_without_any_count_has_no_energy_instead_of_zero(estimator: Estimator):
    assert estimator.attributes(TokenUsage(), model="gpt-5") == {}


def test_a_call_of_no_tokens_has_zero(estimator: Estimator):
    found = estimator.attributes(TokenUsage(0, 0), model="gpt-5")
    assert found[names.ENERGY_HIGH_WH] == 0


def test_a_region_decides_the_grid(estimator: Estimator):
    def zone(region: str | None) -> object:
        found = estimator.attributes(_HUNDRED, model="gpt-5", provider="aws.bedrock", region=region)
        return found[names.CARBON_ZONE]

    assert zone("eu-west-3") != zone("us-east-1")


def test_the_boundary_can_be_chosen(tmp_path: Path):
    chip = Estimator(Pricing(boundary="accelerator"), tmp_path)
    found = chip.attributes(_HUNDRED, model="gpt-5")
    assert found[names.ENERGY_BOUNDARY] == "accelerator"


def test_a_region_that_is_none_is_refused_when_the_estimator_is_made(tmp_path: Path):
    with pytest.raises(FactorError):
        Estimator(Pricing(region="atlantis"), tmp_path)


def test_the_usual_estimator_goes_by_the_settings():
    found = attributes(_HUNDRED, model="gpt-5")
    assert found[names.ENERGY_BOUNDARY] == "facility"


_tokens = st.integers(min_value=0, max_value=10**7)


@settings(max_examples=30, deadline=None)
@given(_tokens, _tokens, _tokens, st.sampled_from(["gpt-5", "what-is-it", None]))
def test_low_is_at_most_central_and_central_at_most_high(
    estimator: Estimator, read: int, given_: int, output: int, model: str | None
):
    found = estimator.attributes(TokenUsage(read + given_, output, read), model=model)
    for low, central, high in (
        (names.ENERGY_LOW_WH, names.ENERGY_CENTRAL_WH, names.ENERGY_HIGH_WH),
        (names.CARBON_LOW_G, names.CARBON_CENTRAL_G, names.CARBON_HIGH_G),
    ):
        assert 0 <= _number(found, low) <= _number(found, central) <= _number(found, high)


def _number(found: dict[str, str | float | bool], name: str) -> float:
    value = found[name]
    assert isinstance(value, float)
    return value


def _width(found: dict[str, str | float | bool]) -> float:
    return _number(found, names.ENERGY_HIGH_WH) / _number(found, names.ENERGY_LOW_WH)
