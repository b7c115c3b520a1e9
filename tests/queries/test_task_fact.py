from pathlib import Path

from tests.builders import (
    START_NS,
    agent,
    asked,
    chat,
    fact,
    frame,
    later,
    loose,
    spans,
    task,
    tool,
)


def test_task_fact(home: Path) -> None:
    """What three folds brought of a task adds up; of what is said twice the earliest counts.

    Of the outcome the latest does. What is told long after its end does not make a task longer.
    """
    *inner, root = spans(
        task(
            "week",
            agent("lead", chat(session="first"), frame()),
            fact(user_turns=2, user_hash="u1"),
            fact(task_outcome="failure", outcome_reference="run 1"),
            workload="user-facing",
            project="help desk",
            branch="main",
        )
    )
    more = [
        *later(spans(task("week", tool("search", session="second")), trace=2)[:1], 60),
        *later(
            spans(
                task(
                    "week",
                    fact(user_turns=1, user_hash="u2"),
                    fact(task_outcome="success", outcome_reference="PR 1"),
                ),
                trace=3,
            )[:2],
            3600,
        ),
    ]
    for records in (more, inner):
        with asked(home, records):
            pass
    with asked(home, [root]) as connection:
        assert len(connection.rows("task_sum")) > 1
        (row,) = connection.rows("task_fact")
    assert row == {
        "task_id": "week",
        "task_name": "week",
        "session_id": "first",
        "service_name": "test",
        "workload": "user-facing",
        "headless": None,
        "project": "help desk",
        "branch": "main",
        "user_turns": 3,
        "user_hash": "u1",
        "task_outcome": "success",
        "outcome_reference": "PR 1",
        "status": "ok",
        "spans": 5,
        "structure_spans": 5,
        "agents": 1,
        "tools": 1,
        "judged_spans": 1,
        "placed_spans": 1,
        "interrupted_spans": 0,
        "is_cut_off": False,
        "start_ns": START_NS + 10**9,
        "end_ns": START_NS + 62_500_000_000,
    }


def test_a_trace_without_a_task_has_no_name_and_no_status(home: Path) -> None:
    with asked(home, loose(chat())) as connection:
        rows = connection.sql("SELECT task_id, task_name, status FROM task_fact").fetchall()
    assert rows == [("0" * 31 + "1", None, None)]
