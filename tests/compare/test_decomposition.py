"""Textbook cases of LMDI, worked by hand, and its laws."""

from collections.abc import Mapping
from math import e, log

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agenttrace.compare.decomposition import (
    Decomposition,
    amount,
    decompose,
    effects,
    log_mean,
    log_ratio,
)

NAMES = ("volume", "mix", "rate")

Chains = Mapping[str, Mapping[str, float | None]]


def two(volume: float, rate: float) -> dict[str, float | None]:
    return {"volume": volume, "rate": rate}


def three(volume: float, mix: float, rate: float | None) -> dict[str, float | None]:
    return {"volume": volume, "mix": mix, "rate": rate}


def test_one_factor_takes_the_whole_change() -> None:
    assert effects({"volume": 10.0}, {"volume": 25.0}) == {"volume": pytest.approx(15.0)}


def test_two_factors_share_a_change_by_their_logarithms() -> None:
    """Volume x e and rate x e^2 make 1 into e^3: a third of the change, and two thirds."""
    found = effects(two(1, 1), two(e, e**2))
    assert found == {
        "volume": pytest.approx((e**3 - 1) / 3),
        "rate": pytest.approx(2 * (e**3 - 1) / 3),
    }


def test_a_case_of_two_factors_worked_by_hand() -> None:
    """20 units at 3 each become 30 at 4: 60 becomes 120, and L = 60 / ln 2 = 86.5617.

    Volume 86.5617 * ln 1.5 = 35.0978; rate 86.5617 * ln(4 / 3) = 24.9022; together 60.
    """
    found = decompose({"all": two(20, 3)}, {"all": two(30, 4)})
    assert found.change == 60
    assert found.effects == {
        "volume": pytest.approx(35.0978, abs=5e-5),
        "rate": pytest.approx(24.9022, abs=5e-5),
    }
    assert found.residual == pytest.approx(0, abs=1e-12)


def test_what_grows_and_shrinks_alike_adds_nothing() -> None:
    """Twice the volume at half the rate: L(10, 10) = 10, so +10 ln 2 and -10 ln 2."""
    found = effects(two(10, 1), two(20, 0.5))
    assert found == {"volume": pytest.approx(10 * log(2)), "rate": pytest.approx(-10 * log(2))}


def test_equal_periods_have_no_effects() -> None:
    same = {"a": three(5, 0.25, 3), "b": three(5, 0.75, 7)}
    assert decompose(same, same) == Decomposition(
        30.0, 30.0, {"volume": 0.0, "mix": 0.0, "rate": 0.0}
    )


def test_two_models_that_swap_their_shares_change_the_mix_alone() -> None:
    """100 calls, 1/4 at 8 and 3/4 at 2, then the other way round: 350 becomes 650.

    A goes from 200 to 600: L * ln 3 = 400; B from 150 to 50: -100. Nothing else moves.
    """
    before = {"A": three(100, 0.25, 8), "B": three(100, 0.75, 2)}
    after = {"A": three(100, 0.75, 8), "B": three(100, 0.25, 2)}
    found = decompose(before, after)
    assert found.change == pytest.approx(300)
    assert found.effects == {
        "volume": pytest.approx(0, abs=1e-12),
        "mix": pytest.approx(300),
        "rate": pytest.approx(0, abs=1e-12),
    }


def test_a_model_that_enters_goes_to_the_mix() -> None:
    """B takes half of 10 calls at 4 each: 20 more. A goes from 30 to 15, by its share alone."""
    before = {"A": three(10, 1, 3)}
    after = {"A": three(10, 0.5, 3), "B": three(10, 0.5, 4)}
    found = decompose(before, after, entering="mix")
    assert found.effects == {
        "volume": 0.0,
        "mix": pytest.approx(20 - 15),
        "rate": 0.0,
    }
    assert decompose(after, before, entering="mix").effects["mix"] == pytest.approx(-5)


def test_the_first_factor_that_is_zero_takes_the_change_and_the_others_are_not_asked_for() -> None:
    absent: dict[str, float | None] = {"volume": None, "mix": 0.0, "rate": 0.0}
    assert effects(absent, three(2, 3, 4)) == {"volume": 0.0, "mix": 24.0, "rate": 0.0}
    assert effects(three(2, 3, 4), three(2, 3, 0)) == {"volume": 0.0, "mix": 0.0, "rate": -24.0}


