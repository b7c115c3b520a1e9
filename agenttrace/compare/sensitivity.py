"""What makes the range of an estimate as wide as it is: shares of its variance.

The energy of any sum of calls is a polynomial in the factors, and linear in each one while the
others stay (with 1/rho in place of rho). The factors are independent, so the first-order Sobol
index of a factor has a closed form and needs no sample of its own:

    S_i = Var(x_i) * (dE/dx_i at the means of all others)^2 / Var(E)

Means and variances are those of the very draws that ranges are made with. Shares need not add up
to one: the rest is what factors do together, as factors of a product.

What a meter saw is known, but what lies between the meter and the boundary of the estimate is not.
That part hangs on two constants alone, though not linearly, so it is averaged over their draws.

Source: I. M. Sobol, Global sensitivity indices, <https://doi.org/10.1016/S0378-4754(00)00270-6>.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from operator import add, mul
from statistics import fmean
from typing import Final

from agenttrace.energy.draws import column
from agenttrace.energy.estimate import (
    JOULES_PER_WH,
    Coefficients,
    Constants,
    ModelFactor,
    Moments,
    Parameters,
    coefficients,
    energy_j,
    multiplier,
    spread,
)
from agenttrace.energy.factors import Factor
from agenttrace.energy.pricing import Boundary
from agenttrace.model import Range

_DIVIDES: Final = "attention_parity_tokens"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all models have in common.

    Attributes:
        central: Central values of the constants.
        draws: Draws of them, in the order of those of the models.
        boundary: What the energy covers.
    """

    central: Constants
    draws: Sequence[Constants]
    boundary: Boundary = "facility"


@dataclass(frozen=True, slots=True)
class Used:
    """Calls of one model, as they enter a sum.

    Attributes:
        moments: Of these calls, added up.
        factor: The model.
    """

    moments: Moments
    factor: ModelFactor

    @property
    def key(self) -> str:
        """What spellings of one model have in common: they share its factors and its draws."""
        return self.factor.match.key


@dataclass(frozen=True, slots=True)
class Measured:
    """What meters of one kind saw of a sum of calls.

    Attributes:
        joules: At *boundary*.
        boundary: What the meter covers.
    """

    joules: float
    boundary: Boundary


@dataclass(frozen=True, slots=True)
class Unknown:
    """One thing that is not known for certain.

    Attributes:
        key: The model it belongs to; None for a constant that all models share.
        part: Its field in :class:`Constants` or in :class:`Parameters`.
    """

    key: str | None
    part: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one unknown alone contributes to the variance of a sum.

    Attributes:
        unknown: Which one.
        share: First-order Sobol index, 0 to 1.
    """

    unknown: Unknown
    share: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and mean square of a quantity."""

    mean: float
    square: float

    @property
    def variance(self) -> float:
        """Never below zero, not even by rounding."""
        return max(self.square - self.mean**2, 0.0)


@dataclass(frozen=True, slots=True)
class Product:
    """A number times some quantities, each different from the others."""

    number: float
    of: frozenset[Unknown]


Spreads = Mapping[Unknown, Spread]

_FACILITY: Final = Unknown(None, "facility_multiplier")
_HOST: Final = Unknown(None, "host_share")

_BETWEEN: Final[Mapping[Boundary, frozenset[Unknown]]] = {
    "accelerator": frozenset(),
    "server": frozenset({_FACILITY, _HOST}),
    "facility": frozenset({_FACILITY}),
}

# What energy at the accelerator is multiplied with; of the server it is 1 + host_share * (M - 1).
_AROUND: Final[Mapping[Boundary, tuple[Product, ...]]] = {
    "accelerator": (Product(1.0, frozenset()),),
    "server": (
        Product(1.0, frozenset()),
        Product(1.0, frozenset({_HOST, _FACILITY})),
        Product(-1.0, frozenset({_HOST})),
    ),
    "facility": (Product(1.0, frozenset({_FACILITY})),),
}


