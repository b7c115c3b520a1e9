"""The rows that the fold stores are those that the definitions make of all spans."""

import contextlib
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agenttrace import rollup, semconv
from agenttrace.sources.told import SCOPE
from agenttrace.store import Store, fold, published, rollups
from agenttrace.store.rollups import STORED
from tests.builders import (
    SECOND_NS,
    Node,
    Record,
    agent,
    asked,
    begin,
    chat,
    foreign,
    frame,
    later,
    loose,
    put,
    segment,
    spans,
    step,
    task,
    tool,
    write,
)

DAY_SECONDS = 86_400


def folded(home: Path, *pieces: Iterable[Record]) -> None:
    """Record each piece, and fold it before the next."""
    begin(home)
    for piece in pieces:
        write(home, piece)
        with duckdb.connect() as connection:
            assert fold.fold(connection, home, [])


def sums(home: Path, keys: str) -> list[Any]:
    """Return the sums of input tokens and of calls; make sure that every stored row is right."""
    with Store.open(home) as store:
        store.define_rollups()
        assert stored(store.connection) == defined(store.connection)
        return store.connection.sql(
            f"SELECT {keys}, sum(input_tokens)::INT, sum(calls)::INT FROM call_sum "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()


def stored(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the rows of the stored queries in order, those of one key as one."""
    rows = {name: rollups.merged(connection, name, name) for name in STORED}
    return {name: sorted(map(repr, connection.sql(sql).fetchall())) for name, sql in rows.items()}


def defined(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the same rows as the definitions make them of all spans."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA memory.anew; USE memory.anew")
        cursor.execute("CREATE TABLE span AS FROM memory.main.span")
        definitions = rollup.Definitions(cursor, rollup.folders())
        definitions.define("counted_call")
        # All of them read it; the table is found before the view.
        cursor.execute("CREATE TEMP TABLE counted_call AS FROM counted_call")
        definitions.define(*STORED)
        return stored(cursor)


responses = st.sampled_from([None, "r1", "r2", "r3"])
tokens = st.integers(0, 99)
wire_calls = st.builds(
    lambda i, o, r: chat(input=i, output=o, response_id=r), tokens, tokens, responses
)
unsure_calls = st.builds(
    lambda usage, r: chat(usage=usage, input=5, response_id=r),
    st.sampled_from(["estimated", "missing", "partial"]),
    responses,
)
requests = st.sampled_from([None, None, "q1", "q2"])
sessions = st.sampled_from([None, "s1", "s1", "s2"])
_NO_PLACE = {"agent": None, "depth": None, "role": None}


def _told(
    capture: str, r: str | None, q: str | None, session: str | None, i: int, *, knows: bool
) -> Node:
    """A call of which two, or more, may be one by their ids or by their tokens."""
    said = {"request_id": q, "session": session, "output": 1, **({} if knows else _NO_PLACE)}
    make = chat if capture == "wire" else frame
    usage = {"usage": "partial"} if capture == "wire" and not knows else {}
    node = make(capture=capture, input=i, model="gpt-5", response_id=r, **said, **usage)
    return replace(node, scope=SCOPE) if knows and capture in ("log", "otlp") else node


told_calls = st.builds(
    _told,
    st.sampled_from(["wire", "otlp", "otlp", "frame", "log", "log"]),
    st.sampled_from([None, None, "r1", "r2"]),
    requests,
    sessions,
    st.integers(1, 2),
    knows=st.booleans(),
)
fetches = st.builds(
    lambda r: chat(operation="fetch_response", input=9, output=9, response_id=r), responses
)


# A log in some turn and telemetry in the task of the session, of which some pairs are one call.
places = st.tuples(
    told_calls.filter(lambda node: node.said["capture"] == "log"),
    told_calls.filter(lambda node: node.said["capture"] in ("otlp", "wire")),
)


def _lent(logged: Node) -> Node:
    said = {"agent": "explorer", "depth": 2, "role": "subagent"}
    return replace(logged, said={**logged.said, **said}, scope=SCOPE)


def _around(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    some = st.lists(inner, max_size=4)
    other = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 10}
    return st.one_of(
        st.builds(lambda nodes, i: chat(*nodes, input=i, output=1), some, tokens),
        st.builds(
            lambda nodes, r: frame(*nodes, input=7, output=3, response_id=r), some, responses
        ),
        st.builds(
            lambda nodes, r: foreign(
                "openinference",
                {**other, "llm.model_name": "gpt-5", "gen_ai.response.id": r},
                *nodes,
            ),
            some,
            responses,
        ),
        st.builds(lambda nodes: step("think", *nodes), some),
        st.builds(lambda nodes: tool("search", *nodes), some),
        st.builds(lambda nodes: foreign("http", {"server.address": "x"}, *nodes), some),
        st.builds(
            lambda nodes, visible: agent("helper", *nodes, visible=visible),
            some,
            st.sampled_from([None, None, None, True, False]),
        ),
    )


trees = st.lists(
    st.recursive(
        st.one_of(wire_calls, unsure_calls, fetches, told_calls, told_calls), _around, max_leaves=8
    ),
    max_size=4,
)


# To shrink what fails takes minutes, for every example is some folds.
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    tasks=st.lists(st.tuples(trees, st.sampled_from([None, True])), min_size=1, max_size=3),
    outside=st.tuples(trees, st.lists(places, max_size=4)),
    chance=st.randoms(use_true_random=False),
    is_live=st.booleans(),
)
def test_whatever_is_recorded_and_however_it_is_folded_the_rows_are_those_of_the_definitions(
    tmp_path_factory: pytest.TempPathFactory,
    tasks: list[tuple[list[Node], bool | None]],
    outside: tuple[list[Node], list[tuple[Node, Node]]],
    chance: random.Random,
    is_live: bool,
) -> None:
    calls, lent = outside
    records = loose(*calls, trace=9)
    for number, (nodes, headless) in enumerate(tasks):
        made = spans(task(f"t{number}", *nodes, headless=headless), trace=number + 1)
        records += later(made, chance.choice([0, 0, 600, 1200]))
    for number, (logged, received) in enumerate(lent):
        turn = spans(task(f"turn{number % 3}", _lent(logged)), trace=10 + number)
        sent = loose(received, trace=20 + number)
        said = {semconv.TASK_ID: "session"} if received.scope == SCOPE else {}
        sent = [{**span, "attributes": {**span["attributes"], **said}} for span in sent]
        records += later(turn, chance.choice([0, 0, 600])) + later(sent, chance.choice([0, 600]))
    if chance.random() < 0.5:
        chance.shuffle(records)
    cuts = sorted(chance.randrange(len(records) + 1) for _ in range(chance.randint(1, 3)))
    home = tmp_path_factory.mktemp("home")
    ends = zip([0, *cuts], [*cuts, len(records)], strict=True)
    *pieces, last = (records[start:end] for start, end in ends)
    folded(home, *pieces)
    write(home, last)
    with fold.alone(home) if is_live else contextlib.nullcontext():
        sums(home, "task_id")


def test_a_late_parent_lends_its_place_to_a_call_that_is_folded(home: Path) -> None:
    inner, *outer = spans(frame(frame(input=1), agent="writer"))
    folded(home, [inner])
    assert sums(home, "agent, judged") == [(None, True, 1, 1)]
    folded(home, outer)
    assert sums(home, "agent, judged") == [("writer", True, 1, 1)]


def test_a_frame_around_a_call_that_is_folded_is_no_call(home: Path) -> None:
    inner, *outer = spans(frame(chat(input=1, output=1), input=1))
    folded(home, [inner], outer)
    assert sums(home, "capture, judged") == [("wire", False, 1, 1)]


def test_a_better_source_in_another_task_takes_the_place_of_one_that_is_folded(home: Path) -> None:
    folded(home, spans(task("theirs", frame(input=1, response_id="r"), frame(input=2))))
    assert sums(home, "task_id, capture") == [("theirs", "frame", 3, 2)]
    ours = spans(task("ours", chat(input=1, output=1, response_id="r")), trace=2)
    folded(home, later(ours, 60))
    assert sums(home, "task_id, capture") == [("ours", "wire", 1, 1), ("theirs", "frame", 2, 1)]


def test_a_result_that_is_fetched_days_later_is_that_of_the_call(home: Path) -> None:
    asked_for = spans(task("ask", chat(response_id="r", usage="missing"), chat()))
    fetch = chat(operation="fetch_response", response_id="r", input=10, output=0)
    between = later(spans(task("between", chat(input=1, output=1)), trace=2), DAY_SECONDS)
    fetched = later(spans(task("fetch", fetch), trace=3), 2 * DAY_SECONDS)
    folded(home, asked_for, between, fetched)
    assert sums(home, "task_id, usage") == [
        ("ask", "missing", 0, 1),
        ("ask", "reported", 10, 1),
        ("between", "reported", 1, 1),
    ]


def test_a_call_that_is_recorded_after_its_result_was_fetched_has_it(home: Path) -> None:
    fetch = chat(operation="fetch_response", response_id="r", input=10, output=0)
    folded(home, spans(task("fetch", fetch), trace=2))
    assert sums(home, "task_id") == [("fetch", 10, 1)]
    folded(home, spans(task("ask", chat(response_id="r", usage="missing"))))
    assert sums(home, "task_id") == [("ask", 10, 1)]


@pytest.mark.parametrize(
    "other",
    [
        chat(operation="fetch_response", response_id="r", input=10, output=0),
        frame(capture="log", response_id="r", input=10),
    ],
    ids=["fetched", "logged"],
)
def test_a_late_child_leaves_a_response_to_whoever_else_tells_of_it(
    home: Path, other: Node
) -> None:
    child, *outer = spans(task("ask", frame(chat(input=1, output=1), response_id="r")))
    folded(home, outer, spans(task("other", other), trace=2))
    assert [task_id for task_id, *_ in sums(home, "task_id")] == ["ask"]
    folded(home, [child])
    assert sums(home, "task_id") == [("ask", 1, 1), ("other", 10, 1)]


_ALIKE: dict[str, Any] = {"session": "s", "model": "gpt-5", "input": 7, "output": 3}


@pytest.mark.parametrize(
    ("logged", "received"),
    [
        ({"request_id": "q", "input": 1, "output": 1}, {"request_id": "q", **_ALIKE}),
        (_ALIKE, _ALIKE),
        (_ALIKE, {**_ALIKE, "response_id": "r", "capture": "wire", "usage": "reported"}),
    ],
    ids=["one request", "alike", "alike at the wire"],
)
def test_a_call_that_is_logged_and_received_is_one_whichever_is_folded_first(
    home: Path, tmp_path: Path, logged: dict[str, Any], received: dict[str, Any]
) -> None:
    log = spans(task("log", frame(**{**logged, "capture": "log"})))
    otlp = spans(task("otlp", frame(**{"capture": "otlp", **received})), trace=2)
    for where, pieces in ((home, (log, otlp)), (tmp_path / "other", (otlp, log))):
        folded(where, *pieces)
        assert sums(where, "task_id") == [("otlp", 7, 1)]


def _from_a_turn(**said: Any) -> list[Record]:
    call = frame(**{**_ALIKE, "capture": "log", "agent": "explorer", **said})
    return spans(task("turn", replace(call, scope=SCOPE)))


def _received(**said: Any) -> list[Record]:
    call = replace(
        frame(**{**_ALIKE, "capture": "otlp", "task_id": "session", **said}), scope=SCOPE
    )
    return loose(call, trace=2)


@pytest.mark.parametrize("is_turned", [False, True])
def test_a_log_lends_its_place_to_telemetry_whichever_is_folded_first(
    home: Path, *, is_turned: bool
) -> None:
    pieces = [_from_a_turn(), _received()]
    folded(home, *(pieces[::-1] if is_turned else pieces))
    assert sums(home, "task_id, capture, agent") == [("turn", "otlp", "explorer", 7, 1)]


def test_a_call_that_is_no_more_believed_leaves_the_place_that_a_log_lent_it(home: Path) -> None:
    # The meter shares an id with telemetry, and telemetry another one with the log.
    said = {"input": 1, "output": 1}
    log = _from_a_turn(request_id="q", **said)
    folded(home, log, _received(response_id="r", request_id="q"))
    assert sums(home, "task_id, capture") == [("turn", "otlp", 7, 1)]
    folded(home, loose(chat(input=9, output=9, response_id="r"), trace=3))
    assert sums(home, "task_id, capture") == [("0" * 31 + "3", "wire", 9, 1)]


def test_what_is_received_first_comes_back_when_a_late_child_shows_that_it_is_no_call(
    home: Path,
) -> None:
    child, *outer = spans(task("ask", frame(chat(input=1, output=1), **_ALIKE, capture="otlp")))
    folded(home, outer, spans(task("log", frame(capture="log", **_ALIKE)), trace=2))
    assert sums(home, "task_id") == [("ask", 7, 1)]
    folded(home, [child])
    assert sums(home, "task_id") == [("ask", 1, 1), ("log", 7, 1)]


def test_an_agent_that_arrives_late_tells_the_place_of_a_call_that_is_folded(home: Path) -> None:
    lost = frame(**_NO_PLACE, input=1)
    call, search, lead, root = spans(agent("lead", tool("search", lost)))
    folded(home, [call])
    assert sums(home, "agent, agent_depth, role") == [(None, 0, "main", 1, 1)]
    folded(home, [search])
    assert sums(home, "agent, agent_depth, role") == [(None, 0, "tool", 1, 1)]
    folded(home, [lead, root])
    assert sums(home, "agent, agent_depth, role") == [("lead", 1, "tool", 1, 1)]


def test_a_task_over_days_and_processes_is_one(home: Path) -> None:
    *inner, root = spans(task("week", chat(input=1), frame(input=2), agent("lead", chat(input=4))))
    for number, record in enumerate(inner):
        (moved,) = later([record], number * DAY_SECONDS)
        put(home, f"{number + 1}-1-1", segment([moved], pid=number, service_name=f"s{number}"))
        folded(home, [])
    folded(home, [root])
    with asked(home) as connection:
        assert len(list((home / "lake" / "spans").iterdir())) == 4
        tasks = connection.sql(
            "SELECT task_id, service_name, agents, calls, input_tokens FROM task"
        )
        assert tasks.fetchall() == [("week", "test", 1, 3, 7)]


def test_the_answer_moves_to_a_later_call_and_the_sums_with_it(home: Path) -> None:
    calls = spans(task("week", chat(input=1), frame(input=2), chat(input=4)))[:3]
    read = []
    for call in calls:
        folded(home, [call])
        with asked(home) as connection:
            read += connection.sql(
                "SELECT sum(input_tokens)::INT, sum(calls)::INT FROM call_rollup WHERE NOT hidden"
            ).fetchall()
    assert read == [(1, 1), (2, 1), (4, 1)]
    assert sums(home, "judged") == [(False, 5, 2), (True, 2, 1)]


def test_a_span_that_arrives_again_in_a_later_fold_is_judged_once(home: Path) -> None:
    records = spans(frame(input=1, response_id="r"))
    folded(home, records, records)
    assert sums(home, "judged") == [(True, 1, 1)]


def published_rows(home: Path) -> dict[str, list[str]]:
    with Store.open(home) as store:
        store.define_rollups()
        return stored(store.connection)


def test_compaction_makes_one_row_of_each_key_and_changes_no_sum(home: Path) -> None:
    for number in range(3):
        folded(home, later(spans(chat(input=1), frame(input=2)), number))
    before = published_rows(home)
    with duckdb.connect() as connection, fold.alone(home):
        fold.compact(connection, home)
    assert published_rows(home) == before
    with Store.open(home) as store:
        found = {
            name: len(store.connection.sql(f"FROM published.{name}").fetchall()) for name in STORED
        }
    assert found == {name: len(rows) for name, rows in before.items()}


def test_a_store_with_rows_of_other_definitions_is_rolled_up_anew(home: Path) -> None:
    folded(home, spans(chat(input=1), frame(input=2)), loose(chat(input=3), trace=2))
    before = published_rows(home)
    with duckdb.connect(str(home / published.NAME)) as store:
        store.execute("UPDATE meta SET value = 'older' WHERE key = 'definitions'")
        store.execute("UPDATE call_sum SET calls = 1000; DELETE FROM task_sum")
    assert published_rows(home) == before


def test_where_nobody_can_roll_up_anew_the_definitions_are_asked(home: Path) -> None:
    folded(home, spans(chat(input=1), chat(input=2)))
    with duckdb.connect(str(home / published.NAME)) as store:
        store.execute("UPDATE meta SET value = 'older' WHERE key = 'definitions'")
        store.execute("UPDATE call_sum SET calls = 1000")
    with fold.alone(home), asked(home) as connection:
        rows = connection.sql("SELECT sum(calls)::INT FROM call_sum").fetchall()
    assert rows == [(2,)]


@pytest.mark.parametrize("make", [chat, frame], ids=["plain", "judged"])
def test_a_task_may_be_two_hundred_deep(home: Path, make: Any) -> None:
    node = make(input=1)
    for number in range(200):
        node = agent(f"a{number}", node) if number % 2 else step("think", node)
    records = spans(node)
    folded(home, records[::2], records[1::2])
    assert sums(home, "agent_depth") == [(100, 1, 1)]


def test_a_frame_is_no_call_however_deep_in_it_the_call_is(home: Path) -> None:
    node = chat(input=1, output=1)
    for _ in range(200):
        node = step("think", node)
    records = spans(frame(node, input=1, output=1))
    folded(home, records[::2], records[1::2])
    assert sums(home, "capture") == [("wire", 1, 1)]


def test_a_call_that_lasts_long_is_found_beside_ours_that_is_folded_later(home: Path) -> None:
    said = {"openinference.span.kind": "LLM", "llm.model_name": "gpt-5"}
    (theirs,) = loose(foreign("openinference", {**said, "llm.token_count.completion": 3}))
    (ours,) = loose(chat(input=1, output=3, model="gpt-5", response_id="r"), trace=2)
    theirs["end_ns"] = theirs["start_ns"] + 40 * 60 * SECOND_NS
    ours["start_ns"] += 30 * 60 * SECOND_NS
    ours["end_ns"] = ours["start_ns"] + SECOND_NS
    folded(home, [theirs], [ours])
    assert sums(home, "capture") == [("wire", 1, 1)]


def test_a_span_may_have_twenty_thousand_children(home: Path) -> None:
    calls = [frame(input=1) if number % 100 == 0 else chat(input=1) for number in range(20_000)]
    records = spans(step("all", *calls))
    put(home, "1-1-1", segment(records[:12_000]))
    folded(home, [])
    put(home, "2-1-1", segment(records[12_000:]))
    assert sums(home, "judged") == [(False, 19_800, 19_800), (True, 200, 200)]


def test_an_empty_store_has_no_rows(home: Path) -> None:
    (home / "spool").mkdir(parents=True)
    folded(home, [])
    assert sums(home, "task_id") == []
