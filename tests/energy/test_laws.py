"""What must hold for every call, model, boundary and draw, whatever the factors are."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.energy import ModelFactor, draws, match, moments, shipped, total
from agenttrace.energy.estimate import Moments, energy_j
from agenttrace.energy.pricing import BOUNDARIES, Boundary
from agenttrace.model import Range, TokenUsage

FACTORS = shipped()
CONSTANTS = draws.shared(FACTORS)
NAMES = ("gpt-5", "claude-opus-4-8", "claude-haiku-4-5", "text-embedding-3-small", "mystery-9")

# Every draw of several calls is worked out, which takes its time where others work as well.
unhurried = settings(deadline=None)

# Sums of floats in another order differ in their last bits only.
EXACT = 1e-12


def priced(name: str, boundary: Boundary) -> ModelFactor:
    return draws.priced(None, name, match(name, FACTORS), FACTORS, CONSTANTS, boundary=boundary)


PRICED = {boundary: {name: priced(name, boundary) for name in NAMES} for boundary in BOUNDARIES}


def call(uncached: int = 0, read: int = 0, written: int = 0, output: int = 0) -> TokenUsage:
    return TokenUsage(
        input_tokens=uncached + read + written,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        state="reported",
    )


counts = st.integers(0, 2_000_000)
calls = st.builds(
    call, uncached=counts, read=counts, written=counts, output=st.integers(0, 200_000)
)
names = st.sampled_from(NAMES)
boundaries = st.sampled_from(BOUNDARIES)
priced_calls = st.lists(st.tuples(calls, names), max_size=10)


def drawn(usages: list[tuple[TokenUsage, str]], boundary: Boundary) -> list[float]:
    """Return joules: central first, then one value per draw."""
    factors = PRICED[boundary]
    terms = [(moments(usage), factors[name]) for usage, name in usages]
    return [
        sum(energy_j(one, factor.coefficients) for one, factor in terms),
        *(
            sum(energy_j(one, factor.draws[draw]) for one, factor in terms)
            for draw in range(draws.DRAWS)
        ),
    ]


def of(usage: TokenUsage, name: str, boundary: Boundary) -> Range:
    return total([(moments(usage), PRICED[boundary][name])])


@unhurried
@given(names, boundaries)
def test_zero_tokens_are_zero(name: str, boundary: Boundary):
    assert of(call(), name, boundary) == Range(0, 0, 0)
    assert set(drawn([(call(), name)], boundary)) == {0}


@unhurried
@given(calls, names, boundaries)
def test_low_is_at_most_central_is_at_most_high(usage: TokenUsage, name: str, boundary: Boundary):
    energy = of(usage, name, boundary)
    assert 0 <= energy.low <= energy.central <= energy.high


@unhurried
@given(priced_calls, st.lists(st.integers(0, 3), min_size=10, max_size=10), boundaries)
def test_parts_of_any_partition_add_up_in_the_central_and_in_every_draw(
    usages: list[tuple[TokenUsage, str]], places: list[int], boundary: Boundary
):
    parts = [
        drawn([one for one, at in zip(usages, places, strict=False) if at == part], boundary)
        for part in range(4)
    ]
    added = [sum(column) for column in zip(*parts, strict=True)]
    assert added == pytest.approx(drawn(usages, boundary), rel=EXACT, abs=0)


@unhurried
@given(st.lists(calls, min_size=1, max_size=8), names, boundaries)
def test_five_sums_price_any_number_of_calls(
    usages: list[TokenUsage], name: str, boundary: Boundary
):
    factor = PRICED[boundary][name]
    summed = Moments(*map(sum, zip(*map(moments, usages), strict=True)))
    at_once = [energy_j(summed, one) for one in (factor.coefficients, *factor.draws)]
    each = drawn([(usage, name) for usage in usages], boundary)
    assert at_once == pytest.approx(each, rel=EXACT, abs=0)


@unhurried
@given(calls, counts, names, boundaries)
def test_more_from_the_cache_never_raises_any_draw(
    usage: TokenUsage, moved: int, name: str, boundary: Boundary
):
    assert usage.input_tokens is not None
    assert usage.cache_read_tokens is not None
    moved = min(moved, usage.input_tokens - usage.cache_read_tokens)
    hit = replace(usage, cache_read_tokens=usage.cache_read_tokens + moved)
    for before, after in zip(
        drawn([(usage, name)], boundary), drawn([(hit, name)], boundary), strict=True
    ):
        assert after <= before * (1 + EXACT)


@unhurried
@given(
    st.fixed_dictionaries(
        {"uncached": counts, "read": counts, "written": counts, "output": counts}
    ),
    st.sampled_from(["uncached", "read", "written", "output"]),
    counts,
    names,
    boundaries,
)
def test_more_tokens_of_any_kind_never_lower_any_draw(
    tokens: dict[str, int], kind: str, more: int, name: str, boundary: Boundary
):
    larger = tokens | {kind: tokens[kind] + more}
    for before, after in zip(
        drawn([(call(**tokens), name)], boundary),
        drawn([(call(**larger), name)], boundary),
        strict=True,
    ):
        assert before <= after


@unhurried
@given(st.integers(1, 100_000), st.integers(0, 100_000), st.integers(2, 20), names, boundaries)
def test_the_same_tokens_in_more_calls_take_less_in_every_draw(
    each: int, output: int, parts: int, name: str, boundary: Boundary
):
    # Context is quadratic: a call reads its own context, and none of the others'.
    one = drawn([(call(uncached=each * parts, output=output * parts), name)], boundary)
    many = drawn([(call(uncached=each, output=output), name)] * parts, boundary)
    for together, apart in zip(one, many, strict=True):
        assert apart < together


@unhurried
@given(calls, names)
def test_the_server_lies_between_the_accelerator_and_the_facility_in_every_draw(
    usage: TokenUsage, name: str
):
    accelerator, server, facility = (drawn([(usage, name)], one) for one in BOUNDARIES)
    for chip, host, site in zip(accelerator, server, facility, strict=True):
        assert chip <= host * (1 + EXACT)
        assert host <= site * (1 + EXACT)


def test_the_boundaries_are_in_that_order():
    step = call(read=118_656, uncached=875, output=214)
    found = [of(step, "gpt-5", boundary).central for boundary in BOUNDARIES]
    assert all(inner < outer for inner, outer in pairwise(found))
