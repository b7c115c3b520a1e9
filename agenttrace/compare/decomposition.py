"""Why a total changed: additive LMDI-I, which leaves no remainder.

A total is a sum over categories, and each category a product of named factors, such as tasks times
calls per task times tokens per call. The change of the total is told apart into one effect per
factor:

    effect_k = sum_i L(C_i1, C_i0) * ln(x_ik1 / x_ik0)        L(a, b) = (a - b) / ln(a / b)

where C is a category's product, 0 before and 1 after. The effects add up to the change, whatever
the order of the factors; swapping the periods turns every sign; and the effects of parts add up to
those of the whole.

Source: B. W. Ang (2005), The LMDI approach to decomposition analysis: a practical guide, Energy
Policy 33, 867-871, <https://doi.org/10.1016/j.enpol.2003.10.010>. Categories that are zero on one
side: B. W. Ang and N. Liu (2007), Handling zero values in the logarithmic mean Divisia index
decomposition approach, Energy Policy 35, 238-246, <https://doi.org/10.1016/j.enpol.2005.11.001>.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from math import fsum, inf, log, log1p
from typing import Final, TypeAlias, TypeVar

Chain: TypeAlias = Mapping[str, float | None]
"""Factors of one category in their order; the category's amount is their product.

None is a factor that means nothing because another one is zero: what a model that made no call
takes for a token.
"""

Category = TypeVar("Category", bound=Hashable)

_NEAR: Final = 0.5  # where a logarithm of a ratio would lose digits
_SAME: Final = 1e-4  # where the series of the mean is exact to the last digit


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A change told apart.

    Attributes:
        before: Total of the earlier period.
        after: Total of the later one.
        effects: What each factor adds to the change, in the unit of the totals.
    """

    before: float
    after: float
    effects: Mapping[str, float]

    @property
    def change(self) -> float:
        """How much more the later total is."""
        return self.after - self.before

    @property
    def residual(self) -> float:
        """What the effects leave of the change: nothing but rounding."""
        return fsum([self.after, -self.before, *(-effect for effect in self.effects.values())])


def decompose(
    before: Mapping[Category, Chain],
    after: Mapping[Category, Chain],
    *,
    entering: str | None = None,
) -> Decomposition:
    """Tell the change of a total apart.

    Args:
        before: Factors of each category in the earlier period.
        after: The same in the later one; the factors of a category have the same names.
        entering: Factor that the change of a category goes to which only one period has.

    Returns:
        The totals, and one effect per factor name in the order in which they first appear.

    Raises:
        ValueError: A factor is negative, not finite, or missing where it is needed.
    """
    parts: dict[str, list[float]] = {}
    totals: tuple[list[float], list[float]] = [], []
    for category in dict.fromkeys((*before, *after)):
        earlier, later = before.get(category), after.get(category)
        earlier = _absent(later, entering) if earlier is None else earlier
        later = _absent(earlier, entering) if later is None else later
        pair = amount(earlier), amount(later)
        totals[0].append(pair[0])
        totals[1].append(pair[1])
        for name, effect in _effects(earlier, later, *pair).items():
            parts.setdefault(name, []).append(effect)
    return Decomposition(
        fsum(totals[0]), fsum(totals[1]), {name: fsum(found) for name, found in parts.items()}
    )


def effects(before: Chain, after: Chain) -> dict[str, float]:
    """Return what each factor of one category adds to its change.

    Where a side is zero the limit of the formula stands: the whole change goes to the factor that
    is zero there, to the first of several.

    Raises:
        ValueError: The factors have other names, or are no factors.
    """
    return _effects(before, after, amount(before), amount(after))


def amount(chain: Chain) -> float:
    """Return the product of the factors: zero if one is, whatever is not known of the others.

    Raises:
        ValueError: A factor is negative or not finite, or one is not known and none is zero.
    """
    product, is_zero, is_known = 1.0, False, True
    for name, value in chain.items():
        if value is None:
            is_known = False
        elif 0 < value < inf:
            product *= value
        elif value == 0:
            is_zero = True
        else:
            raise ValueError(f"factor {name!r} is {value}, and must be zero or a positive number")
    if not is_zero and not is_known:
        raise ValueError("a factor is not known, and no other one is zero")
    return 0.0 if is_zero else product


def log_mean(one: float, other: float) -> float:
    """Return the logarithmic mean of two positive numbers: between them, and below their middle."""
    apart = (one - other) / other
    if abs(apart) < _SAME:
        # The quotient of two small numbers loses digits, and this series does not.
        return other * (1 + apart / 2 - apart**2 / 12 + apart**3 / 24)
    return (one - other) / log_ratio(one, other)


def log_ratio(one: float, other: float) -> float:
    """Return ln(*one* / *other*), exact where the two are nearly the same."""
    apart = (one - other) / other
    return log1p(apart) if abs(apart) < _NEAR else log(one) - log(other)


def _effects(before: Chain, after: Chain, earlier: float, later: float) -> dict[str, float]:
    """Return the effects, where the amounts of both sides are known."""
    if list(before) != list(after):
        raise ValueError(f"factors {list(before)} are not factors {list(after)}")
    found = dict.fromkeys(before, 0.0)
    if earlier and later:
        mean = log_mean(later, earlier)
        for name, value in before.items():
            found[name] = mean * log_ratio(_known(after[name]), _known(value))
    elif earlier or later:
        found[_first_zero(after if earlier else before)] = later - earlier
    return found


def _absent(chain: Chain | None, entering: str | None) -> Chain:
    assert chain is not None  # a category is in one of the two
    if entering not in chain:
        raise ValueError(f"say which factor of {list(chain)} is zero where a category is absent")
    return {name: 0.0 if name == entering else None for name in chain}


def _first_zero(chain: Chain) -> str:
    # A product of tiny factors may vanish with none of them zero: the least one then stands for it.
    zeros = [name for name, value in chain.items() if value == 0]
    return zeros[0] if zeros else min(chain, key=lambda name: _known(chain[name]))


def _known(value: float | None) -> float:
    assert value is not None  # the product is not zero, so all of them are known
    return value
