from pathlib import Path

import pytest

from tests.builders import Record, agent, asked, chat, fact, foreign, frame, spans, step, task, tool


def fan_out(home: Path, records: list[Record], *, stored: bool = True) -> list[tuple[object, ...]]:
    """Return frame, depth; calls, agents, tools, steps inside, and all of them."""
    with asked(home, records, stored=stored) as found:
        return found.sql(
            "SELECT kind || ' ' || name, depth, calls, agents, tools, steps, fan_out FROM fan_out "
            "ORDER BY started_at, span_id"
        ).fetchall()


@pytest.mark.parametrize("stored", [True, False])
def test_fan_out(home: Path, stored: bool) -> None:
    """The inner of two spans of a call counts, and an HTTP client hands its tool on to lead."""
    records = spans(
        task(
            "week",
            agent(
                "lead",
                frame(chat(input=1, output=1)),
                foreign("httpx", {"server.address": "x"}, foreign("urllib3", {}, tool("fetch"))),
                tool("ask", chat(input=2), chat(input=3)),
                agent("sub", step("think", chat(input=4, output=4))),
            ),
            fact(task_outcome="success"),
        )
    )
    assert fan_out(home, records, stored=stored) == [
        ("task week", 0, 0, 1, 0, 0, 1),
        ("agent lead", 1, 1, 1, 2, 0, 4),
        ("tool fetch", 2, 0, 0, 0, 0, 0),
        ("tool ask", 2, 2, 0, 0, 0, 2),
        ("agent sub", 2, 0, 0, 0, 1, 1),
        ("step think", 3, 1, 0, 0, 0, 1),
    ]


def test_what_lost_its_parent_hangs_from_the_root(home: Path) -> None:
    records = spans(task("job", tool("lost", chat(), parent="00000000000000aa")))
    assert fan_out(home, records) == [
        ("task job", 0, 0, 0, 1, 0, 1),
        ("tool lost", 1, 1, 0, 0, 0, 1),
    ]


def test_until_its_root_has_arrived_a_task_has_several_tops(home: Path) -> None:
    *killed, _ = spans(task("job", tool("one", chat()), tool("two"), chat()))
    assert fan_out(home, killed) == [
        ("tool one", 0, 1, 0, 0, 0, 1),
        ("tool two", 0, 0, 0, 0, 0, 0),
    ]


def test_a_frame_that_names_itself_as_its_parent_has_none_and_is_not_inside_itself(
    home: Path,
) -> None:
    """Spans count from 1, so the tool is span 2; it hangs from the root."""
    records = spans(task("job", tool("own", chat(), parent="0000000100000002")))
    assert fan_out(home, records) == [
        ("task job", 0, 0, 0, 1, 0, 1),
        ("tool own", 1, 1, 0, 0, 0, 1),
    ]


def test_frames_that_go_round_in_a_circle_have_no_depth(home: Path) -> None:
    """Spans 2 and 3 say of each other that they are inside."""
    records = spans(task("job", tool("one", tool("two"), parent=f"{1 << 32 | 3:016x}")))
    assert fan_out(home, records) == [
        ("task job", 0, 0, 0, 0, 0, 0),
        ("tool one", None, 0, 0, 1, 0, 1),
        ("tool two", None, 0, 0, 1, 0, 1),
    ]
