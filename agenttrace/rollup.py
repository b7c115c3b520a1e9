"""Find the SQL files, put them in order, and define one view per file.

A file holds one SELECT and is named after what it yields: ``task_energy.sql`` makes the view
``task_energy``. Files read one another's views; the order follows from DuckDB's own parser.
"""

import graphlib
import json
import re
from collections.abc import Callable, Container, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, cast

import duckdb

from agenttrace.errors import QueryError

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_READS: Final = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]\w*)")
_REMARK: Final = re.compile(r"--[^\n]*")
_WORD: Final = re.compile(r"[a-z_]\w*")
_COLUMN: Final = re.compile(r"--   (?P<name>[A-Za-z_]\w*) +(?P<doc>\S.*)")

# Texts whose parts are kept for the next reader of the process: ours, and some of the user's.
_KEPT: Final = 256

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

    @property
    def words(self) -> frozenset[str]:
        """Every word of its SQL, in lower case: what it reads is among them."""
        return _words(self.sql)


def folders() -> list[Path]:
    """Return the folders of agenttrace's own queries."""
    packaged = Path(str(files("agenttrace"))) / "queries"
    # In a checkout they lie beside the package.
    return [packaged if packaged.is_dir() else Path(__file__).parents[1] / "queries"]


def find(folders: Iterable[Path], names: Iterable[str] | None = None) -> dict[str, Query]:
    """Read the SQL files of *folders*; a file in a later folder replaces its namesake.

    A folder that does not exist holds no files.

    Args:
        folders: Where the files are.
        names: Only those; all if not given.

    Raises:
        QueryError: A file cannot be read, or its name cannot be the name of a view.
    """
    wanted = None if names is None else set(names)
    return {query.name: query for query in _found(folders, wanted)}


def _found(folders: Iterable[Path], wanted: Container[str] | None = None) -> Iterator[Query]:
    for folder in folders:
        for path in sorted(folder.glob("*.sql")):
            if wanted is None or path.stem in wanted:
                yield _read(path)


class Definitions:
    """Views for queries, each made when it is first asked for, after those that it reads.

    Attributes:
        queries: Every query by name; a file in a later folder replaces its namesake.
        replaced: Names of queries that a later folder has replaced.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folders: Iterable[Path],
        given: Iterable[str] = (),
    ) -> None:
        """Find the queries.

        Args:
            connection: Has the tables that the queries read.
            folders: Where the files are; later folders replace queries of earlier ones.
            given: Queries whose rows are there already, as a table or a view of their name.

        Raises:
            QueryError: A file cannot be read, or its name cannot be the name of a view.
        """
        folders = list(folders)
        self._connection = connection
        self._ours = folders[0] if folders else None
        found = list(_found(folders))
        self.queries = {query.name: query for query in found}
        self._originals = {query.name: query for query in reversed(found)}
        self.replaced = frozenset(
            name for name, query in self.queries.items() if query.path != self._originals[name].path
        )
        self._given = set(given)
        self._reads: dict[str, list[str]] = {}

    def give(self, *names: str) -> None:
        """Take note of queries whose rows are there already."""
        self._given.update(names)

    def is_given(self, name: str) -> bool:
        """Whether its rows are there already."""
        return name in self._given

    def below(self, *names: str) -> set[str]:
        """Return what queries read, also through others, and themselves.

        Raises:
            QueryError: One is not a SELECT, or they read one another in a circle.
        """
        return set(self._ordered(names))

    def define(self, *names: str) -> None:
        """Define the views of *names* and of what they read, unless they are there.

        Raises:
            QueryError: A file is not one SELECT, reads what does not exist, reads itself through
                others, or lacks columns of the query that it replaces. The message names the file.
        """
        ordered = [name for name in self._ordered(names) if name not in self._given]
        with _stand_ins(self._connection) as stand_in:
            for name in ordered:
                self._define(self.queries[name])
                if any(name in self._reads[other] for other in ordered):
                    stand_in(name)

    def define_for(self, query: Query) -> None:
        """Define what *query*, which is no file, reads."""
        self.define(*sorted(self._reads_of(query)))

    def _ordered(self, names: Iterable[str]) -> list[str]:
        """Return *names* and what they read, each after those it reads; nothing below is looked at.

        What is given is not looked into.
        """
        reads: dict[str, list[str]] = {}
        waiting = [name for name in names if name in self.queries]
        while waiting:
            name = waiting.pop()
            if name in reads:
                continue
            if name in self._given:
                reads[name] = []
                continue
            if name not in self._reads:
                self._reads[name] = sorted(self._reads_of(self.queries[name]))
            reads[name] = self._reads[name]
            waiting += reads[name]
        return _in_order(self.queries, reads)

    def _reads_of(self, query: Query) -> set[str]:
        # Ours are written so that a look at their text is enough, which a test makes sure of.
        if query.path.parent == self._ours:
            return self.queries.keys() & _read_by(query.sql)
        return tables_of(self._connection, query) & self.queries.keys()

    def _define(self, query: Query) -> None:
        try:
            self._connection.execute(f"CREATE VIEW {query.name} AS {query.sql}")
        except duckdb.Error as error:
            below = self._replaced_below(query.name)
            theirs = sorted(str(self.queries[name].path) for name in below)
            hint = f" (it reads {', '.join(theirs)} in place of ours)" if theirs else ""
            raise QueryError(f"{query.path} does not work: {reason(error)}{hint}") from error
        self._given.add(query.name)
        if query.name in self.replaced:
            _check_columns(self._connection, query, self._originals[query.name])

    def _replaced_below(self, name: str) -> set[str]:
        """Return the replaced queries that a query reads, also through those that are there."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            reads = set(self._reads.get(waiting.pop(), ())) - found
            found |= reads
            waiting += reads
        return found & self.replaced


