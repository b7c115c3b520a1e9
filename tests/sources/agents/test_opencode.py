"""What is read of OpenCode: databases as they grow, and the files before them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from agenttrace import semconv
from tests.sources.logs import CORPORA, imported, records, tokens, totals, write_database

FILES = CORPORA / "opencode" / "files"
START_MS = 1790000000000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS session (
    id TEXT PRIMARY KEY, parent_id TEXT, directory TEXT, title TEXT, time_created INTEGER
);
CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT);
"""

Row = tuple[str, tuple[Any, ...]]


def _database(folder: Path, *rows: Row) -> Path:
    return write_database(folder / "opencode.db", _SCHEMA, rows)


def _session(key: str, parent: str | None = None, at: int = 0) -> Row:
    return "session", (key, parent, "/code/shop", "SECRET", START_MS + at)


def _prompt(key: str, session: str = "s1", at: int = 0) -> Row:
    data = {"role": "user", "time": {"created": START_MS + at}}
    return "message", (key, session, json.dumps(data))


def _answer(
    key: str,
    session: str = "s1",
    at: int = 1,
    tokens: tuple[int, int, int, int, int] = (10, 100, 0, 0, 0),
    **more: Any,
) -> Row:
    given, output, reasoning, read, write = tokens
    total = {"total": more.pop("total")} if "total" in more else {}
    cache = {"read": read, "write": write}
    data = {
        "role": "assistant",
        "time": {"created": START_MS + at, "completed": START_MS + at + 500},
        "modelID": "claude-sonnet-4-5",
        "providerID": "anthropic",
        "cost": 0,
        "tokens": total
        | {"input": given, "output": output, "reasoning": reasoning, "cache": cache},
    }
    return "message", (key, session, json.dumps(data | more))


def test_buckets_are_exclusive_and_a_cost_of_zero_is_unknown(home: Path, tmp_path: Path) -> None:
    _database(tmp_path, _session("s1"), _prompt("u1"), _answer("a1", tokens=(10, 100, 20, 500, 60)))

    done = imported("opencode", tmp_path, home)

    assert (done.calls, done.turns, done.skipped) == (1, 1, {})
    assert tokens(home) == [(570, 120, 500, 60, 20)]  # 10 + 500 + 60 in, 100 + 20 out
    assert semconv.COST_USD not in records(home, "inference")[0]
    assert records(home, "task")[0][semconv.PROJECT] == "shop"


def test_reasoning_is_inside_the_output_where_the_total_says_so(home: Path, tmp_path: Path) -> None:
    inside = _answer("a1", at=1, tokens=(10, 100, 20, 0, 0), total=110)
    beside = _answer("a2", at=2, tokens=(10, 100, 20, 0, 0), total=130)
    _database(tmp_path, _session("s1"), inside, beside)

    imported("opencode", tmp_path, home)

    assert tokens(home) == [(10, 100, 0, 0, 20), (10, 120, 0, 0, 20)]


def test_sub_sessions_at_any_depth_belong_to_the_turn_that_started_them(
    home: Path, tmp_path: Path
) -> None:
    _database(
        tmp_path,
        _session("s1"),
        _session("s2", "s1", at=5000),
        _session("s3", "s2", at=6000),
        _prompt("u1", at=0),
        _prompt("u2", at=4000),
        _answer("a1", "s1", at=100, parentID="u1"),
        _answer("a2", "s2", at=5100, agent="explore"),
        _answer("a3", "s3", at=6100, agent="general"),
    )

    imported("opencode", tmp_path, home)

    first, second, third = sorted(records(home, "inference"), key=lambda one: one["start_ns"])
    assert [one[semconv.CONVERSATION_ID] for one in (first, second, third)] == ["s1"] * 3
    assert first[semconv.TASK_ID] != second[semconv.TASK_ID] == third[semconv.TASK_ID]
    assert [one[semconv.ROLE] for one in (first, second, third)] == ["main", "subagent", "subagent"]
    assert [one[semconv.AGENT_DEPTH] for one in (first, second, third)] == [1, 2, 3]
    outer, inner = records(home, "agent")
    assert (outer[semconv.AGENT_NAME], inner[semconv.AGENT_NAME]) == ("explore", "general")
    assert inner["parent_span_id"] == outer["span_id"]
    assert third["parent_span_id"] == inner["span_id"]


def test_a_fork_copies_calls_under_new_ids_and_counts_only_what_is_its_own(
    home: Path, tmp_path: Path
) -> None:
    _database(
        tmp_path,
        _session("s1"),
        _session("s2", at=5000),
        _prompt("u1"),
        _answer("a1", at=1, parentID="u1"),
        _prompt("u2", "s2"),
        _answer("a2", "s2", at=1, parentID="u2"),
        _answer("a3", "s2", at=5001, tokens=(7, 5, 0, 0, 0)),
    )

    done = imported("opencode", tmp_path, home)

    assert (done.calls, done.skipped) == (2, {"a call that a fork copied": 1})
    assert totals(home)[1:] == (2, 17, 105)


