import math
import random
from dataclasses import replace

import pytest

from agenttrace.energy import draws, factor_set, moments, shipped
from agenttrace.energy.catalogue import of_class
from agenttrace.energy.draws import DRAWS, column
from agenttrace.energy.estimate import (
    Constants,
    Moments,
    Parameters,
    coefficients,
    energy_j,
    quantile,
)
from agenttrace.energy.factors import Factor
from agenttrace.energy.places import place
from agenttrace.model import Range, TokenUsage

FACTORS = shipped()


def test_draws_have_the_quantiles_of_their_factor():
    drawn = sorted(column(Range(0.35, 0.55, 3.6), "any"))
    assert [quantile(drawn, share) for share in (0.05, 0.5, 0.95)] == pytest.approx(
        [0.35, 0.55, 3.6], rel=0.02
    )


def test_a_known_value_is_drawn_as_itself():
    assert set(column(Range(37, 37, 37), "any")) == {37}


def test_draws_are_the_same_on_every_machine():
    drawn = column(Range(1, 2, 8), "fixed")
    assert drawn[:3] == pytest.approx([1.8212882682, 1.5554145347, 1.2066164838])


def test_draws_of_a_model_do_not_depend_on_the_other_models():
    alone = factor_set([("openai", "gpt-5")]).models[0]
    among = factor_set([("anthropic", "claude-opus-4-8"), ("openai", "gpt-5")]).models[1]
    assert alone == among


def test_spellings_of_one_model_have_the_same_draws():
    first, second = factor_set(
        [
            ("anthropic", "claude-sonnet-4-5-20250929"),
            ("aws.bedrock", "us.anthropic.claude-sonnet-4-5"),
        ]
    ).models
    assert first.draws == second.draws


def test_models_of_one_class_have_draws_of_their_own():
    first, second = factor_set([("x", "claude-2-sonnet"), ("x", "claude-9-sonnet")]).models
    assert first.coefficients == second.coefficients
    assert first.draws != second.draws


def test_models_share_the_constants_of_a_draw():
    # j_cached / j_uncached is h, and j_uncached / j_uncached_context is rho, whatever the model.
    models = factor_set([("x", "gpt-5"), ("x", "claude-haiku-4-5")]).models
    hits, contexts = (
        [[getattr(draw, above) / getattr(draw, below) for draw in model.draws] for model in models]
        for above, below in (("j_cached", "j_uncached"), ("j_uncached", "j_uncached_context"))
    )
    assert hits[0] == pytest.approx(hits[1])
    assert contexts[0] == pytest.approx(contexts[1])


def test_regions_of_one_grid_have_its_draws_and_another_grid_has_its_own():
    ohio, government, iowa, texas = (
        draws.placed("aws.bedrock", region, place("aws.bedrock", region, FACTORS)).g_draws
        for region in ("us-east-2", "us-gov-east-1", "us-central1", "us-south1")
    )
    assert ohio == government  # both are in Ohio, in PJM
    assert len({tuple(drawn) for drawn in (ohio, iowa, texas)}) == 3


def test_a_grid_that_is_not_known_closely_is_one_grid_however_it_is_recorded():
    # Two names of one zone, and two zones of one range: only the second two differ by chance.
    us, asked = (
        draws.placed(None, region, place(None, region, FACTORS, default="USA")).g_draws
        for region in ("us", "x-1")
    )
    new_york, new_england = (
        draws.placed(None, None, place(None, None, FACTORS, default=zone))
        for zone in ("US-NY-NYIS", "US-NE-ISNE")
    )
    assert us == asked
    assert new_york.g_per_kwh == new_england.g_per_kwh
    assert new_york.g_draws != new_england.g_draws


def test_every_stratum_is_drawn_once():
    assert len(set(column(Range(1, 2, 8), "any"))) == DRAWS


def test_a_cache_hit_never_costs_more_than_a_miss_in_any_draw():
    wide = column(Range(0.003, 0.02, 0.9), "any", most=1.0)
    assert max(wide) == 1.0
    assert max(constants.cache_hit_share for constants in draws.shared(FACTORS)) <= 1.0


def test_the_facility_never_uses_less_than_the_accelerator_in_any_draw():
    assert min(constants.facility_multiplier for constants in draws.shared(FACTORS)) >= 1.0


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("chat turn", TokenUsage(input_tokens=500, output_tokens=300)),
        (
            "agent step",
            TokenUsage(input_tokens=119_531, cache_read_tokens=118_656, output_tokens=214),
        ),
    ],
)
def test_sampling_error_of_the_range_is_what_the_documentation_says(name: str, call: TokenUsage):
    # 3 to 9 %, over models of class large that differ in nothing but their own seed.
    tokens = moments(call)
    true_low, true_high = independent(tokens)
    constants = draws.shared(FACTORS)
    errors: list[float] = []
    for seed in range(20):
        large = of_class("large", FACTORS)
        named = replace(large, key=f"large-{seed}")  # the key decides the order of its draws
        model = draws.priced(None, None, named, FACTORS, constants)
        drawn = sorted(energy_j(tokens, draw) for draw in model.draws)
        errors += [quantile(drawn, 0.05) / true_low - 1, quantile(drawn, 0.95) / true_high - 1]
    assert math.sqrt(sum(error**2 for error in errors) / len(errors)) < 0.09


def independent(tokens: Moments) -> tuple[float, float]:
    """Return the 5 % and 95 % of 40,000 independent draws for class large, in joules."""
    generator = random.Random(1)
    normal_95 = 1.6448536269514722

    def value(factor: Factor) -> float:
        z = generator.gauss(0, 1) / normal_95
        side = math.log(factor.central / factor.low if z < 0 else factor.high / factor.central)
        return min(factor.central * math.exp(z * side), factor.most)

    parts = FACTORS.parts("large")
    own = (parts.active_parameters_b, parts.decode_j_per_token, parts.cache_bytes_per_token)
    drawn = sorted(
        energy_j(
            tokens,
            coefficients(
                Constants(*map(value, FACTORS.constants())),
                Parameters(*(value(p) for p in own if p)),
            ),
        )
        for _ in range(40_000)
    )
    return quantile(drawn, 0.05), quantile(drawn, 0.95)
