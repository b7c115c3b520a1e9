"""Find the SQL files, put them in order, and define one view per file.

A file holds one SELECT and is named after what it yields: ``task_energy.sql`` makes the view
``task_energy``. Files read one another's views; the order follows from DuckDB's own parser.
"""

import graphlib
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import duckdb

from agenttrace.errors import QueryError

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_COLUMN: Final = re.compile(r"--   (?P<name>[A-Za-z_]\w*) +(?P<doc>\S.*)")

# The first line; a name in quotes may have more than one.
_REASON: Final = re.compile(r'(?:"[^"]*"|[^\n])*')


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the header of its file describes it, with the unit."""

    name: str
    doc: str


@dataclass(frozen=True, slots=True)
class Query:
    """One SQL file.

    Attributes:
        name: Name of the view.
        path: The file.
        sql: Its text.
        doc: What a row is, and what else the header says.
        columns: The columns that the header describes, in its order.
    """

    name: str
    path: Path
    sql: str
    doc: str
    columns: tuple[Column, ...]


def folders() -> list[Path]:
    """Return the folders of agenttrace's own queries."""
    packaged = Path(str(files("agenttrace"))) / "queries"
    # In a checkout they lie beside the package.
    return [packaged if packaged.is_dir() else Path(__file__).parents[1] / "queries"]


def find(folders: Iterable[Path]) -> dict[str, Query]:
    """Read the SQL files of *folders*; a file in a later folder replaces its namesake.

    A folder that does not exist holds no files.

    Raises:
        QueryError: A file cannot be read, or its name cannot be the name of a view.
    """
    paths = [path for folder in folders for path in sorted(folder.glob("*.sql"))]
    return {path.stem: _read(path) for path in paths}


def define(connection: duckdb.DuckDBPyConnection, folders: Iterable[Path]) -> list[Query]:
    """Define a view per query, each after those it reads.

    Args:
        connection: Has the tables that the queries read.
        folders: Where the files are; later folders replace queries of earlier ones.

    Returns:
        The queries in the order of their definition.

    Raises:
        QueryError: A file is not one SELECT, reads what does not exist, reads itself through
            others, or lacks columns of the query that it replaces. The message names the file.
    """
    folders = list(folders)
    queries = find(folders)
    originals = find(reversed(folders))
    replaced = {name for name, query in queries.items() if query.path != originals[name].path}
    reads = {
        name: sorted(tables_of(connection, query) & queries.keys())
        for name, query in queries.items()
    }
    ordered = [queries[name] for name in _in_order(queries, reads)]
    with _stand_ins(connection) as stand_in:
        for query in ordered:
            try:
                connection.execute(f"CREATE VIEW {query.name} AS {query.sql}")
            except duckdb.Error as error:
                theirs = [str(queries[name].path) for name in _below(query.name, reads) & replaced]
                hint = f" (it reads {', '.join(sorted(theirs))} in place of ours)" if theirs else ""
                raise QueryError(f"{query.path} does not work: {reason(error)}{hint}") from error
            if query.name in replaced:
                _check_columns(connection, query, originals[query.name])
            if any(query.name in names for names in reads.values()):
                stand_in(query.name)
    return ordered


def _in_order(queries: dict[str, Query], reads: dict[str, list[str]]) -> list[str]:
    """Sort names so that each query comes after those it reads."""
    try:
        return list(graphlib.TopologicalSorter(reads).static_order())
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        raise QueryError(
            f"these queries read one another in a circle: {' -> '.join(reversed(circle))}. "
            f"Change {queries[circle[0]].path}."
        ) from error


def _below(name: str, reads: dict[str, list[str]]) -> set[str]:
    """Return what a query reads, also through others."""
    return set(reads[name]).union(*(_below(read, reads) for read in reads[name]))


def _check_columns(connection: duckdb.DuckDBPyConnection, query: Query, original: Query) -> None:
    """Make sure that *query* has what others were told to find in *original*."""
    found = {name.lower() for name, _ in _columns_of(connection, query.name)}
    missing = [column.name for column in original.columns if column.name.lower() not in found]
    if missing:
        raise QueryError(
            f"{query.path} replaces {original.path} and lacks its columns {', '.join(missing)}. "
            "Add them, or move it away to get ours back."
        )


def _columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $1", [name]
    ).fetchall()


@contextmanager
def _stand_ins(connection: duckdb.DuckDBPyConnection) -> Generator[Callable[[str], None]]:
    """Let empty tables stand in for views while others are defined over them.

    DuckDB works a view out to its roots when it is defined, and so over and over the views that
    others read. A temporary table goes before the view of its name.
    """
    made: list[str] = []

    def stand_in(name: str) -> None:
        columns = _columns_of(connection, name)
        described = ", ".join(f'"{column}" {data_type}' for column, data_type in columns)
        connection.execute(f"CREATE TEMP TABLE {name} ({described})")
        made.append(name)

    try:
        yield stand_in
    finally:
        for name in made:
            connection.execute(f"DROP TABLE temp.{name}")


def tables_of(connection: duckdb.DuckDBPyConnection, query: Query) -> set[str]:
    """Return the names of the tables and views that *query* reads.

    Raises:
        QueryError: It is not one SELECT.
    """
    ((text,),) = connection.execute("SELECT json_serialize_sql($1)", [query.sql]).fetchall()
    parsed = json.loads(text)
    if parsed["error"]:
        raise QueryError(f"{query.path} is not a SELECT that DuckDB reads: {_trouble(parsed)}")
    statements = parsed["statements"]
    if len(statements) != 1:
        raise QueryError(
            f"{query.path} holds {len(statements)} statements. A query is one SELECT in one file."
        )
    return set(_tables(statements[0]["node"], frozenset()))


def _tables(node: object, known: frozenset[str]) -> Iterator[str]:
    """Walk a parsed query; *known* are the names that its WITH clauses define so far."""
    if isinstance(node, list):
        for part in cast("list[object]", node):
            yield from _tables(part, known)
    elif isinstance(node, dict):
        yield from _tables_of_node(cast("dict[str, Any]", node), known)


def _tables_of_node(node: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    if node.get("type") == "BASE_TABLE" and node["table_name"].lower() not in known:
        yield node["table_name"].lower()
    if node.get("type") == "RECURSIVE_CTE_NODE":
        known |= {node["cte_name"].lower()}
    for named in node.get("cte_map", {}).get("map", ()):
        yield from _tables(named["value"], known)
        known |= {named["key"].lower()}
    for key, part in node.items():
        if key != "cte_map":
            yield from _tables(part, known)


def _read(path: Path) -> Query:
    if not _NAME.fullmatch(path.stem):
        raise QueryError(
            f"{path} names a view {path.stem!r}, which SQL cannot spell. "
            "Use lower-case letters, digits and underscores."
        )
    try:
        sql = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path} cannot be read: {error}") from error
    header: list[str] = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        header.append(line)
    columns = [Column(**found.groupdict()) for line in header if (found := _COLUMN.match(line))]
    doc = " ".join(line.removeprefix("--").strip() for line in header if not _COLUMN.match(line))
    return Query(path.stem, path, sql, doc, tuple(columns))


def _trouble(parsed: dict[str, Any]) -> str:
    return reason(parsed.get("error_message", "unknown"))


def reason(error: object) -> str:
    """Return what DuckDB says is wrong, in one line, without its suggestions and the SQL."""
    said, _, _ = str(error).partition("\n\nLINE ")
    found = _REASON.match(said)
    return found.group().replace("\n", "\\n") if found else ""
