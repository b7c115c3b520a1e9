"""The formula of an estimate with its numbers in it, and words for what is unknown in it."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.compare.sensitivity import Unknown
from agenttrace.energy.estimate import Constants, ModelFactor, Moments
from agenttrace.energy.factors import Factor
from agenttrace.energy.pricing import Boundary

_AT_ACCELERATOR: Final = (
    "eps*P*( n_u*(1 + (n_c + n_u/2)/rho) + h*n_c ) + n_o*( e_d + jb*KV*(n_c + n_u + n_o/2) )"
)

# What each of the five products is: its words, its moment, its coefficient, and the constants and
# parameters in the coefficient; those after the stroke divide.
_PRODUCTS: Final = (
    ("reading, uncached", "n_u", ("eps", "P"), ()),
    ("attention while reading", "n_u*(n_c + n_u/2)", ("eps", "P"), ("rho",)),
    ("reading, cached", "n_c", ("eps", "P", "h"), ()),
    ("writing", "n_o", ("e_d",), ()),
    ("attention while writing", "n_o*(n_c + n_u + n_o/2)", ("jb", "KV"), ()),
)

NOT_IN: Final[Mapping[Boundary, frozenset[str]]] = {
    "accelerator": frozenset({"facility_multiplier", "host_share"}),
    "server": frozenset(),
    "facility": frozenset({"host_share"}),
}
"""Constants that have no part in an estimate, by what it covers."""

_AROUND: Final[Mapping[Boundary, str]] = {
    "accelerator": "",
    "server": "(1 + s*(M - 1))",
    "facility": "M",
}
"""What energy at the accelerator is multiplied with, by what the estimate covers."""

_SYMBOLS: Final = {
    "active_parameters_b": "P",
    "decode_j_per_token": "e_d",
    "cache_bytes_per_token": "KV",
}

_ADVICE: Final = {
    "decode_j_per_token": "measured where the model is served, it would replace its class's",
    "cache_bytes_per_token": "follows from its layers and key/value heads, where published",
    "prefill_j_per_b_token": "hardware and its use while reading; who serves it can measure it",
    "attention_parity_tokens": "follows from head size, layers and kind of attention",
    "cache_hit_share": "what a hit costs in the data centre; no provider publishes it",
    "cache_read_j_per_byte": "memory of the accelerator; known where the hardware is",
    "facility_multiplier": "host, idle machines, PUE; a narrower --boundary leaves them out",
    "host_share": "power of the host beside the accelerator; who serves it can measure it",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One of the five products of the formula.

    Attributes:
        what: What the energy goes into.
        moment: The moment as a formula of n_u, n_c and n_o.
        units: Its value, summed over the calls.
        coefficient: The coefficient as a formula.
        numbers: The same with central values in it.
        j_per_unit: Its value, J per unit of the moment.
        energy_j: Their product.
    """

    what: str
    moment: str
    units: float
    coefficient: str
    numbers: str
    j_per_unit: float
    energy_j: float


def formula(boundary: Boundary) -> str:
    """Return the energy of one call, J, as a formula; the energy of calls is the sum over them."""
    around = _AROUND[boundary]
    return f"E = {around}*( {_AT_ACCELERATOR} )" if around else f"E = {_AT_ACCELERATOR}"


def lines(
    moments: Moments, factor: ModelFactor, constants: Constants, boundary: Boundary
) -> tuple[Line, ...]:
    """Return the energy of calls of one model product by product, from the central factors.

    Args:
        moments: Of the calls, added up.
        factor: The model.
        constants: Central values of the constants.
        boundary: What the factor covers.

    Returns:
        Five lines in the order of the formula; they add up to the central energy of the calls. What
        a model does not do (an encoder writes nothing) has a zero coefficient.
    """
    values = _values(factor, constants)
    around = _AROUND[boundary]
    filled = around.replace("s", values["s"]).replace("M", values["M"])
    return tuple(
        Line(
            what=what,
            moment=moment,
            units=units,
            coefficient=_joined([around, *times], by),
            numbers=_joined([filled, *(values[n] for n in times)], [values[n] for n in by]),
            j_per_unit=j_per_unit,
            energy_j=units * j_per_unit,
        )
        for (what, moment, times, by), units, j_per_unit in zip(
            _PRODUCTS, moments, factor.coefficients, strict=True
        )
    )


def advice(
    unknown: Unknown, *, is_listed: bool = False, measured_at: Collection[Boundary] = ()
) -> str:
    """Return what would make a factor known better, in words.

    Args:
        unknown: Which one.
        is_listed: Whether its model is in the catalogue, which then has lines to start from.
        measured_at: Boundaries of the meters, where nothing of the energy is an estimate.
    """
    if unknown.part == "active_parameters_b":
        return _advice_of_parameters(unknown.key, is_listed=is_listed)
    if unknown.key is None and len(measured_at) == 1:
        (boundary,) = measured_at
        return f"at --boundary {boundary}, where it was measured, nothing hangs on it"
    return _ADVICE[unknown.part]


def _advice_of_parameters(model: str | None, *, is_listed: bool) -> str:
    if not model:
        return "no call names this model; a name would tell its size"
    name = shlex.quote(model)
    command = f"show {name} --format toml" if is_listed else f"match {name}"
    return (
        f"if you know them, put them in factors.toml: `agenttrace factors {command}` has the lines"
    )


def symbol(factor: Factor) -> str:
    """Return the letter of a factor in the formula; none where it is in no formula."""
    return factor.symbol or _SYMBOLS.get(factor.id.rpartition(".")[2], "")


def number(value: float) -> str:
    """Return a factor's value as people write it, to four significant digits."""
    rounded = float(f"{value:.4g}")
    if rounded and not 1e-3 <= abs(rounded) < 1e9:  # noqa: PLR2004 - else it is a row of zeros
        mantissa, _, power = f"{rounded:e}".partition("e")
        return f"{float(mantissa):g}e{int(power)}"
    return f"{rounded:,.10g}"


def _values(factor: ModelFactor, constants: Constants) -> dict[str, str]:
    parts = factor.match.parts
    decode, cache = parts.decode_j_per_token, parts.cache_bytes_per_token
    values = {
        "M": constants.facility_multiplier,
        "s": constants.host_share,
        "eps": constants.prefill_j_per_b_token,
        "rho": constants.attention_parity_tokens,
        "h": constants.cache_hit_share,
        "jb": constants.cache_read_j_per_byte,
        "P": parts.active_parameters_b.central,
        "e_d": decode.central if decode else 0.0,
        "KV": cache.central if cache else 0.0,
    }
    return {name: number(value) for name, value in values.items()}


def _joined(times: Sequence[str], by: Sequence[str]) -> str:
    return "*".join(filter(None, times)) + "".join(f"/{name}" for name in by)
