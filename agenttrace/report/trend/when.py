"""Which two periods to compare, where nobody says."""

from datetime import datetime, timedelta

from agenttrace.compare import periods
from agenttrace.compare.periods import Period

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


def chosen(seen: Period) -> tuple[Period, Period | None, str]:
    """Choose from the data.

    Args:
        seen: The hours from the first call to the last.

    Returns:
        The later period, the earlier one if there is time for it, and how they were chosen.
    """
    assert seen.start is not None
    assert seen.end is not None
    first, last = seen.start, seen.end - _HOUR
    if (pair := _months(first, last)) is not None:
        return *pair, "the last whole month of what was recorded, and the one before"
    days = (_day(last) - _day(first)) // _DAY + 1
    if days > 1:
        return *_halves(_day(first), days, _DAY), _said(days, "days")
    hours = (last - first) // _HOUR + 1
    if hours > 1:
        return *_halves(first, hours, _HOUR), _said(hours, "hours")
    return (
        periods.parse(f"{first:%Y-%m-%dT%H}"),
        None,
        "everything recorded: it is of one hour, with none before",
    )


def _months(first: datetime, last: datetime) -> tuple[Period, Period] | None:
    """Return the last two months of which every day lies between the first call and the last."""
    whole = [
        month
        for month in periods.months(first, last)
        if month.start is not None
        and month.end is not None
        and _day(first) <= month.start
        and month.end <= _day(last) + _DAY
    ]
    return (whole[-1], whole[-2]) if len(whole) > 1 else None


def _halves(first: datetime, number: int, unit: timedelta) -> tuple[Period, Period]:
    """Return the later half and the earlier one; of an odd number the middle one is left out."""
    half = number // 2 * unit
    end = first + number * unit
    return periods.between(end - half, end), periods.between(first, first + half)


def _said(number: int, units: str) -> str:
    odd = f"; the middle one of the {units} is left out" if number % 2 else ""
    return (
        f"the later half of the {number} {units} recorded, and the earlier half: "
        f"there are no two whole months{odd}"
    )


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
