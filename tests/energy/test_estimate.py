from dataclasses import replace
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.energy import ModelFactor, draws, estimate, match, moments, shipped, total
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.estimate import (
    Coefficients,
    Constants,
    Moments,
    Parameters,
    coefficients,
    energy_j,
    quantile,
    spread,
)
from agenttrace.model import Range, TokenUsage

FACTORS = shipped()
CONSTANTS = draws.shared(FACTORS)


def priced(model: str) -> ModelFactor:
    return draws.priced(None, model, match(model, FACTORS), FACTORS, CONSTANTS)


def of_size(class_name: str, key: str = "any") -> ModelFactor:
    named = replace(of_class(class_name, FACTORS), key=key)
    return draws.priced(None, key, named, FACTORS, CONSTANTS)


def usage(new: int = 0, cached: int = 0, output: int = 0) -> TokenUsage:
    return TokenUsage(
        input_tokens=new + cached, cache_read_tokens=cached, output_tokens=output, state="reported"
    )


MODELS = [
    priced(name)
    for name in (
        "gpt-5",
        "claude-opus-4-8",
        "claude-haiku-4-5",
        "text-embedding-3-small",
        "mystery",
    )
]

models = st.sampled_from(MODELS)
tokens = st.integers(0, 2_000_000)
usages = st.builds(usage, new=tokens, cached=tokens, output=st.integers(0, 200_000))


def wh(call: TokenUsage, model: ModelFactor) -> Range:
    energy = estimate(call, model)
    assert energy is not None
    return energy


def test_coefficients_are_the_formula_worked_by_hand():
    # 2 * 0.003 J per 1e9 parameters * 10e9 parameters = 0.06 J to read a token.
    worked = coefficients(
        Constants(
            prefill_j_per_b_token=0.003,
            attention_parity_tokens=40_000,
            cache_hit_share=0.05,
            cache_read_j_per_byte=2e-10,
            facility_multiplier=2,
            host_share=0.5,
        ),
        Parameters(active_parameters_b=10, decode_j_per_token=0.5, cache_bytes_per_token=100_000),
    )
    assert worked == pytest.approx(
        Coefficients(
            j_uncached=0.06,
            j_uncached_context=1.5e-6,
            j_cached=0.003,
            j_output=1.0,
            j_output_context=4e-5,
        )
    )


def test_energy_of_a_call_is_the_formula_worked_by_hand():
    # 1,000 new tokens after 9,000 cached ones, and 200 written:
    #   new tokens                     1,000 * 0.06                = 60     J
    #   their attention   1,000 * (9,000 + 500)       * 1.5e-6     = 14.25  J
    #   cache hits                     9,000 * 0.003               = 27     J
    #   written tokens                   200 * 1                   = 200    J
    #   their context       200 * (9,000 + 1,000 + 100) * 4e-5     = 80.8   J
    call = moments(usage(new=1_000, cached=9_000, output=200))
    assert call == Moments(1_000, 9_500_000, 9_000, 200, 2_020_000)
    assert energy_j(call, Coefficients(0.06, 1.5e-6, 0.003, 1.0, 4e-5)) == pytest.approx(382.05)


def test_cache_writes_are_read_like_new_input():
    written = TokenUsage(input_tokens=500, cache_write_tokens=400, output_tokens=0)
    assert moments(written) == moments(usage(new=500))


def test_reasoning_is_part_of_the_output():
    thought = TokenUsage(input_tokens=0, output_tokens=50, reasoning_tokens=40)
    assert moments(thought) == moments(usage(output=50))


def test_more_cache_reads_than_input_are_all_of_the_input():
    impossible = TokenUsage(input_tokens=100, cache_read_tokens=900, output_tokens=0)
    assert moments(impossible) == moments(usage(cached=100))


def test_a_call_without_usage_has_no_estimate_rather_than_zero():
    assert estimate(TokenUsage(), MODELS[0]) is None


def test_a_side_that_was_not_reported_counts_as_nothing():
    assert wh(TokenUsage(output_tokens=7), MODELS[0]) == wh(usage(output=7), MODELS[0])


@given(models)
def test_zero_tokens_are_zero_joules(model: ModelFactor):
    assert wh(usage(), model) == Range(0, 0, 0)


@given(usages, models)
def test_low_is_at_most_central_is_at_most_high(call: TokenUsage, model: ModelFactor):
    energy = wh(call, model)
    assert 0 <= energy.low <= energy.central <= energy.high


@given(st.lists(st.tuples(usages, models), min_size=1, max_size=12))
def test_range_of_any_sum_holds_its_central(calls: list[tuple[TokenUsage, ModelFactor]]):
    energy = total((moments(call), model) for call, model in calls)
    assert energy.low <= energy.central <= energy.high


@given(st.lists(st.tuples(usages, models), min_size=2, max_size=8), st.data())
def test_parts_add_up_to_the_whole(
    calls: list[tuple[TokenUsage, ModelFactor]], data: st.DataObject
):
    cut = data.draw(st.integers(1, len(calls) - 1))
    first, rest, whole = (
        total((moments(call), model) for call, model in some)
        for some in (calls[:cut], calls[cut:], calls)
    )
    assert first.central + rest.central == pytest.approx(whole.central)


