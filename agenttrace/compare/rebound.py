"""How much of what efficiency could have saved was used up by more use: the rebound.

    R = 1 - (E0 - E1) / (E0 - E0 * eps1 / eps0)

with E the energy and eps the energy for each unit, 0 before and 1 after. Below the line is what
the same use would have saved, above it what was saved.

Source: the reading of R follows S. Sorrell (2007), The Rebound Effect, UK Energy Research Centre,
and H. D. Saunders (2008), Fuel conserving (and using) production functions, Energy Economics 30,
2184-2235, who names super-conservation and backfire.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Reading: TypeAlias = Literal["super-conservation", "partial rebound", "backfire"]

MEANING: Final[dict[Reading, str]] = {
    "super-conservation": "more was saved than efficiency alone saves: use fell as well",
    "partial rebound": "more use took back a part of what efficiency saves",
    "backfire": "more use took more than efficiency saves (the Jevons paradox)",
}
"""What each reading says."""


@dataclass(frozen=True, slots=True)
class Rebound:
    """The rebound between two periods.

    Attributes:
        ratio: R; None where the energy for each unit did not fall, or is not known.
        reading: Of R: below 0, from 0 to 1, above 1.
        why_not: Why there is none.
    """

    ratio: float | None
    reading: Reading | None
    why_not: str | None


def rebound(
    before: float | None, after: float | None, each_before: float | None, each_after: float | None
) -> Rebound:
    """Return the rebound.

    Args:
        before: Energy of the earlier period, in any unit; None where it is not known.
        after: Of the later one.
        each_before: Energy for each unit of use in the earlier period, in any unit.
        each_after: In the later one.
    """
    if before is None or after is None or each_before is None or each_after is None:
        return Rebound(None, None, "the energy of one of the periods is not known")
    if before <= 0 or each_before <= 0:
        return Rebound(None, None, "the earlier period took no energy")
    if each_after >= each_before:
        return Rebound(
            None, None, "the energy per token did not fall, so there is no saving to take back"
        )
    ratio = 1 - (before - after) / saving(before, each_before, each_after)
    return Rebound(ratio, reading(ratio), None)


def saving(before: float, each_before: float, each_after: float) -> float:
    """Return what efficiency alone would have saved of *before*, in its unit."""
    return before * (1 - each_after / each_before)


def reading(ratio: float) -> Reading:
    """Say what R means: below 0, from 0 to 1, above 1."""
    if ratio < 0:
        return "super-conservation"
    return "partial rebound" if ratio <= 1 else "backfire"
