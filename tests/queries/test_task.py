from pathlib import Path

from tests.builders import START_NS, agent, asked, chat, foreign, loose, spans, task, tool


def test_task(home: Path) -> None:
    """Spans of week: task at 1 s, agent 2 s, chats 3 s and 4 s, tool 5 s, chat 6 s to 6.5 s."""
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
            workload="user-facing",
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
            "week", "week", "s", "test", "user-facing", False, START_NS + 10**9, 5500.0, "ok",
            1, 1, 3, 2, 1, 1, 33, 11, 30, 3,
        ),
        (
            "night", "night", None, "test", "agentic", True, START_NS + 10**9, 500.0, "error",
            0, 0, 0, 0, 0, 0, None, None, None, None,
        ),
        (
            "killed", None, None, "test", "agentic", False, START_NS + 2 * 10**9, 500.0, None,
            0, 0, 1, 0, 0, 0, 5, 0, 5, None,
        ),
    ]  # fmt: skip
