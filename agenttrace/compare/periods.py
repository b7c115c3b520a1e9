"""Stretches of time that are compared: months, weeks, days, hours, or from one to another; UTC."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from agenttrace.errors import ConfigError

_FORMS: Final = (
    "2026-10 (a month), 2026-W41 (a week), 2026-10-05 (a day), 2026-10-05T14 (an hour), 2026, "
    "2026-10-01..2026-10-15 (both included), or all"
)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_UNITS: Final = (
    (re.compile(r"\d{4}"), "year"),
    (re.compile(r"\d{4}-\d{2}"), "month"),
    (re.compile(r"\d{4}-W\d{2}"), "week"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "day"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}(:00)?"), "hour"),
)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time; sums are kept by the hour, so it begins and ends on one.

    Attributes:
        label: As it was asked for.
        start: First moment that is in it, UTC without a zone; None for as early as there is.
        end: First moment after it; None for as late as there is.
        unit: ``year``, ``month``, ``week``, ``day`` or ``hour`` where it is one of these.
    """

    label: str
    start: datetime | None = None
    end: datetime | None = None
    unit: str | None = None

    def __str__(self) -> str:
        return self.label

    @property
    def days(self) -> float | None:
        """How long it is, in days; None where it has no start or no end."""
        if self.start is None or self.end is None:
            return None
        return (self.end - self.start) / _DAY

    def before(self) -> "Period | None":
        """Return the one before: the month before a month, else as long a stretch.

        None of all, and of what would begin before the first year.
        """
        if self.start is None or self.end is None:
            return None
        try:
            start = self.start - (self.end - self.start)
        except OverflowError:
            return None
        if self.unit == "year":
            return parse(f"{self.start.year - 1:04}")
        if self.unit == "month":
            return parse((self.start - _DAY).isoformat()[:7])
        return between(start, self.start)

    def overlaps(self, other: "Period") -> bool:
        """Tell whether a moment is in both."""
        return _before(self.start, other.end) and _before(other.start, self.end)


ALL: Final = Period("all")
"""Everything that was recorded."""


def parse(said: str) -> Period:
    """Read a period.

    Args:
        said: One of the forms that the error lists.

    Raises:
        ConfigError: It is none, or ends before it begins.
    """
    text = said.strip()
    if text.lower() == "all":
        return ALL
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not dots:
        return _unit(said, first)
    start, end = _unit(said, first).start, _unit(said, last).end
    assert start is not None
    assert end is not None
    if end <= start:
        raise ConfigError(f"the period {said!r} ends before it begins. Say the earlier end first.")
    return Period(text, start, end)


def between(start: datetime, end: datetime) -> Period:
    """Return the period from *start* until just before *end*; both are whole hours."""
    whole_days = start == _midnight(start) and end == _midnight(end)
    if whole_days and end - start == _DAY:
        return Period(f"{start:%Y-%m-%d}", start, end, "day")
    if whole_days:
        if end - start == 7 * _DAY and start.isoweekday() == 1:
            return Period(f"{start:%G-W%V}", start, end, "week")
        return Period(f"{start:%Y-%m-%d}..{end - _DAY:%Y-%m-%d}", start, end)
    if end - start == _HOUR:
        return Period(f"{start:%Y-%m-%dT%H}", start, end, "hour")
    return Period(f"{start:%Y-%m-%dT%H}..{end - _HOUR:%Y-%m-%dT%H}", start, end)


def months(first: datetime, last: datetime) -> Iterator[Period]:
    """Yield the months from that of *first* to that of *last*."""
    month = parse(f"{first:%Y-%m}")
    while month.start is not None and month.end is not None and month.start <= last:
        yield month
        month = parse(f"{month.end:%Y-%m}")


def _unit(said: str, text: str) -> Period:
    for form, unit in _UNITS:
        if form.fullmatch(text):
            try:
                start, end = _ends(text, unit)
            except (ValueError, OverflowError):
                break
            return Period(text, start, end, unit)
    raise ConfigError(f"{said!r} is no period. Say it as {_FORMS}.")


def _ends(text: str, unit: str) -> tuple[datetime, datetime]:
    match unit:
        case "year":
            start = datetime(int(text), 1, 1)  # noqa: DTZ001 - UTC, as all times of the store
            return start, start.replace(year=start.year + 1)
        case "month":
            start = datetime.fromisoformat(f"{text}-01")
            return start, (start + 31 * _DAY).replace(day=1)
        case "week":
            start = datetime.fromisoformat(f"{text}-1")
            return start, start + 7 * _DAY
        case "day":
            start = datetime.fromisoformat(text)
            return start, start + _DAY
        case _:
            start = datetime.fromisoformat(text)
            return start, start + _HOUR


def whole_hours(start: datetime, end: datetime) -> Period:
    """Return the period of the hours from that of *start* to that of *end*, which is in it."""
    return between(_hour(start), _hour(end) + _HOUR)


def _hour(moment: datetime) -> datetime:
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return naive.replace(minute=0, second=0, microsecond=0)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _before(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end
