"""The reading side in one object: the store, the factors and every query, ready to ask.

with agenttrace.read() as reader:
    for task in reader.query("task_energy"):
        print(task["task_id"], task["energy_wh"])
"""

import difflib
import importlib.util
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from importlib.metadata import EntryPoint
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from agenttrace import compare, config, energy, installed, rollup
from agenttrace.compare import workloads
from agenttrace.energy import archive, measured, tables
from agenttrace.energy import pricing as choices
from agenttrace.energy.chosen import chosen
from agenttrace.errors import QueryError
from agenttrace.model import Table
from agenttrace.store import Store, lake, published
from agenttrace.store.rollups import DERIVED, DERIVED_RESTS_ON, RESTS_ON, STORED

if TYPE_CHECKING:
    from agenttrace.rollup import Query

ENTRY_POINT_GROUP: Final = "agenttrace.queries"
"""An installed package brings queries by naming, in this group, the package that holds them."""

_RECORDED: Final = ("spool", published.NAME)  # one of them is in every folder with data
_DAY_NS: Final = 86_400 * 10**9  # a call that lasts longer is not looked for
_MINUTES_NS: Final = 15 * 60 * 10**9  # how far apart two sources may tell of one response
_MEASURED: Final = ("measured_share", "measured_call", "measured_sum")

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_WORD: Final = re.compile(r"[a-z_]\w*")

# What DuckDB raises where the files it reads are sound.
_OF_THE_QUERY: Final = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.DataError,
    duckdb.InvalidInputException,
    duckdb.ParserException,
)

_Pair = tuple[str | None, str | None]

