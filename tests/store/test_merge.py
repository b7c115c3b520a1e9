import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

import agenttrace
from agenttrace.errors import SchemaVersionError, StoreError
from agenttrace.store import merge, prune, published, upkeep
from tests.builders import (
    Record,
    agent,
    chat,
    frame,
    header,
    line,
    put,
    segment,
    spans,
    task,
    write,
)
from tests.store.dying import homes_of_the_dead, on_day

TASKS = [("both", 2, 1, 1003), ("here", 2, 1, 103), ("there", 2, 1, 13)]
KEPT = Path(__file__).parent / "kept" / "schema_1"


def job(name: str, trace: int, tokens: int, days: int = 0) -> list[Record]:
    call = chat(input=tokens, output=1, session="alice@example.org")
    return on_day(spans(task(name, agent("a", call, frame(input=1, output=1))), trace=trace), days)


HERE, THERE, BOTH = job("here", 1, 100), job("there", 2, 10, -1), job("both", 3, 1000)


def recorded(
    home: Path, *batches: list[Record], host: str = "here", is_folded: bool = True
) -> Path:
    for number, records in enumerate(batches):
        put(home, f"{number + 1}-7-1", segment(records, host=host))
    if is_folded:
        with upkeep.folded(home, []):
            pass
    return home


def merged(home: Path, other: Path, *, keep_names: bool = False) -> merge.Merged:
    home.mkdir(exist_ok=True)
    with upkeep.folded(home, []) as (connection, _):
        return merge.merge(connection, home, other, keep_names=keep_names)


def asked(home: Path, query: str) -> list[tuple[Any, ...]]:
    with agenttrace.read(home) as reader:
        return reader.table(query).rows


def tasks(home: Path) -> list[tuple[Any, ...]]:
    return asked(home, "SELECT task_id, calls, hidden_calls, total_tokens FROM task ORDER BY 1")


def content(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def test_merging_each_into_the_other_ends_with_equal_totals(tmp_path: Path) -> None:
    a = recorded(tmp_path / "a", HERE, BOTH, host="a")
    b = recorded(tmp_path / "b", BOTH, host="a")
    write(b, THERE)  # not folded
    before = content(b)
    assert merged(a, b) == merge.Merged(len(THERE), len(BOTH), 0, 0, ())
    assert content(b) == before
    merged(b, a)
    assert tasks(a) == tasks(b) == TASKS
    # Merging twice is merging once.
    assert merged(a, b) == merge.Merged(0, len(HERE + THERE + BOTH), 0, 0, ())


def test_names_of_hosts_and_ids_of_conversations_become_others(tmp_path: Path) -> None:
    there = recorded(tmp_path / "there", THERE, host="alices-laptop")
    home = tmp_path / "home"
    merged(home, there)
    ((host, session, service),) = asked(
        home, "SELECT DISTINCT host, session_id, service_name FROM span WHERE session_id <> ''"
    )
    assert (host[:5], session[:5], service) == ("anon-", "anon-", "test")
    assert host != session
    assert asked(home, "SELECT DISTINCT task_id, trace_id FROM span") == [("there", f"{2:032x}")]
    written = content(home)
    for secret in (b"alices-laptop", b"alice@example.org"):
        assert not [name for name, found in written.items() if secret in found]
    assert stat.S_IMODE((home / merge.KEY_NAME).stat().st_mode) == 0o600
    # A second source of the same machine keeps its machine, and who merges on keeps the name.
    recorded(tmp_path / "more", job("more", 4, 1), host="alices-laptop")
    merged(home, tmp_path / "more")
    assert asked(home, "SELECT DISTINCT host FROM span") == [(host,)]
    merged(tmp_path / "third", home)
    assert asked(tmp_path / "third", "SELECT DISTINCT host FROM span") == [(host,)]


def test_names_are_kept_where_that_is_wanted_or_they_are_known(tmp_path: Path) -> None:
    there = recorded(tmp_path / "there", THERE, host="shared")
    home = recorded(tmp_path / "home", HERE, host="shared")
    merged(home, there)
    assert asked(home, "SELECT DISTINCT host FROM span") == [("shared",)]
    merged(tmp_path / "named", there, keep_names=True)
    ((session,),) = asked(
        tmp_path / "named", "SELECT DISTINCT session_id FROM span WHERE session_id <> ''"
    )
    assert session == "alice@example.org"


def test_what_was_refused_and_lost_there_is_known_here_once(home: Path, tmp_path: Path) -> None:
    there = recorded(tmp_path / "there", THERE, is_folded=False)
    put(there, "9-9-9", header() + b"torn\n")
    lost = {"at_ns": 1, "pid": 2, "records": 3, "reason": "disk full"}
    (there / "spool" / "lost").write_bytes(line(lost))
    done = merged(home, there)
    assert (done.refused, done.lost) == (1, 3)
    done = merged(home, there)
    assert (done.refused, done.lost) == (0, 0)
    assert asked(home, "SELECT segment, reason FROM quarantine") == [("9-9-9", "not JSON")]
    assert asked(home, "SELECT records, reason FROM lost") == [(3, "disk full")]


def test_a_store_of_an_earlier_version_is_merged_and_stays_as_it_is(home: Path) -> None:
    before = content(KEPT)
    done = merged(home, KEPT)
    assert (done.spans > 0, content(KEPT)) == (True, before)
    assert merged(home, KEPT).spans == 0


def test_sums_without_spans_do_not_come_along_and_that_is_said(home: Path, tmp_path: Path) -> None:
    there = recorded(tmp_path / "there", THERE, HERE)
    with upkeep.folded(there, []) as (connection, _):
        prune.prune(connection, there, "2025-10-09", keep_rollups=True)
    (said,) = merged(home, there).warnings
    assert said.startswith(f"{there} was pruned: what it adds up to before 2025-10-09 has no spans")


def test_what_is_no_other_store_is_refused(home: Path, tmp_path: Path) -> None:
    recorded(home, HERE)
    with pytest.raises(StoreError, match="is no folder"):
        merged(home, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StoreError, match="is no store: it has neither spool nor lake"):
        merged(home, tmp_path / "empty")
    with pytest.raises(StoreError, match="is this store itself"):
        merged(home, home)
    newer = recorded(tmp_path / "newer", THERE)
    with duckdb.connect(str(newer / published.NAME)) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema_version'")
    with pytest.raises(SchemaVersionError, match="schema 999"):
        merged(home, newer)
    assert [name for name, *_ in tasks(home)] == ["here"]


def _merge(home: Path) -> None:
    merged(home, home / "other")


def test_wherever_a_merge_dies_all_of_it_is_there_or_nothing(tmp_path: Path, home: Path) -> None:
    recorded(home, HERE)
    recorded(home / "other", THERE, BOTH, is_folded=False)
    homes = homes_of_the_dead(tmp_path, _merge)
    assert len(homes) > 5
    seen = [[name for name, *_ in tasks(home)] for home in homes]
    before, after = ["here"], ["both", "here", "there"]
    assert (seen[0], seen[-1]) == (before, after)
    assert all(one in (before, after) for one in seen)
    # Merging again makes it whole.
    merged(homes[-2], homes[-2] / "other")
    assert tasks(homes[-2]) == tasks(homes[-1])
