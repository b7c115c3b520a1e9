from pathlib import Path
from typing import Any

from tests.builders import agent, asked, chat, spans, task, tool

SUMS = (
    "sum(calls), sum(retry_calls), sum(unpriced_calls), sum(input_tokens_calls), "
    "sum(input_tokens), sum(output), sum(output_context_x2)::BIGINT"
)


def sums(home: Path, *nodes: Any) -> list[tuple[Any, ...]]:
    """Return the sums of each task and hidden, without those that are of no call."""
    with asked(home, spans(*nodes)) as connection:
        return connection.sql(
            f"SELECT task_id, hidden, {SUMS} FROM call_rollup "
            "GROUP BY ALL HAVING sum(calls) <> 0 ORDER BY ALL"
        ).fetchall()


def test_call_rollup(home: Path) -> None:
    """The answer of week has 30 and 3 tokens: 3 * (2 * 30 + 3) = 189; the others 2 * 42 = 84."""
    week = task(
        "week",
        agent(
            "lead",
            tool("search", chat(input=20, output=2)),
            chat(status="error"),
            chat(input=30, output=3, attempt=2),
        ),
    )
    assert sums(home, week, task("night", chat(input=5), headless=True)) == [
        ("night", True, 1, 0, 1, 1, 5, 0, 0),
        ("week", False, 1, 1, 0, 1, 30, 3, 189),
        ("week", True, 2, 0, 1, 1, 20, 2, 84),
    ]


def test_what_is_marked_is_read_and_nothing_else(home: Path) -> None:
    marked = chat(input=1, output=0, visible=True), chat(input=2, output=0, visible=True)
    assert sums(home, *marked, chat(input=4, output=0)) == [
        ("job", False, 2, 0, 0, 2, 3, 0, 0),
        ("job", True, 1, 0, 0, 1, 4, 0, 0),
    ]


def test_the_times_of_calls_are_of_those_that_are_there(home: Path) -> None:
    """The answer is taken out of the hidden calls, whose last is the one before."""
    with asked(home, spans(chat(), chat())) as connection:
        rows = connection.sql(
            "SELECT sum(calls), min(first_started_at)::TIME::VARCHAR, "
            "max(last_started_at)::TIME::VARCHAR FROM call_rollup"
        ).fetchall()
    assert rows == [(2, "08:53:22", "08:53:23")]
