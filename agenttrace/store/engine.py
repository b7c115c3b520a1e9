"""DuckDB as the store works with it: in memory, bounded, and nobody's business but ours."""

import os
from typing import Final

import duckdb

MEMORY_LIMIT: Final = "1GB"


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection in memory that spills to the temporary folder and downloads nothing."""
    # Not tempfile.gettempdir(): it writes to find out, and the disk may be full.
    temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - no name is guessed, only the folder
    return duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            # Nothing is downloaded behind the user's back, and nothing spills beside their files.
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": f"{temporary}/agenttrace-{os.getpid()}",
        }
    )
