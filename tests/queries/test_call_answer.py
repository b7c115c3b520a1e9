from pathlib import Path
from typing import Any

from tests.builders import agent, asked, chat, frame, spans, task


def answers(home: Path, *nodes: Any) -> list[tuple[Any, ...]]:
    with asked(home, spans(*nodes)) as connection:
        return connection.sql(
            "SELECT task_id, judged, is_marked, has_main, main_call.input_tokens, "
            "subagent_call.input_tokens FROM call_answer ORDER BY ALL"
        ).fetchall()


def test_call_answer(home: Path) -> None:
    found = answers(
        home,
        task(
            "week",
            chat(input=1),
            agent(
                "lead", chat(input=2), agent("sub", chat(input=3)), chat(input=4, status="error")
            ),
        ),
        task("handed on", agent("lead", agent("sub", chat(input=5), chat(input=6)))),
        task("failed", chat(input=7, status="error")),
        task("marked", chat(input=8, visible=True), chat(input=9, visible=False)),
        task("summed up", chat(input=10, role="summary")),
        task("mixed", chat(input=11), frame(input=12)),
    )
    # Task, judged; whether a call is marked, whether there is a main one; the last good ones.
    assert found == [
        ("failed", False, False, True, None, None),
        ("handed on", False, False, False, None, 6),
        ("marked", False, True, True, 8, None),
        ("mixed", False, False, True, 11, None),
        ("mixed", True, False, True, 12, None),
        ("summed up", False, False, False, None, None),
        ("week", False, False, True, 2, 3),
    ]


def test_the_outermost_agent_goes_before_a_later_call_further_in(home: Path) -> None:
    inner = agent("sub", chat(input=2, role="main"))
    assert answers(home, agent("lead", chat(input=1), inner)) == [
        ("job", False, False, True, 1, None)
    ]


def test_an_answer_has_what_sums_are_made_of(home: Path) -> None:
    with asked(home, spans(chat(input=10, cache_read=4, output=2))) as connection:
        ((call,),) = connection.sql("SELECT main_call FROM call_answer").fetchall()
    sums = {name: call[name] for name in ("n_u", "n_c", "n_o", "total_tokens", "duration_ns")}
    assert sums == {"n_u": 6, "n_c": 4, "n_o": 2, "total_tokens": 12, "duration_ns": 500_000_000}
    assert (call["height"], call["span_id"], call["judged"]) == (-1, "0000000100000002", False)