def spread_of(values: Sequence[float]) -> Spread:
    """Return mean and mean square of values that are equally likely."""
    return Spread(sum(values) / len(values), sum(value * value for value in values) / len(values))


def brought_j(seen: Iterable[Measured], constants: Constants, boundary: Boundary) -> float:
    """Return the joules that meters saw, brought to *boundary*."""
    around = multiplier(constants, boundary)
    return sum(one.joules * around / multiplier(constants, one.boundary) for one in seen)


def between(seen: Iterable[Measured], boundary: Boundary) -> frozenset[str]:
    """Return the constants, as fields, that bring what meters saw to *boundary*."""
    found: set[str] = set()
    for one in seen:
        if one.boundary != boundary and one.joules:
            found |= {unknown.part for unknown in _BETWEEN[one.boundary] | _BETWEEN[boundary]}
    return frozenset(found)


def shares(used: Iterable[Used], shared: Shared, seen: Iterable[Measured] = ()) -> list[Share]:
    """Return what each unknown contributes to the variance of a sum of calls, most first.

    Args:
        used: Moments by model of what no meter saw; spellings of one model are one model here.
        shared: The constants.
        seen: What meters saw of them.

    Returns:
        First-order Sobol indices, of unknowns that contribute something. They add up to at most 1.
    """
    models = _merged(used)
    spreads = {**_constant_spreads(shared.draws), **_own_spreads(models)}
    products = {model.key: _polynomial(model, shared.boundary) for model in models}
    everything = [product for one in products.values() for product in one]
    alone: dict[Unknown, float] = {}
    for unknown in spreads:
        # Of what belongs to one model, the others do not depend.
        moved = everything if unknown.key is None else products[unknown.key]
        alone[unknown] = variance(given(moved, {unknown}, spreads), spreads)
    whole = _whole_variance(products.values(), spreads)
    metered = list(seen)
    if around := between(metered, shared.boundary):
        expected = given(everything, {_FACILITY, _HOST}, spreads)
        way = _way(expected, shared, metered, varies=_HOST.part in around)
        whole += way.added
        alone |= {_FACILITY: way.of_facility, _HOST: way.of_host}
    if whole <= 0:
        return []
    found = [Share(unknown, value / whole) for unknown, value in alone.items()]
    return sorted((one for one in found if one.share > 0), key=lambda one: -one.share)


def variance(products: Sequence[Product], spreads: Spreads) -> float:
    """Return the variance of a sum of products of independent quantities."""
    return max(_mean_square(products, spreads) - _mean(products, spreads) ** 2, 0.0)


def given(products: Iterable[Product], known: Iterable[Unknown], spreads: Spreads) -> list[Product]:
    """Return what a sum of products is expected to be for each value of what is *known*."""
    kept = frozenset(known)
    return _collected(
        Product(
            one.number * prod(spreads[unknown].mean for unknown in one.of - kept), one.of & kept
        )
        for one in products
    )


def if_known(
    used: Iterable[Used], shared: Shared, unknown: Unknown, seen: Iterable[Measured] = ()
) -> Range:
    """Return the range that would be left if *unknown* were known to have its central value.

    Args:
        used: Moments by model of what no meter saw.
        shared: The constants.
        unknown: What would be known.
        seen: What meters saw of them.

    Returns:
        Wh; central is the same as with all of it unknown.
    """
    terms, metered = list(used), list(seen)
    totals = [
        _energy_if_known(terms, number, shared, unknown)
        + brought_j(metered, _if_known(drawn, shared, unknown), shared.boundary)
        for number, drawn in enumerate(shared.draws)
    ]
    middle = sum(energy_j(one.moments, one.factor.coefficients) for one in terms)
    middle += brought_j(metered, shared.central, shared.boundary)
    left = spread(middle, totals)
    return Range(left.low / JOULES_PER_WH, left.central / JOULES_PER_WH, left.high / JOULES_PER_WH)


