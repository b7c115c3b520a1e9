"""Read times as files have them, and say what hour of UTC they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from agenttrace.errors import FactorError

_FIRST_YEAR: Final = 1990  # data by the hour is not older
_LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time in a file.

    Attributes:
        text: As the file has it.
        line: Where it is first.
    """

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Moments:
    """What the times of a file mean.

    Attributes:
        utc: By time and how often it came before, from 1: the beginning in UTC, without a zone.
            A time of the hour that autumn has twice has a second meaning.
        ambiguous: Times that have two meanings.
        years: By time: the year as it is written. In UTC the first hours of a local year may be of
            the year before.
    """

    utc: dict[tuple[str, int], datetime]
    ambiguous: frozenset[str]
    years: dict[str, int]


def zone_info(name: str) -> ZoneInfo:
    """Return the time zone *name*.

    Raises:
        FactorError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise FactorError(
            f"there is no time zone {name!r}. Give --tz a name such as Europe/Berlin, or UTC."
        ) from error


def moments(
    file: str,
    stamps: Sequence[Stamp],
    tz: str | None,
    *,
    given: bool = False,
    patterns: Sequence[str] = (),
) -> Moments:
    """Read the times of a file.

    Args:
        file: Its name, for errors.
        stamps: Its distinct times.
        tz: Time zone of those that have none; None where it is not known. A name in brackets after
            the time goes before it: ``(UTC)``, ``(CET)``, ``(CEST)``, ``(CET/CEST)``.
        given: The user said *tz*, rather than the form of the file.
        patterns: How the form writes times (``strptime``) where it is not as ISO 8601 does. Nothing
            is guessed: 3/4 is March in one export and April in another.

    Raises:
        FactorError: A time cannot be read, some have a time zone and others none, none has one and
            *tz* is not given, or a time does not exist there.
    """
    read = [_read(file, stamp, patterns) for stamp in stamps]
    local = next((one.stamp for one in read if one.zone is None), None)
    fixed = next((one.stamp for one in read if one.zone is not None), None)
    # ENTSO-E names its zone on the days when the clocks change, and leaves it out on all others.
    known = () if given or tz is None else _CENTRAL
    mixed = next((one.stamp for one in read if one.zone and one.named not in known), None)
    if local and mixed:
        first, second = sorted((local, mixed), key=lambda stamp: stamp.line)
        raise FactorError(
            f"{file}, line {second.line}: {second.text!r} and {first.text!r} (line {first.line}) "
            f"mix times with and without a time zone. Give all of them in UTC."
        )
    if fixed and given:
        raise FactorError(
            f"{file}, line {fixed.line}: {fixed.text!r} has a time zone of its own. Leave out --tz."
        )
    if local and tz is None:
        raise FactorError(
            f"{file}, line {local.line}: {local.text!r} does not say its time zone. Give it with "
            f"--tz, such as --tz UTC or --tz Europe/Berlin."
        )
    utc: dict[tuple[str, int], datetime] = {}
    ambiguous: set[str] = set()
    where = zone_info(tz or "UTC")
    for stamp, time, zone, _ in read:
        if zone is not None and not isinstance(zone, ZoneInfo):
            utc[stamp.text, 1] = time.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
            continue
        early, late = _meanings(file, stamp, time, zone or where)
        utc[stamp.text, 1] = early
        if early != late:
            utc[stamp.text, 2] = late
            ambiguous.add(stamp.text)
    return Moments(utc, frozenset(ambiguous), {one.stamp.text: one.time.year for one in read})


class _Time(NamedTuple):
    """A time as it is written.

    Attributes:
        stamp: Where it is from.
        time: Without its time zone.
        zone: Its time zone; None where it says none.
        named: What it calls the zone; empty where it gives an offset or nothing.
    """

    stamp: Stamp
    time: datetime
    zone: tzinfo | None
    named: str


def _read(file: str, stamp: Stamp, patterns: Sequence[str]) -> _Time:
    text, named = _beginning(stamp.text)
    time = _parsed(text, patterns)
    if time is None:
        raise FactorError(
            f"{file}, line {stamp.line}: {stamp.text!r} is no time. "
            f"Write 2026-01-31T14:00:00+00:00."
        )
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise FactorError(
            f"{file}, line {stamp.line}: {stamp.text!r} is not from {_FIRST_YEAR} to {_LAST_YEAR}. "
            f"Correct the year."
        )
    zone = time.tzinfo or (_zone(named) if named else None)
    return _Time(stamp, time.replace(tzinfo=None), zone, named)


def _parsed(text: str, patterns: Sequence[str]) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for pattern in patterns:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is given apart
        except ValueError:
            continue
    return None


_NAMED: Final = re.compile(r"\((UTC|CET|CEST|CET/CEST)\)", re.IGNORECASE)
_CENTRAL: Final = ("CET", "CEST", "CET/CEST")
_OFFSETS: Final = {"UTC": 0, "CET": 1, "CEST": 2}  # hours


def _beginning(text: str) -> tuple[str, str]:
    """Return the beginning of a span, and what it calls its time zone.

    ENTSO-E writes ``01.01.2026 00:00 - 01.01.2026 01:00 (UTC)``, and where the clocks change
    ``29/03/2026 01:00:00 (CET) - 29/03/2026 03:00:00 (CEST)``.
    """
    first = text.partition(" - ")[0]
    found = _NAMED.search(first) or _NAMED.search(text)
    return first.partition(" (")[0].strip(), found[1].upper() if found else ""


def _zone(named: str) -> tzinfo:
    """Return the time zone that a name in brackets means; ``CET/CEST`` changes with the season."""
    if named not in _OFFSETS:
        return zone_info("Europe/Brussels")
    return timezone(timedelta(hours=_OFFSETS[named]))


def _meanings(
    file: str, stamp: Stamp, time: datetime, where: ZoneInfo
) -> tuple[datetime, datetime]:
    """Return the earlier and the later instant that a local time can mean."""
    early, late = (
        time.replace(tzinfo=where, fold=fold).astimezone(UTC).replace(tzinfo=None)
        for fold in (0, 1)
    )
    # A time that the clock jumps over comes back as another one.
    back = early.replace(tzinfo=UTC).astimezone(where).replace(tzinfo=None)
    if back != time:
        raise FactorError(
            f"{file}, line {stamp.line}: {stamp.text!r} does not exist in {where.key}: the clocks "
            f"go forward then. Give the times in UTC, or another --tz."
        )
    return early, late
