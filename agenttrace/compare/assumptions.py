"""What a projection takes for granted: one number, or 5 %, central and 95 %."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from agenttrace.errors import ConfigError
from agenttrace.model import Range


class Assumption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is taken for granted: one value, or 5 %, central and 95 %.

    Attributes:
        value: Where it is one.
        low: 5 % of what may be.
        central: The middle.
        high: 95 %.
        note: Why, in words.
        source: Where it is from.
    """

    value: float | None = None
    low: float | None = None
    central: float | None = None
    high: float | None = None
    note: str = ""
    source: str = ""

    @property
    def range(self) -> Range:
        """The same as a range; only of one that was checked."""
        if self.value is not None:
            return Range(self.value, self.value, self.value)
        assert self.low is not None
        assert self.central is not None
        assert self.high is not None
        return Range(self.low, self.central, self.high)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what an assumption lies, both ends included, and what to do where it does not."""

    least: float
    most: float
    otherwise: str


_ABOVE_0: Final = math.nextafter(0, 1)
_ABOVE_MINUS_1: Final = math.nextafter(-1, 0)
_GROWTH: Final = (
    "Give more than -1 (-100 %), at most 10 (+1,000 %); 0.5 or 50% is half as many more."
)

BOUNDS: Final[Mapping[str, Bounds]] = {
    "agents": Bounds(_ABOVE_0, 1e9, "Say how many agents work: more than 0, at most 1e9."),
    "hours_per_week": Bounds(_ABOVE_0, 168, "A week has 168 hours: give more than 0, at most 168."),
    "growth": Bounds(_ABOVE_MINUS_1, 10, _GROWTH),
    "efficiency": Bounds(
        _ABOVE_MINUS_1,
        math.nextafter(1, 0),
        "Give less than 1 (100 %) and more than -1; 0.3 or 30% is 30 % less a year.",
    ),
    "tasks_per_hour": Bounds(_ABOVE_0, 1e6, "Give more than 0, at most 1,000,000."),
    "grid": Bounds(0, 3000, "Give g CO2e per kWh, 0 to 3,000."),
    "grid_change": Bounds(
        _ABOVE_MINUS_1, 1, "Give more than -1 (-100 %), at most 1; -5% is 5 % less a year."
    ),
    "people": Bounds(_ABOVE_0, 1e10, "Say how many people ask: more than 0, at most 1e10."),
    "people_growth": Bounds(_ABOVE_MINUS_1, 10, _GROWTH),
}
"""What may be a range, by name, in the order in which reports show it."""


def amount(text: str) -> Assumption:
    """Read an assumption as an option says it: ``0.5``, ``50%``, or ``20%/50%/100%``.

    Raises:
        ConfigError: It is neither a number nor three with / between.
    """
    try:
        numbers = [_number(part) for part in text.split("/")]
    except ValueError:
        numbers = []
    match numbers:
        case [value]:
            return Assumption(value=value)
        case [low, central, high]:
            return Assumption(low=low, central=central, high=high)
        case _:
            raise ConfigError(
                f"{text!r} is no number. Say one such as 0.5 or 50%, or low/central/high such as "
                f"20%/50%/100%."
            )


def check_assumption(name: str, said: Assumption, bounds: Bounds) -> None:
    """Check that *said* is a value or a range, and inside *bounds*; *name* is for the error.

    Raises:
        ConfigError: It is not.
    """
    ends = [end is not None for end in (said.low, said.central, said.high)]
    if any(ends) if said.value is not None else not all(ends):
        raise ConfigError(f"{name} needs value, or low, central and high. Give one or the three.")
    value = said.range
    numbers = (value.low, value.central, value.high)
    if not all(map(math.isfinite, numbers)) or not value.low <= value.central <= value.high:
        raise ConfigError(f"{name} is {_said(value)}. Give numbers, low <= central <= high.")
    if not (bounds.least <= value.low and value.high <= bounds.most):
        raise ConfigError(f"{name} is {_said(value)}. {bounds.otherwise}")


def _said(value: Range) -> str:
    ends = [f"{end:g}" for end in (value.low, value.central, value.high)]
    return ends[0] if len(set(ends)) == 1 else "/".join(ends)


def _number(text: str) -> float:
    said = text.strip()
    return float(said.removesuffix("%")) / (100 if said.endswith("%") else 1)
