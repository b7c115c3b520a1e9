import contextlib
import itertools
import multiprocessing
import random
import re
import signal
import time
from collections.abc import Callable
from multiprocessing.context import SpawnProcess
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import agenttrace
from agenttrace.errors import StoreError
from agenttrace.record.spool import Spool
from agenttrace.store import Store, columns, fold, published
from tests.builders import (
    Node,
    Record,
    agent,
    asked,
    chat,
    foreign,
    frame,
    header,
    line,
    loose,
    opened,
    put,
    segment,
    spans,
    step,
    task,
    tool,
    write,
)
from tests.store.dying import homes_of_the_dead

RECORDS = loose(*(chat(input=number) for number in range(4)))


def inputs(store: Store) -> list[int]:
    rows = store.connection.sql("SELECT input_tokens FROM span ORDER BY input_tokens").fetchall()
    return [row[0] for row in rows]


def test_folding_twice_is_folding_once(home: Path) -> None:
    with opened(home, RECORDS) as store:
        first = store.connection.sql("FROM span ORDER BY span_id").fetchall()
    with opened(home) as store:
        assert store.connection.sql("FROM span ORDER BY span_id").fetchall() == first
    assert len(first) == 4


def test_a_fold_leaves_a_lake_and_a_store_and_no_segment(home: Path) -> None:
    with opened(home, RECORDS[:2]):
        pass
    with opened(home, RECORDS[2:]) as store:
        assert inputs(store) == [0, 1, 2, 3]
        assert store.warnings == []
    kept = sorted(path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file())
    assert kept == ["fold.lock", "lake", "lake", "store.duckdb"]


def test_a_fold_in_small_batches_gives_the_same(home: Path) -> None:
    for record in RECORDS:
        write(home, [record])
    with duckdb.connect() as connection:
        assert fold.fold(connection, home, [], batch_characters=1)
    with opened(home) as store:
        assert inputs(store) == [0, 1, 2, 3]
    assert len(lake(home)) == 4


