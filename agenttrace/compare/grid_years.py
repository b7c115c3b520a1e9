"""What a kilowatt-hour emits in years to come: read it from a file, and between the years of it."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import pairwise
from pathlib import Path

import msgspec

from agenttrace.compare.assumptions import BOUNDS, Assumption, check_assumption
from agenttrace.errors import ConfigError
from agenttrace.model import Range


class GridYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a kWh emits in one year.

    Attributes:
        year: Of the calendar.
        g_per_kwh: Central, g CO2e.
        low: 5 % of what may be; None where *high* is.
        high: 95 %.
        source: Where it is from.
    """

    year: int
    g_per_kwh: float
    low: float | None = None
    high: float | None = None
    source: str = ""

    @property
    def range(self) -> Range:
        """The same as a range."""
        if self.low is None or self.high is None:
            return Range(self.g_per_kwh, self.g_per_kwh, self.g_per_kwh)
        return Range(self.low, self.g_per_kwh, self.high)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    grid_year: tuple[GridYear, ...]


def read(path: Path) -> tuple[GridYear, ...]:
    """Read what a kWh emits by year: CSV with year,g_per_kwh[,low,high], or TOML [[grid_year]].

    Raises:
        ConfigError: The file cannot be read, has no year, or a row of it is wrong.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        trouble = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigError(
            f"{path} cannot be read: {trouble}. Name a CSV or TOML file, or give g/kWh."
        ) from error
    is_toml = path.suffix.lower() == ".toml"
    found = _of_toml(path.name, text) if is_toml else tuple(_of_csv(path.name, text))
    if not found:
        raise ConfigError(f"{path.name} has no year. Give lines such as 2027,250.")
    check(f"{path.name}: ", found)
    return tuple(
        msgspec.structs.replace(one, source=one.source or f"file {path.name}") for one in found
    )


def check(where: str, years: Sequence[GridYear]) -> None:
    """Check that each year is there once, within bounds; *where* is what errors begin with.

    Raises:
        ConfigError: One is not.
    """
    seen: set[int] = set()
    for one in years:
        name = f"{where}the grid of {one.year}"
        if one.year in seen:
            raise ConfigError(f"{name} is given twice. Remove one of the two.")
        seen.add(one.year)
        if (one.low is None) != (one.high is None):
            raise ConfigError(f"{name} has one of low and high. Give both, or neither.")
        value = one.range
        ends = Assumption(low=value.low, central=value.central, high=value.high)
        check_assumption(name, ends, BOUNDS["grid"])


def of_years(known: Sequence[GridYear], first: int, years: int) -> tuple[Range, ...]:
    """Return the intensity of each year, in g/kWh.

    Between two years that are known it changes in a straight line; before the first and after the
    last it stays as it is there.

    Args:
        known: At least one.
        first: Year to begin with.
        years: How many.
    """
    by_year = {one.year: one.range for one in known}
    return tuple(_in(by_year, year) for year in range(first, first + years))


def _in(known: Mapping[int, Range], year: int) -> Range:
    ordered = sorted(known)
    if year in known or not ordered[0] < year < ordered[-1]:
        return known[min(max(year, ordered[0]), ordered[-1])]
    before, after = next(pair for pair in pairwise(ordered) if pair[0] < year < pair[1])
    way = (year - before) / (after - before)
    return known[before] * (1 - way) + known[after] * way


def _of_toml(name: str, text: str) -> tuple[GridYear, ...]:
    try:
        return msgspec.toml.decode(text, type=_File).grid_year
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{name}: {error}. Write each year as [[grid_year]] with year and g_per_kwh."
        ) from error


def _of_csv(name: str, text: str) -> Iterator[GridYear]:
    rows = csv.DictReader(StringIO(text))
    if not {"year", "g_per_kwh"} <= set(rows.fieldnames or ()):
        raise ConfigError(f"{name} has no columns year and g_per_kwh. Name them in line 1.")
    for row in rows:
        try:
            yield GridYear(
                year=int(row["year"]),
                g_per_kwh=float(row["g_per_kwh"]),
                low=_optional(row.get("low")),
                high=_optional(row.get("high")),
            )
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"{name}, line {rows.line_num}: this is no year and g/kWh. Write it as 2027,250 "
                f"or, with columns low and high, 2027,250,200,300."
            ) from error


def _optional(text: str | None) -> float | None:
    return float(text) if text is not None and text.strip() else None