def test_a_clock_that_was_set_back_makes_no_call_a_copy(home: Path, tmp_path: Path) -> None:
    _database(tmp_path, _session("s1", at=9000), _prompt("u1"), _answer("a1"))

    assert imported("opencode", tmp_path, home).calls == 1


def test_sessions_that_are_parents_of_one_another_end_somewhere(home: Path, tmp_path: Path) -> None:
    _database(tmp_path, _session("s1", "s2"), _session("s2", "s1"), _answer("a1"))

    assert imported("opencode", tmp_path, home).calls == 1


def test_only_new_rows_are_read_and_a_call_that_had_not_ended_again(
    home: Path, tmp_path: Path
) -> None:
    _database(
        tmp_path,
        _session("s1"),
        _prompt("u1"),
        _answer("a1", at=1),
        _answer("a2", tokens=(0, 0, 0, 0, 0), time={"created": START_MS}),
    )
    assert imported("opencode", tmp_path, home).calls == 2
    _update(tmp_path, _answer("a2", at=0, tokens=(20, 7, 0, 0, 0)))
    _database(tmp_path, _answer("a3", at=9, tokens=(1, 2, 0, 0, 0)))

    done = imported("opencode", tmp_path, home)

    assert (done.calls, done.improved, done.repeated) == (1, 1, 0)
    assert totals(home) == (1, 3, 31, 109)


def _update(folder: Path, row: Row) -> None:
    key, _, data = row[1]
    with closing(sqlite3.connect(folder / "opencode.db")) as database, database:
        database.execute("UPDATE message SET data = ? WHERE id = ?", (data, key))


def test_rows_that_were_numbered_anew_are_all_read_again_and_count_once(
    home: Path, tmp_path: Path
) -> None:
    _database(tmp_path, _session("s1"), _prompt("u1"), _answer("a1"), _answer("a2", at=2))
    imported("opencode", tmp_path, home)
    with closing(sqlite3.connect(tmp_path / "opencode.db")) as database:
        database.execute("DELETE FROM message WHERE id = 'u1'")
        database.execute("UPDATE message SET rowid = rowid - 1")  # as VACUUM may
        database.commit()
    _database(tmp_path, _answer("a3", at=3))

    done = imported("opencode", tmp_path, home)

    assert (done.calls, done.repeated) == (1, 2)
    assert totals(home)[1:] == (3, 30, 300)


def test_another_database_in_its_place_is_read_from_its_beginning(
    home: Path, tmp_path: Path
) -> None:
    path = _database(tmp_path, _session("s1"), _answer("a1"))
    imported("opencode", tmp_path, home)
    other = _database(tmp_path / "other", _session("s1"), _answer("b1", tokens=(1, 1, 0, 0, 0)))
    other.replace(path)

    assert imported("opencode", path, home).calls == 1
    assert totals(home)[1:] == (2, 11, 101)


def test_a_compaction_belongs_to_the_turn_before_its_own_prompt(home: Path, tmp_path: Path) -> None:
    _database(
        tmp_path,
        _session("s1"),
        _prompt("u1", at=0),
        _answer("a1", at=1, parentID="u1"),
        _prompt("u2", at=1000),
        _answer("a2", at=1001, parentID="u2", summary=True, mode="compaction"),
    )

    imported("opencode", tmp_path, home)

    first, second = records(home, "inference")
    assert second[semconv.ROLE] == "compaction"
    assert second[semconv.TASK_ID] == first[semconv.TASK_ID]


def test_older_files_are_read_and_their_sub_sessions_found(home: Path) -> None:
    done = imported("opencode", FILES, home)

    assert (done.files, done.calls, done.turns) == (4, 2, 1)
    assert tokens(home) == [(570, 120, 500, 60, 20), (7, 3, 0, 0, 0)]
    below = records(home, "inference")[1]
    assert (below[semconv.ROLE], below[semconv.AGENT_NAME]) == ("subagent", "explore")
    assert totals(home) == (1, 2, 577, 123)


def test_a_message_that_was_moved_from_a_file_to_the_database_counts_once(
    home: Path, tmp_path: Path
) -> None:
    path = tmp_path / "storage" / "message" / "s1" / "a1.json"
    path.parent.mkdir(parents=True)
    row = _answer("a1")
    path.write_text(json.dumps({"id": "a1", "sessionID": "s1"} | json.loads(row[1][2])))
    _database(tmp_path, _session("s1"), row)

    done = imported("opencode", tmp_path, home)

    assert (done.files, done.calls, done.repeated) == (2, 1, 1)


def test_messages_in_a_newer_table_are_named(home: Path, tmp_path: Path) -> None:
    _database(tmp_path, _session("s1"), _answer("a1"))
    write_database(
        tmp_path / "opencode.db",
        "CREATE TABLE session_message (id TEXT)",
        [("session_message", ("x",))],
    )

    done = imported("opencode", tmp_path, home)

    assert (done.calls, done.skipped) == (1, {"a row of table 'session_message'": 1})
