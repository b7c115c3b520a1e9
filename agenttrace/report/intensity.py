"""How much for each of something, never without how much in all and of how many.

A figure per call can fall while the total grows. So reports hold such a figure as an
:class:`Intensity` only, which has the total, the volume and the period with it, and the change of
all three where there is an earlier period.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agenttrace.model import Range


@dataclass(frozen=True, slots=True)
class Change:
    """How far three figures moved from an earlier period, as parts of what they were: 0.5 is +50 %.

    Attributes:
        against: The earlier period.
        total: Of the total; None where either is unknown, or there was nothing.
        volume: Of the volume; None where there was nothing.
        each: Of the figure for each one.
    """

    against: str
    total: float | None
    volume: float | None
    each: float | None


@dataclass(frozen=True, slots=True)
class Intensity:
    """A figure for each of something, with what it is made of; made by :func:`intensity`.

    Attributes:
        what: What is divided: ``energy``, ``carbon``, ``water``, ``calls`` or ``tokens``.
        unit: Of the total and of the figure: ``Wh``, ``g``, ``l``, ``calls`` or ``tokens``.
        per: What it is divided by, such as ``call`` or ``1,000 tokens``.
        period: When.
        total: All of it in the period; None where it is not known.
        volume: How many of *per* there were; None where nobody knows.
        each: *total* by *volume*; None where either is not known, or there were none.
        change: Against an earlier period; None where there is none with anything in it.
    """

    what: str
    unit: str
    per: str
    period: str
    total: Range | None
    volume: float | None
    each: Range | None
    change: Change | None


def intensity(
    what: str,
    unit: str,
    per: str,
    *,
    period: str,
    total: Range | None,
    volume: float | None,
    before: Intensity | None = None,
) -> Intensity:
    """Divide *total* by *volume*.

    Args:
        what: What is divided.
        unit: Of *total*.
        per: What it is divided by.
        period: When; both are of this period.
        total: All of it; None where it is not known.
        volume: How many; None where nobody knows.
        before: The same of an earlier period.

    Raises:
        ValueError: There is no period, or *before* is of something else.
    """
    if not period:
        raise ValueError(f"{what} per {per} says nothing without its period")
    if before is not None and (before.what, before.unit, before.per) != (what, unit, per):
        raise ValueError(f"{what} per {per} cannot be set against {before.what} per {before.per}")
    each = total * (1 / volume) if total is not None and volume else None
    return Intensity(
        what=what,
        unit=unit,
        per=per,
        period=period,
        total=total,
        volume=volume,
        each=each,
        change=None if before is None else _change(before, total, volume, each),
    )


def set_against(figures: Sequence[Intensity], before: Sequence[Intensity]) -> tuple[Intensity, ...]:
    """Return *figures* with their change from those of *before* that say the same."""
    earlier = {(one.what, one.unit, one.per): one for one in before}
    return tuple(
        one if old is None else replace(one, change=_change(old, one.total, one.volume, one.each))
        for one in figures
        for old in [earlier.get((one.what, one.unit, one.per))]
    )


def _change(
    before: Intensity, total: Range | None, volume: float | None, each: Range | None
) -> Change | None:
    if not before.volume and before.total is None:
        return None
    return Change(
        against=before.period,
        total=_moved(_central(before.total), _central(total)),
        volume=_moved(before.volume, volume),
        each=_moved(_central(before.each), _central(each)),
    )


def _moved(before: float | None, now: float | None) -> float | None:
    return now / before - 1 if before and now is not None else None


def _central(value: Range | None) -> float | None:
    return None if value is None else value.central
