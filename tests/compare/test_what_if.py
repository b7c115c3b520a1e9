from math import exp, log, prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import energy
from agenttrace.compare.what_if import (
    MEASURED_BATCH,
    Drawn,
    Side,
    batch,
    hardware,
    hardware_names,
    priced,
    scaled,
)
from agenttrace.energy import draws, places
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.draws import PlaceFactor
from agenttrace.energy.estimate import ModelFactor, Moments, moments
from agenttrace.errors import FactorError
from agenttrace.model import Range, TokenUsage

FACTORS = energy.shipped()
CONSTANTS = draws.shared(FACTORS)


def model(class_name: str = "large") -> ModelFactor:
    return draws.priced(None, None, of_class(class_name, FACTORS), FACTORS, CONSTANTS)


def place(name: str | None = None) -> PlaceFactor:
    return draws.placed(None, None, places.place(None, None, FACTORS, default=name))


def call(input: int, cached: int, output: int) -> Moments:  # noqa: A002 - the word of the field
    return moments(TokenUsage(input_tokens=input, cache_read_tokens=cached, output_tokens=output))


def energy_wh(of: Moments, factor: ModelFactor | None = None) -> Drawn:
    return priced([Side(of, factor or model(), place())]).energy_wh


def test_differences_are_taken_inside_each_draw():
    """Draws of 1, 2 and of 3, 5 differ by 2 and 3: not by anything from 1 to 4."""
    one, other = Drawn(1.5, (1.0, 2.0)), Drawn(4.0, (3.0, 5.0))
    assert other.minus(one) == Drawn(2.5, (2.0, 3.0))
    ratio = other.over(one)
    assert ratio == Drawn(4.0 / 1.5, (3.0, 2.5))
    assert one.over(Drawn(0.0, (0.0, 0.0))) is None


def test_what_both_sides_do_not_know_cancels():
    """Twice the tokens is twice the energy for certain, whatever an energy of one is."""
    one, both = energy_wh(Moments(1, 0, 0, 0, 0)), energy_wh(Moments(2, 0, 0, 0, 0))
    ratio = both.over(one)
    assert ratio is not None
    assert (ratio.range.low, ratio.range.high) == pytest.approx((2, 2))
    assert one.range.high > 2 * one.range.low


def test_carbon_and_water_are_of_the_place():
    """A kWh at 100 g and 2 l is 100 g and 2 l, in every draw."""
    spot = PlaceFactor(
        provider=None,
        region=None,
        place=place().place,
        g_per_kwh=Range(100, 100, 100),
        l_per_kwh=Range(2, 2, 2),
        g_draws=[100.0] * draws.DRAWS,
        l_draws=[2.0] * draws.DRAWS,
    )
    found = priced([Side(call(1000, 0, 100), model(), spot)])
    assert found.carbon_g.central == pytest.approx(found.energy_wh.central * 0.1)
    assert found.carbon_g.draws == pytest.approx([wh * 0.1 for wh in found.energy_wh.draws])
    assert found.water_l.draws == pytest.approx([wh * 0.002 for wh in found.energy_wh.draws])


def test_an_hour_that_is_known_goes_before_the_year():
    """One of two equal calls ran at 50 g/kWh, the other has the year's 100: 75 g on average."""
    spot = place("FR")
    annual = PlaceFactor(
        provider=None,
        region=None,
        place=spot.place,
        g_per_kwh=Range(100, 100, 100),
        l_per_kwh=spot.l_per_kwh,
        g_draws=[100.0] * draws.DRAWS,
        l_draws=spot.l_draws,
    )
    one = call(1000, 0, 100)
    both = Moments(*(2 * moment for moment in one))
    weighed = Moments(*(50 * moment for moment in one))
    found = priced([Side(both, model(), annual, hourly=weighed, by_hour=one)])
    assert found.carbon_g.central == pytest.approx(found.energy_wh.central * 0.075)


def test_of_no_calls_nothing_is_taken():
    found = priced([])
    assert found.energy_wh == Drawn(0.0, (0.0,) * draws.DRAWS)


def test_the_batch_that_was_measured_changes_nothing():
    same = scaled(model(), batch(MEASURED_BATCH, FACTORS))
    assert same.coefficients == model().coefficients
    assert list(same.draws) == list(model().draws)


