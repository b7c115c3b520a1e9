"""Everything that was recorded, as one table: ``span``.

    with Store.open(home) as store:
        store.connection.sql("SELECT kind, count(*) FROM span GROUP BY kind")

Opening folds what is new into the lake if this process may; what it may not fold, it reads in
memory. Either way the table holds all that was recorded, and no reader waits for a lock.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb

from agenttrace.errors import StoreError
from agenttrace.store import columns, fold, published, segments, staging

__all__ = ["Store"]

_PARALLEL_FROM: Final = 1_000_000  # spans; with fewer, handing out work costs more than it saves
_LOOKS: Final = 50  # at a store that others are changing, before giving up


class Store:
    """What was recorded in one folder, up to the moment it was opened.

    Attributes:
        home: The folder.
        connection: DuckDB in memory. It has ``span`` (columns and units in its comments),
            ``quarantine`` (records that were refused) and ``lost`` (records that were not written).
        rows: Spans in ``span``.
        warnings: What is missing and why, a sentence each.
    """

    def __init__(self, home: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.home = home
        self.connection = connection
        self.rows = 0
        self.warnings: list[str] = []
        self._files: tuple[str, ...] = ()

    @classmethod
    def open(cls, home: Path) -> Self:
        """Open the data in *home*, newest records included.

        A folder without data, or none at all, is an empty table and a warning, and stays as it is.

        Raises:
            SchemaVersionError: A newer agenttrace wrote the store.
            StoreError: The store cannot be read.
        """
        store = cls(home, _connect())
        try:
            store._load()
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
        return published.unreadable(self.connection, self.home, self._files, error)

    def _load(self) -> None:
        spool = self.home / "spool"
        if segments.find(spool) or (
            not (self.home / published.NAME).exists() and fold.has_lake(self.home)
        ):
            self._fold()
        for _ in range(_LOOKS):
            before = _identity(self.home)
            state = published.read(self.connection, self.home)
            warnings: list[str] = []
            if not state.exists:
                state = fold.without_store(self.connection, self.home, warnings)
            self._stage(segments.new(spool, state.watermarks, warnings))
            # Segments go only after a store that holds their spans has come.
            if _identity(self.home) == before:
                break
        else:
            raise StoreError(f"{self.home} does not stop changing. Try again.")
        self.warnings.extend(one for one in warnings if one not in self.warnings)
        self._files = tuple(state.parts)
        self._define_span(state)
        self._define_lost(spool)
        self._say_what_is_missing(state)

    def _fold(self) -> None:
        # A connection of its own: after a disk error DuckDB gives up the whole instance.
        try:
            with _connect() as connection:
                fold.fold(connection, self.home, self.warnings)
        except (OSError, duckdb.IOException, duckdb.FatalException) as error:
            reason = str(error).partition("\n")[0]
            self.warnings.append(
                f"{self.home} cannot be written, so what is new is read into memory for this "
                f"report only: {reason}"
            )

    def _stage(self, left: Iterable[segments.Slice]) -> None:
        """Read what is not folded into a table of its own."""
        self.connection.execute(columns.table("span_tail"))
        for batch in segments.batches(left, segments.BATCH_CHARACTERS):
            refused = staging.stage(self.connection, batch)
            self.connection.execute("INSERT INTO span_tail FROM arrived_span")
            staging.discard(self.connection)
            if refused:
                staging.insert_refused(self.connection, "quarantine", refused)

    def _define_span(self, state: published.Published) -> None:
        spans = published.lake_and("span_tail", self.home, state.parts)
        try:
            self.connection.execute(f"CREATE VIEW span AS {spans}")
        except duckdb.Error as error:
            raise self.unreadable(error) from error
        self.connection.execute(_comments())
        ((unfolded,),) = self.connection.execute("SELECT count(*) FROM span_tail").fetchall()
        self.rows = sum(state.parts.values()) + unfolded
        if self.rows < _PARALLEL_FROM:
            self.connection.execute("SET threads = 1")

    def _define_lost(self, spool: Path) -> None:
        self.connection.execute("CREATE TABLE lost (lost_at TIMESTAMP, pid BIGINT, records BIGINT)")
        for at_ns, pid, records in segments.lost_records(spool):
            self.connection.execute(
                "INSERT INTO lost VALUES (make_timestamp($1::BIGINT // 1000), $2, $3)",
                [at_ns, pid, records],
            )

    def _say_what_is_missing(self, state: published.Published) -> None:
        ((refused, lost),) = self.connection.execute(
            "SELECT (SELECT count(*) FROM quarantine), (SELECT coalesce(sum(records), 0) FROM lost)"
        ).fetchall()
        if refused:
            self.warnings.append(
                f"{refused} records could not be read, whole or in part. The table quarantine "
                f"says why, and {self.home / fold.QUARANTINE} keeps them."
            )
        if lost:
            self.warnings.append(f"{lost} records were lost because the disk refused them.")
        if not self.rows and not state.exists:
            self.warnings.append(
                f"Nothing is recorded in {self.home} yet. Call agenttrace.configure() in your "
                "program, or try `agenttrace demo`."
            )


def _comments() -> str:
    said = ["COMMENT ON VIEW span IS 'One row per span: a task, agent, tool, step or model call.'"]
    for column in columns.COLUMNS:
        text = column.comment.replace("'", "''")
        said.append(f"COMMENT ON COLUMN span.{column.name} IS '{text}'")
    return ";".join(said)


def _connect() -> duckdb.DuckDBPyConnection:
    # Not tempfile.gettempdir(): it writes to find out, and the disk may be full.
    temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - no name is guessed, only the folder
    return duckdb.connect(
        config={
            "memory_limit": fold.MEMORY_LIMIT,
            # Nothing is downloaded behind the user's back, and nothing spills beside their files.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": f"{temporary}/agenttrace-{os.getpid()}",
        }
    )


def _identity(home: Path) -> tuple[int, int] | None:
    """Tell one published store from the next."""
    try:
        found = (home / published.NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
