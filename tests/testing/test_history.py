"""A past that is written is read as if it had been recorded then, and is the same each time."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.errors import SpoolError
from agenttrace.testing.history import History

MONDAY = datetime(2026, 11, 9, 8, tzinfo=UTC)


def rows(home: Path, query: str) -> list[tuple[Any, ...]]:
    with agenttrace.read(home) as reader:
        return [tuple(row.values()) for row in reader.query(query)]


def test_a_call_has_the_time_the_place_and_the_tokens_that_were_said(home: Path):
    with (
        History(home, "assistant") as past,
        past.task("fix the parser", at=MONDAY, session="s") as task,
        task.agent("coder") as coder,
    ):
        coder.wait(60)
        coder.call(
            "claude-sonnet-4-5",
            provider="anthropic",
            input_tokens=1000,
            cache_read_tokens=900,
            cache_write_tokens=50,
            output_tokens=20,
            seconds=2.5,
        )
    assert rows(
        home,
        "SELECT started_at, duration_ms, service_name, task_name, session_id, agent, role, "
        "provider, model, usage, input_tokens, cache_read_tokens, cache_write_tokens, "
        "output_tokens, reasoning_tokens, hidden FROM model_call",
    ) == [
        (
            MONDAY.replace(minute=1, tzinfo=None),
            2500,
            "assistant",
            "fix the parser",
            "s",
            "coder",
            "main",
            "anthropic",
            "claude-sonnet-4-5",
            "reported",
            1000,
            900,
            50,
            20,
            None,
            False,
        )
    ]


def test_what_is_around_a_call_says_its_role_and_what_follows_starts_when_it_ended(home: Path):
    with (
        History(home) as past,
        past.task("t", at=MONDAY) as task,
        task.agent("lead") as lead,
    ):
        lead.call("m", seconds=10)
        with lead.agent("scout") as scout:
            scout.call("m", seconds=10)
            scout.use("grep", seconds=5)
            with scout.tool("ask") as asking:
                asking.call("m", operation="embeddings", input_tokens=3)
        lead.call("m", role="summary")
    assert rows(
        home,
        "SELECT agent, role, usage, date_diff('second', TIMESTAMP '2026-11-09 08:00', started_at) "
        "FROM model_call ORDER BY started_at",
    ) == [
        ("lead", "main", "missing", 0),
        ("scout", "subagent", "missing", 10),
        ("scout", "tool", "reported", 25),
        ("lead", "summary", "missing", 26),
    ]
    assert rows(
        home,
        "SELECT inside.name, around.name AS parent FROM span AS inside LEFT JOIN span AS around "
        "ON inside.parent_span_id = around.span_id "
        "ORDER BY inside.start_ns, inside.duration_ns DESC LIMIT 3",
    ) == [("t", None), ("lead", "t"), ("m", "lead")]


def test_each_attempt_is_a_call_of_one_operation(home: Path):
    with History(home) as past, past.task("t", at=MONDAY) as task:
        task.call("m", input_tokens=1, output_tokens=1, attempts=3)
    assert rows(
        home,
        "SELECT attempt, role, status, usage, count(*) OVER (PARTITION BY operation_id) "
        "FROM model_call ORDER BY started_at",
    ) == [
        (1, "main", "error", "missing", 3),
        (2, "retry", "error", "missing", 3),
        (3, "retry", "ok", "reported", 3),
    ]


def test_a_task_says_who_asked_how_often_for_what_and_what_became_of_it(home: Path):
    with (
        History(home) as past,
        past.task(
            "a ticket", at=MONDAY, workload="user-facing", project="help", user_turns=1
        ) as task,
    ):
        task.call("m")
        task.user("ada")
        task.user_turn()
        task.outcome("success", reference="ticket 7")
    [(*said, user)] = rows(
        home,
        "SELECT workload, project, user_turns, outcome, outcome_reference, user_hash "
        "FROM task_workload",
    )
    assert said == ["user-facing", "help", 2, "success", "ticket 7"]
    assert "ada" not in user


def test_one_seed_gives_the_same_past_and_another_other_ids(home: Path, tmp_path: Path):
    def ids(folder: str, seed: int) -> list[tuple[Any, ...]]:
        with (
            History(tmp_path / folder, seed=seed) as past,
            past.task("t", at=MONDAY, user="ada") as task,
        ):
            task.call("m")
        return rows(
            tmp_path / folder, "SELECT task_id, trace_id, span_id, user_hash FROM span ORDER BY ALL"
        )

    assert ids("one", 1) == ids("again", 1)
    assert not set(ids("one", 1)) & set(ids("other", 2))


def test_two_processes_of_one_seed_write_different_ids(home: Path):
    for name in ("one", "other"):
        with History(home, name) as past, past.task("t", at=MONDAY) as task:
            task.call("m")
    assert rows(home, "SELECT count(DISTINCT trace_id), count(DISTINCT span_id) FROM span") == [
        (2, 4)
    ]


def test_a_time_in_another_zone_is_the_same_moment(home: Path):
    east = MONDAY.astimezone(timezone(timedelta(hours=9)))
    with History(home) as past, past.task("t", at=east) as task:
        task.call("m")
    assert rows(home, "SELECT started_at FROM model_call") == [(MONDAY.replace(tzinfo=None),)]


def test_a_time_without_a_zone_is_refused(home: Path):
    with (
        History(home) as past,
        pytest.raises(ValueError, match="has no zone"),
        past.task("t", at=MONDAY.replace(tzinfo=None)),
    ):
        pass


def test_what_raises_is_written_as_failed_and_raised(home: Path):
    with (
        pytest.raises(KeyError),
        History(home) as past,
        past.task("t", at=MONDAY) as task,
        task.agent("coder"),
    ):
        raise KeyError
    assert rows(home, "SELECT name, status FROM span ORDER BY name") == [
        ("coder", "error"),
        ("t", "error"),
    ]


def test_what_the_disk_refuses_is_said(tmp_path: Path, trouble: list[str]):
    (tmp_path / "spool").write_text("a file is in the way")
    with (
        pytest.raises(SpoolError, match="could not be written"),
        History(tmp_path) as past,
        past.task("t", at=MONDAY),
    ):
        pass
    assert trouble


def test_the_provider_of_the_package_does_without_agenttrace():
    code = """
import sys, agenttrace.testing
assert not {"msgspec", "agenttrace.record", "agenttrace.testing.history"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
