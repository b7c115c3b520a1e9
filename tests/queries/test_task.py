from pathlib import Path

from tests.builders import START_NS, agent, asked, chat, fact, foreign, loose, spans, task, tool


def test_task(home: Path) -> None:
    """Week: task at 1 s, agent 2 s, chats 3 s and 4 s, tool 5 s, chat 6 s, facts 7 s and 8 s."""
    week = spans(
        task(
            "week",
            agent(
                "lead",
                chat(input=10, output=1, session="s"),
                chat(status="error", attempt=2),
                tool("search"),
                chat(input=20, output=2),
            ),
            fact(user_turns=2),
            fact(task_outcome="success", outcome_reference="PR 1"),
            workload="user-facing",
            project="help desk",
            branch="main",
            user_hash="u1",
        )
    )
    night = spans(task("night", headless=True, status="error"), trace=2)
    *killed, _ = spans(task("killed", chat(input=5)), trace=3)
    unrelated = loose(foreign("flask", {"server.address": "x"}), trace=4)
    with asked(home, week, night, killed, unrelated) as connection:
        rows = connection.sql(
            "SELECT * REPLACE (epoch_ns(started_at) AS started_at) FROM task ORDER BY task_id DESC"
        ).fetchall()
    assert rows == [
        (
            "week", "week", "s", "test", "user-facing", False, "help desk", "main", 2, "u1",
            "success",
            START_NS + 10**9, 7500.0, "ok",
            1, 1, 3, 2, 1, 1, 33, 11, 30, 3,
        ),
        (
            "night", "night", None, "test", "agentic", True, "test", None, 0, None, None,
            START_NS + 10**9, 500.0, "error",
            0, 0, 0, 0, 0, 0, None, None, None, None,
        ),
        (
            "killed", None, None, "test", "agentic", False, "test", None, None, None, None,
            START_NS + 2 * 10**9, 500.0, None,
            0, 0, 1, 0, 0, 0, 5, 0, 5, None,
        ),
    ]  # fmt: skip
