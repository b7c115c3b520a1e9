"""Draw every factor within its range: the same draws in every run, on every machine.

A factor is split-lognormal: its median is the central value, and its 5 % and 95 % are low and high.
Every column of draws is stratified (a Latin hypercube): each of the strata holds one value, in an
order that depends on the column's name alone. So a model's draws do not depend on which other
models are in the report, and what is shared by all models is one column for all of them.
"""

import math
from collections.abc import Sequence
from functools import cache

from agenttrace.energy.catalogue import Match
from agenttrace.energy.estimate import (
    Constants,
    ModelFactor,
    Parameters,
    coefficients,
)
from agenttrace.energy.factors import Factor, Factors
from agenttrace.model import Range

SCHEME = 1
"""Part of the version of a factor set; raise it when the same factors give other draws."""

DRAWS = 256
"""Draws of each factor.

The 5 % and 95 % of a call then carry a sampling error of 3 to 9 % (one standard deviation over
60 seeds: 3 to 6 % for a chat turn, 5 to 9 % for an agent step), beside ranges whose ends lie a
factor of 3 to 9 apart for known models. Twice the draws bring it to 2 to 6 %, at twice the cost of
every report.
"""


def shared(factors: Factors) -> list[Constants]:
    """Draw the constants that every model shares."""
    columns = (_column(factor, factor.id) for factor in factors.constants())
    return [Constants(*row) for row in zip(*columns, strict=True)]


def priced(
    provider: str | None,
    model: str | None,
    match: Match,
    factors: Factors,
    constants: Sequence[Constants],
) -> ModelFactor:
    """Return a model's coefficients, central and drawn.

    Args:
        provider: Who serves it; kept as it is.
        model: Its name in the trace; kept as it is.
        match: What the name was taken for; its key decides the order of the model's own draws.
        factors: Where the central constants come from.
        constants: Draws of :func:`shared`.
    """
    parts = (
        match.parts.active_parameters_b,
        match.parts.decode_j_per_token,
        match.parts.cache_bytes_per_token,
    )
    columns = [
        _column(part, f"{match.key}.{name}") if part else [0.0] * DRAWS
        for name, part in zip(Parameters._fields, parts, strict=True)
    ]
    return ModelFactor(
        provider=provider,
        model=model,
        match=match,
        coefficients=coefficients(
            Constants(*(factor.central for factor in factors.constants())),
            Parameters(*(part.central if part else 0.0 for part in parts)),
        ),
        draws=[
            coefficients(shared, Parameters(*own))
            for shared, own in zip(constants, zip(*columns, strict=True), strict=True)
        ],
    )


def column(
    quantity: Range, name: str, *, least: float = 0.0, most: float = math.inf
) -> list[float]:
    """Return :data:`DRAWS` values of *quantity*, one per stratum, in the order that *name* gives.

    Args:
        quantity: 5 %, median and 95 %; positive, or one value that is known.
        name: Of the column; the same name gives the same order.
        least: Values end here below.
        most: Values end here above.
    """
    if quantity.low == quantity.high:
        return [quantity.central] * DRAWS
    below = math.log(quantity.central / quantity.low)
    above = math.log(quantity.high / quantity.central)
    values = [
        min(max(quantity.central * math.exp(z * (below if z < 0 else above)), least), most)
        for z in _scores()
    ]
    return [values[stratum] for stratum in _order(name)]


def _column(factor: Factor, name: str) -> list[float]:
    return column(factor.range, name, least=factor.least, most=factor.most)


@cache
def _scores() -> tuple[float, ...]:
    """Return the middle of every stratum, in units of the distance from the median to the 95 %."""
    # 6 ms to import, and only estimates need it.
    from statistics import NormalDist

    normal = NormalDist()
    unit = normal.inv_cdf(0.95)
    return tuple(normal.inv_cdf((stratum + 0.5) / DRAWS) / unit for stratum in range(DRAWS))


def _order(name: str) -> list[int]:
    # 2 ms to import, and only estimates need it.
    import random

    # Only random() is promised to give the same numbers in every Python; shuffle() is not.
    generator = random.Random(f"agenttrace draws {SCHEME}: {name}")  # noqa: S311  # sampling, not secrets
    keys = [generator.random() for _ in range(DRAWS)]
    return sorted(range(DRAWS), key=keys.__getitem__)
