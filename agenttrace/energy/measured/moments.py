"""Read moments as the files of meters write them."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final

_NS_PER_S: Final = 1_000_000_000
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment_ns(text: str, zone: tzinfo | None) -> int:
    """Return nanoseconds since 1970-01-01 UTC.

    Args:
        text: Seconds since 1970-01-01 UTC, or a date and time as ISO 8601 writes it.
        zone: Of a time that names none; None for that of this machine.

    Raises:
        ValueError: It is no moment between 2000 and 2100, or two, or none, as the clocks change.
    """
    try:
        seconds = Decimal(text.strip())
    except InvalidOperation:
        return _of_date(text, zone)
    if not (seconds.is_finite() and _EARLIEST <= seconds < _LATEST):
        raise ValueError(
            f"{text} are no seconds since 1970-01-01 UTC between 2000 and 2100. Are they "
            "milliseconds?"
        )
    return int(seconds * _NS_PER_S)


def _of_date(text: str, zone: tzinfo | None) -> int:
    try:
        found = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no moment. Write 2026-01-31T12:00:00Z, or seconds since 1970-01-01 UTC."
        ) from error
    in_utc = found if found.tzinfo is not None else _settled(found, text, zone)
    if not _EARLIEST <= in_utc.timestamp() < _LATEST:
        raise ValueError(f"{text!r} is not between 2000 and 2100.")
    since = in_utc - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def _settled(found: datetime, text: str, zone: tzinfo | None) -> datetime:
    """Return a local time as UTC, unless the clocks leave it open which that is."""
    first, second = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise ValueError(
            f"{text!r} comes twice or never, as the clocks change. Write times with their offset, "
            "or in UTC and say --time-zone UTC."
        )
    return first
