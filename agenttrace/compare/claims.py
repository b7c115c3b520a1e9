"""Claims on agents and electricity, as data, and when what was recorded supports one.

A figure is tested with its whole range: a claim is supported where all of the range lies within the
bounds, not supported where all of it lies outside, and there is not enough data where the range
reaches over a bound, or there is no figure.
"""

from collections.abc import Iterable
from functools import cache
from math import inf
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from agenttrace.compare import toml_file
from agenttrace.errors import FactorError
from agenttrace.model import Range

Verdict: TypeAlias = Literal["supported", "not supported", "not enough data"]
Unit: TypeAlias = Literal["times", "share", "users", "prompts", "change", "opposite"]

SUPPORTED: Final = "supported"
NOT_SUPPORTED: Final = "not supported"
NOT_ENOUGH: Final = "not enough data"

_SHIPPED: Final = Path(__file__).with_name("claims.toml")


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a figure must be for a claim to hold.

    Attributes:
        of: What is tested.
        unit: Of the figure: ``times``, ``share`` (0 to 1), ``users``, ``prompts``, ``change``
            (0.5 is +50 %), or ``opposite`` (1 where a figure moved against the total, else -1).
        at_least: Lowest value that is within.
        at_most: Highest value that is within.
        above: Highest value that is still outside.
        reading: How a vague word of the claim became a number.
    """

    of: str
    unit: Unit
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    reading: str = ""


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A claim, and how it is tested.

    Attributes:
        id: Stable name.
        text: What is claimed, in our words and with the figures that are named.
        answered_by: What is looked at.
        holds_if: Whether ``all`` bounds must hold, or ``any``.
        brings: What brings the data, where they are missing.
        least: How many observations it takes.
        bound: What the figures must be.
    """

    id: str
    text: str
    answered_by: str
    holds_if: Literal["all", "any"]
    brings: str
    least: int = 1
    bound: tuple[Bound, ...]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    claim: tuple[Claim, ...]


@cache
def shipped() -> tuple[Claim, ...]:
    """Return the claims that come with agenttrace, read once per process."""
    return load(_SHIPPED)


def load(path: Path) -> tuple[Claim, ...]:
    """Read a file of claims.

    Raises:
        FactorError: The file cannot be read, a claim is given twice, or one has no bound or an
            impossible one.
    """
    claims = toml_file.read(path, _File, _SHIPPED).claim
    toml_file.check_once(path.name, "claim", (claim.id for claim in claims))
    for claim in claims:
        if not claim.bound:
            raise FactorError(f"{path.name}: claim {claim.id!r} has no bound. Add [[claim.bound]].")
        for bound in claim.bound:
            _check(f"{path.name}: claim {claim.id!r}, bound of {bound.of!r}", bound)
    return claims


def judge(value: Range | None, bound: Bound) -> Verdict:
    """Say whether a figure, with its whole range, is within a bound.

    Args:
        value: The figure; None where there is none.
        bound: What it must be.
    """
    if value is None:
        return NOT_ENOUGH
    least, most = _ends(bound)
    is_outside = value.high < least or value.low > most
    if bound.above is not None:
        within, is_outside = value.low > bound.above, value.high <= bound.above
    else:
        within = least <= value.low and value.high <= most
    return SUPPORTED if within else NOT_SUPPORTED if is_outside else NOT_ENOUGH


def together(verdicts: Iterable[Verdict], holds_if: Literal["all", "any"]) -> Verdict:
    """Return the verdict on a claim from those on its figures.

    Of ``all``, one that is not supported is enough to refuse the claim; of ``any``, one that is
    supported to support it.
    """
    found = list(verdicts)
    decides, otherwise = (
        (NOT_SUPPORTED, SUPPORTED) if holds_if == "all" else (SUPPORTED, NOT_SUPPORTED)
    )
    if decides in found:
        return decides
    return NOT_ENOUGH if NOT_ENOUGH in found or not found else otherwise


def _ends(bound: Bound) -> tuple[float, float]:
    return (
        -inf if bound.at_least is None else bound.at_least,
        inf if bound.at_most is None else bound.at_most,
    )


def _check(what: str, bound: Bound) -> None:
    least, most = _ends(bound)
    is_between = bound.at_least is not None or bound.at_most is not None
    if is_between == (bound.above is not None):
        raise FactorError(f"{what} is none. Give above, or at_least, at_most or both.")
    if least > most:
        raise FactorError(f"{what} ends at {most:g} before it begins at {least:g}. Swap them.")
