"""The energy of one model call: tokens into moments, factors into coefficients, and their product.

    E = M * ( eps*P * ( n_u*(1 + (n_c + n_u/2)/rho) + h*n_c )
              + n_o * ( e_d + jb*KV*(n_c + n_u + n_o/2) ) )

is a sum of five products, each of a *moment*, which only the call knows, and a *coefficient*, which
only the model knows. Moments of many calls add up, so any number of calls costs five sums. The
formula is quadratic in context: moments are taken per call and then added, never the tokens.

Source: the method and every constant are in docs/energy.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from operator import mul
from typing import NamedTuple

from agenttrace.energy.catalogue import Match
from agenttrace.energy.pricing import Boundary
from agenttrace.model import Range, TokenUsage

JOULES_PER_WH = 3600.0
LOW_QUANTILE = 0.05
HIGH_QUANTILE = 0.95


class Moments(NamedTuple):
    """What one call, or a sum of calls, brings to the formula.

    Attributes:
        uncached: n_u, input tokens that were not read from a cache (cache writes are among them).
        uncached_context: n_u * (n_c + n_u/2), token pairs that reading the input attends to.
        cached: n_c, input tokens read from a cache.
        output: n_o, output tokens, reasoning included.
        output_context: n_o * (n_c + n_u + n_o/2), token pairs that decoding attends to.
    """

    uncached: float
    uncached_context: float
    cached: float
    output: float
    output_context: float


class Coefficients(NamedTuple):
    """Joules per unit of each moment, in the order of :class:`Moments`."""

    j_uncached: float
    j_uncached_context: float
    j_cached: float
    j_output: float
    j_output_context: float


class Constants(NamedTuple):
    """One value of each constant that all models share; units are in the factors."""

    prefill_j_per_b_token: float
    attention_parity_tokens: float
    cache_hit_share: float
    cache_read_j_per_byte: float
    facility_multiplier: float
    host_share: float


class Parameters(NamedTuple):
    """One value of each quantity that belongs to a model; zero where it generates nothing."""

    active_parameters_b: float
    decode_j_per_token: float
    cache_bytes_per_token: float


@dataclass(frozen=True, slots=True)
class ModelFactor:
    """A model, ready to price calls.

    Attributes:
        provider: Who serves it, as traces say; None where they do not.
        model: Its name, as traces say; None where they do not.
        match: What the name was taken for.
        coefficients: From the central value of every factor.
        draws: From one joint draw of every factor each; all models share the constants of a draw.
    """

    provider: str | None
    model: str | None
    match: Match
    coefficients: Coefficients
    draws: Sequence[Coefficients]


def estimate(usage: TokenUsage, factor: ModelFactor) -> Range | None:
    """Estimate the energy of one model call.

    Args:
        usage: Tokens of the call. A side that was not reported counts as nothing.
        factor: The model that answered.

    Returns:
        Wh at the boundary of *factor*: central from the central factors, low and high from the
        draws. None where neither side of the usage was reported, because that is not zero.
    """
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    return total([(moments(usage), factor)])


def total(priced: Iterable[tuple[Moments, ModelFactor]]) -> Range:
    """Add the energy of calls, of one model or of several.

    Draws are added before the quantiles are taken, so what the models share does not average out
    and what they do not share does.

    Args:
        priced: Moments, of a call or summed over calls of one model, and that model.

    Returns:
        Wh at the boundary of the factors.
    """
    terms = list(priced)
    central = sum(energy_j(moments, factor.coefficients) for moments, factor in terms)
    columns = ([energy_j(moments, draw) for draw in factor.draws] for moments, factor in terms)
    draws = [sum(column) for column in zip(*columns, strict=True)]
    wh = spread(central, draws or [0.0])
    return Range(wh.low / JOULES_PER_WH, wh.central / JOULES_PER_WH, wh.high / JOULES_PER_WH)


def spread(central: float, draws: Sequence[float]) -> Range:
    """Return the 5 % and 95 % of *draws* around *central*.

    The central value comes from the central factors, because those add up exactly and medians of
    draws do not. In a sum over many models whose factors lean the same way it can leave the 5 % to
    95 % of the draws (from about ten equal models of class large); the range is then widened to it.
    """
    ordered = sorted(draws)
    low, high = quantile(ordered, LOW_QUANTILE), quantile(ordered, HIGH_QUANTILE)
    return Range(min(low, central), central, max(high, central))


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile of sorted values, interpolated linearly as DuckDB's quantile_cont does."""
    position = share * (len(ordered) - 1)
    below = floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def moments(usage: TokenUsage) -> Moments:
    """Return the moments of one call.

    Tokens that were not reported are taken as none; more cache reads than input as all input.
    """
    input_tokens = usage.input_tokens or 0
    cached = min(usage.cache_read_tokens or 0, input_tokens)
    uncached = input_tokens - cached
    output = usage.output_tokens or 0
    return Moments(
        uncached=uncached,
        uncached_context=uncached * (cached + uncached / 2),
        cached=cached,
        output=output,
        output_context=output * (input_tokens + output / 2),
    )


def coefficients(
    constants: Constants, parameters: Parameters, boundary: Boundary = "facility"
) -> Coefficients:
    """Return joules at *boundary* per unit of each moment."""
    around = multiplier(constants, boundary)
    prefill = around * constants.prefill_j_per_b_token * parameters.active_parameters_b
    return Coefficients(
        j_uncached=prefill,
        j_uncached_context=prefill / constants.attention_parity_tokens,
        j_cached=prefill * constants.cache_hit_share,
        j_output=around * parameters.decode_j_per_token,
        j_output_context=around
        * constants.cache_read_j_per_byte
        * parameters.cache_bytes_per_token,
    )


def multiplier(constants: Constants, boundary: Boundary) -> float:
    """Return how many joules *boundary* takes for one at the accelerator.

    What the facility takes beside the accelerator is the host's to a share, so in every draw the
    server lies between the accelerator and the facility.
    """
    match boundary:
        case "accelerator":
            return 1.0
        case "server":
            return 1 + constants.host_share * (constants.facility_multiplier - 1)
        case "facility":
            return constants.facility_multiplier


def water_l_per_kwh(pue: float, site: float, grid: float, boundary: Boundary) -> float:
    """Return litres of water per kWh at *boundary*.

    W = E_it * (WUE_site + PUE * WUE_grid), where a facility takes PUE * E_it. What is smaller than
    the facility is taken for E_it, with the water of the electricity that it takes itself.

    Args:
        pue: Energy of the facility over that of its IT.
        site: Litres evaporated at the site per kWh of the IT.
        grid: Litres per kWh of electricity, where it is made.
        boundary: What the energy covers.
    """
    return (site / pue if boundary == "facility" else site) + grid


def energy_j(moments: Moments, coefficients: Coefficients) -> float:
    """Return joules: the sum of the five products."""
    return sum(map(mul, moments, coefficients))
