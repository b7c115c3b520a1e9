"""All that is on the disk below a folder: the bytes, and what compressed columns hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from tests.privacy.canary import Canaries


def leaks(canaries: Canaries, folder: Path) -> set[tuple[str, str]]:
    """Return the place of each canary below *folder*, and where it was found."""
    return {
        (place, where)
        for where, said in (*raw(folder), *values(folder))
        for place in canaries.found_in(said)
    }


def raw(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path of each file or folder, which is something written too, and its bytes."""
    for path in sorted(folder.rglob("*")):
        where = str(path.relative_to(folder))
        yield where, where.encode()
        if path.is_file():
            yield where, path.read_bytes()


def values(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the values of every column of each table and of each Parquet file, and its metadata."""
    with duckdb.connect() as connection:
        for path in sorted(folder.rglob("*.parquet")):
            where = str(path.relative_to(folder))
            yield where, _all_of(connection, f"read_parquet('{path}')")
            yield where, _all_of(connection, f"parquet_kv_metadata('{path}')")
        for path in sorted(folder.rglob("*.duckdb")):
            connection.execute(f"ATTACH '{path}' AS looked_at (READ_ONLY)")
            for (table,) in connection.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
                "WHERE database_name = 'looked_at'"
            ).fetchall():
                where = f"{path.relative_to(folder)} {table}"
                yield where, _all_of(connection, f"looked_at.{table}")
            connection.execute("DETACH looked_at")


def texts(folder: Path) -> set[str]:
    """Return the names of columns that can hold text, of each table and of each Parquet file."""
    with duckdb.connect() as connection:
        for number, path in enumerate(sorted(folder.rglob("*.duckdb"))):
            connection.execute(f"ATTACH '{path}' AS looked_at_{number} (READ_ONLY)")
        for number, path in enumerate(sorted(folder.rglob("*.parquet"))):
            connection.execute(f"CREATE VIEW file_{number} AS FROM read_parquet('{path}')")
        return {name for (name,) in connection.execute(TEXT_COLUMNS).fetchall()}


# A number, a time and a truth value hold nothing that was said.
TEXT_COLUMNS: Final = """
SELECT DISTINCT column_name
FROM duckdb_columns()
WHERE NOT internal
    AND NOT regexp_matches(data_type, '^(U?[A-Z]*INT|DECIMAL|DOUBLE|FLOAT|BOOL|TIME|DATE)')
"""


def _all_of(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    # A cast of all columns at once: whatever its type, a value is searched as it reads.
    rows = connection.execute(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {relation}").fetchall()
    return "\n".join(str(row) for row in rows)
