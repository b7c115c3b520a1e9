"""Describe what is on the disk: the tables of ``store.duckdb``, and how they came about.

The columns of the lake are in ``columns``. ``docs/schema.md`` is written from both.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from agenttrace.store import fold, published


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: As SQL knows it.
        type: SQL type.
        comment: Meaning, with the unit.
    """

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of ``store.duckdb``, its columns in order."""

    name: str
    comment: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Migration:
    """The step from one schema to the next.

    Attributes:
        version: Schema that it leads to.
        name: Its file.
        doc: What the first lines of the file say.
    """

    version: int
    name: str
    doc: str


def tables() -> list[Table]:
    """Return the tables of a store of the newest schema, by name."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with duckdb.connect() as connection:
            fold.fold(connection, home, [])
        with duckdb.connect(str(home / published.NAME), read_only=True) as connection:
            found: list[tuple[str, str]] = connection.execute(
                "SELECT table_name, comment FROM duckdb_tables() ORDER BY table_name"
            ).fetchall()
            return [Table(name, comment, _columns(connection, name)) for name, comment in found]


def migrations(folder: Path = published.MIGRATIONS) -> list[Migration]:
    """Return the steps, oldest first."""
    return [
        Migration(int(step.name.partition("_")[0]), step.name, " ".join(_head(step)))
        for step in sorted(folder.glob("*.sql"))
    ]


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> tuple[Column, ...]:
    rows: list[tuple[str, str, str]] = connection.execute(
        "SELECT column_name, data_type, comment FROM duckdb_columns() "
        "WHERE table_name = $1 ORDER BY column_index",
        [table],
    ).fetchall()
    return tuple(Column(*row) for row in rows)


def _head(step: Path) -> Iterator[str]:
    for line in step.read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            return
        yield line.removeprefix("--").strip()
