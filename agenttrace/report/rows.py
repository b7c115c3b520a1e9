"""The rows of a query as text, JSON or CSV: nothing cut, nothing rounded."""

import csv
import datetime as dt
import decimal
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from rich.cells import cell_len

from agenttrace.model import Table

_GAP = "  "


def to_json(table: Table) -> str:
    """Return one JSON array with one object per row; NULL is null, a time is ISO 8601 in UTC."""
    columns = distinct(table.columns)
    return json.dumps(
        [dict(zip(columns, map(plain, row), strict=True)) for row in table.rows],
        indent=2,
        ensure_ascii=False,
    )


def to_csv(table: Table) -> str:
    """Return RFC 4180 lines with a header; NULL is an empty field."""
    target = io.StringIO()
    minimal = csv.writer(target, lineterminator="\n")
    # A lone carriage return ends a line for readers, and the minimal writer leaves it bare.
    quoted = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_ALL)
    minimal.writerow(distinct(table.columns))
    for row in table.rows:
        fields = [_field(plain(value)) for value in row]
        writer = quoted if any("\r" in field for field in fields) else minimal
        writer.writerow(fields)
    return target.getvalue().removesuffix("\n")


def to_text(table: Table, width: int) -> str:
    """Return aligned columns, or one block per row where the columns do not fit in *width*."""
    table = Table(tuple(distinct(table.columns)), table.rows)
    cells = [[_cell(plain(value)) for value in row] for row in table.rows]
    widths = [max(map(cell_len, column)) for column in zip(table.columns, *cells, strict=True)]
    fits = sum(widths) + len(_GAP) * (len(widths) - 1) <= width
    lines = _columns(table, cells, widths) if fits else _blocks(table.columns, cells)
    return "\n".join(lines)


def distinct(columns: Iterable[str]) -> list[str]:
    """Return names that differ, also for SQL, numbered as DuckDB does for the columns of a table.

    Without it, of two columns that share a name an object would keep the second only.
    """
    taken: set[str] = set()
    names: list[str] = []
    for column in columns:
        name, number = column, 0
        while name.lower() in taken:
            number += 1
            name = f"{column}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def plain(value: object) -> object:  # noqa: PLR0911 - one return per type
    """Return *value* of a DuckDB row as what JSON can say."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | decimal.Decimal():
            return float(value) if math.isfinite(value) else None
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case list() | tuple():
            return [plain(one) for one in cast("Sequence[object]", value)]
        case dict():
            items = cast("dict[object, object]", value).items()
            return {str(key): plain(one) for key, one in items}
        case bytes():
            return value.hex()
        case _:
            return str(value)


def printable(text: str) -> str:
    """Return *text* without the characters that would steer a terminal."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _columns(table: Table, cells: list[list[str]], widths: list[int]) -> Iterator[str]:
    numeric = [
        any(isinstance(value, int | float | decimal.Decimal) for value in column)
        for column in zip(*table.rows, strict=True)
    ] or [False] * len(widths)
    yield _line(list(table.columns), widths, numeric)
    yield _GAP.join("-" * width for width in widths)
    for row in cells:
        yield _line(row, widths, numeric)


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded: list[str] = []
    for cell, width, right in zip(cells, widths, numeric, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(space + cell if right else cell + space)
    return _GAP.join(padded).rstrip()


def _blocks(columns: tuple[str, ...], cells: list[list[str]]) -> Iterator[str]:
    label = max(map(cell_len, columns))
    for number, row in enumerate(cells, start=1):
        yield f"-- row {number}"
        for column, cell in zip(columns, row, strict=True):
            yield f"{column:<{label}}{_GAP}{cell}".rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "NULL"
    return printable(_field(value))


def _field(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
