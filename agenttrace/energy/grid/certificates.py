"""Keep certificates of electricity that was bought, and the residual mix that is left without them.

A file of certificates is kept as a whole under its name: importing it again replaces it, so a
corrected file does not count twice.
"""

import csv
import hashlib
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from agenttrace.energy import places
from agenttrace.energy.grid import hourly, times
from agenttrace.energy.grid.importing import MOST_G_PER_KWH
from agenttrace.errors import FactorError

FOLDER: Final = Path("grid") / "certificates"
RESIDUAL: Final = Path("grid") / "residual.parquet"

MOST_MWH_A_YEAR: Final = 4e10
"""More than the world generates: 31,029 TWh in 2024 (IEA, "Electricity 2025"; second-hand)."""

MOST_MWH_AN_HOUR: Final = 5e6
"""The same by the hour: 31,029 TWh a year are 3.5 million MWh an hour in the mean."""

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True)
class Certificate:
    """Electricity that was bought together with the proof of where it is from.

    Attributes:
        zone: Zone of the grid that it was fed into.
        year: Year of generation: of the hour as it was written, so that the first hour of a local
            year is of that year.
        hour: Hour of generation, UTC; None where only the year is known.
        mwh: Megawatt-hours.
        source: What generated it.
        g_per_kwh: What that emitted, gCO2e/kWh; 0 is carbon-free.
    """

    zone: str
    year: int
    hour: datetime | None
    mwh: float
    source: str
    g_per_kwh: float


@dataclass(frozen=True, slots=True)
class Residual:
    """What electricity emits that nobody bought certificates of.

    Attributes:
        zone: Zone of the grid.
        year: Of the figure.
        g_per_kwh: gCO2e/kWh.
        source: Where it is from.
    """

    zone: str
    year: int
    g_per_kwh: float
    source: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of certificates as it is kept.

    Attributes:
        name: Name that it is kept under.
        certificates: How many.
        mwh: Their sum.
        zones: Zones that they are of, by name.
        repeated: How many are of the same hour or year, zone and source as one before: they add up.
        replaced: A file of that name was there before, and said something else.
    """

    name: str
    certificates: int
    mwh: float
    zones: tuple[str, ...]
    repeated: int = 0
    replaced: bool = False


_COLUMNS: Final = (
    ("zone", "VARCHAR"),
    ("year", "INTEGER"),
    ("hour", "TIMESTAMP"),
    ("mwh", "DOUBLE"),
    ("source", "VARCHAR"),
    ("g_per_kwh", "DOUBLE"),
    ("content", "VARCHAR"),
    ("imported_at", "TIMESTAMP"),
)

_RESIDUAL_COLUMNS: Final = (
    ("zone", "VARCHAR"),
    ("year", "INTEGER"),
    ("g_per_kwh", "DOUBLE"),
    ("source", "VARCHAR"),
)


_NEEDED: Final = ("zone", "mwh", "source", "g_per_kwh")
_TIMES: Final = ("hour", "year")  # one of them
_OF_A_MIX: Final = tuple(name for name, _ in _RESIDUAL_COLUMNS)


def import_certificates(
    home: Path, path: Path, *, year: int | None = None, tz: str | None = None
) -> Kept:
    """Import a CSV of certificates: zone, hour or year, mwh, source, g_per_kwh.

    Args:
        home: Folder of the data.
        path: The file; hours are ISO 8601.
        year: The year that all of them are of, in the time that their hours are written in.
        tz: Time zone of hours that have none.

    Raises:
        FactorError: The file cannot be read, a row of it is wrong or of another year, or the same
            certificates are kept under another name, or they cannot be written. Nothing is kept
            then.
    """
    content = _content(path)
    for other in files(home):
        if other.stem != path.stem and _content_of(other) == content:
            raise FactorError(
                f"{path.name}: these certificates are kept already as {other.stem!r}. "
                f"Remove those first: agenttrace grid remove --certificates {other.stem}"
            )
    said = list(_rows(path, _NEEDED, _TIMES))
    hours = _hours(path.name, said, tz)
    rows = [_certificate(row, year, hours) for row in said]
    target = home / FOLDER / f"{path.stem}.parquet"
    replaced = target.exists() and _content_of(target) != content
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    columns = [
        [one.zone for one in rows],
        [one.year for one in rows],
        [one.hour for one in rows],
        [one.mwh for one in rows],
        [one.source for one in rows],
        [one.g_per_kwh for one in rows],
        [content] * len(rows),
        [now] * len(rows),
    ]
    _write(target, _COLUMNS, columns)
    return replace(_summary(target), replaced=replaced)


def import_residual(home: Path, path: Path) -> list[Residual]:
    """Import a CSV of residual mixes: zone, year, g_per_kwh, source; same zone and year: replaced.

    Raises:
        FactorError: The file cannot be read, a row of it is wrong, or the mixes cannot be written.
            Nothing is kept then.
    """
    said: dict[tuple[str, int], Residual] = {}
    for row in _rows(path, _OF_A_MIX):
        one = _residual(row)
        if (one.zone, one.year) in said:
            raise row.wrong(f"{one.zone} {one.year} is given already. Remove one of the two")
        said[one.zone, one.year] = one
    kept = {(one.zone, one.year): one for one in residuals(home)} | said
    ordered = [kept[key] for key in sorted(kept)]
    columns = [
        [one.zone for one in ordered],
        [one.year for one in ordered],
        [one.g_per_kwh for one in ordered],
        [one.source for one in ordered],
    ]
    _write(home / RESIDUAL, _RESIDUAL_COLUMNS, columns)
    return list(said.values())


def files(home: Path) -> list[Path]:
    """Return the files of certificates that are kept, by name."""
    return sorted((home / FOLDER).glob("*.parquet"))


def certificates(home: Path) -> list[Certificate]:
    """Return every certificate that is kept, by zone and time.

    Raises:
        FactorError: A file cannot be read.
    """
    columns = ", ".join(name for name, _ in _COLUMNS[:6])
    rows = (row for path in files(home) for row in _read(path, columns))
    found = [Certificate(*row) for row in rows]
    return sorted(found, key=lambda one: (one.zone, one.year, one.hour is not None, one.hour))


def residuals(home: Path) -> list[Residual]:
    """Return the residual mixes that are kept, by zone and year.

    Raises:
        FactorError: The file cannot be read.
    """
    path = home / RESIDUAL
    columns = ", ".join(name for name, _ in _RESIDUAL_COLUMNS)
    return [Residual(*row) for row in _read(path, columns)] if path.exists() else []


def kept(home: Path) -> list[Kept]:
    """Return the files of certificates that are kept, summed up.

    Raises:
        FactorError: A file cannot be read.
    """
    return [_summary(path) for path in files(home)]


_SUMMARY: Final = """
    count(*),
    sum(mwh),
    list_sort(list(DISTINCT zone)),
    count(*) - count(DISTINCT (zone, year, hour, source))
