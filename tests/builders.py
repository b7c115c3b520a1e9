"""Spans as a recorder leaves them in the spool, small enough to stand in sight of an assertion.

    records = spans(agent("researcher", chat(input=100, output=20), tool("search")))
    with opened(home, records) as store: ...

Each span starts a second after the one written before it and lasts half a second, or until its last
child ends. Ids count from 1. Without a task around them, the spans are put into a task ``job``.
"""

import contextlib
import functools
import itertools
import json
import re
import tempfile
from collections.abc import Container, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import duckdb

from agenttrace import energy, rollup, semconv
from agenttrace.energy import measured
from agenttrace.energy.tables import NONE
from agenttrace.record.spool import SEGMENT_SUFFIX, Spool
from agenttrace.store import Store, fold, lake, published
from agenttrace.store.rollups import DERIVED, STORED

START_NS = 1_760_000_000_000_000_000
SECOND_NS = 1_000_000_000

Record = dict[str, Any]

_KEYS = {
    "agent": semconv.AGENT_NAME,
    "attempt": semconv.ATTEMPT,
    "branch": semconv.BRANCH,
    "cache_read": semconv.CACHE_READ_TOKENS,
    "cache_write": semconv.CACHE_WRITE_TOKENS,
    "capture": semconv.CAPTURE,
    "depth": semconv.AGENT_DEPTH,
    "error_type": semconv.ERROR_TYPE,
    "headless": semconv.HEADLESS,
    "http_status": semconv.HTTP_STATUS,
    "input": semconv.INPUT_TOKENS,
    "measured_j": semconv.MEASURED_J,
    "model": semconv.RESPONSE_MODEL,
    "operation": semconv.OPERATION_NAME,
    "operation_id": semconv.OPERATION_ID,
    "outcome": semconv.OUTCOME,
    "output": semconv.OUTPUT_TOKENS,
    "provider": semconv.PROVIDER_NAME,
    "reasoning": semconv.REASONING_TOKENS,
    "request_id": semconv.REQUEST_ID,
    "request_model": semconv.REQUEST_MODEL,
    "response_id": semconv.RESPONSE_ID,
    "region": semconv.CLOUD_REGION,
    "role": semconv.ROLE,
    "session": semconv.CONVERSATION_ID,
    "task_id": semconv.TASK_ID,
    "usage": semconv.USAGE,
    "visible": semconv.VISIBLE,
    "wire_calls": semconv.WIRE_CALLS,
    "workload": semconv.WORKLOAD,
    "project": semconv.PROJECT,
    "user_turns": semconv.USER_TURNS,
    "user_hash": semconv.USER_HASH,
    "task_outcome": semconv.TASK_OUTCOME,
    "outcome_reference": semconv.OUTCOME_REFERENCE,
}


@dataclass(frozen=True)
class Node:
    """A span to be, with the spans inside it; *said* are attributes by short or by full name."""

    kind: str
    name: str
    children: tuple["Node", ...]
    said: dict[str, Any]
    scope: str = "agenttrace"


@dataclass(frozen=True)
class _Place:
    """What the spans inside know of those around them."""

    parent: str | None = None
    task_id: str | None = None
    agent: str | None = None
    agent_span_id: str | None = None
    depth: int = 0
    role: str = "main"


def chat(*children: Node, name: str = "chat", **said: Any) -> Node:
    """A model call that the meter saw; without *children* nearly always."""
    usage = "reported" if "input" in said and "output" in said else "missing"
    defaults = {"operation": "chat", "provider": "openai", "model": "gpt-5", "usage": usage}
    return Node("inference", name, children, {**defaults, "capture": "wire", **said})


def frame(*children: Node, name: str = "ChatOpenAI", **said: Any) -> Node:
    """A model call as a framework's callback sees it."""
    return Node("inference", name, children, {"operation": "chat", "capture": "frame", **said})


def tool(name: str, *children: Node, **said: Any) -> Node:
    """A tool, and the spans inside it."""
    return Node("tool", name, children, said)


