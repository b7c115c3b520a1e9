import random
from collections.abc import Sequence
from dataclasses import replace
from math import prod
from statistics import fmean, pvariance

import pytest
from hypothesis import given as holds
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import structs

from agenttrace import energy
from agenttrace.compare.sensitivity import (
    Measured,
    Product,
    Shared,
    Spread,
    Unknown,
    Used,
    between,
    given,
    if_known,
    own_factors,
    shares,
    spread_of,
    variance,
)
from agenttrace.energy import draws
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.draws import column
from agenttrace.energy.estimate import (
    Constants,
    Moments,
    Parameters,
    coefficients,
    energy_j,
    moments,
    total,
)
from agenttrace.energy.pricing import BOUNDARIES, Boundary
from agenttrace.model import TokenUsage

FACTORS = energy.shipped()
CONSTANTS = draws.shared(FACTORS)
SHARED = Shared(draws.central(FACTORS), CONSTANTS)

X, Y = Unknown(None, "x"), Unknown(None, "y")


def used(
    class_name: str = "large",
    boundary: Boundary = "facility",
    *,
    input: int = 0,  # noqa: A002 - the word of the field
    cached: int = 0,
    output: int = 0,
) -> Used:
    usage = TokenUsage(input_tokens=input, cache_read_tokens=cached, output_tokens=output)
    model = of_class(class_name, FACTORS)
    factor = draws.priced(None, None, model, FACTORS, CONSTANTS, boundary=boundary)
    return Used(moments(usage), factor)


def by_part(of: Sequence[Used], shared: Shared = SHARED) -> dict[str, float]:
    return {one.unknown.part: one.share for one in shares(of, shared)}


def test_the_variance_of_a_sum_is_that_of_its_terms():
    """x has variance 5 - 2^2 = 1 and y 13 - 3^2 = 4, so x + 2 y has 1 + 4*4 = 17."""
    spreads = {X: Spread(2, 5), Y: Spread(3, 13)}
    of = [Product(1, frozenset({X})), Product(2, frozenset({Y}))]
    assert variance(of, spreads) == 17
    assert variance(given(of, {X}, spreads), spreads) == 1
    assert variance(given(of, {Y}, spreads), spreads) == 16


def test_the_variance_of_a_product_is_more_than_that_of_its_factors():
    """x*y has 5*13 - (2*3)^2 = 29; alone x causes 1*3^2 = 9 and y 4*2^2 = 16, together 4."""
    spreads = {X: Spread(2, 5), Y: Spread(3, 13)}
    of = [Product(1, frozenset({X, Y}))]
    assert variance(of, spreads) == 29
    assert variance(given(of, {X}, spreads), spreads) == 9
    assert variance(given(of, {Y}, spreads), spreads) == 16


def test_reading_without_attention_is_a_product_of_three():
    """Of E = M*eps*P*n_u each share is v/(product of (1 + v) - 1) with v = variance / mean^2."""
    model = used().factor
    only_reading = Used(Moments(1000, 0, 0, 0, 0), model)
    parameters = model.match.parts.active_parameters_b
    drawn = {
        "facility_multiplier": [one.facility_multiplier for one in CONSTANTS],
        "prefill_j_per_b_token": [one.prefill_j_per_b_token for one in CONSTANTS],
        "active_parameters_b": column(parameters.range, "any"),
    }
    v = {name: pvariance(values) / fmean(values) ** 2 for name, values in drawn.items()}
    whole = prod(1 + one for one in v.values()) - 1
    expected = {name: one / whole for name, one in v.items()}
    assert by_part([only_reading]) == pytest.approx(expected)


def test_the_closed_form_is_what_a_sample_finds():
    """Pick-freeze over the explicit formula (Jansen 1999; two samples that share one factor)."""
    step = used(input=60_000, cached=40_000, output=2_000)
    own = [own_factors(step.factor)[name] for name in Parameters._fields]
    columns = [
        *zip(*CONSTANTS, strict=True),
        *(column(one.range, one.id, least=one.least, most=one.most) for one in own),
    ]
    names = (*Constants._fields, *Parameters._fields)

    def energy_of(values: Sequence[float]) -> float:
        constants = Constants(*values[: len(Constants._fields)])
        parameters = Parameters(*values[len(Constants._fields) :])
        return energy_j(step.moments, coefficients(constants, parameters))

    picked = random.Random(5)
    first, second = (
        [[picked.choice(one) for one in columns] for _ in range(8000)] for _ in range(2)
    )
    ones, others = list(map(energy_of, first)), list(map(energy_of, second))
    whole = pvariance(ones + others)
    closed = by_part([step])
    for place, name in enumerate(names):
        frozen = [
            [*one[:place], other[place], *one[place + 1 :]]
            for one, other in zip(first, second, strict=True)
        ]
        pairs = zip(others, map(energy_of, frozen), strict=True)
        found = 1 - fmean((b - mixed) ** 2 for b, mixed in pairs) / 2 / whole
        assert closed.get(name, 0.0) == pytest.approx(found, abs=0.05), name


