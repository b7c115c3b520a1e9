"""Bring a store of an earlier agenttrace to what this one would write."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from agenttrace.store import compaction, fold, published, rollups
from agenttrace.store.fold import Progress


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done.

    Attributes:
        schema: Number of the schema before and after.
        is_rolled_up: The roll-ups were worked out anew.
        is_moved: Files of the lake were written into days.
    """

    schema: tuple[int, int]
    is_rolled_up: bool
    is_moved: bool

    def __bool__(self) -> bool:
        return self.schema[0] != self.schema[1] or self.is_rolled_up or self.is_moved


def migrate(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    warnings: list[str],
    progress: Progress = lambda _done, _total: None,
) -> Migrated:
    """Bring the schema, the roll-ups and the folders of the lake up to date.

    Whoever calls it holds the lock.

    Args:
        connection: DuckDB in memory, of its own.
        home: Folder of the store.
        warnings: Gets a sentence for whatever has to be left alone.
        progress: Is told how far it is.

    Raises:
        SchemaVersionError: A newer agenttrace wrote the store.
        StoreError: The store cannot be read.
        OSError: The folder cannot be written.
        duckdb.Error: The same.
    """
    if not (home / published.NAME).exists():
        fold.fold_alone(connection, home, warnings, progress=progress)
    state = published.read(connection, home)
    before, _ = published.version(connection, home)
    if before < published.newest():
        published.change(connection, home, lambda _store: None)
    is_old = state.definitions != rollups.fingerprint()
    if is_old:
        fold.rebuild(connection, home, state, progress)
    is_moved = compaction.into_days(connection, home, progress)
    return Migrated((before, published.newest()), is_old, is_moved)