def agent(name: str, *children: Node, **said: Any) -> Node:
    """An agent, and the spans inside it."""
    return Node("agent", name, children, said)


def step(name: str, *children: Node, **said: Any) -> Node:
    """A step of a workflow, and the spans inside it."""
    return Node("step", name, children, said)


def fact(**said: Any) -> Node:
    """What somebody says about the task around it, such as its outcome."""
    return Node("fact", "fact", (), said)


def task(name: str, *children: Node, **said: Any) -> Node:
    """A task, and the spans inside it; its id is its name unless ``task_id`` is given."""
    return Node("task", name, children, said)


def foreign(scope: str, said: dict[str, Any], *children: Node) -> Node:
    """A span of another instrumentation, with attributes in its own spelling."""
    return Node("", "span", children, said, scope)


def spans(*nodes: Node, trace: int = 1) -> list[Record]:
    """Return the records of *nodes*, in the order in which the spans end.

    Args:
        nodes: Tasks; or anything else, which is then put into the task ``job``.
        trace: Number of the trace; span ids differ between traces.
    """
    if not all(node.kind == "task" for node in nodes):
        nodes = (task("job", *nodes),)
    ids = itertools.count(trace << 32 | 1)
    records: list[Record] = []
    for node in nodes:
        _write(node, _Place(), f"{trace:032x}", ids, records)
    return records


def loose(*nodes: Node, trace: int = 1) -> list[Record]:
    """Return the records of *nodes* as they are, in no task."""
    ids = itertools.count(trace << 32 | 1)
    records: list[Record] = []
    for node in nodes:
        _write(node, _Place(), f"{trace:032x}", ids, records)
    return records


def _write(
    node: Node, place: _Place, trace_id: str, ids: Iterator[int], records: list[Record]
) -> int:
    number = next(ids)
    span_id = f"{number:016x}"
    start_ns = START_NS + (number & 0xFFFFFFFF) * SECOND_NS
    attributes = {_KEYS.get(key, key): value for key, value in node.said.items()}
    status, parent = attributes.pop("status", "ok"), attributes.pop("parent", place.parent)
    inner = _inside(node, place, span_id, attributes)
    if node.kind:
        attributes = {semconv.KIND: node.kind, semconv.ROLE: inner.role, **attributes}
    around = {
        semconv.TASK_ID: inner.task_id,
        semconv.AGENT_NAME: inner.agent,
        semconv.AGENT_SPAN_ID: inner.agent_span_id,
        semconv.AGENT_DEPTH: inner.depth,
    }
    attributes = {key: value for key, value in around.items() if value is not None} | attributes
    end_ns = start_ns + SECOND_NS // 2
    for child in node.children:
        below = replace(inner, parent=span_id)
        end_ns = max(end_ns, _write(child, below, trace_id, ids, records))
    records.append(
        {
            "trace_id": trace_id,
            "span_id": span_id,
            "parent_span_id": parent,
            "name": node.name,
            "start_ns": start_ns,
            "end_ns": end_ns,
            "status": status,
            "scope": node.scope,
            "attributes": {key: value for key, value in attributes.items() if value is not None},
        }
    )
    return end_ns


def _inside(node: Node, place: _Place, span_id: str, attributes: dict[str, Any]) -> _Place:
    """Say where *node* stands, as the spans inside it will know."""
    match node.kind:
        case "task":
            attributes.setdefault(semconv.TASK_ID, node.name)
            attributes.setdefault(semconv.TASK_NAME, node.name)
            return _Place(task_id=attributes[semconv.TASK_ID])
        case "agent":
            depth = place.depth + 1
            role = "main" if depth == 1 else "subagent"
            return replace(place, agent=node.name, agent_span_id=span_id, depth=depth, role=role)
        case "tool":
            return replace(place, role="tool")
        case _:
            return place


def line(record: Record) -> bytes:
    """Return *record* as a line of a segment."""
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def header(**said: Any) -> bytes:
    """Return the first line of a segment."""
    defaults = {"agenttrace_spool": 1, "pid": 7, "host": "here", "service_name": "test"}
    return line({**defaults, "version": "0.1.0", "started_ns": START_NS, **said})


