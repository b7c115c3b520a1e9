from pathlib import Path
from typing import Any

from tests.builders import (
    START_NS,
    agent,
    asked,
    chat,
    fact,
    foreign,
    frame,
    loose,
    spans,
    task,
    tool,
)


def at(second: int, says: str) -> dict[str, Any]:
    return {"at": START_NS + second * 10**9, "says": says}


def test_task_sum(home: Path) -> None:
    """Spans: task at 1 s, agent 2 s, chats 3 s to 5 s, tool 6 s, another's 7 s, facts 8 s on."""
    week = spans(
        task(
            "week",
            agent(
                "lead",
                chat(input=1),
                frame(input=2),
                chat(input=3, response_id="r", outcome="interrupted"),
                tool("search", session="s"),
                foreign("httpx", {"server.address": "x"}),
            ),
            fact(user_turns=1, user_hash="u1"),
            fact(user_turns=2, user_hash="u2"),
            fact(task_outcome="failure"),
            fact(task_outcome="success", outcome_reference="PR 1"),
            workload="user-facing",
            project="help desk",
            branch="main",
            headless=True,
            status="error",
        )
    )
    with asked(home, week) as connection:
        (row,) = connection.rows("task_sum")
    assert row == {
        "task_id": "week",
        "spans": 7,
        "structure_spans": 6,
        "agents": 1,
        "tools": 1,
        "judged_spans": 2,
        "placed_spans": 1,
        "interrupted_spans": 1,
        "is_cut_off": False,
        "task_name": at(1, "week"),
        "session_id": at(6, "s"),
        "service_name": at(1, "test"),
        "workload": at(1, "user-facing"),
        "status": at(1, "error"),
        "headless": True,
        "start_ns": START_NS + 10**9,
        "end_ns": START_NS + 11_500_000_000,
        "project": at(1, "help desk"),
        "branch": at(1, "main"),
        "user_turns": 3,
        "user_hash": at(8, "u1"),
        "task_outcome": {**at(11, "success"), "reference": "PR 1"},
    }


def test_what_nothing_says_is_unknown(home: Path) -> None:
    with asked(home, loose(foreign("flask", {"server.address": "x"}))) as connection:
        (row,) = connection.rows("task_sum")
    known = {name: value for name, value in row.items() if value is not None}
    assert known == {
        "task_id": "0" * 31 + "1",
        "spans": 1,
        "structure_spans": 0,
        "agents": 0,
        "tools": 0,
        "judged_spans": 0,
        "placed_spans": 0,
        "interrupted_spans": 0,
        "start_ns": START_NS + 10**9,
        "end_ns": START_NS + 1_500_000_000,
    }


def test_a_task_whose_root_was_in_flight_is_cut_off(home: Path) -> None:
    records = spans(task("week", chat(), outcome="interrupted"))
    with asked(home, records) as connection:
        rows = connection.sql("SELECT interrupted_spans, is_cut_off FROM task_sum").fetchall()
    assert rows == [(1, True)]
