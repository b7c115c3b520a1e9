"""Write rows as Parquet files for others to read: portable types, units in the metadata."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from agenttrace import __version__
from agenttrace.errors import StoreError
from agenttrace.store.lake import string, sync

_SUFFIX: Final = ".parquet"
# DuckDB's wide integers would become floating point in Parquet.
_PORTABLE: Final = {"HUGEINT": "BIGINT", "UBIGINT": "BIGINT", "UINTEGER": "BIGINT"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        rows: How many rows.
        files: How many files.
        bytes: What the files take.
    """

    rows: int
    files: int
    bytes: int


def export(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    target: Path,
    *,
    comments: Mapping[str, str],
    day: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write rows to one file, or to a folder with a folder for each day; whole, or not at all.

    Args:
        connection: Where the rows are; it is left with one thread.
        source: Table or view.
        target: The file, or the folder, which must be new or empty.
        comments: What the columns mean, with the unit.
        day: SQL for the day of a row; ``date=YYYY-MM-DD`` folders are named after it. One file if
            not given.
        overwrite: Replace the file, or a folder that holds nothing but an earlier export.

    Raises:
        StoreError: There is something already.
        OSError: The target cannot be written.
        duckdb.Error: The same, or the rows cannot be read.
    """
    _check(target, is_folder=day is not None, overwrite=overwrite)
    connection.execute("SET threads = 1")  # else each would hold rows of every day
    with _making(target) as folder:
        written = folder / target.name
        partition = ", PARTITION_BY (date)" if day else ""
        named = f", {day} AS date" if day else ""
        ((rows,),) = connection.execute(
            f"COPY (SELECT {_columns(connection, source)}{named} FROM {source}) "
            f"TO {string(written)} (FORMAT parquet, COMPRESSION zstd{partition}, "
            f"KV_METADATA {{{_metadata(comments)}}})"
        ).fetchall()
        if day:
            written.mkdir(exist_ok=True)  # of no rows there is no day
        files = _made_private(written)
        found = Exported(rows, len(files), sum(path.stat().st_size for path in files))
        _replace(written, target)
    return found


def _check(target: Path, *, is_folder: bool, overwrite: bool) -> None:
    kind = "folder" if is_folder else "file"
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent} is no folder. Make it first.")
    if not target.exists():
        return
    if target.is_dir() != is_folder:
        raise StoreError(
            f"{target} is a {'folder' if target.is_dir() else 'file'}, and a {kind} is to be "
            "written. Name another, or give --partition date for a folder."
        )
    if is_folder and not any(target.iterdir()):
        return
    if not overwrite:
        has = "is not empty" if is_folder else "exists"
        raise StoreError(f"{target} {has}. Name another {kind}, or give --overwrite.")
    foreign = [path for path in _all_files(target) if path.suffix != _SUFFIX]
    if is_folder and foreign:
        raise StoreError(f"{foreign[0]} is from no export, so {target} is left as it is.")


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


@contextlib.contextmanager
def _making(target: Path) -> Generator[Path]:
    """Make a folder beside *target* that nobody else can look into while it is written."""
    prefix = f".{target.name}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=target.parent) as folder:
        yield Path(folder)


def _columns(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    selected: list[str] = []
    for name, kind, *_ in described:
        portable = _PORTABLE.get(kind) or ("DOUBLE" if kind.startswith("DECIMAL") else kind)
        selected.append(name if portable == kind else f"{name}::{portable} AS {name}")
    return ", ".join(selected)


def _metadata(comments: Mapping[str, str]) -> str:
    facts = {"agenttrace_version": __version__, "agenttrace_columns": json.dumps(dict(comments))}
    return ", ".join(f"{key}: {string(value)}" for key, value in facts.items())


def _made_private(written: Path) -> list[Path]:
    """Let nobody else read what DuckDB wrote, and wait until it is on the disk."""
    if written.is_file():
        written.chmod(0o600)
        sync(written)
        return [written]
    files = _all_files(written)
    for path in files:
        path.chmod(0o600)
        sync(path)
    for folder in (written, *{path.parent for path in files}):
        folder.chmod(0o700)
    return files


def _replace(written: Path, target: Path) -> None:
    if written.is_dir() and target.is_dir() and any(target.iterdir()):
        # Its place in between: a folder is not renamed over one that holds something.
        old = written.parent / "old"
        target.rename(old)
        written.rename(target)
        shutil.rmtree(old)
    else:
        written.replace(target)
    sync(target.parent)
