from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace import compare, energy
from agenttrace.compare import ratios
from agenttrace.compare.what_if import Drawn
from agenttrace.energy.estimate import JOULES_PER_WH, energy_j, spread
from agenttrace.model import Range, TokenUsage


def test_a_ratio_is_taken_inside_each_draw():
    """6/2 is 3; the draws are 4/2 = 2 and 12/3 = 4, whose 5 % and 95 % are 2.1 and 3.9."""
    found = ratios.ratio(Drawn(6.0, (4.0, 12.0)), Drawn(2.0, (2.0, 3.0)))
    assert found is not None
    assert (found.low, found.central, found.high) == pytest.approx((2.1, 3.0, 3.9))


def test_what_is_unknown_of_both_cancels_and_does_not_where_draws_are_independent():
    """Both sides are unknown by four times, and one is always thrice the other.

    With independent draws any of one side may meet any of the other: 3/4 to 12.
    """
    person = Drawn(2.0, (1.0, 2.0, 4.0))
    agent = Drawn(6.0, (3.0, 6.0, 12.0))
    assert ratios.ratio(agent, person) == Range(3.0, 3.0, 3.0)
    _, independent = both(agent, person)
    # Nine pairs: 3/4, 6/4, 6/4, 3, 3, 3, 6, 6, 12; the 5 % lies at 0.4, the 95 % at 7.6 of 0 to 8.
    assert (independent.low, independent.high) == pytest.approx((1.05, 9.6))


STEP = TokenUsage(input_tokens=119_531, output_tokens=214, cache_read_tokens=118_656)
PROMPT = TokenUsage(input_tokens=500, output_tokens=300)


def test_agent_over_human_is_narrower_with_shared_draws_than_with_independent_ones():
    """A median step of a coding agent, over a prompt of the heavy user.

    Model and persona are both of class large and not the same: what is unknown of the model itself
    does not cancel. The ends lie 18 times apart, and would lie 22 times apart.
    """
    (model,) = energy.factor_set([("anthropic", "claude-sonnet-4-5")]).models
    heavy = compare.prompts(compare.shipped(), energy.shipped())[1]
    agent, person = drawn(model, STEP), Drawn(heavy.energy_wh.central, heavy.draws_wh)
    shared, independent = both(agent, person)
    assert shared.central == independent.central
    assert (wide(shared), wide(independent)) == pytest.approx((18, 22), rel=0.03)


def test_where_person_and_agent_have_one_model_shared_draws_know_the_ratio_far_better():
    """The same step over a prompt on the same model: 11 times apart, and not 19."""
    (model,) = energy.factor_set([("anthropic", "claude-sonnet-4-5")]).models
    shared, independent = both(drawn(model, STEP), drawn(model, PROMPT))
    assert (wide(shared), wide(independent)) == pytest.approx((11, 19), rel=0.03)


def both(above: Drawn, below: Drawn) -> tuple[Range, Range]:
    """Return the ratio with shared draws, and with any draw of one beside any of the other."""
    shared = ratios.ratio(above, below)
    assert shared is not None
    pairs = [one / two for one, two in product(above.draws, below.draws)]
    return shared, spread(above.central / below.central, pairs)


def test_on_one_model_the_same_calls_have_no_range_at_all():
    """Thirty calls over ten of the same size: three times, whatever the model takes."""
    (model,) = energy.factor_set([("x", "a model of which nothing is known")]).models
    one = drawn(model, PROMPT)
    found = ratios.ratio(many(one, 30), many(one, 10))
    assert found is not None
    assert (found.low, found.central, found.high) == pytest.approx((3.0, 3.0, 3.0))


def drawn(model: energy.ModelFactor, usage: TokenUsage) -> Drawn:
    moments = energy.moments(usage)
    central, *draws = (
        energy_j(moments, one) / JOULES_PER_WH for one in (model.coefficients, *model.draws)
    )
    return Drawn(central, tuple(draws))


def many(one: Drawn, times: int) -> Drawn:
    return Drawn(one.central * times, tuple(draw * times for draw in one.draws))


def wide(found: Range) -> float:
    return found.high / found.low


def test_nothing_over_something_is_none_of_it():
    nothing = Drawn(0.0, (0.0, 0.0))
    assert ratios.ratio(nothing, Drawn(1.0, (1.0, 2.0))) == Range(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    "below", [None, Drawn(0.0, (0.0, 0.0)), Drawn(1.0, (0.0, 1.0)), Drawn(0.0, (1.0, 1.0))]
)
def test_something_over_nothing_or_over_what_is_unknown_is_unknown(below: Drawn | None):
    assert ratios.ratio(Drawn(1.0, (1.0, 2.0)), below) is None


def test_what_is_unknown_over_something_is_unknown():
    assert ratios.ratio(None, Drawn(1.0, (1.0, 2.0))) is None


def test_draws_of_which_nobody_knows_one_are_no_quantity():
    assert ratios.drawn(None, [1.0]) is None
    assert ratios.drawn(1.0, [None, None]) is None
    assert ratios.drawn(1.0, []) is None
    assert ratios.drawn(1.0, [1.0, 2.0]) == Drawn(1.0, (1.0, 2.0))


@pytest.mark.parametrize(
    ("above", "below", "times"),
    [(6, 2, 3.0), (0, 2, 0.0), (6, 0, None), (None, 2, None), (6, None, None)],
)
def test_counts_are_divided_where_they_can_be(
    above: float | None, below: float | None, times: float | None
):
    assert ratios.times(above, below) == times


amounts = st.floats(1e-6, 1e12)


@given(st.lists(st.tuples(amounts, amounts), min_size=2), amounts, amounts)
def test_a_ratio_holds_its_central_value(
    pairs: list[tuple[float, float]], above: float, below: float
):
    one, two = zip(*pairs, strict=True)
    found = ratios.ratio(Drawn(above, one), Drawn(below, two))
    assert found is not None
    assert found.low <= found.central == above / below <= found.high
