"""DuckDB as the store works with it: in memory, bounded, and nobody's business but ours."""

import os
import stat
from pathlib import Path
from typing import Final

import duckdb

MEMORY_LIMIT: Final = "1GB"


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection in memory that spills to the temporary folder and downloads nothing."""
    return duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            # Nothing is downloaded behind the user's back, and nothing spills beside their files.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": _spill(),
        }
    )


def _spill() -> str:
    """Return where to spill, below a folder that is nobody else's; empty if there is none."""
    # Not tempfile.gettempdir(): it writes to find out, and the disk may be full.
    temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - what is found there is looked at
    folder = Path(temporary) / f"agenttrace-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return ""
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return str(folder / str(os.getpid())) if is_ours and not found.st_mode & 0o077 else ""