def segment(records: Iterable[Record], **said: Any) -> bytes:
    """Return the bytes of a finished segment."""
    return header(**said) + b"".join(map(line, records))


def write(home: Path, records: Iterable[Record]) -> None:
    """Put *records* into a segment of their own, as a recording process does."""
    spool = Spool(home / "spool", "test", segment_bytes=64 * 1024)
    for record in records:
        spool.append(line(record))
    spool.close()


def add(home: Path, records: Iterable[Record]) -> None:
    """Put *records* into a segment beside a store, which is made before: the fold takes less."""
    begin(home)
    write(home, records)


def keep(home: Path, *segments: Iterable[Record]) -> None:
    """Put the store of *segments* into *home*: a copy, where some test of the process made it."""
    (home / "spool").mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content in _kept(tuple(b"".join(map(line, records)) for records in segments)):
        (home / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / path).write_bytes(content)


@functools.lru_cache(maxsize=64)
def _kept(segments: tuple[bytes, ...]) -> list[tuple[Path, bytes]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for lines in segments:
            add(home, map(json.loads, lines.splitlines()))
        Store.open(home).close()
        files = [path for path in home.rglob("*") if path.is_file()]
        return [(path.relative_to(home), path.read_bytes()) for path in files]


def later(records: Iterable[Record], seconds: float) -> list[Record]:
    """Return *records* as if they had been made some time later."""
    by_ns = int(seconds * SECOND_NS)
    return [
        {**record, "start_ns": record["start_ns"] + by_ns, "end_ns": record["end_ns"] + by_ns}
        for record in records
    ]


def put(home: Path, name: str, content: bytes) -> Path:
    """Put a segment with any content into the spool."""
    path = home / "spool" / (name if "." in name else name + SEGMENT_SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@contextmanager
def opened(home: Path, *segments: Iterable[Record]) -> Iterator[Store]:
    """Write *segments*, and open the store over them."""
    if segments and not (home / lake.FOLDER).exists():
        begin(home)
    for records in segments:
        write(home, records)
    with Store.open(home) as store:
        yield store


PLACES: Final = {None: "WOR", "eu-north-1": "SE"}
"""Zone of the grid by the region of a call, in queries over ``price``."""

_ENERGY_TABLES: Final = Path(energy.__file__).with_name("tables.sql")


def price(
    connection: duckdb.DuckDBPyConnection,
    models: Mapping[str | None, Sequence[float]],
    grid: Sequence[float],
) -> None:
    """Make the tables that energy is computed from, with figures for doing sums by hand.

    Args:
        connection: Where to make them.
        models: Wh per input token that is not from a cache, in each draw, by model of openai; the
            first is the central one. Every other coefficient is zero.
        grid: Grams per kWh in each draw, in every place; the first is the central one. Water is
            2 l/kWh everywhere.
    """
    connection.execute(_ENERGY_TABLES.read_text())
    connection.execute(
        """
        CREATE TABLE persona (
            id VARCHAR, name VARCHAR, prompts_per_day DOUBLE, input_tokens BIGINT,
            output_tokens BIGINT, title VARCHAR, url VARCHAR
        );
        CREATE TABLE persona_prompt (id VARCHAR, energy_wh DOUBLE);
        CREATE TABLE persona_draw (id VARCHAR, draw INTEGER, energy_wh DOUBLE);
        CREATE TABLE workload_setting (scope VARCHAR, name VARCHAR, workload VARCHAR);
        """
    )
    # A test has two or three draws, and the real ones 256.
    connection.execute(
        """
        CREATE OR REPLACE MACRO low_of_draws(drawn) AS quantile_cont(drawn, 0.05);
        CREATE OR REPLACE MACRO high_of_draws(drawn) AS quantile_cont(drawn, 0.95);
        INSERT INTO factor_set VALUES ('test', 'facility', 2, 0.05, 0.95);
        """
    )
    for model, drawn_wh in models.items():
        connection.execute(
            "INSERT INTO model_factor BY NAME SELECT 'openai' AS provider, $1 AS model, "
            "'estimated' AS basis, 'tiny' AS class, true AS known, 'a test' AS match_reason, "
            "$2 AS j_uncached, 0 AS j_uncached_context, 0 AS j_cached, 0 AS j_output, "
            "0 AS j_output_context",
            [model, drawn_wh[0] * 3600],
        )
        for draw, wh in enumerate(drawn_wh):
            connection.execute(
                "INSERT INTO model_factor_draw "
                "VALUES ('openai', $1, 'estimated', $2, $3, 0, 0, 0, 0)",
                [model, draw, wh * 3600],
            )
    for region, zone in PLACES.items():
        connection.execute(
            "INSERT INTO place BY NAME SELECT 'openai' AS provider, $1 AS region, $2 AS zone, "
            "$3 AS g_per_kwh, 2 AS l_per_kwh, 'annual' AS resolution",
            [region, zone, grid[0]],
        )
        for draw, grams in enumerate(grid):
            connection.execute(
                "INSERT INTO place_draw VALUES ('openai', $1, $2, $3, 2)", [region, draw, grams]
            )


class Asked:
    """The queries over a store, each defined when a text first mentions it."""

    def __init__(self, store: Store, *, stored: bool, imported: Container[str] = ()) -> None:
        """Take the stored roll-ups, as a reader does, or define those queries over spans.

        Of the queries over imported hours and windows, those that are not *imported* have no rows.
        """
        self.connection = store.connection
        self._definitions = rollup.Definitions(store.connection, rollup.folders())
        for name, columns in NONE.items():
            if name not in imported:
                listed = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
                self.connection.execute(f"CREATE TABLE {name} ({listed})")
                self._definitions.give(name)
        if stored and store.is_rolled_up:
            store.define_rollups()
            self._definitions.give(*STORED)
            if store.define_derived():
                self._definitions.give(*DERIVED)
        if not stored:
            # Most others read it, some twice; a table goes before the view of its name.
            self.define("counted_call")
            self.connection.execute("CREATE TEMP TABLE counted_call AS FROM counted_call")

    def sql(self, text: str) -> duckdb.DuckDBPyRelation:
        """Return the rows of *text*."""
        self.define(*re.findall(r"\w+", text))
        return self.connection.sql(text)

    def define(self, *words: str) -> None:
        """Define those of *words* that are names of queries."""
        self._definitions.define(*sorted(self._definitions.queries.keys() & set(words)))

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return every row of a query, by column."""
        found = self.sql(f"FROM {name}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@contextmanager
def asked(
    home: Path,
    *segments: Iterable[Record],
    models: Mapping[str | None, Sequence[float]] | None = None,
    grid: Sequence[float] = (1000.0, 1000.0),
    stored: bool = True,
    imported: Container[str] = (),
) -> Iterator[Asked]:
    """Write *segments*, and ask queries over them; for *models* and *grid* see ``price``.

    The roll-ups are those that the fold stores. If *stored* is false nothing is folded, and they
    are what their definitions make of the spans in the spool.
    """
    if stored and segments:
        begin(home)
    who_may_fold = contextlib.nullcontext() if stored else _kept_from_folding(home)
    with who_may_fold, opened(home, *segments) as store:
        price(store.connection, models or {}, grid)
        measured.define(store.connection, home)
        yield Asked(store, stored=stored, imported=imported)


@contextmanager
def _kept_from_folding(home: Path) -> Generator[None]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with fold.alone(home) as is_alone:
        assert is_alone
        yield


def begin(home: Path) -> None:
    """Make the store of *home*, if there is none: a copy, for to make one takes long."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / published.NAME).exists():
        (home / published.NAME).write_bytes(_empty_store())


@functools.cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        fold.fold(connection, Path(folder), [])
        return (Path(folder) / published.NAME).read_bytes()
