"""The reading side in one object: the store, the factors and every query, ready to ask.

with agenttrace.read() as reader:
    for task in reader.query("task_energy"):
        print(task["task_id"], task["energy_wh"])
"""

import difflib
import importlib.metadata
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from agenttrace import compare, config, energy, rollup
from agenttrace.errors import QueryError
from agenttrace.store import Store

if TYPE_CHECKING:
    from agenttrace.rollup import Query

ENTRY_POINT_GROUP: Final = "agenttrace.queries"
"""An installed package brings queries by naming, in this group, the package that holds them."""

_NAME: Final = re.compile(r"[A-Za-z_]\w*")

Params = Sequence[object] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Table:
    """What a query yields.

    Attributes:
        columns: Names, in order.
        rows: One tuple per row, in the query's order.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def read(home: str | os.PathLike[str] | None = None) -> "Reader":
    """Open what was recorded, newest records included, for reading.

    Args:
        home: Folder of the data; ``AGENTTRACE_HOME``, else the user's data folder, if not given.

    Raises:
        ConfigError: *home* is a file.
        SchemaVersionError: A newer agenttrace wrote the store.
        StoreError: The store cannot be read.
        QueryError: A query of the user, or of an installed package, does not work.
    """
    return Reader(home)


class Reader:
    """Everything recorded in one folder, as it was when the reader was made.

    Attributes:
        home: Folder that is read.
        connection: DuckDB, in memory, with the table ``span``, the factors and a view per query.
        queries: Every query by name: its file, text and description.
        factors: What energy is estimated with.
        store_warnings: What could not be read or folded, a sentence each.
    """

    def __init__(self, home: str | os.PathLike[str] | None = None) -> None:
        self.home = config.load(home).home
        self._store = Store.open(self.home)
        self.connection: duckdb.DuckDBPyConnection = self._store.connection
        try:
            self.factors = energy.define(self.connection, models=self._models())
            compare.define(self.connection)
            defined = rollup.define(self.connection, self._folders())
        except BaseException:
            self.close()
            raise
        self.queries: Mapping[str, Query] = {query.name: query for query in defined}
        self.store_warnings = tuple(self._store.warnings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What could not be read, and what the factors do not know, a sentence each."""
        return (*self.store_warnings, *self.factors.warnings)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def query(self, name_or_sql: str, params: Params = ()) -> list[dict[str, Any]]:
        """Return the rows of a query by its name, or of any SQL.

        Args:
            name_or_sql: A name in :attr:`queries`, a table such as ``span``, or SQL.
            params: Values for ``?`` and ``$1``, or by name for ``$name``, in SQL.

        Returns:
            One dict per row; the header of a query's file names its columns and their units.

        Raises:
            QueryError: There is no such query, or the SQL does not run.
        """
        table = self.table(name_or_sql, params)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def table(self, name_or_sql: str, params: Params = ()) -> Table:
        """Return the rows with their columns in order; arguments and errors as in :meth:`query`."""
        named = _NAME.fullmatch(name_or_sql.strip())
        sql = f"FROM {self._known(named.group())}" if named else name_or_sql
        try:
            result = self.connection.execute(sql, params or None)
            # A statement such as SET has no columns, and SQL that is all comment no result.
            description: Sequence[Sequence[Any]] = getattr(result, "description", None) or ()
            rows = result.fetchall() if description else []
        except duckdb.Error as error:
            raise QueryError(f"the query does not run: {rollup.reason(error)}") from error
        return Table(tuple(str(column[0]) for column in description), rows)

    def catalogue(self) -> Table:
        """Return one row per query (name, rows, file), by name; *rows* says what a row is."""
        return Table(
            ("name", "rows", "file"),
            [
                (name, query.doc.partition(". ")[0].rstrip("."), str(query.path))
                for name, query in sorted(self.queries.items())
            ],
        )

    def _known(self, name: str) -> str:
        if name in self.queries:
            return name
        found = self.connection.execute(
            "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
        ).fetchall()
        names = {str(row[0]) for row in found}
        if name in names:
            return name
        close = difflib.get_close_matches(name, sorted(names), n=3)
        hint = f"Did you mean {' or '.join(close)}? " if close else ""
        raise QueryError(
            f"there is no query named {name}. {hint}`agenttrace query --list` names them all."
        )

    def _models(self) -> list[tuple[str | None, str | None]]:
        # The factors are needed before the view that decides what a call is, so every inference
        # span counts here: a model too many costs nothing.
        try:
            return self.connection.execute(
                "SELECT DISTINCT provider, coalesce(response_model, request_model) AS model "
                "FROM span WHERE kind = 'inference' ORDER BY ALL"
            ).fetchall()
        except duckdb.Error as error:
            raise self._store.unreadable(error) from error

    def _folders(self) -> Iterator[Path]:
        yield from rollup.folders()
        for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            yield from _folders_of(entry_point)
        yield self.home / "queries"


def _folders_of(entry_point: EntryPoint) -> list[Path]:
    """Return the folders of the package that *entry_point* names, without running its code."""
    try:
        found = importlib.util.find_spec(entry_point.module)
    except ImportError:
        found = None
    if found is None or found.submodule_search_locations is None:
        raise QueryError(
            f"the queries of {entry_point.name!r} cannot be found: there is no package "
            f"{entry_point.module}. Reinstall what brings them, or remove it."
        )
    return [Path(location) for location in found.submodule_search_locations]
