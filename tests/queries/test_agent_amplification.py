from pathlib import Path

from tests.builders import agent, asked, chat, fact, loose, spans, task

PRICES: dict[str | None, list[float]] = {"gpt-5": [1.0, 2.0]}
"""Wh per input token that is not from a cache."""


def test_agent_amplification(home: Path) -> None:
    """Lead works in two tasks, of 3 turns and of none; sub in the first; one call in no agent."""
    asked_for = spans(
        task(
            "ask",
            agent("lead", agent("sub", chat(input=1000, output=1)), chat(input=20, output=2)),
            fact(user_turns=3),
        )
    )
    night = spans(task("night", agent("lead", chat(input=5, output=1)), headless=True), trace=2)
    nobodys = loose(chat(input=7, output=0), trace=3)
    with asked(home, asked_for, night, nobodys, models=PRICES) as found:
        rows = found.sql("FROM agent_amplification ORDER BY calls DESC, agent").fetchall()
    assert rows == [
        # calls, hidden, tokens, hidden, Wh, hidden; those of the task with turns
        ("lead", 2, 3, 0, 2, 1, 28, 6, 25.0, 5.0, 1, 22, 20.0),
        ("sub", 1, 3, 0, 1, 1, 1001, 1001, 1000.0, 1000.0, 1, 1001, 1000.0),
        (None, 1, None, 1, 1, 0, 7, 0, 7.0, 0.0, 0, None, None),
    ]