def own_factors(model: ModelFactor) -> dict[str, Factor]:
    """Return the factors that belong to a model, by their field in :class:`Parameters`."""
    parts = model.match.parts
    found = {name: getattr(parts, name) for name in Parameters._fields}
    return {name: factor for name, factor in found.items() if factor is not None}


def _merged(used: Iterable[Used]) -> list[Used]:
    found: dict[str, Used] = {}
    for one in used:
        before = found.get(one.key)
        if before is not None:
            pairs = zip(before.moments, one.moments, strict=True)
            found[one.key] = Used(Moments(*(a + b for a, b in pairs)), before.factor)
        else:
            found[one.key] = one
    return list(found.values())


def _constant_spreads(constants: Sequence[Constants]) -> dict[Unknown, Spread]:
    drawn = dict(zip(Constants._fields, zip(*constants, strict=True), strict=True))
    drawn[_DIVIDES] = tuple(1 / value for value in drawn[_DIVIDES])
    return {Unknown(None, name): spread_of(values) for name, values in drawn.items()}


def _own_spreads(models: Iterable[Used]) -> dict[Unknown, Spread]:
    found: dict[Unknown, Spread] = {}
    for model in models:
        for name, factor in own_factors(model.factor).items():
            # The order of a column does not matter to its mean, so its name does not either.
            drawn = column(factor.range, name, least=factor.least, most=factor.most)
            found[Unknown(model.key, name)] = spread_of(drawn)
    return found


def _polynomial(model: Used, boundary: Boundary) -> list[Product]:
    """Return the energy of one model's calls as products of unknowns; rho stands for 1/rho."""
    moments, has = model.moments, own_factors(model.factor)
    prefill, attention, hit, read = (
        Unknown(None, name)
        for name in (
            "prefill_j_per_b_token",
            "attention_parity_tokens",
            "cache_hit_share",
            "cache_read_j_per_byte",
        )
    )
    parameters, decode, cache = (Unknown(model.key, name) for name in Parameters._fields)
    reading = frozenset({prefill, parameters})
    accelerator = [
        Product(moments.uncached, reading),
        Product(moments.uncached_context, reading | {attention}),
        Product(moments.cached, reading | {hit}),
    ]
    if decode.part in has:
        accelerator.append(Product(moments.output, frozenset({decode})))
    if cache.part in has:
        accelerator.append(Product(moments.output_context, frozenset({read, cache})))
    return [
        Product(one.number * around.number, one.of | around.of)
        for one in accelerator
        for around in _AROUND[boundary]
    ]


def _whole_variance(models: Iterable[Sequence[Product]], spreads: Spreads) -> float:
    """Return the variance of the energy of all models together.

    Models share nothing but constants, so by the law of total variance it is that of what is
    expected given the constants, and what each model adds to it by itself. The cost is linear in
    the number of models.
    """
    constants = {unknown for unknown in spreads if unknown.key is None}
    expected: list[Product] = []
    added = 0.0
    for products in models:
        shared = given(products, constants, spreads)
        expected += shared
        added += _mean_square(products, spreads) - _mean_square(shared, spreads)
    return variance(_collected(expected), spreads) + max(added, 0.0)


@dataclass(frozen=True, slots=True)
class _Way:
    """What the way from meters to the boundary does to variances.

    Attributes:
        added: What it adds to that of the estimate alone; less than nothing where it evens out.
        of_facility: Variance that the multiplier of the facility causes alone, all in all.
        of_host: Variance that the share of the host causes alone, all in all.
    """

    added: float
    of_facility: float
    of_host: float