def test_a_part_that_was_never_published_does_not_exist_and_is_put_aside(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    (part,) = (home / "lake" / "spans").rglob("*.parquet")
    orphan = part.with_name("1.parquet")
    orphan.write_bytes(part.read_bytes())
    with opened(home) as store:
        assert inputs(store) == [0]
    with opened(home, RECORDS[1:2]) as store:
        assert inputs(store) == [0, 1]
        assert store.warnings == [
            f"{orphan} belongs to no store and is moved to quarantine: a report that died left it, "
            "or store.duckdb is an older copy."
        ]
    assert not orphan.exists()
    assert (home / "quarantine" / "1.parquet").exists()


def test_a_segment_that_was_folded_and_not_yet_removed_does_not_count_again(home: Path) -> None:
    content = segment(RECORDS)
    put(home, "1-1-1", content)
    for _ in range(3):
        with opened(home) as store:
            assert inputs(store) == [0, 1, 2, 3]
        # As if the process that folded it had died before removing it.
        put(home, "1-1-1", content)


@pytest.mark.parametrize("is_folded", [True, False], ids=["folded", "read in memory"])
def test_a_call_that_is_known_to_have_ended_was_not_cut_off_with_its_process(
    home: Path, is_folded: bool
) -> None:
    with opened(home, RECORDS[:2]):
        pass
    # The process died before it took back the notes of what it had begun.
    begun = [{**one, "end_ns": None, "interrupted": True} for one in RECORDS[1:3]]
    slots = [header(slot_bytes=2048), *map(line, begun)]
    put(home, "1_7_1.flight", b"".join(slot.ljust(2048, b"\0") for slot in slots))
    with contextlib.nullcontext() if is_folded else fold.alone(home), Store.open(home) as store:
        assert store.connection.sql(
            "SELECT input_tokens, outcome FROM span ORDER BY input_tokens"
        ).fetchall() == [(0, None), (1, None), (2, "interrupted")]
        store.define_rollups()
        assert store.connection.sql(
            "SELECT outcome, sum(calls)::INT FROM call_sum GROUP BY outcome ORDER BY outcome"
        ).fetchall() == [("interrupted", 1), (None, 2)]


def test_while_another_process_folds_what_is_new_is_read_in_memory(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    with fold.alone(home) as alone:
        assert alone
        with opened(home, RECORDS[1:]) as store:
            assert (inputs(store), store.warnings) == ([0, 1, 2, 3], [])
    assert len(list((home / "spool").iterdir())) == 1


def lake(home: Path) -> set[str]:
    return {path.name for path in (home / "lake" / "spans").rglob("*.parquet")}


def test_many_small_folds_leave_few_files_to_read(home: Path) -> None:
    records = loose(*(chat(input=number) for number in range(12)))
    for record in records:
        with opened(home, [record]):
            pass
    with duckdb.connect() as connection:
        parts = published.read(connection, home).parts
    assert sum(part.rows for part in parts) == 12
    assert len(parts) <= 3
    with opened(home) as store:
        assert inputs(store) == list(range(12))


def test_a_reader_finds_its_files_though_they_were_merged_meanwhile(home: Path) -> None:
    with opened(home, RECORDS[:1]) as early:
        with opened(home, RECORDS[1:2]):
            pass
        with opened(home, RECORDS[2:]):
            pass
        assert inputs(early) == [0]


def test_files_that_were_merged_are_removed_an_hour_later(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    (merged,) = lake(home)
    with opened(home, RECORDS[1:2]):
        assert merged in lake(home)
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute("UPDATE part SET retired_at = retired_at - INTERVAL 61 MINUTE")
    for record in RECORDS[2:]:
        with opened(home, [record]):
            pass
    assert merged not in lake(home)
    with opened(home) as store:
        assert inputs(store) == [0, 1, 2, 3]


def test_a_merged_file_that_a_dying_fold_did_not_remove_is_known_until_it_is_gone(
    home: Path,
) -> None:
    with opened(home, RECORDS[:1]):
        pass
    (merged,) = (home / "lake" / "spans").rglob("*.parquet")
    content = merged.read_bytes()
    with opened(home, RECORDS[1:2]):
        pass
    with duckdb.connect(str(home / published.NAME)) as connection:
        connection.execute("UPDATE part SET retired_at = retired_at - INTERVAL 61 MINUTE")
    with opened(home, RECORDS[2:3]):
        assert not merged.exists()
    # As if that fold had died after it published and before it removed the file.
    merged.write_bytes(content)
    with opened(home, RECORDS[3:]) as store:
        assert (inputs(store), store.warnings) == ([0, 1, 2, 3], [])
    assert not merged.exists()


def test_a_store_that_was_moved_away_is_made_again_from_the_lake(home: Path) -> None:
    with opened(home, RECORDS[:2]):
        pass
    (home / published.NAME).unlink()
    with opened(home, RECORDS[2:]) as store:
        assert inputs(store) == [0, 1, 2, 3]
    with opened(home) as store:
        assert inputs(store) == [0, 1, 2, 3]


def test_a_store_that_was_moved_away_is_made_again_though_nothing_is_new(home: Path) -> None:
    with opened(home, RECORDS):
        pass
    (home / published.NAME).unlink()
    with Store.open(home) as store:
        assert (inputs(store), store.warnings) == ([0, 1, 2, 3], [])
    assert (home / published.NAME).exists()


@pytest.mark.parametrize("new", [False, True], ids=["nothing new", "a new segment"])
def test_files_that_were_merged_do_not_count_again_when_the_store_is_made_again(
    home: Path, new: bool
) -> None:
    for record in RECORDS[:3]:
        with opened(home, [record]) as early:
            before = inputs(early)
    assert before == [0, 1, 2]
    with opened(home, RECORDS[3:] if new else []):
        pass
    there = lake(home)
    assert len(there) > 1
    (home / published.NAME).unlink()
    with Store.open(home) as store:
        assert inputs(store) == ([0, 1, 2, 3] if new else [0, 1, 2])
        assert store.warnings == []
    assert lake(home) == there  # a reader that was there before may still be at them


def test_where_no_store_can_be_made_again_the_lake_is_read_without_one(home: Path) -> None:
    for record in RECORDS[:3]:
        with opened(home, [record]):
            pass
    (home / published.NAME).unlink()
    junk = home / "lake" / "spans" / "1.parquet"
    junk.write_bytes(b"junk")
    with fold.alone(home) as alone:
        assert alone
        with opened(home, RECORDS[3:]) as store:
            assert inputs(store) == [0, 1, 2, 3]
            left_out, missing = store.warnings
    assert left_out.startswith(f"{junk} is no file of spans and is left out: ")
    assert missing == (
        f"{home / published.NAME} is missing: the spans in lake/spans are read without it."
    )


def test_a_broken_file_is_named_with_the_way_out(home: Path) -> None:
    with opened(home, RECORDS[:1]):
        pass
    (part,) = (home / "lake" / "spans").rglob("*.parquet")
    content = part.read_bytes()
    part.write_bytes(content[:4] + b"\xff" * 1100 + content[1104:])
    said = f"the spans in {re.escape(str(part))} cannot be read: .*away"
    with opened(home) as store, pytest.raises(duckdb.Error) as caught:
        store.connection.sql("SELECT min(started_at), max(name) FROM span").fetchall()
    assert not isinstance(caught.value, duckdb.IOException)
    with agenttrace.read(home) as reader:
        # What is rolled up is known all the same.
        assert reader.query("SELECT calls FROM totals") == [{"calls": 1}]
        with pytest.raises(StoreError, match=said):
            reader.query("model_call")
    write(home, RECORDS[1:])
    with pytest.raises(StoreError, match=said):
        Store.open(home)
    assert lake(home) == {part.name}
    # The way out works.
    part.rename(home / "broken")
    (home / published.NAME).unlink()
    with Store.open(home) as store:
        assert inputs(store) == [1, 2, 3]


def test_a_segment_that_cannot_be_read_at_all_is_kept_in_quarantine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows_of(lines: str, segments: str) -> str:
        named = "coalesce(name, '')"
        failing = f"CASE WHEN name = 'poison' THEN CAST(name AS INTEGER)::VARCHAR ELSE {named} END"
        return healthy(lines, segments).replace(named, failing)

    healthy = columns.rows_of
    monkeypatch.setattr(columns, "rows_of", rows_of)
    put(home, "1-1-1", segment(RECORDS[:1]))
    put(home, "1-1-2", segment([{**RECORDS[1], "name": "poison"}]))
    put(home, "1-1-3", segment(RECORDS[2:]))
    for _ in range(2):
        with Store.open(home) as store:
            assert inputs(store) == [0, 2, 3]
            ((name, reason),) = store.connection.sql(
                "SELECT segment, reason FROM quarantine"
            ).fetchall()
            assert (name, reason[:30]) == ("1-1-2", "unreadable: Conversion Error: ")
            assert len(store.warnings) == 1
    (kept,) = (home / "quarantine").iterdir()
    assert '"poison"' in kept.read_text()


def _fold(home: Path) -> None:
    with Store.open(home):
        pass


def test_wherever_a_fold_dies_every_span_is_there_once(tmp_path: Path, home: Path) -> None:
    put(home, "1-1-1", segment(RECORDS[:2]))
    put(home, "2-1-1.open", segment(RECORDS[2:]) + b"\0torn" + bytes(64))
    homes = homes_of_the_dead(tmp_path, _fold)
    assert len(homes) > 15
    for dead in homes:
        with opened(dead, loose(chat(input=4), trace=2)) as store:
            assert inputs(store) == [0, 1, 2, 3, 4], dead.name
            assert store.connection.sql("SELECT reason FROM quarantine").fetchall() == [
                ("not JSON",)
            ]
        assert list((dead / "spool").iterdir()) == []


def _record(home: Path, number: int) -> None:
    """Append spans until killed; a byte in a file acknowledges each ten."""
    spool = Spool(home / "spool", "writer", segment_bytes=32 * 1024)
    with (home / str(number)).open("wb", buffering=0) as acknowledged:
        for count in itertools.count(1):
            (record,) = loose(chat(input=count), trace=number)
            spool.append(line({**record, "span_id": f"{number:08x}{count:08x}"}))
            if count % 10 == 0:
                acknowledged.write(b".")
                time.sleep(0.002)


def _read(home: Path, seen: "multiprocessing.Queue[list[tuple[int, int]]]") -> None:
    """Open the store again and again; say how many spans and how many different ones there were."""
    found = []
    for _ in range(8):
        with Store.open(home) as store:
            found += store.connection.sql(
                "SELECT count(*), count(DISTINCT span_id) FROM span"
            ).fetchall()
    seen.put(found)


def _started(target: Callable[..., None], *arguments: object) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    return process


def test_readers_that_fold_while_writers_are_killed_see_every_span_once(home: Path) -> None:
    home.mkdir()
    numbers = range(1, 4)
    seen = multiprocessing.get_context("spawn").Queue()
    writers = [_started(_record, home, number) for number in numbers]
    try:
        while not all((home / str(number)).exists() for number in numbers):
            time.sleep(0.01)
        readers = [_started(_read, home, seen) for _ in range(2)]
        snapshots = [seen.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    assert [writer.exitcode for writer in writers] == [-signal.SIGKILL] * 3
    for found in snapshots:
        assert [total for total, _ in found] == [distinct for _, distinct in found]
        assert found == sorted(found)
        assert found[-1] > found[0]
    with Store.open(home) as store:
        rows = store.connection.sql(
            "SELECT trace_id, count(*), count(DISTINCT span_id), max(input_tokens) FROM span "
            "GROUP BY trace_id ORDER BY trace_id"
        ).fetchall()
    # Nothing that was acknowledged is missing, nothing is there twice, and there are no gaps.
    for (_, total, distinct, last), number in zip(rows, numbers, strict=True):
        assert (total, distinct) == (last, last)
        assert last >= 10 * (home / str(number)).stat().st_size > 0


def test_closing_the_store_lets_go_of_it(home: Path) -> None:
    with opened(home, RECORDS) as store:
        pass
    with pytest.raises(Exception, match="closed"):
        store.connection.execute("FROM span")


ids = st.sampled_from(["a", "b", None])
usage = st.fixed_dictionaries({"input": st.integers(0, 9), "output": st.integers(0, 9)})


def _calls(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    children = st.lists(inner, max_size=3)
    return st.one_of(
        st.builds(lambda nodes: tool("search", *nodes), children),
        st.builds(lambda nodes: agent("helper", *nodes), children),
        st.builds(lambda nodes: step("step", *nodes), children),
        st.builds(lambda nodes, name: frame(*nodes, response_id=name), children, ids),
        st.builds(lambda nodes: foreign("http", {"server.address": "x"}, *nodes), children),
    )


leaves = st.builds(
    lambda tokens, name, again: chat(response_id=name, attempt=again, **tokens),
    usage,
    ids,
    st.sampled_from([1, 2, None]),
)
tasks = st.lists(
    st.builds(
        lambda nodes, headless: (nodes, headless),
        st.lists(st.recursive(leaves, _calls, max_leaves=6), max_size=3),
        st.sampled_from([True, None]),
    ),
    min_size=1,
    max_size=2,
)


def model_calls(home: Path, *segments: list[Record]) -> list[tuple[object, ...]]:
    with asked(home, *segments) as connection:
        return connection.sql("FROM model_call ORDER BY call_id").fetchall()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    made=tasks,
    seed=st.integers(0, 2**32),
    pieces=st.integers(1, 4),
    folds=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_order_segments_and_folds_make_no_difference_to_what_is_counted(
    tmp_path_factory: pytest.TempPathFactory,
    made: list[tuple[list[Node], bool | None]],
    seed: int,
    pieces: int,
    folds: list[bool],
) -> None:
    records = spans(
        *(task(f"task {n}", *nodes, headless=headless) for n, (nodes, headless) in enumerate(made))
    )
    whole = model_calls(tmp_path_factory.mktemp("whole"), records)
    shuffled = random.Random(seed).sample(records, len(records))
    home = tmp_path_factory.mktemp("pieces")
    for piece, fold_now in zip(range(pieces), folds, strict=False):
        write(home, shuffled[piece::pieces])
        if fold_now:
            with Store.open(home):
                pass
    assert model_calls(home) == whole