"""


def _summary(path: Path) -> Kept:
    ((number, mwh, zones, repeated),) = _read(path, _SUMMARY)
    return Kept(path.stem, number, mwh, tuple(zones), repeated)


def remove(home: Path, name: str) -> bool:
    """Remove the certificates kept as *name*; return whether there were any.

    Raises:
        FactorError: The file cannot be removed.
    """
    path = home / FOLDER / f"{name}.parquet"
    if path not in files(home):
        return False
    with hourly.writing(path.parent):
        path.unlink()
    return True


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a file, with what is needed to say where it is."""

    file: str
    line: int
    cells: Mapping[str, str]

    def wrong(self, what: str) -> FactorError:
        return FactorError(f"{self.file}, line {self.line}: {what}.")

    def text(self, name: str) -> str:
        value = self.cells.get(name, "")
        if not value:
            raise self.wrong(f"{name} is missing. Every row needs one{_HINTS.get(name, '')}")
        return value

    def number(self, name: str, most: float, what: str) -> float:
        """Return a number from 0 to *most*, which is *what* in words."""
        said = self.text(name)
        try:
            value = float(said)
        except ValueError:
            raise self.wrong(f"{name} {said!r} is no number") from None
        if not 0 <= value < math.inf:
            raise self.wrong(f"{name} {said} is negative or no number. It is 0 or more")
        if value > most:
            raise self.wrong(
                f"{name} {said} is more than {what}; {most:,.0f} is taken at most. "
                f"Give {_UNITS[name]}"
            )
        return value

    def year(self) -> int:
        said = self.text("year")
        if not said.isdecimal() or not _FIRST_YEAR <= int(said) <= _LAST_YEAR:
            raise self.wrong(f"{said!r} is no year from {_FIRST_YEAR} to {_LAST_YEAR}")
        return int(said)


_UNITS: Final = {"g_per_kwh": "gCO2e per kWh", "mwh": "megawatt-hours"}
_HINTS: Final = {"g_per_kwh": ": 0 for wind and sun, which is not the same as not said"}


class _Hour(NamedTuple):
    utc: datetime
    year: int  # as written


