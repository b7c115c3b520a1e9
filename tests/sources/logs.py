"""Import logs of a source in a test, and look at what came of it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from agenttrace import semconv
from agenttrace.reader import Reader
from agenttrace.sources import agents
from agenttrace.sources.importing import Imported, import_logs

CORPORA = Path(__file__).parent / "corpora"


def imported(source: str, root: Path, home: Path) -> Imported:
    """Import what is below *root*."""
    return import_logs(home, agents.source(source), [root])


def span_ids(home: Path) -> set[str]:
    """The ids of all records in the spool but the turns, which a copy may have for itself."""
    told = _spooled(home)
    return {one["span_id"] for one in told if one["attributes"].get(semconv.KIND) != "task"}


def records(home: Path, kind: str) -> list[dict[str, Any]]:
    """The records of a kind in the spool, their attributes beside their ids and times."""
    told = _spooled(home)
    return [one | one["attributes"] for one in told if one["attributes"].get(semconv.KIND) == kind]


def _spooled(home: Path) -> Iterator[dict[str, Any]]:
    for segment in sorted((home / "spool").glob("*-*")):
        for line in segment.read_bytes().rstrip(b"\0").splitlines()[1:]:
            yield json.loads(line)


def tokens(home: Path) -> list[tuple[Any, ...]]:
    """Input, output, cache read, cache write and reasoning of each call, in the order of time."""
    keys = (
        semconv.INPUT_TOKENS,
        semconv.OUTPUT_TOKENS,
        semconv.CACHE_READ_TOKENS,
        semconv.CACHE_WRITE_TOKENS,
        semconv.REASONING_TOKENS,
    )
    calls = sorted(records(home, "inference"), key=lambda one: one["start_ns"])
    return [tuple(call.get(key) for key in keys) for call in calls]


def totals(home: Path) -> tuple[Any, ...]:
    """Tasks, calls, input and output tokens of a store."""
    with Reader(home) as reader:
        (row,) = reader.query("SELECT tasks, calls, input_tokens, output_tokens FROM totals")
    return tuple(row.values())


def write_lines(path: Path, *lines: Any, end: str = "\n") -> Path:
    """Write JSON values as lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(line) for line in lines) + end)
    return path


def write_database(path: Path, schema: str, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> Path:
    """Make a database, or add to it, of tables and rows: (table, values)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(schema)
        for table, values in rows:
            marks = ", ".join("?" * len(values))
            database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", values)
    return path
