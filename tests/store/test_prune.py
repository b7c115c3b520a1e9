import os
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.store import compaction, engine, prune, upkeep, verify
from agenttrace.store import fold as fold_module
from tests.builders import Record, agent, chat, frame, put, segment, spans, task, write
from tests.store.dying import DAY_NS, homes_of_the_dead, on_day

TODAY = "2025-10-09"  # of what the builders make


def job(name: str, trace: int, tokens: int, days: int = 0) -> list[Record]:
    call = chat(input=tokens, output=1)
    return on_day(spans(task(name, agent("a", call, chat(usage="missing"))), trace=trace), days)


OLD = job("old", 1, 100, -2)
NEW = job("new", 2, 10)


@pytest.fixture(scope="module")
def folded_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folded") / "home"
    fold(folder, OLD, NEW)
    return folder


@pytest.fixture
def folded(home: Path, folded_once: Path) -> Path:
    return shutil.copytree(folded_once, home)


def fold(home: Path, *batches: list[Record]) -> None:
    for records in batches:
        write(home, records)
    with upkeep.folded(home, []):
        pass


def pruned(home: Path, day: str, *, keep_rollups: bool = False) -> prune.Pruning:
    with upkeep.folded(home, []) as (connection, _):
        return prune.prune(connection, home, day, keep_rollups=keep_rollups)


def rebuilt(home: Path) -> None:
    with upkeep.folded(home, []) as (connection, _):
        compaction.compact(connection, home, is_rebuilding=True)


def findings(home: Path) -> list[str]:
    with engine.connect() as connection, verify.snapshot(connection, home, [], print) as seen:
        found = [
            *verify.lake_findings(connection, seen),
            *verify.rollup_findings(connection, seen),
        ]
        return list(map(str, found))


def asked(home: Path, query: str) -> list[dict[str, Any]]:
    with agenttrace.read(home) as reader:
        return reader.query(query)


def calls(home: Path) -> dict[str, tuple[int, int, int]]:
    """Task -> its calls, the hidden ones, and its tokens."""
    rows = asked(home, "SELECT task_id, calls, hidden_calls, total_tokens FROM task")
    return {row.pop("task_id"): tuple(row.values()) for row in rows}


def spans_of(home: Path) -> int:
    return asked(home, "SELECT count(*) AS spans FROM span")[0]["spans"]


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("90d", "2026-08-25"),
        ("4w", "2026-10-26"),
        ("12h", "2026-11-22"),
        ("13h", "2026-11-22"),
        ("0d", "2026-11-23"),
        ("2026-01-02", "2026-01-02"),
        ("99999999d", "0001-01-01"),
        ("90", None),
        ("-3d", None),
        ("yesterday", None),
    ],
)
def test_only_days_that_lie_wholly_before_are_older(said: str, day: str | None) -> None:
    assert prune.day_of(said, datetime(2026, 11, 23, 11, 59, tzinfo=UTC)) == day


def test_old_days_go_with_what_they_add_up_to(folded: Path) -> None:
    assert not pruned(folded, "2025-10-07")
    gone = pruned(folded, TODAY)
    assert (gone.spans, gone.days) == (len(OLD), 1)
    assert calls(folded) == {"new": (2, 1, 11)}
    assert [path.name for path in (folded / "lake" / "spans").iterdir()] == [f"date={TODAY}"]
    assert findings(folded) == []


def test_kept_rollups_say_the_same_as_before_and_outlive_a_rebuild(folded: Path) -> None:
    # A task without an answer is told by nothing but the time of its spans.
    fold(folded, spans(task("failed", chat(usage="missing", status="error")), trace=9))
    before = calls(folded), asked(folded, "totals")
    pruned(folded, TODAY, keep_rollups=True)
    assert spans_of(folded) == len(NEW) + 2
    assert (calls(folded), asked(folded, "totals")) == before
    rebuilt(folded)
    assert (calls(folded), asked(folded, "totals")) == before
    assert findings(folded) == []
    # A prune that does not keep them removes them.
    assert pruned(folded, TODAY)
    assert "old" not in calls(folded)
    assert not pruned(folded, TODAY)


@pytest.mark.parametrize("keep_rollups", [False, True], ids=["without", "with their sums"])
def test_late_spans_of_pruned_days_count(folded: Path, keep_rollups: bool) -> None:
    pruned(folded, TODAY, keep_rollups=keep_rollups)
    before = calls(folded)
    fold(folded, job("late", 3, 1000, -2))
    rebuilt(folded)
    assert calls(folded) == {**before, "late": (2, 1, 1001)}
    assert findings(folded) == []


def test_a_task_that_spans_the_cut_keeps_its_row_and_its_later_calls(home: Path) -> None:
    early, late = job("job", 1, 100, -1), job("job", 2, 10)
    fold(home, early, late)
    assert calls(home) == {"job": (4, 3, 112)}
    pruned(home, TODAY)
    # The answer, the last good call, is from today.
    assert calls(home) == {"job": (2, 1, 11)}
    assert findings(home) == []


def test_where_the_answer_of_a_task_is_pruned_its_other_calls_stay_hidden(home: Path) -> None:
    answer = spans(task("job", chat(input=100, output=1)), trace=1)
    later = spans(task("job", agent("a", agent("b", chat(input=10, output=1)))), trace=2)
    fold(home, on_day(answer, -1), later)
    assert calls(home) == {"job": (2, 1, 112)}
    pruned(home, TODAY)
    assert calls(home) == {"job": (1, 1, 11)}


def test_a_call_that_lost_to_one_that_is_pruned_counts_itself(home: Path) -> None:
    midnight = 1_759_968_000 * 10**9
    assert midnight % DAY_NS == 0
    wire = spans(task("job", chat(input=5, output=1, response_id="r")), trace=1)
    seen = spans(task("other", frame(input=5, output=1, response_id="r")), trace=2)
    records = [
        {**one, "start_ns": start, "end_ns": start + 1}
        for start, batch in ((midnight - 10**9, wire), (midnight + 10**9, seen))
        for one in batch
    ]
    fold(home, records)
    assert calls(home)["other"] == (0, 0, None)
    pruned(home, TODAY)
    assert calls(home)["other"] == (1, 0, 6)
    assert findings(home) == []


def test_what_was_refused_long_ago_goes_as_well(home: Path) -> None:
    put(home, "1-1-1", segment(NEW) + b"torn\n")
    fold(home)
    (kept,) = (home / "quarantine").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    os.utime(kept, (0, 0))
    tomorrow = "2999-01-01"
    assert [path for path, _ in pruned(home, TODAY).leftovers] == [kept]
    assert not kept.exists()
    assert asked(home, "SELECT reason FROM quarantine") == [{"reason": "not JSON"}]
    assert pruned(home, tomorrow).refused == 1


def _prune(home: Path) -> None:
    # What comes last is tried where the lake is compacted.
    fold_module.compact = lambda *_: None
    pruned(home, TODAY)


def test_wherever_a_prune_dies_the_old_days_are_there_or_gone(tmp_path: Path, folded: Path) -> None:
    homes = homes_of_the_dead(tmp_path, _prune)
    assert len(homes) > 3
    seen = [calls(home) for home in homes]
    before, after = {"new": (2, 1, 11), "old": (2, 1, 101)}, {"new": (2, 1, 11)}
    assert (seen[0], seen[-1]) == (before, after)
    assert all(one in (before, after) for one in seen)
    # Whatever was left behind is tidied up by the next one.
    pruned(homes[-2], TODAY)
    assert (calls(homes[-2]), findings(homes[-2])) == (after, [])