def define(connection: duckdb.DuckDBPyConnection, folders: Iterable[Path]) -> list[Query]:
    """Define every query; arguments and errors as in :class:`Definitions`.

    Returns:
        The queries by name.
    """
    definitions = Definitions(connection, folders)
    definitions.define(*definitions.queries)
    return list(definitions.queries.values())


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


def _check_columns(connection: duckdb.DuckDBPyConnection, query: Query, original: Query) -> None:
    """Make sure that *query* has what others were told to find in *original*."""
    found = {name.lower() for name in _columns_of(connection, query.name)}
    missing = [column.name for column in original.columns if column.name.lower() not in found]
    if missing:
        raise QueryError(
            f"{query.path} replaces {original.path} and lacks its columns {', '.join(missing)}. "
            "Add them, or move it away to get ours back."
        )


def _columns_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(f"DESCRIBE {name}").fetchall()]


@contextmanager
def _stand_ins(connection: duckdb.DuckDBPyConnection) -> Generator[Callable[[str], None]]:
    """Let empty tables stand in for views while others are defined over them.

    DuckDB works a view out to its roots when it is defined, and so over and over the views that
    others read. A temporary table goes before the view of its name.
    """
    made: list[str] = []

    def stand_in(name: str) -> None:
        connection.execute(f"CREATE TEMP TABLE {name} AS FROM {name} LIMIT 0")
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
    return _parsed(path, sql)


@lru_cache(maxsize=_KEPT)
def _parsed(path: Path, sql: str) -> Query:
    header: list[str] = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        header.append(line)
    columns = [Column(**found.groupdict()) for line in header if (found := _COLUMN.match(line))]
    doc = " ".join(line.removeprefix("--").strip() for line in header if not _COLUMN.match(line))
    return Query(path.stem, path, sql, doc, tuple(columns))


@lru_cache(maxsize=_KEPT)
def _words(sql: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_REMARK.sub("", sql).lower()))


@lru_cache(maxsize=_KEPT)
def _read_by(sql: str) -> frozenset[str]:
    return frozenset(_READS.findall(_REMARK.sub("", sql)))


def _trouble(parsed: dict[str, Any]) -> str:
    return reason(parsed.get("error_message", "unknown"))


def reason(error: object) -> str:
    """Return what DuckDB says is wrong, in one line, without its suggestions and the SQL."""
    said, _, _ = str(error).partition("\n\nLINE ")
    found = _REASON.match(said)
    return found.group().replace("\n", "\\n") if found else ""