def test_an_agent_step_on_a_large_model_hangs_on_parameters_and_attention():
    step = by_part([used(input=120_000, cached=100_000, output=500)])
    assert list(step)[:2] == ["active_parameters_b", "attention_parity_tokens"]
    assert step["active_parameters_b"] == pytest.approx(0.38, abs=0.01)
    assert step["attention_parity_tokens"] == pytest.approx(0.27, abs=0.01)


def test_a_chat_turn_hangs_on_writing():
    assert by_part([used(input=500, output=300)])["decode_j_per_token"] > 0.9


def test_what_belongs_to_two_models_is_two_unknowns_and_a_constant_is_one():
    large, tiny = used("large", output=300), used("tiny", output=300)
    found = [one.unknown for one in shares([large, tiny], SHARED)]
    decode = [one.key for one in found if one.part == "decode_j_per_token"]
    assert decode == ["class:large", "class:tiny"]
    assert [one.part for one in found].count("facility_multiplier") == 1


def test_two_spellings_of_a_model_are_one_unknown():
    one = used(output=300)
    both = Used(Moments(*(2 * moment for moment in one.moments)), one.factor)
    assert shares([one, one], SHARED) == shares([both], SHARED)


def test_parts_that_lie_outside_the_boundary_are_not_in_it():
    parts: dict[Boundary, set[str]] = {
        boundary: set(
            by_part(
                [used(boundary=boundary, output=300)],
                Shared(SHARED.central, CONSTANTS, boundary),
            )
        )
        for boundary in ("accelerator", "server", "facility")
    }
    around = {"facility_multiplier", "host_share"}
    assert parts["accelerator"] & around == set()
    assert parts["server"] & around == around
    assert parts["facility"] & around == {"facility_multiplier"}


def test_the_variance_at_the_server_is_that_of_its_formula():
    """At the server E = (1 + s*(M - 1))*e_d*n_o; the draws of each are exchanged for all pairs."""
    server = Shared(SHARED.central, CONSTANTS, "server")
    found = by_part([used("tiny", "server", output=1)], server)
    around = [1 + s.host_share * (m.facility_multiplier - 1) for s in CONSTANTS for m in CONSTANTS]
    decode = of_class("tiny", FACTORS).parts.decode_j_per_token
    assert decode is not None
    a, d = spread_of(around), spread_of(column(decode.range, "any"))
    kv = of_class("tiny", FACTORS).parts.cache_bytes_per_token
    assert kv is not None
    read = spread_of([one.cache_read_j_per_byte for one in CONSTANTS])
    k = spread_of(column(kv.range, "any"))
    # One output token attends to half of itself.
    mean = d.mean + read.mean * k.mean / 2
    square = d.square + d.mean * read.mean * k.mean + read.square * k.square / 4
    whole = a.square * square - (a.mean * mean) ** 2
    assert found["decode_j_per_token"] == pytest.approx(d.variance * a.mean**2 / whole)


def test_of_nothing_nothing_is_due():
    assert shares([], SHARED) == []
    assert shares([used()], SHARED) == []


def test_what_is_known_narrows_the_range_around_the_same_centre():
    turn = used(input=500, output=300)
    unknown = Unknown(turn.key, "decode_j_per_token")
    whole, left = total([(turn.moments, turn.factor)]), if_known([turn], SHARED, unknown)
    assert left.central == pytest.approx(whole.central)
    assert left.high - left.low < (whole.high - whole.low) / 4


@pytest.mark.parametrize("boundary", ["accelerator", "server", "facility"])
@pytest.mark.parametrize("part", [*Constants._fields, *Parameters._fields])
def test_what_is_known_is_as_if_its_factor_had_one_value(part: str, boundary: Boundary):
    """The same draws, made again with low and high at the central value."""
    shared = Shared(SHARED.central, CONSTANTS, boundary)
    large = used("large", boundary, input=60_000, cached=40_000, output=2_000)
    other = used("tiny", boundary, input=5_000, output=300)
    is_constant = part in Constants._fields
    unknown = Unknown(None if is_constant else large.key, part)

    constants = CONSTANTS
    if is_constant:
        value = getattr(SHARED.central, part)
        constants = [one._replace(**{part: value}) for one in CONSTANTS]
    match = large.factor.match
    if not is_constant:
        of = getattr(match.parts, part)
        sure = structs.replace(of, low=of.central, high=of.central)
        match = replace(match, parts=replace(match.parts, **{part: sure}))
    again = [
        (one.moments, draws.priced(None, None, kind, FACTORS, constants, boundary=boundary))
        for one, kind in ((large, match), (other, other.factor.match))
    ]
    whole, left = total(again), if_known([large, other], shared, unknown)
    assert (left.low, left.central, left.high) == pytest.approx(
        (whole.low, whole.central, whole.high)
    )


