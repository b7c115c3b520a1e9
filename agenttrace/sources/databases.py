"""SQLite files of other programs, read while those are running."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from agenttrace.sources.source import UnreadableError

_WAIT_SECONDS: Final = 2.0  # for its owner to let go


@contextmanager
def opened(path: Path) -> Generator[sqlite3.Connection]:
    """Open *path* for reading only; its rows are mappings.

    Raises:
        UnreadableError: Its owner has locked it, it is no database, or lacks what was asked for.
    """
    where = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(where, uri=True, timeout=_WAIT_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            # Text that is no UTF-8 is somebody's text, and none that is read here.
            connection.text_factory = _text
            yield connection
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise UnreadableError("locked by the program that owns it") from error
        raise UnreadableError(f"not as expected: {error}") from error
    except sqlite3.Error as error:
        raise UnreadableError(f"no database: {error}") from error


def _text(said: bytes) -> str:
    return said.decode("utf-8", "replace")
