"""Make a store to keep, with the code at hand: ``python -m tests.store.kept.make FOLDER``.

It is a home as a user has it in the middle of a day: two files in the lake of which the second took
the first one in, a segment that was folded and not yet removed, one that was never folded, one
whose writer was killed half folded and in the middle of a record, a span that arrives thrice,
refused records, and losses. Beside the spans stands what counts; ``schema_1.json`` has the sums.
"""

import itertools
import os
import socket
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import duckdb

from agenttrace.record.spool import LOST_NAME, OPEN_SUFFIX, SEGMENT_SUFFIX, Spool
from agenttrace.store import Store, published
from tests.builders import (
    SECOND_NS,
    START_NS,
    Node,
    Record,
    agent,
    chat,
    foreign,
    frame,
    line,
    spans,
    step,
    task,
    tool,
)

_DAY_NS = 24 * 3600 * SECOND_NS
_OPENLLMETRY = "opentelemetry.instrumentation.openai.v1"
_SEEN = {
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.prompt_tokens": "70",
    "gen_ai.usage.completion_tokens": "7",
    "llm.request.type": "chat",
}
_SONNET = {"provider": "anthropic", "model": "claude-sonnet-5"}


def triage() -> list[Record]:
    """Six calls: input 2,100 (cache read 400, written 300), output 210 (reasoning 40)."""
    attempt = {"operation_id": "ask", "request_model": "gpt-5"}
    return _task(
        1,
        "triage",
        agent(
            "planner",
            chat(input=1000, cache_read=400, output=100, reasoning=40),
            tool("search", chat(input=200, output=20, model="gpt-5-mini")),
            agent("reader", chat(input=500, cache_write=300, output=50, **_SONNET)),
            # The callback of a framework repeats what the call inside it reports: one call.
            frame(chat(input=300, output=30), input=300, output=30),
            chat(**attempt, attempt=1, status="error", error_type="429", http_status=429),
            chat(**attempt, attempt=2, input=100, output=10),
        ),
        workload="agentic",
    )


def summary() -> list[Record]:
    """Three calls: input 150, output 20, and an input that was refused; an estimate counts."""
    return _task(
        2,
        "summary",
        step("map", chat(input=80, output=8, usage="estimated")),
        foreign(_OPENLLMETRY, _SEEN),
        chat(input="many", output=5),  # refused: this count, and who says the others
        workload="user-facing",
        session="afternoon",
    )


def ticket() -> list[Record]:
    """Four calls on the next day, whose root never ended: input 1,111, output 44."""
    records = _task(3, "ticket", *(chat(input=10**power, output=11) for power in range(4)))
    for record in records:
        record["start_ns"] += _DAY_NS
        record["end_ns"] += _DAY_NS
    return records[:-1]


def make(home: Path) -> None:
    """Make the store in *home*, which must not be there; the same in every place."""
    with _as_ever():
        _record(home, 7, triage())
        _fold(home)
        folded = _record(home, 8, summary())
        folded.write_bytes(folded.read_bytes() + b'{"trace_id":\n')
        not_removed = folded.read_bytes()
        calls = ticket()
        with _recording(home, 9) as spool:
            _append(spool, [*calls[:2], _seen_elsewhere()])
            _fold(home)
            _append(spool, calls[2:])
            (live,) = (home / "spool").glob(f"*{OPEN_SUFFIX}")
            killed = live.read_bytes()
        live.with_suffix(SEGMENT_SUFFIX).unlink()
        live.write_bytes(_without_last_commit(killed))
        _record(home, 10, [calls[3], _seen_elsewhere()])
    folded.write_bytes(not_removed)
    lost = {"at_ns": START_NS, "pid": 7, "records": 3}
    (home / "spool" / LOST_NAME).write_bytes(line(lost))
    _set_clocks(home)


def _seen_elsewhere() -> Record:
    """Return a span that arrives again, through another exporter."""
    (record,) = (record for record in summary() if record["scope"] == _OPENLLMETRY)
    return record


def _task(trace: int, name: str, *inside: Node, **said: str) -> list[Record]:
    return spans(task(name, *inside, **said), trace=trace)


@contextmanager
def _as_ever() -> Generator[None]:
    """Take host and clock from no machine in particular."""
    clock = itertools.count(START_NS, SECOND_NS)
    with (
        mock.patch.object(socket, "gethostname", return_value="here"),
        mock.patch.object(time, "time_ns", side_effect=clock),
    ):
        yield


@contextmanager
def _recording(home: Path, pid: int) -> Generator[Spool]:
    """Be a process that records, until the end of the block."""
    with mock.patch.object(os, "getpid", return_value=pid):
        spool = Spool(home / "spool", "kept", segment_bytes=16 * 1024)
        yield spool
        spool.close()


def _append(spool: Spool, records: Sequence[Record]) -> None:
    for record in records:
        spool.append(line(record))


def _record(home: Path, pid: int, records: Sequence[Record]) -> Path:
    """Record in a process of its own that ends well; return its segment."""
    with _recording(home, pid) as spool:
        _append(spool, records)
    (segment,) = (home / "spool").glob(f"*-{pid}-1{SEGMENT_SUFFIX}")
    return segment


def _fold(home: Path) -> None:
    with Store.open(home):
        pass


def _without_last_commit(segment: bytes) -> bytes:
    """Return *segment* as a writer leaves it that is killed in the middle of its last record."""
    whole = segment.rstrip(b"\0\n")
    begin = whole.rindex(b"\n") + 1
    return whole[:begin] + b"\0" + whole[begin + 1 :] + bytes(64)


def _set_clocks(home: Path) -> None:
    """Set what DuckDB's own clock said."""
    then = f"make_timestamp({START_NS // 1000})"

    def change(store: duckdb.DuckDBPyConnection) -> None:
        store.execute(f"UPDATE published.quarantine SET refused_at = {then}")
        store.execute(f"UPDATE published.part SET retired_at = {then} WHERE retired_at IS NOT NULL")

    with duckdb.connect() as connection:
        published.change(connection, home, change)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
