"""Say of stretches of time what keeps two from being compared, and one from being whole."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from agenttrace.compare.periods import Period
from agenttrace.report import figures

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)

Sums = tuple[int, float | None]
"""Calls, and their energy in Wh; None where it is not known."""


def overlap(period: Period, earlier: Period, sums: tuple[Sums, Sums] | None = None) -> str:
    """Say that two periods overlap, and from when to when, without a full stop.

    Args:
        period: The one.
        earlier: What it was to be set against.
        sums: Of both, in order, where a report does not show them already.
    """
    starts = [one.start for one in (period, earlier) if one.start is not None]
    ends = [one.end for one in (period, earlier) if one.end is not None]
    since = f" from {_first(max(starts))}" if starts else ""
    until = f" to {_last(min(ends))}" if ends else ""
    where = f"{since}{until}" + (" (UTC)" if starts or ends else "")
    said = f"the periods {_named(period)} and {_named(earlier)} overlap{where}"
    if sums is not None:
        one, other = sums
        said += f": in all {_amount(one)}, and {_amount(other)}"
    return said


def unfinished(
    period: Period, recorded: tuple[str, str] | None, now: datetime | None = None
) -> Iterator[str]:
    """Say that *period* is not over, or that what is recorded begins or ends in its middle.

    Args:
        period: Which is looked at.
        recorded: Start of the first and of the last call of everything, ISO 8601; None if none.
        now: The time, UTC without a zone; that of the clock if not given.
    """
    if recorded is None or period.start is None or period.end is None:
        return
    now = datetime.now(UTC).replace(tzinfo=None) if now is None else now
    first, last = (datetime.fromisoformat(one.removesuffix("Z")) for one in recorded)
    if last < period.start or first >= period.end:
        return
    if now < period.end:
        yield (
            f"the period {period} is not over: it lasts to {_last(period.end)} (UTC), and what is "
            f"recorded of it ends on {last:%Y-%m-%d}"
        )
    elif last < period.end - _DAY:
        yield f"nothing is recorded after {last:%Y-%m-%d} (UTC), so {period} is not whole"
    if first >= period.start + _DAY:
        yield f"nothing is recorded before {first:%Y-%m-%d} (UTC), so {period} is not whole"


def length(duration: timedelta) -> str:
    """Return how long something lasted: in days, or in hours where that is under a day."""
    if duration >= _DAY:
        return f"{duration / _DAY:.1f} days"
    if duration < _HOUR:
        return "less than an hour"
    return f"{figures.significant(duration / _HOUR)} hours"


def _amount(sums: Sums) -> str:
    calls, energy_wh = sums
    energy = "an unknown energy"
    if energy_wh is not None:
        unit = figures.unit_of(energy_wh, figures.ENERGY)
        energy = f"{figures.significant(energy_wh / unit.size)} {unit.symbol}"
    return f"{figures.counted(calls, 'call')} with {energy}"


def _named(period: Period) -> str:
    return "all recorded" if period.start is None and period.end is None else str(period)


def _first(start: datetime) -> str:
    return f"{start:%Y-%m-%d}" if start.hour == 0 else f"{start:%Y-%m-%dT%H}"


def _last(end: datetime) -> str:
    """Return the last day or hour before *end*."""
    return f"{end - _DAY:%Y-%m-%d}" if end.hour == 0 else f"{end - _HOUR:%Y-%m-%dT%H}"