def test_what_has_no_part_in_a_sum_does_not_move_its_range():
    turn = used(input=500, output=300)
    whole = total([(turn.moments, turn.factor)])
    for unknown in (Unknown("another", "decode_j_per_token"), Unknown(None, "host_share")):
        left = if_known([turn], SHARED, unknown)
        assert (left.low, left.high) == pytest.approx((whole.low, whole.high))


def test_an_encoder_has_nothing_to_write():
    encoder = used("embedding", input=1000)
    assert set(by_part([encoder])) == {
        "active_parameters_b",
        "prefill_j_per_b_token",
        "facility_multiplier",
        "attention_parity_tokens",
    }
    left = if_known([encoder], SHARED, Unknown(encoder.key, "active_parameters_b"))
    assert left.low > total([(encoder.moments, encoder.factor)]).low


FACILITY, HOST = Unknown(None, "facility_multiplier"), Unknown(None, "host_share")


def test_what_was_measured_at_the_boundary_is_certain():
    seen = [Measured(3600.0, "facility")]
    assert shares([], SHARED, seen) == []
    assert between(seen, "facility") == frozenset()
    turn = used(input=500, output=300)
    assert shares([turn], SHARED, seen) == shares([turn], SHARED)
    alone, both = (if_known([turn], SHARED, FACILITY, of) for of in ([], seen))
    assert (both.low, both.central, both.high) == pytest.approx(
        (alone.low + 1, alone.central + 1, alone.high + 1)
    )


def test_what_was_measured_at_the_chips_hangs_on_what_surrounds_them():
    """Of E = M * J all is due to M; if it were known, 1 Wh would be 1.72 Wh and no range."""
    seen = [Measured(3600.0, "accelerator")]
    (one,) = shares([], SHARED, seen)
    assert (one.unknown, one.share) == (FACILITY, pytest.approx(1))
    left = if_known([], SHARED, FACILITY, seen)
    assert (left.low, left.central, left.high) == pytest.approx((1.72, 1.72, 1.72))
    assert between(seen, "facility") == {"facility_multiplier"}
    assert between([Measured(1.0, "server")], "facility") == {"facility_multiplier", "host_share"}


def test_shares_of_a_whole_that_was_measured_in_part_are_those_of_all_triples():
    """E = M*e_d*n_o + J*M/(1 + s*(M - 1)), over every value of M and s (8 each) and of e_d."""
    model = used(output=1).factor
    shared = Shared(SHARED.central, CONSTANTS[::32])
    writing, seen = Used(Moments(0, 0, 0, 100, 0), model), [Measured(40.0, "server")]
    decode = model.match.parts.decode_j_per_token
    assert decode is not None
    writes = column(decode.range, "any", least=decode.least, most=decode.most)
    constants = [(m.facility_multiplier, s.host_share) for m in shared.draws for s in shared.draws]
    table = [[100 * m * e + 40 * m / (1 + s * (m - 1)) for m, s in constants] for e in writes]
    by_pair = [fmean(of) for of in zip(*table, strict=True)]
    whole = pvariance([value for row in table for value in row])
    found = {one.unknown.part: one.share for one in shares([writing], shared, seen)}
    assert found == pytest.approx(
        {
            "decode_j_per_token": pvariance([fmean(row) for row in table]) / whole,
            "facility_multiplier": pvariance(
                [fmean(by_pair[8 * number : 8 * number + 8]) for number in range(8)]
            )
            / whole,
            "host_share": pvariance([fmean(by_pair[number::8]) for number in range(8)]) / whole,
        }
    )


@pytest.mark.parametrize("meter", BOUNDARIES)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_shares_lie_between_nothing_and_all_where_some_was_measured(
    boundary: Boundary, meter: Boundary
):
    """What a facility's meter saw falls with M as the estimate of the server rises."""
    turn = used(boundary=boundary, input=500, output=300)
    shared = Shared(SHARED.central, CONSTANTS, boundary)
    found = [one.share for one in shares([turn], shared, [Measured(500.0, meter)])]
    assert all(0 < one <= 1 + 1e-9 for one in found)
    assert sum(found) <= 1 + 1e-9


@settings(deadline=None, max_examples=50)
@holds(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["tiny", "small", "medium", "large", "xlarge", "embedding"]),
            st.integers(0, 200_000),
            st.integers(0, 200_000),
            st.integers(0, 20_000),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_shares_lie_between_nothing_and_all(calls: list[tuple[str, int, int, int]]):
    of = [used(name, input=i, cached=min(c, i), output=o) for name, i, c, o in calls]
    found = [one.share for one in shares(of, SHARED)]
    assert all(0 < one <= 1 + 1e-9 for one in found)
    assert sum(found) <= 1 + 1e-9
    assert found == sorted(found, reverse=True)
