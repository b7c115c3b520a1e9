"""Everything that was recorded, as one table, ``span``, and what it adds up to.

    with Store.open(home) as store:
        store.connection.sql("SELECT kind, count(*) FROM span GROUP BY kind")

Opening folds what is new into the lake if this process may; what it may not fold, it reads in
memory. Either way the table holds all that was recorded, and no reader waits for a lock.
"""

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

from agenttrace.errors import StoreError
from agenttrace.store import columns, engine, fold, lake, published, rollups, segments, staging
from agenttrace.store.lake import Lake

__all__ = ["Store"]

_PARALLEL_FROM: Final = 1_000_000  # spans; with fewer, handing out work costs more than it saves
_LOOKS: Final = 50  # at a store that others are changing, before giving up


class Store:
    """What was recorded in one folder, up to the moment it was opened.

    Attributes:
        home: The folder.
        connection: DuckDB in memory. It has ``span`` (columns and units in its comments),
            ``quarantine`` (records that were refused) and ``lost`` (records that were not written).
        lake: The files of spans.
        rows: Spans in ``span``.
        warnings: What is missing and why, a sentence each.
        is_rolled_up: The rows of the stored queries are there, and rows of our definitions.
        pruned_before: Day before which spans were removed, ``YYYY-MM-DD`` (UTC); empty if never.
    """

    def __init__(self, home: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.home = home
        self.connection = connection
        self.lake = Lake(home)
        self.rows = 0
        self.warnings: list[str] = []
        self.is_rolled_up = False
        self.pruned_before = ""
        self._has_span = False
        self._tail = 0

    @classmethod
    def open(cls, home: Path, *, spans: bool = True, may_fold: bool = True) -> Self:
        """Open the data in *home*, newest records included.

        A folder without data, or none at all, is an empty table and a warning, and stays as it is.

        Args:
            home: The folder.
            spans: Define ``span`` at once; with many files that takes a while, and reports need it
                only for details (:meth:`define_span`).
            may_fold: Fold what is new first; if not, the folder stays as it is.

        Raises:
            SchemaVersionError: A newer agenttrace wrote the store.
            StoreError: The store cannot be read.
        """
        store = cls(home, engine.connect())
        try:
            store._load(may_fold=may_fold)
            if spans:
                store.define_span()
        except BaseException:
            store.close()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()

    def unreadable(self, error: duckdb.Error) -> StoreError:
        """Return what to raise when reading ``span`` fails, naming the file that is broken."""
        return published.unreadable(self.connection, self.home, self.lake.parts, error)

    def has_broken_file(self) -> bool:
        """Whether a file of the lake cannot be read; every value of them is looked at."""
        return any(True for _ in lake.broken(self.connection, self.home, self.lake.parts))

    def define_span(self) -> None:
        """Define the table ``span``, if it is not."""
        if self._has_span:
            return
        try:
            self.connection.execute(
                f"CREATE VIEW span AS {self.lake.spans(and_those_in='span_tail')}"
            )
        except duckdb.Error as error:
            raise self.unreadable(error) from error
        self.connection.execute(_comments())
        self._has_span = True

    def spans_around(self, low_ns: int, high_ns: int) -> str:
        """Return SQL for the spans that started then, and those that fetch a result."""
        then = f"start_ns BETWEEN {low_ns} AND {high_ns} OR operation = 'fetch_response'"
        return f"FROM span_tail WHERE {then} UNION ALL {self.lake.around(low_ns, high_ns)}"

    def measured_times(self) -> tuple[int, int] | None:
        """Return when spans started that say what a meter saw for them; None if there are none.

        Returns:
            The first and the last moment, nanoseconds since 1970-01-01 UTC; it may be too much.
        """
        times = [
            moment
            for part in self.lake.parts
            if part.measured_spans
            for moment in (part.min_start_ns, part.max_start_ns)
        ]
        ((low, high),) = self.connection.execute(
            "SELECT min(start_ns), max(start_ns) FROM span_tail WHERE measured_j IS NOT NULL"
        ).fetchall()
        times += [] if low is None else [low, high]
        return (min(times), max(times)) if times else None

    def define_rollups(self) -> None:
        """Define the stored queries as tables of their rows, those of what is not folded included.

        Raises:
            StoreError: A file of the lake that has a say in them cannot be read.
        """
        if self._tail:
            self._roll_tail_up()
        for name in rollups.STORED:
            rows = f"FROM published.{name}"
            if self._tail:
                rows = rollups.with_new(name, "published")
            self.connection.execute(f"CREATE VIEW {name} AS {rows}")

    def define_derived(self) -> bool:
        """Define the derived queries as tables of their rows; False where those are of old."""
        if self._tail:
            return False
        for name in rollups.DERIVED:
            self.connection.execute(f"CREATE VIEW {name} AS FROM published.{name}")
        return True

    def _roll_tail_up(self) -> None:
        # A cursor has temporary tables of its own.
        try:
            with self.connection.cursor() as cursor:
                rolled = rollups.Rollups(cursor)
                rolled.advance("memory.main.span_tail", "published", self.lake)
        except duckdb.Error as error:
            raise self.unreadable(error) from error

    def _load(self, *, may_fold: bool) -> None:
        spool = self.home / "spool"
        is_new = segments.find(spool) or segments.find_flights(spool)
        is_old = not (self.home / published.NAME).exists()
        if may_fold and (is_new or (is_old and fold.has_lake(self.home))):
            self._fold()
        fingerprint = rollups.fingerprint()
        has_tried = bool(is_new) or not may_fold
        for _ in range(_LOOKS):
            before = _identity(self.home)
            state = published.attach(self.connection, self.home)
            if state.exists and state.definitions != fingerprint and not has_tried:
                has_tried = True
                published.detach(self.connection)
                self._fold()
                continue
            warnings: list[str] = []
            if not state.exists:
                state = fold.without_store(self.connection, self.home, warnings)
            self.lake = Lake(self.home, state.parts)
            self._stage(segments.new(spool, state.watermarks, warnings), state)
            # Segments go only after a store that holds their spans has come.
            if _identity(self.home) == before:
                break
        else:
            raise StoreError(f"{self.home} does not stop changing. Try again.")
        self.warnings.extend(one for one in warnings if one not in self.warnings)
        ((self._tail,),) = self.connection.execute("SELECT count(*) FROM span_tail").fetchall()
        self.rows = self.lake.rows + self._tail
        self.is_rolled_up = state.exists and state.definitions == fingerprint
        self.pruned_before = state.pruned_before
        is_parallel = self.rows >= _PARALLEL_FROM
        self.connection.execute("RESET threads" if is_parallel else "SET threads = 1")
        self._define_lost(spool)
        self._say_what_is_missing(exists=state.exists)

    def _fold(self) -> None:
        # A cursor has temporary tables and a schema of its own; another instance takes a while.
        try:
            with self.connection.cursor() as cursor:
                fold.fold(cursor, self.home, self.warnings)
                rollups.clear(cursor)
        except (OSError, duckdb.IOException, duckdb.FatalException) as error:
            # After a disk error DuckDB gives up the whole instance.
            self.connection.close()
            self.connection = engine.connect()
            self.warnings.append(
                f"{self.home} cannot be written, so what is new is read into memory for this "
                f"report only: {lake.reason(error)}"
            )

    def _stage(self, left: Iterable[segments.Slice], state: published.Published) -> None:
        """Read what is not folded into a table of its own."""
        self.connection.execute(columns.table("span_tail"))
        self.connection.execute(
            "CREATE OR REPLACE TABLE quarantine (segment VARCHAR, byte_offset BIGINT, "
            "bytes BIGINT, reason VARCHAR, refused_at TIMESTAMP)"
        )
        if state.exists:
            self.connection.execute("INSERT INTO quarantine BY NAME FROM published.quarantine")
        is_received = state.is_received
        for batch in segments.batches(left, segments.BATCH_CHARACTERS):
            refused = staging.stage(self.connection, batch)
            staging.drop_repeats(
                self.connection,
                batch,
                self.lake,
                and_in="span_tail",
                is_doubtful=state.is_doubtful,
                is_received=is_received,
            )
            is_received = is_received or staging.has_received(self.connection, batch)
            self.connection.execute("INSERT INTO span_tail FROM arrived_span")
            staging.discard(self.connection)
            if refused:
                staging.insert_refused(self.connection, "quarantine", refused)

    def _define_lost(self, spool: Path) -> None:
        self.connection.execute(
            "CREATE TABLE lost (lost_at TIMESTAMP, pid BIGINT, records BIGINT, reason VARCHAR)"
        )
        for lost in segments.lost_records(spool):
            self.connection.execute(
                "INSERT INTO lost VALUES (make_timestamp($1::BIGINT // 1000), $2, $3, $4)", lost
            )

    def _say_what_is_missing(self, *, exists: bool) -> None:
        ((refused, lost),) = self.connection.execute(
            "SELECT (SELECT count(*) FROM quarantine), (SELECT coalesce(sum(records), 0) FROM lost)"
        ).fetchall()
        if refused:
            self.warnings.append(
                f"{refused} records could not be read, whole or in part. The table quarantine "
                f"says why, and {self.home / fold.QUARANTINE} keeps them."
            )
        if lost:
            self.warnings.append(f"{lost} records were lost; the table lost says why.")
        if not self.rows and not exists:
            self.warnings.append(
                f"Nothing is recorded in {self.home} yet. `agenttrace import` reads the logs of "
                "coding agents, agenttrace.configure() records a program, `agenttrace demo` shows "
                "an example."
            )


def _comments() -> str:
    said = ["COMMENT ON VIEW span IS 'One row per span: a task, agent, tool, step or model call.'"]
    for column in columns.COLUMNS:
        text = column.comment.replace("'", "''")
        said.append(f"COMMENT ON COLUMN span.{column.name} IS '{text}'")
    return ";".join(said)


def _identity(home: Path) -> tuple[int, int] | None:
    """Tell one published store from the next."""
    try:
        found = (home / published.NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