@given(st.lists(usages, min_size=1, max_size=8), models)
def test_moments_of_calls_add_up_to_their_energy(calls: list[TokenUsage], model: ModelFactor):
    summed = Moments(*map(sum, zip(*(moments(call) for call in calls), strict=True)))
    each = total((moments(call), model) for call in calls)
    at_once = total([(summed, model)])
    assert at_once.low == pytest.approx(each.low)
    assert at_once.central == pytest.approx(each.central)
    assert at_once.high == pytest.approx(each.high)


@given(new=tokens, cached=tokens, output=tokens, moved=tokens, model=models)
def test_caching_input_never_raises_the_energy(
    new: int, cached: int, output: int, moved: int, model: ModelFactor
):
    moved = min(moved, new)
    before = wh(usage(new, cached, output), model)
    after = wh(usage(new - moved, cached + moved, output), model)
    rounding = 1 + 1e-12
    assert after.low <= before.low * rounding
    assert after.central <= before.central * rounding
    assert after.high <= before.high * rounding


@given(usages, st.sampled_from(["new", "cached", "output"]), st.integers(1, 100_000), models)
def test_more_tokens_of_any_kind_never_lower_the_energy(
    call: TokenUsage, kind: str, more: int, model: ModelFactor
):
    assert call.input_tokens is not None
    assert call.cache_read_tokens is not None
    assert call.output_tokens is not None
    counts = {
        "new": call.input_tokens - call.cache_read_tokens,
        "cached": call.cache_read_tokens,
        "output": call.output_tokens,
    }
    before, after = wh(call, model), wh(usage(**(counts | {kind: counts[kind] + more})), model)
    assert before.low <= after.low
    assert before.central <= after.central
    assert before.high <= after.high


def test_energy_is_quadratic_in_context():
    model = of_size("large")
    steps = [energy_j(moments(usage(new=n)), model.coefficients) for n in range(0, 50_000, 10_000)]
    rises = [after - before for before, after in pairwise(steps)]
    assert [after - before for before, after in pairwise(rises)] == pytest.approx(
        [model.coefficients.j_uncached_context * 10_000**2] * 3
    )


def test_splitting_a_call_changes_the_energy():
    # The second half of a prompt attends to the first: 200 k cost more than twice 100 k.
    model = of_size("large")
    halves = total([(moments(usage(new=100_000)), model)] * 2)
    assert total([(moments(usage(new=200_000)), model)]).central > 1.4 * halves.central


def test_a_chat_turn_on_a_large_model_spans_the_published_anchors():
    # Wh of a prompt: Gemini 0.24 (arXiv 2508.15734), Epoch AI 0.30, above 200 B 0.31 with quartiles
    # 0.16 and 0.60 (arXiv 2509.20241), OpenAI 0.34.
    chat = wh(usage(new=500, output=300), of_size("large"))
    assert chat.central == pytest.approx(0.111, abs=0.001)
    assert chat.low < 0.16
    assert chat.high > 0.34


def test_an_agent_step_costs_many_chat_turns():
    # The median step of coding agents (arXiv 2606.30560) against a turn of 500 and 300 tokens.
    step = wh(usage(new=875, cached=118_656, output=214), of_size("large"))
    chat = wh(usage(new=500, output=300), of_size("large"))
    assert 4 < step.central / chat.central < 6


def test_draws_of_many_models_lean_to_one_side_and_the_range_still_holds_the_central():
    # Forty models that may cost six times the central and hardly less: their sum cannot be as low
    # as the sum of their centrals.
    calls = [(moments(usage(output=300)), of_size("large", key=str(n))) for n in range(40)]
    central = sum(energy_j(call, model.coefficients) for call, model in calls)
    sums = [
        sum(energy_j(call, model.draws[draw]) for call, model in calls)
        for draw in range(draws.DRAWS)
    ]
    assert quantile(sorted(sums), 0.05) > central
    energy = total(calls)
    assert energy.low == energy.central < energy.high


def test_shared_constants_do_not_average_out():
    # M alone spans 1.35 to 2.4 around 1.72, so no sum of models may be known better than that.
    calls = [(moments(usage(new=500)), of_size("tiny", key=str(n))) for n in range(60)]
    energy = total(calls)
    assert energy.low / energy.central < 1.35 / 1.72
    assert energy.high / energy.central > 2.4 / 1.72


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50), st.floats(0, 1e12))
def test_spread_holds_the_central(values: list[float], central: float):
    energy = spread(central, values)
    assert energy.low <= energy.central <= energy.high


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=50), st.sampled_from([0.05, 0.5, 0.95]))
def test_quantile_is_the_one_of_duckdb(values: list[float], share: float):
    row = (
        duckdb.connect()
        .execute(
            "SELECT quantile_cont(v, $2) FROM (SELECT unnest($1::DOUBLE[]) AS v)", [values, share]
        )
        .fetchone()
    )
    assert row is not None
    assert quantile(sorted(values), share) == pytest.approx(row[0])