Params = Sequence[object] | Mapping[str, object]


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
        connection: DuckDB, in memory, with the factors, and the table ``span`` and the queries as
            soon as they are asked for (:meth:`define`).
        pricing: How tokens are turned into energy.
        factors: What energy is estimated with.
        held: Names under which a report keeps rows for a while, in place of the queries'.
        has_hours: Whether an hour is known of the grid of a place in use.
        is_measured: Whether energy was measured while something was recorded.
        store_warnings: What could not be read or folded, a sentence each.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        *,
        pricing: choices.Pricing = choices.DEFAULT,
    ) -> None:
        self.pricing = pricing
        self.home = config.load(home).home
        self._sees_few = False
        self._defined_over_few: set[str] = set()
        self.held: set[str] = set()
        self._store = Store.open(self.home, spans=False)
        self.connection: duckdb.DuckDBPyConnection = self._store.connection
        try:
            self._definitions = rollup.Definitions(self.connection, self._folders())
            # Whoever replaces a query that the stored rows rest on gets rows of their own.
            replaced = self._definitions.replaced
            if self._store.is_rolled_up and not replaced & set(RESTS_ON):
                self._store.define_rollups()
                self._definitions.give(*STORED)
                if not replaced & set(DERIVED_RESTS_ON) and self._store.define_derived():
                    self._definitions.give(*DERIVED)
            models, regions = self._kinds()
            self.factors = energy.define(
                self.connection,
                models=models,
                regions=regions,
                factors=chosen(pricing, self.home),
                boundary=pricing.boundary,
                default=pricing.region,
                home=self.home,
            )
            compare.define(
                self.connection,
                factors=self.factors.origin,
                boundary=pricing.boundary,
                home=self.home,
            )
            workloads.define(self.connection, self.home)
            self.has_hours = self._has_hours()
            measured.define(self.connection, self.home)
            self.is_measured = self._measure()
            # Whoever reads a report later can have its factors again, by the version in it. A
            # folder that was named by mistake stays as it is.
            recorded = any((self.home / name).exists() for name in _RECORDED)
            kept = archive.save(self.factors.origin, self.home) if recorded else None
        except BaseException:
            self.close()
            raise
        self.store_warnings = (
            *self._store.warnings,
            *([kept] if kept else []),
            *self._measured_and_pruned(),
        )

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
    def queries(self) -> "Mapping[str, Query]":
        """Every query by name: its file, text and description."""
        return self._definitions.queries

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
            StoreError: A file of spans that it reads is broken.
        """
        table = self.table(name_or_sql, params)
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def table(self, name_or_sql: str, params: Params = ()) -> Table:
        """Return the rows with their columns in order; arguments and errors as in :meth:`query`."""
        named = _NAME.fullmatch(name_or_sql.strip())
        self.define(name_or_sql)
        sql = f"FROM {self._known(named.group())}" if named else name_or_sql
        try:
            result = self.connection.execute(sql, params or None)
            # A statement such as SET has no columns, and SQL that is all comment no result.
            description: Sequence[Sequence[Any]] = getattr(result, "description", None) or ()
            rows = result.fetchall() if description else []
        except duckdb.Error as error:
            # An error may be of the query and still name a file: one that is no Parquet any more.
            is_of_files = str(self.home / lake.FOLDER) in str(error)
            may_be_broken = is_of_files or not isinstance(error, _OF_THE_QUERY)
            if may_be_broken and self._store.has_broken_file():
                raise self._store.unreadable(error) from error
            raise QueryError(f"the query does not run: {rollup.reason(error)}") from error
        return Table(tuple(str(column[0]) for column in description), rows)

    def define(self, sql: str) -> None:
        """Define the queries that *sql* mentions, and ``span``, unless that has happened.

        Raises:
            QueryError: One of them does not work.
        """
        mentioned = set(_WORD.findall(sql.lower()))
        names = mentioned & self.queries.keys()
        below = self._definitions.below(*names)
        anew = [name for name in below if not self._definitions.is_given(name)]
        if self._sees_few:
            self._defined_over_few |= set(anew)
        elif (
            "span" in mentioned
            or any("span" in self.queries[name].words for name in anew)
            or below & self._defined_over_few
        ):
            self._store.define_span()
            self._defined_over_few.clear()
        self._definitions.define(*names)

    @contextmanager
    def seeing(self, spans: str) -> Generator[None]:
        """Let queries see no other spans than those of *spans*, SQL, trusted.

        Files that hold none of them are not even opened.

        Raises:
            StoreError: One of the others is broken.
        """
        try:
            self.connection.execute(f"CREATE TEMP TABLE span AS {spans}")
        except duckdb.Error as error:
            raise self._store.unreadable(error) from error
        self._sees_few = True
        try:
            yield
        finally:
            self._sees_few = False
            self.connection.execute("DROP TABLE temp.span")

    @property
    def is_rolled_up(self) -> bool:
        """Whether stored rows are read in place of the queries that they are rows of."""
        return self._store.is_rolled_up and not self._definitions.replaced & set(RESTS_ON)

    @property
    def pruned_before(self) -> str:
        """Day before which spans were removed, ``YYYY-MM-DD`` (UTC); empty if never."""
        return self._store.pruned_before

    def spans_around(self, low_ns: int, high_ns: int) -> str:
        """Return SQL for the spans that started then, and those that fetch a result.

        Only files with such a span are read; times are nanoseconds since 1970-01-01 UTC.
        """
        return self._store.spans_around(low_ns, high_ns)

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
        names = {str(row[0]) for row in found} | self.queries.keys() | {"span"}
        if name in names:
            return name
        close = difflib.get_close_matches(name, sorted(names), n=3)
        hint = f"Did you mean {' or '.join(close)}? " if close else ""
        raise QueryError(
            f"there is no query named {name}. {hint}`agenttrace query --list` names them all."
        )

    def _kinds(self) -> tuple[list[_Pair], list[_Pair]]:
        """Return the pairs of provider and model, and of provider and region."""
        source = "call_sum"
        if self._definitions.replaced & set(RESTS_ON):
            source = "counted_call"  # of the user, who may say where calls ran and what answered
            self.define(source)
        elif not self._definitions.is_given("call_sum"):
            # Every inference span counts here: a model too many costs nothing.
            self._store.define_span()
            source = (
                "(SELECT provider, coalesce(response_model, request_model) AS model, region "
                "FROM span WHERE kind = 'inference')"
            )
        kinds = f"FROM {source} SELECT DISTINCT provider, model, region ORDER BY ALL"
        try:
            found = self.connection.execute(kinds).fetchall()
        except duckdb.Error as error:
            raise self._store.unreadable(error) from error
        models = dict.fromkeys((provider, model) for provider, model, _ in found)
        regions = dict.fromkeys((provider, region) for provider, _, region in found)
        return list(models), list(regions)

    def _has_hours(self) -> bool:
        """Tell whether hours of a grid are known; if not, say so once for every query."""
        ((known,),) = self.connection.execute("SELECT count(*) FROM grid_hour").fetchall()
        if not known:
            self._give_none("hourly_moments")
        return bool(known)

    def _measure(self) -> bool:
        """Work out what was measured of which call; tell whether anything was."""
        times = self._measured_times()
        if times is None:
            self._give_none("measured_call", "measured_sum")
            return False
        low, high = times
        tables.add_measured(self.connection)
        around = self.spans_around(low - _DAY_NS, high + _MINUTES_NS)
        few = f"FROM ({around}) WHERE kind IN ('inference', 'step', 'other')"
        # Without stored rows, which call answers its task is told by all of its spans.
        narrowed = self.seeing(few) if self.is_rolled_up else nullcontext()
        if not self.is_rolled_up:
            self.query("CREATE TEMP TABLE task_answer AS FROM task_answer")
        with narrowed:
            self.query(
                "CREATE TEMP TABLE counted_call AS FROM counted_call "
                f"WHERE start_ns <= {high} AND start_ns + coalesce(duration_ns, 0) >= {low}"
            )
            for name in _MEASURED:
                self.query(f"CREATE TEMP TABLE {name} AS FROM {name}")
            self.query("DROP TABLE temp.counted_call")
        if not self.is_rolled_up:
            self.query("DROP TABLE temp.task_answer")
        for name in _MEASURED:  # tables of their own, before which a report may put a part of them
            self.connection.execute(
                f"CREATE TABLE {name}_once AS FROM temp.{name}; DROP TABLE temp.{name}; "
                f"DROP VIEW {name}; ALTER TABLE {name}_once RENAME TO {name}"
            )
        return True

    def _measured_times(self) -> tuple[int, int] | None:
        """Return the first and the last moment of which a meter tells something."""
        ((low, high),) = self.connection.execute(
            "SELECT min(start_ns), max(end_ns) FROM measured_window"
        ).fetchall()
        times = [] if low is None else [low, high]
        # The call inside a span that tells may start as late as a day after it.
        if by_span := self._store.measured_times():
            times += [by_span[0], by_span[1] + _DAY_NS]
        return (min(times), max(times)) if times else None

    def _measured_and_pruned(self) -> Iterator[str]:
        """Say that there are windows whose calls are known by their sums only."""
        if not self.pruned_before:
            return
        ((gone,),) = self.connection.execute(
            "SELECT count(*) FROM measured_window "
            "WHERE make_timestamp(start_ns // 1000) < $1::TIMESTAMP",
            [self.pruned_before],
        ).fetchall()
        if gone:
            yield (
                f"energy was measured before {self.pruned_before}, and the calls of that time were "
                f"pruned: they have estimates again."
            )

    def _give_none(self, *names: str) -> None:
        """Let queries that cannot have rows be empty, without working that out each time."""
        mine = [name for name in names if name not in self._definitions.replaced]
        for name in mine:
            columns = ", ".join(f"{one} {type_}" for one, type_ in tables.NONE[name].items())
            self.connection.execute(f"CREATE TABLE {name} ({columns})")
        self._definitions.give(*mine)

    def _folders(self) -> Iterator[Path]:
        yield from rollup.folders()
        for entry_point in installed.entry_points(ENTRY_POINT_GROUP):
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