def test_zero_on_both_sides_has_no_effects() -> None:
    assert effects(three(2, 0, None), three(9, 1, 0)) == {"volume": 0.0, "mix": 0.0, "rate": 0.0}


def test_a_product_too_small_for_a_number_counts_as_zero() -> None:
    """1e-200 * 1e-200 is below the least number, so the least factor takes the change."""
    assert effects(two(1e-200, 1e-201), two(1, 2)) == {"volume": 0.0, "rate": 2.0}


def test_nearly_equal_values_keep_their_digits() -> None:
    """From 1 to 1 + 1e-12 the mean is 1 + 5e-13; a quotient of rounded numbers is far from it."""
    assert log_mean(1 + 1e-12, 1) == pytest.approx(1 + 5e-13, rel=1e-15)
    assert log_mean(3, 3) == 3
    assert log_ratio(1 + 1e-12, 1) == pytest.approx(1e-12, rel=1e-4)
    found = effects(two(1, 7), two(1 + 1e-12, 7))
    change = 7 * (1 + 1e-12) - 7
    assert found["volume"] == pytest.approx(change, rel=1e-3)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_what_is_no_factor_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="must be zero or a positive number"):
        amount({"volume": value})


def test_a_factor_that_is_missing_where_it_is_needed_is_refused() -> None:
    with pytest.raises(ValueError, match="not known"):
        amount(three(1, 1, None))
    with pytest.raises(ValueError, match="are not factors"):
        effects({"volume": 1.0}, {"rate": 1.0})
    with pytest.raises(ValueError, match="say which factor"):
        decompose({}, {"A": two(1, 1)})


FACTORS = st.floats(1e-6, 1e9)
CHAINS = st.dictionaries(
    st.sampled_from("ABCDEF"),
    st.builds(three, FACTORS, st.just(0.0) | FACTORS, st.just(0.0) | FACTORS),
    min_size=1,
)


@given(CHAINS, CHAINS)
@example({"A": three(1, 1, 1)}, {"A": three(1 + 1e-12, 1, 1)})
def test_the_effects_add_up_to_the_change(before: Chains, after: Chains) -> None:
    found = decompose(before, after, entering="mix")
    # A tiny change of a huge total is known to the digits of the total alone.
    scale = max(abs(found.change), 1e-4 * (found.before + found.after))
    assert abs(found.residual) <= 1e-9 * scale


@given(CHAINS, CHAINS)
def test_swapping_the_periods_turns_every_sign(before: Chains, after: Chains) -> None:
    there = decompose(before, after, entering="mix")
    back = decompose(after, before, entering="mix")
    scale = there.before + there.after
    for name, effect in there.effects.items():
        assert back.effects[name] == pytest.approx(-effect, rel=1e-9, abs=1e-12 * scale)


@given(CHAINS, CHAINS, st.sets(st.sampled_from("ABCDEF")))
def test_the_effects_of_parts_add_up_to_those_of_the_whole(
    before: Chains, after: Chains, chosen: set[str]
) -> None:
    whole = decompose(before, after, entering="mix")
    parts = [
        decompose(
            {name: chain for name, chain in before.items() if (name in chosen) is inside},
            {name: chain for name, chain in after.items() if (name in chosen) is inside},
            entering="mix",
        )
        for inside in (True, False)
    ]
    scale = whole.before + whole.after
    for name in NAMES:
        added = sum(part.effects.get(name, 0.0) for part in parts)
        assert added == pytest.approx(whole.effects[name], rel=1e-9, abs=1e-12 * scale)


@given(FACTORS, FACTORS)
def test_the_mean_lies_between_and_below_the_middle(one: float, other: float) -> None:
    assume(one != other)
    mean = log_mean(one, other)
    assert min(one, other) <= mean * (1 + 1e-12)
    assert mean <= (one + other) / 2 * (1 + 1e-12)
    assert mean == pytest.approx(log_mean(other, one), rel=1e-9)
