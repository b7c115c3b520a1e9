from pathlib import Path

from tests.builders import START_NS, agent, asked, chat, fact, loose, spans, task, tool

PRICES: dict[str | None, list[float]] = {"gpt-5": [1.0, 2.0]}
"""Wh per input token that is not from a cache."""


def test_amplification(home: Path) -> None:
    """Help: the person reads the last call, of 20 + 2 tokens and 20 Wh; 100 + 1,000 are hidden."""
    helped = spans(
        task(
            "help",
            agent(
                "lead",
                chat(input=100, output=10),
                tool("search"),
                agent("sub", chat(input=1000, output=0)),
                chat(input=20, output=2),
            ),
            fact(user_turns=2),
            workload="user-facing",
            project="desk",
        )
    )
    night = spans(task("night", chat(input=5, output=1), headless=True), trace=2)
    nobodys = loose(chat(), trace=3)
    idle = spans(task("idle"), trace=4)
    with asked(home, helped, night, nobodys, idle, models=PRICES) as found:
        rows = found.sql(
            "SELECT * REPLACE (epoch_ns(started_at) AS started_at) FROM amplification "
            "ORDER BY calls DESC, task_id DESC"
        ).fetchall()
    started = START_NS + 10**9
    assert rows == [
        (
            "help", "help", "desk", "user-facing", started, 2, "recorded", 2, 1, 2,
            3, 2, 1132, 1110, 1120.0, 1100.0,
        ),
        (
            "night", "night", "test", "agentic", started, 0, "default", 0, 0, 0,
            1, 1, 6, 6, 5.0, 5.0,
        ),
        (
            f"{3:032x}", None, "test", "agentic", started, None, "default", 0, 0, 0,
            1, 0, None, 0, None, 0.0,
        ),
        (
            "idle", "idle", "test", "agentic", started, 1, "default", 0, 0, None,
            0, 0, None, None, None, None,
        ),
    ]  # fmt: skip
