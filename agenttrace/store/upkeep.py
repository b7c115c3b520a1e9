"""Work on a store as a whole: one at a time, and on one that is up to date."""

import contextlib
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Final

import duckdb

from agenttrace.errors import AgentTraceError, StoreError
from agenttrace.store import engine, fold, lake, published
from agenttrace.store.fold import Progress
from agenttrace.store.published import Published

WAIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05

Say = Callable[[str], None]
"""Takes a sentence for the user, or the whereabouts of what is going on."""


def _nothing(*_: object) -> None:
    """Say nothing, and show no progress."""


@contextlib.contextmanager
def alone(home: Path, say: Say = _nothing, wait_seconds: float = WAIT_SECONDS) -> Generator[None]:
    """Hold the lock of whoever may change the store, and wait for it.

    Args:
        home: Folder of the store.
        say: Is told if somebody else holds it.
        wait_seconds: How long to wait then.

    Raises:
        StoreError: Nobody let go of it, or the folder cannot be written.
    """
    has_said = False
    until = time.monotonic() + wait_seconds
    while True:
        with contextlib.ExitStack() as stack:
            try:
                is_alone = stack.enter_context(fold.alone(home))
            except OSError as error:
                raise failed(home, error) from error
            if is_alone:
                yield
                return
        if time.monotonic() > until:
            raise StoreError(
                f"another process has been at work on {home} for {wait_seconds:.0f} seconds. "
                "Try again when it is done."
            )
        if not has_said:
            has_said = True
            say("Waiting for another process that is folding ...")
        time.sleep(_LOOK_SECONDS)


@contextlib.contextmanager
def folded(
    home: Path,
    warnings: list[str],
    *,
    say: Say = _nothing,
    progress: Progress = _nothing,
    first: Callable[[duckdb.DuckDBPyConnection], object] = _nothing,
    wait_seconds: float = WAIT_SECONDS,
) -> Generator[tuple[duckdb.DuckDBPyConnection, Published]]:
    """Fold what is new, and go on holding the lock.

    Args:
        home: Folder of the store.
        warnings: Gets a sentence for whatever has to be left alone.
        say: Is told if somebody else holds the lock.
        progress: Is told how far the fold is.
        first: What to do before the fold, with the connection.
        wait_seconds: How long to wait for the lock.

    Yields:
        A connection of its own, and what the store says.

    Raises:
        StoreError: It cannot be done; whatever fails inside becomes one.
    """
    with alone(home, say, wait_seconds), engine.connect() as connection:
        try:
            first(connection)
            fold.fold_alone(connection, home, warnings, progress=progress)
            yield connection, published.read(connection, home)
        except AgentTraceError:
            raise
        except (OSError, duckdb.Error) as error:
            raise failed(home, error) from error


def publish(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    statements: Callable[[duckdb.DuckDBPyConnection], Iterable[str]],
    *,
    is_rolled_up: bool = True,
) -> None:
    """Publish a changed store, and remove the files of the lake that it lets go of.

    Whoever dies in between leaves files that are marked as read no more; the next fold removes
    them.

    Args:
        connection: Any connection.
        home: Folder of the store.
        statements: Makes the changes to ``published``, and returns the files.
        is_rolled_up: No rows of the roll-ups change.
    """
    forgotten: list[str] = []

    def commit(store: duckdb.DuckDBPyConnection) -> None:
        forgotten.extend(statements(store))

    if is_rolled_up:
        published.change(connection, home, commit)
    else:
        fold.publish(connection, home, commit)
    remove(home, forgotten)


def remove(home: Path, files: Iterable[str]) -> None:
    """Remove files of the lake, and folders of days that are empty then."""
    folder = home / lake.FOLDER
    for file in files:
        path = folder / file
        path.unlink(missing_ok=True)
        if path.parent != folder:
            with contextlib.suppress(OSError):  # not empty
                path.parent.rmdir()


def failed(home: Path, error: OSError | duckdb.Error) -> StoreError:
    """Return what to raise after *error*, naming the file that it is about."""
    if isinstance(error, OSError):
        return StoreError(f"{error.filename or home} cannot be written: {lake.reason(error)}")
    # A connection of its own: after a disk error DuckDB gives up the whole instance.
    with engine.connect() as connection:
        parts = published.read(connection, home).parts
        if any(True for _ in lake.broken(connection, home, parts)):
            return published.unreadable(connection, home, parts, error)
    return StoreError(f"{home} cannot be worked on: {lake.reason(error)}")
