"""Numbers as people read them: counts, shares, durations, ranges in a fitting unit.

Estimates are rounded to two significant digits, which is more than their ranges deserve; counts
are never rounded. Rounding keeps order, so what is printed satisfies low <= central <= high.
"""

import math
from dataclasses import dataclass
from typing import Final

from agenttrace.model import Range

UNKNOWN: Final = "not reported"
DASH: Final = "\N{EN DASH}"
"""Between the ends of a range, and where there is nothing to divide by."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit and how many base units it holds.

    Attributes:
        symbol: As printed after the number.
        size: Base units in one of it.
    """

    symbol: str
    size: float


ENERGY = (
    Unit("µWh", 1e-6),
    Unit("mWh", 1e-3),
    Unit("Wh", 1.0),
    Unit("kWh", 1e3),
    Unit("MWh", 1e6),
    Unit("GWh", 1e9),
)
"""Base unit: Wh."""

MASS = (
    Unit("µg", 1e-6),
    Unit("mg", 1e-3),
    Unit("g", 1.0),
    Unit("kg", 1e3),
    Unit("t", 1e6),
    Unit("kt", 1e9),
)
"""Base unit: g."""

VOLUME = (
    Unit("µl", 1e-6),
    Unit("ml", 1e-3),
    Unit("l", 1.0),
    Unit("m³", 1e3),
)
"""Base unit: l."""


def count(value: int | None) -> str:
    """Return *value* with its thousands apart; None is said, never shown as zero."""
    return UNKNOWN if value is None else f"{value:,}"


def share(part: float | None, whole: float | None) -> str:
    """Return *part* of *whole* in per cent; nothing of something stays apart from hardly anything.

    Returns:
        A whole per cent, ``<1 %`` or ``>99 %`` beside the ends, a dash where there is no whole.
    """
    if part is None or not whole:
        return DASH
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "<1 %"
    if 99 < percent < 100:  # noqa: PLR2004 - per cent
        return ">99 %"
    return f"{percent:.0f} %"


def duration(milliseconds: float | None) -> str:
    """Return a length of time in its two largest units."""
    if milliseconds is None:
        return UNKNOWN
    if milliseconds < 999.5:  # noqa: PLR2004 - what still rounds to under a second
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:  # noqa: PLR2004 - what still rounds to under a minute
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return f"{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min"


def counted(number: int, one: str) -> str:
    """Return how many of something, *one* of which is a ``task``: ``1 task``, ``2 tasks``."""
    many = "people" if one == "person" else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"


def significant(value: float, digits: int = 2) -> str:
    """Return *value* rounded to *digits* significant digits, never in powers of ten."""
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def unit_of(magnitude: float, units: tuple[Unit, ...]) -> Unit:
    """Return the largest unit of which *magnitude* (in base units) holds at least one.

    Zero is told in the base unit; what is less than one of the smallest, in the smallest.
    """
    if magnitude == 0:
        return next(unit for unit in units if unit.size == 1)
    rounded = float(f"{magnitude:.1e}")
    fitting = [unit for unit in units if rounded >= unit.size]
    return fitting[-1] if fitting else units[0]


def bounds(value: Range, unit: Unit) -> tuple[str, str, str]:
    """Return low, central and high of *value* in *unit*, without its symbol."""
    return (
        significant(value.low / unit.size),
        significant(value.central / unit.size),
        significant(value.high / unit.size),
    )


def interval(value: Range, units: tuple[Unit, ...]) -> str:
    """Return the low, central and high value with a dash between, and their unit."""
    unit = unit_of(value.central, units)
    return f"{dashed(bounds(value, unit))} {unit.symbol}"


def dashed(parts: tuple[str, ...]) -> str:
    """Return *parts* with a dash between."""
    return f" {DASH} ".join(parts)


def amount(value: float | None) -> str:
    """Return how many: a count as it is, a part of one in three significant digits."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value == round(value) else significant(value, 3)


def change(part: float | None) -> str:
    """Return how far something moved in per cent, with its sign: 0.5 is ``+50 %``.

    Args:
        part: Of what it was, -1 for nothing left; None where that is not known.

    Returns:
        A whole per cent; less than one keeps a digit, and hardly anything left stays apart from
        nothing.
    """
    if part is None:
        return "?"
    percent = 100 * part
    if percent == 0:
        return "±0 %"
    if -100 < percent < -99:  # noqa: PLR2004 - per cent
        return "<-99 %"
    sign = "+" if percent > 0 else "-"
    if abs(percent) < 0.95:  # noqa: PLR2004 - what does not round to a whole per cent
        return f"{sign}{significant(abs(percent), 1)} %"
    return f"{sign}{abs(percent):,.0f} %"


def times(value: float) -> str:
    """Return how many times as much, in two significant digits and words."""
    return f"{significant(value)} times"