def test_a_batch_moves_writing_alone():
    """Four times the batch at the central exponent of 0.5 is half the energy."""
    before, after = model(), scaled(model(), batch(4 * MEASURED_BATCH, FACTORS))
    assert after.coefficients.j_output == pytest.approx(before.coefficients.j_output / 2)
    assert after.coefficients._replace(j_output=0) == before.coefficients._replace(j_output=0)


def test_the_exponent_is_what_two_batches_of_one_model_say():
    """3.76 J at batch 8 and 0.527 at 181 on H100; 0.421 at 181 and 0.189 at 2,048 on B200."""
    exponent = FACTORS.factors["batch_exponent"]
    on_h100 = log(3.76 / 0.527) / log(181 / 8)
    on_b200 = log(0.421 / 0.189) / log(2048 / 181)
    assert exponent.low == pytest.approx(on_b200, abs=0.01)
    assert exponent.high == pytest.approx(on_h100, abs=0.025)
    assert exponent.low < exponent.central < exponent.high


def test_hardware_moves_reading_writing_and_the_cache_each_by_its_ratio():
    before, after = model("small"), scaled(model("small"), hardware("B200", "small", FACTORS))
    ratios = [b / a for a, b in zip(before.coefficients, after.coefficients, strict=True)]
    assert ratios == pytest.approx([0.63, 0.63, 0.63, 0.42, 0.71])


def test_ratios_are_those_of_the_medians():
    """Class small: 0.305 to 0.212 and 0.443 to 0.111 J/token; their geometric mean."""
    ratio = FACTORS.factors["b200.small.decode_ratio"]
    assert ratio.central == pytest.approx((0.212 / 0.305 * 0.111 / 0.443) ** 0.5, abs=0.005)


def test_a_class_without_figures_spans_all_that_have_some():
    scale = hardware("b200", "unknown", FACTORS)
    ratio = scale.factors[0]
    known = [
        FACTORS.factors[f"b200.{name}.decode_ratio"]
        for name in ("tiny", "small", "medium", "large", "xlarge")
    ]
    assert ratio.id == "b200.unknown.decode_ratio"
    assert (ratio.low, ratio.high) == (0.2, 1.07)
    assert ratio.central == pytest.approx(prod(one.central for one in known) ** 0.2)


def test_what_writes_nothing_needs_no_ratio_of_writing():
    scale = hardware("b200", "embedding", FACTORS, decodes=False)
    assert [one.id for one in scale.factors] == ["b200.prefill_ratio", "b200.cache_read_ratio"]


def test_hardware_without_figures_is_an_error_that_names_what_there_is():
    assert hardware_names(FACTORS) == ["b200"]
    with pytest.raises(FactorError, match=r"'abacus'. Known: b200, beside the h100"):
        hardware("abacus", "tiny", FACTORS)


def test_scales_multiply():
    first, second = hardware("b200", "tiny", FACTORS), batch(4 * MEASURED_BATCH, FACTORS)
    both = scaled(model("tiny"), first, second)
    assert both.coefficients.j_output == pytest.approx(
        model("tiny").coefficients.j_output * 0.92 / 2
    )


@settings(deadline=None, max_examples=40)
@given(size=st.integers(1, 100_000), more=st.integers(1, 100_000))
def test_a_larger_batch_never_needs_more(size: int, more: int):
    one, other = batch(size, FACTORS).decode, batch(size + more, FACTORS).decode
    assert other.central < one.central
    assert all(b <= a for a, b in zip(one.draws, other.draws, strict=True))
    assert one.central == pytest.approx(exp(-0.5 * log(size / MEASURED_BATCH)))


@settings(deadline=None, max_examples=40)
@given(
    size=st.integers(0, 300_000),
    cached=st.integers(0, 300_000),
    more=st.integers(0, 300_000),
    output=st.integers(0, 20_000),
)
def test_more_of_the_same_input_from_a_cache_never_takes_more(
    size: int, cached: int, more: int, output: int
):
    few, many = min(cached, size), min(cached + more, size)
    difference = energy_wh(call(size, many, output)).minus(energy_wh(call(size, few, output)))
    most = energy_wh(call(size, few, output)).range.high
    assert difference.central <= 1e-12 * most
    assert max(difference.draws) <= 1e-12 * most
