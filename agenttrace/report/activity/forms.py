"""An export as a file of each format, and the rows of such a file again.

What is written is read back the same: text, whole numbers, and fractions of 15 significant digits.
"""

import csv
import dataclasses
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agenttrace.model import Table
from agenttrace.report.activity.annex import annex
from agenttrace.report.activity.tables import type_of
from agenttrace.report.activity.values import Activity

FORMATS: Final = ("csv", "json", "parquet", "xlsx")

_SQL: Final[Mapping[type, str]] = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE"}

# What makes a spreadsheet take text for a formula (OWASP, "CSV Injection"), and the mark itself.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")


def to_csv(table: Table) -> str:
    """Return RFC 4180 lines with a header; what is not known is an empty field.

    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(table.columns)
    writer.writerows([_field(value) for value in row] for row in table.rows)
    return target.getvalue()


def _field(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.15g}"
        case str() if value.startswith(_FORMULA):
            return f"'{value}"
        case _:
            return str(value)


def from_csv(text: str) -> Table:
    """Return the rows of CSV as :func:`to_csv` writes it, or as a spreadsheet saves that.

    Raises:
        ValueError: A number is none.
    """
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    columns = tuple(lines[0]) if lines else ()
    return typed(columns, [[cell.removeprefix("'") or None for cell in line] for line in lines[1:]])


def typed(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return rows with each value of the type of its column; short rows end in None.

    Raises:
        ValueError: A number is none.
    """
    padded = [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    return Table(
        tuple(columns),
        [tuple(_typed(*one) for one in zip(columns, row, strict=True)) for row in padded],
    )


def _typed(column: str, value: Any) -> object:
    if value is None:
        return None
    kind = type_of(column)
    if kind is int and float(value) == int(float(value)):
        return int(value)
    return float(value) if kind is not str else str(value)


def to_json(export: Activity) -> str:
    """Return one object: ``meta``, ``rows``, ``workflow`` and ``methodology``."""
    said = dataclasses.asdict(export)
    method = ("totals", "coverage", "method", "models", "factors", "places", "matching", "warnings")
    content = {
        "meta": said["meta"],
        "rows": _objects(export.activity),
        "workflow": _objects(export.workflow),
        "methodology": {
            "text": annex(export),
            "columns": export.columns,
            **{name: said[name] for name in method},
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _objects(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def to_parquet(table: Table, facts: Mapping[str, str]) -> bytes:
    """Return *table* as Parquet, with *facts* in the metadata of the file."""
    # 40 ms to import, and only this format needs it here.
    import duckdb

    columns = ", ".join(
        f"unnest(${number}::{_SQL[type_of(name)]}[]) AS {name}"
        for number, name in enumerate(table.columns, start=1)
    )
    values = [list(column) for column in zip(*table.rows, strict=True)]
    said = ", ".join(f"{name}: {_quoted(value)}" for name, value in facts.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "rows.parquet"
        connection.execute(
            f"COPY (SELECT {columns}) TO {_quoted(str(path))} "
            f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{said}}})",
            values,
        )
        return path.read_bytes()


def from_parquet(path: Path) -> tuple[Table, dict[str, str]]:
    """Return the rows and the metadata of a file.

    Raises:
        ValueError: It is no Parquet.
    """
    import duckdb

    name = _quoted(str(path))
    try:
        with duckdb.connect() as connection:
            found = connection.execute(f"FROM read_parquet({name})")
            columns = [str(column[0]) for column in found.description]
            rows = found.fetchall()
            facts = connection.execute(
                f"FROM parquet_kv_metadata({name}) SELECT decode(key), decode(value)"
            ).fetchall()
    except duckdb.Error as error:
        raise ValueError("it is no Parquet") from error
    return typed(columns, rows), dict(facts)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def replace(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all.

    Raises:
        OSError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