def _way(
    estimated: Sequence[Product], shared: Shared, seen: Sequence[Measured], *, varies: bool
) -> _Way:
    """Average over all pairs of draws of the two constants that are around the accelerator.

    Args:
        estimated: What the estimate is expected to be for each value of the two.
        shared: The constants.
        seen: What meters saw.
        varies: Whether the share of the host has a part in it.
    """
    hosts = [one.host_share for one in shared.draws] if varies else [shared.central.host_share]
    plain: list[list[float]] = []
    whole: list[list[float]] = []
    for drawn in shared.draws:
        row = [drawn._replace(host_share=host) for host in hosts]
        plain.append([_value(estimated, one) for one in row])
        whole.append([brought_j(seen, one, shared.boundary) for one in row])
        whole[-1] = list(map(add, whole[-1], plain[-1]))
    return _Way(
        added=_variance_of(chain(*whole)) - _variance_of(chain(*plain)),
        of_facility=_variance_of(map(fmean, whole)),
        of_host=_variance_of(map(fmean, zip(*whole, strict=True))) if varies else 0.0,
    )


def _value(products: Iterable[Product], constants: Constants) -> float:
    return sum(one.number * prod(getattr(constants, x.part) for x in one.of) for one in products)


def _variance_of(values: Iterable[float]) -> float:
    of = list(values)
    mean = fmean(of)
    return fmean((value - mean) ** 2 for value in of)


def _collected(products: Iterable[Product]) -> list[Product]:
    numbers: dict[frozenset[Unknown], float] = {}
    for one in products:
        numbers[one.of] = numbers.get(one.of, 0.0) + one.number
    return [Product(number, of) for of, number in numbers.items() if number]


def _mean(products: Iterable[Product], spreads: Spreads) -> float:
    return sum(one.number * prod(spreads[name].mean for name in one.of) for one in products)


def _mean_square(products: Sequence[Product], spreads: Spreads) -> float:
    return sum(
        one.number
        * other.number
        * prod(spreads[name].square for name in one.of & other.of)
        * prod(spreads[name].mean for name in one.of ^ other.of)
        for one in products
        for other in products
    )


def _energy_if_known(terms: Sequence[Used], number: int, shared: Shared, unknown: Unknown) -> float:
    """Return the joules of a draw with *unknown* at its central value.

    A factor scales each of the five products, a constant those of all models alike.
    """
    if unknown.key is None:
        sums = [0.0] * len(Moments._fields)
        for one in terms:
            for place, product in enumerate(map(mul, one.moments, one.factor.draws[number])):
                sums[place] += product
        return sum(map(mul, sums, _ratios(number, shared, unknown.part)))
    return sum(
        energy_j(one.moments, one.factor.draws[number])
        if one.key != unknown.key
        else energy_j(one.moments, _with_known(one, number, shared, unknown.part))
        for one in terms
    )


def _if_known(drawn: Constants, shared: Shared, unknown: Unknown) -> Constants:
    if unknown.key is not None:
        return drawn
    return drawn._replace(**{unknown.part: getattr(shared.central, unknown.part)})


def _ratios(number: int, shared: Shared, part: str) -> Sequence[float]:
    """Return what a constant's central value makes of each product, over what the draw did."""
    any_model = Parameters(1.0, 1.0, 1.0)
    drawn = shared.draws[number]
    known = drawn._replace(**{part: getattr(shared.central, part)})
    pairs = zip(
        coefficients(known, any_model, shared.boundary),
        coefficients(drawn, any_model, shared.boundary),
        strict=True,
    )
    return [one / other for one, other in pairs]


def _with_known(one: Used, number: int, shared: Shared, part: str) -> Coefficients:
    """Return a draw of a model's coefficients with one of its own at its central value."""
    own = _parameters(one.factor.draws[number], shared.draws[number], shared.boundary)
    central = _parameters(one.factor.coefficients, shared.central, shared.boundary)
    known = own._replace(**{part: getattr(central, part)})
    return coefficients(shared.draws[number], known, shared.boundary)


def _parameters(of: Coefficients, constants: Constants, boundary: Boundary) -> Parameters:
    """Return what a model was like in a draw of its coefficients."""
    around = multiplier(constants, boundary)
    return Parameters(
        active_parameters_b=of.j_uncached / (around * constants.prefill_j_per_b_token),
        decode_j_per_token=of.j_output / around,
        cache_bytes_per_token=of.j_output_context / (around * constants.cache_read_j_per_byte),
    )
