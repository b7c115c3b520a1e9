"""What a process recorded and sent as well, or sent through the meter, is one call."""

import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agenttrace import semconv
from agenttrace.record.spool import Spool
from agenttrace.store import fold
from tests import builders
from tests.builders import (
    Record,
    agent,
    asked,
    begin,
    chat,
    frame,
    later,
    put,
    segment,
    spans,
    task,
    tool,
    write,
)

IN_A_TASK = task("week", agent("root", chat(input=10, output=1), tool("search")), user_turns=2)


def folded(home: Path) -> None:
    with duckdb.connect() as connection:
        assert fold.fold(connection, home, [])


def recorded(home: Path, records: Iterable[Record]) -> None:
    """Have a process record them."""
    write(home, records)
    folded(home)


def received(home: Path, records: Iterable[Record]) -> None:
    """Have them arrive over OTLP."""
    spool = Spool(home / "spool", "serve", is_retold=True)
    spool.append_all([builders.line(record) for record in records])
    spool.close()
    folded(home)


def figures(home: Path) -> list[tuple[Any, ...]]:
    """Return calls, input tokens, output tokens, prompts, agents and tools of each task."""
    names = ("calls", "input_tokens", "output_tokens", "user_turns", "agents", "tools")
    with asked(home) as connection:
        return [tuple(row[name] for name in names) for row in connection.rows("task")]


@pytest.mark.parametrize("is_received_first", [False, True])
def test_what_a_process_recorded_and_sent_as_well_counts_once(
    home: Path, *, is_received_first: bool
) -> None:
    begin(home)
    records = spans(IN_A_TASK)
    ways = [received, recorded] if is_received_first else [recorded, received]
    for way in ways:
        way(home, records)
    assert figures(home) == [(1, 10, 1, 2, 1, 1)]


def test_what_was_sent_counts_once_though_the_store_was_made_again(home: Path) -> None:
    begin(home)
    records = spans(IN_A_TASK)
    received(home, records)
    (home / "store.duckdb").unlink()
    recorded(home, spans(task("other", chat(input=5, output=5)), trace=2))
    recorded(home, records)
    assert sorted(figures(home)) == [(1, 5, 5, 1, 0, 0), (1, 10, 1, 2, 1, 1)]


def passed_on(records: Iterable[Record]) -> list[Record]:
    """Return the calls as a meter has recorded them, which passed them on a moment later."""
    calls = [record for record in later(records, 0.1) if record["attributes"].get(semconv.CAPTURE)]
    return [
        call
        | {"trace_id": f"{number:032x}", "span_id": f"{number:016x}", "parent_span_id": None}
        | {"scope": "agenttrace.meter", "attributes": without_a_place(call["attributes"])}
        for number, call in enumerate(calls, start=1000)
    ]


def without_a_place(attributes: dict[str, Any]) -> dict[str, Any]:
    place = (
        semconv.TASK_ID, semconv.AGENT_NAME, semconv.AGENT_SPAN_ID, semconv.AGENT_DEPTH,
        semconv.ROLE,
    )  # fmt: skip
    return {key: value for key, value in attributes.items() if key not in place}


def metered(home: Path, records: Iterable[Record]) -> None:
    """Have the process of the meter record them."""
    put(home, "9-8-1", segment(passed_on(records), pid=8, host=socket.gethostname()))
    folded(home)


PROGRAM = task(
    "week",
    agent(
        "root",
        chat(input=10, output=1, response="r1"),
        chat(input=20, output=2),  # a server that gives its answers no ids
        chat(status="error", http_status=429),
    ),
)


@pytest.mark.parametrize("is_meter_first", [False, True])
def test_what_a_recorded_program_sent_through_the_meter_counts_once_and_in_its_task(
    home: Path, *, is_meter_first: bool
) -> None:
    begin(home)
    ours = spans(PROGRAM)
    ways = [metered, recorded] if is_meter_first else [recorded, metered]
    for way in ways:
        way(home, ours)
    assert figures(home) == [(3, 30, 3, 1, 1, 0)]


def test_what_only_the_meter_saw_counts(home: Path) -> None:
    begin(home)
    metered(home, spans(PROGRAM))
    assert {row[:3] for row in figures(home)} == {(1, 10, 1), (1, 20, 2), (1, None, None)}


def test_what_another_program_sent_through_the_meter_meanwhile_counts(home: Path) -> None:
    begin(home)
    recorded(home, spans(PROGRAM))
    other = task("other", agent("root", chat(input=10, output=7), chat(model="gpt-5-mini")))
    metered(home, spans(other))
    counted = {row[:3] for row in figures(home)}
    assert counted == {(3, 30, 3), (1, 10, 7), (1, None, None)}


@pytest.mark.parametrize("is_received_first", [False, True])
def test_a_span_of_another_instrumentation_that_was_sent_as_well_counts_once_and_in_its_task(
    home: Path, *, is_received_first: bool
) -> None:
    begin(home)
    ours = spans(task("week", frame(input=10, output=1)))
    call = next(record for record in ours if record["attributes"][semconv.KIND] == "inference")
    call["scope"] = "theirs"
    sent = call | {
        "attributes": {
            key: "otlp" if value == "frame" else value
            for key, value in call["attributes"].items()
            if key != semconv.TASK_ID
        }
    }
    sent["end_ns"] += 1  # it is dated in other units on the way
    ways = [(recorded, ours), (received, [sent])]
    for way, records in reversed(ways) if is_received_first else ways:
        way(home, records)
    assert [row[:3] for row in figures(home)] == [(1, 10, 1)]