def _certificate(row: _Row, year: int | None, hours: Mapping[str, _Hour]) -> Certificate:
    hour, of = hours[row.cells["hour"]] if row.cells.get("hour") else (None, year)
    if of is None or (hour is None and row.cells.get("year")):
        of = row.year()
    said = ((row.year() if row.cells.get("year") else of, "its year says"), (year, "--year says"))
    for other, whose in said:
        if other not in (None, of):
            raise row.wrong(f"it is of {of}, and {whose} {other}. Correct the one or the other")
    return Certificate(
        zone=_zone(row),
        year=of,
        hour=hour,
        mwh=(
            row.number("mwh", MOST_MWH_AN_HOUR, "the world generates in an hour")
            if hour
            else row.number("mwh", MOST_MWH_A_YEAR, "the world generates in a year")
        ),
        source=row.text("source"),
        g_per_kwh=_intensity(row),
    )


def _residual(row: _Row) -> Residual:
    return Residual(
        zone=_zone(row),
        year=row.year(),
        g_per_kwh=_intensity(row),
        source=row.text("source"),
    )


def _intensity(row: _Row) -> float:
    return row.number("g_per_kwh", MOST_G_PER_KWH, "any power station emits")


def _zone(row: _Row) -> str:
    return places.zone_of(row.text("zone"))


def _hours(file: str, rows: Sequence[_Row], tz: str | None) -> dict[str, _Hour]:
    """Return the hours by what the file says of them."""
    first: dict[str, _Row] = {}
    for row in rows:
        if said := row.cells.get("hour"):
            first.setdefault(said, row)
    stamps = [times.Stamp(said, row.line) for said, row in first.items()]
    found = times.moments(file, stamps, tz, given=tz is not None)
    for said, row in first.items():
        if said in found.ambiguous:
            raise row.wrong(
                f"{said!r} is two hours, for the clocks go back then. Give all hours in UTC"
            )
    return {said: _Hour(_beginning(found.utc[said, 1]), found.years[said]) for said in first}


def _beginning(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _rows(path: Path, needed: Sequence[str], more: Sequence[str] = ()) -> Iterator[_Row]:
    """Yield the rows of a CSV, each with its line.

    Args:
        path: The file.
        needed: Columns that it must have.
        more: Columns that it may have.
    """
    known = (*needed, *more)
    with io.StringIO(_text(path), newline="") as file:
        reader = csv.DictReader(file, restval="", skipinitialspace=True)
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        if missing := [name for name in needed if name not in names]:
            raise FactorError(
                f"{path.name}, line 1: column {missing[0]} is missing. Columns: {', '.join(known)}."
            )
        if unknown := [name for name in names if name not in known]:
            raise FactorError(
                f"{path.name}, line 1: column {unknown[0]!r} is not known. "
                f"Columns: {', '.join(known)}."
            )
        empty = True
        for cells in reader:
            empty = False
            if None in cells:
                raise FactorError(
                    f"{path.name}, line {reader.line_num}: it has more cells than the header. "
                    f"Quote what has a comma in it."
                )
            yield _Row(path.name, reader.line_num, {k: (v or "").strip() for k, v in cells.items()})
        if empty:
            raise FactorError(f"{path.name} has no rows. Give it a header and a row for each.")


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FactorError(f"{path.name} is not UTF-8 ({error}). Save it so.") from error


def _content(path: Path) -> str:
    return hashlib.sha256(_bytes(path)).hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FactorError(
            f"{path} cannot be read: {error.strerror}. Name a CSV that can be."
        ) from error


def _content_of(kept: Path) -> str:
    rows = _read(kept, "any_value(content)")
    return str(rows[0][0])


def _read(path: Path, columns: str) -> list[tuple[Any, ...]]:
    # 40 ms to import, and only reading the data needs it.
    import duckdb

    try:
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {columns} FROM read_parquet({hourly.quoted(path)})"
            ).fetchall()
    except duckdb.Error as error:
        how = (
            f"it with `agenttrace grid remove --certificates {path.stem}`"
            if path.parent.name == FOLDER.name
            else "the file"
        )
        raise FactorError(
            f"{path} cannot be read. Remove {how}, and import what it held again."
        ) from error


def _write(
    path: Path, schema: Sequence[tuple[str, str]], columns: Sequence[Sequence[object]]
) -> None:
    # 40 ms to import, and only writing the data needs it.
    import duckdb

    beside = path.with_suffix(f".{os.getpid()}.tmp")
    values = ", ".join(
        f"unnest(${number}::{type_}[]) AS {name}"
        for number, (name, type_) in enumerate(schema, start=1)
    )
    with hourly.writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with duckdb.connect() as connection:
                connection.execute(
                    f"COPY (SELECT {values}) TO {hourly.quoted(beside)} (FORMAT parquet)",
                    list(columns),
                )
            beside.replace(path)
        finally:
            with suppress(OSError):  # what could not be written is not there
                beside.unlink(missing_ok=True)
