from pathlib import Path
from typing import Any

from tests.builders import Asked, Record, asked, chat, fact, later, loose, spans, task

HELP_DESK = ("project", "help desk", "user-facing")
HELP_DESK_AGENT = ("project", "help desk", "agentic")
SERVICE = ("service", "test", "user-facing")
"""The service of every record of a test is ``test``."""


def settings(connection: Asked, *rows: tuple[str, str, str]) -> None:
    for row in rows:
        connection.connection.execute("INSERT INTO workload_setting VALUES (?, ?, ?)", row)


def decided(
    home: Path, records: list[Record], *rows: tuple[str, str, str], columns: str
) -> list[Any]:
    """Return *columns* of every task, by its id; *rows* are what workloads.toml says."""
    with asked(home, records) as connection:
        settings(connection, *rows)
        return connection.sql(f"SELECT {columns} FROM task_workload ORDER BY task_id").fetchall()


WORKLOAD = "workload, workload_from"
TURNS = "user_turns, user_turns_from"


def test_task_workload(home: Path) -> None:
    week = spans(
        task(
            "week",
            chat(),
            fact(user_turns=3, user_hash="u1"),
            fact(task_outcome="success", outcome_reference="PR 1"),
            workload="user-facing",
            project="help desk",
        )
    )
    night = spans(task("night"), trace=2)
    with asked(home, week, night) as connection:
        rows = {row["task_id"]: row for row in connection.rows("task_workload")}
    assert rows == {
        "week": {
            "task_id": "week",
            "task_name": "week",
            "project": "help desk",
            "service_name": "test",
            "workload": "user-facing",
            "workload_from": "task",
            "user_turns": 3,
            "user_turns_from": "recorded",
            "user_hash": "u1",
            "outcome": "success",
            "outcome_reference": "PR 1",
        },
        "night": {
            "task_id": "night",
            "task_name": "night",
            "project": "test",
            "service_name": "test",
            "workload": "agentic",
            "workload_from": "default",
            "user_turns": 1,
            "user_turns_from": "default",
            "user_hash": None,
            "outcome": None,
            "outcome_reference": None,
        },
    }


def test_what_a_task_says_of_itself_goes_before_every_setting(home: Path) -> None:
    records = spans(task("t", workload="agentic", project="help desk"))
    assert decided(home, records, HELP_DESK, SERVICE, columns=WORKLOAD) == [("agentic", "task")]


def test_what_is_said_of_a_project_goes_before_what_is_said_of_a_service(home: Path) -> None:
    records = spans(task("t", project="help desk"))
    rows = decided(home, records, HELP_DESK_AGENT, SERVICE, columns=WORKLOAD)
    assert rows == [("agentic", "project")]


def test_a_service_decides_where_nothing_is_said_of_the_project(home: Path) -> None:
    records = spans(task("t", project="another"))
    rows = decided(home, records, HELP_DESK, SERVICE, columns=WORKLOAD)
    assert rows == [("user-facing", "service")]


def test_a_task_without_a_project_has_its_service_for_one(home: Path) -> None:
    rows = decided(
        home, spans(task("t")), ("project", "test", "user-facing"), columns=f"project, {WORKLOAD}"
    )
    assert rows == [("test", "user-facing", "project")]


def test_a_setting_of_another_project_and_of_another_service_says_nothing(home: Path) -> None:
    other = ("service", "help desk", "user-facing")
    assert decided(home, spans(task("t")), HELP_DESK, other, columns=WORKLOAD) == [
        ("agentic", "default")
    ]


def test_turns_that_were_counted_go_before_every_guess(home: Path) -> None:
    """Also none: nobody prompted, though somebody was to be answered."""
    records = spans(task("a", fact(user_turns=2), headless=True), task("b", fact(user_turns=0)))
    assert decided(home, records, columns=TURNS) == [(2, "recorded"), (0, "recorded")]


def test_nobody_prompted_a_headless_task(home: Path) -> None:
    assert decided(home, spans(task("t", headless=True)), columns=TURNS) == [(0, "default")]


def test_of_calls_without_a_task_nobody_knows_who_prompted(home: Path) -> None:
    rows = decided(home, loose(chat()), columns=f"task_name, workload, {TURNS}")
    assert rows == [(None, "agentic", None, "default")]


def test_each_trace_of_user_facing_calls_without_a_task_is_one_prompt(home: Path) -> None:
    """Whether the call says so itself, or a setting does."""
    records = [*loose(chat(workload="user-facing")), *loose(chat(), trace=2)]
    columns = f"workload, workload_from, {TURNS}"
    assert decided(home, records, SERVICE, columns=columns) == [
        ("user-facing", "task", 1, "default"),
        ("user-facing", "service", 1, "default"),
    ]


def test_the_outcome_that_was_said_last_counts_also_from_a_later_fold(home: Path) -> None:
    told = spans(task("t", fact(task_outcome="failure", outcome_reference="run 1")))
    told_later = later(spans(task("t", fact(task_outcome="success")), trace=2)[:1], 60)
    with asked(home, told_later):
        pass
    rows = decided(home, told, columns="outcome, outcome_reference")
    assert rows == [("success", None)]


def test_an_outcome_of_a_task_that_was_never_recorded_makes_no_task(home: Path) -> None:
    alone = spans(task("t", fact(task_outcome="success")))[:1]
    assert decided(home, alone, columns="task_id") == []
