from pathlib import Path
from typing import Any

from tests.builders import (
    Record,
    agent,
    asked,
    chat,
    foreign,
    frame,
    opened,
    spans,
    step,
    task,
    tool,
    write,
)


def tree(home: Path, *segments: list[Record]) -> list[Any]:
    with asked(home, *segments, stored=False) as connection:
        return connection.sql(
            "SELECT repeat('  ', depth) || kind || ' ' || name, calls, input_tokens, output_tokens "
            "FROM task_tree ORDER BY task_id, path"
        ).fetchall()


RECORDS = spans(
    task(
        "week",
        agent(
            "lead",
            frame(chat(name="gpt-5", input=1, output=1)),
            foreign("httpx", {"server.address": "x"}, tool("fetch")),
            tool("ask", chat(name="claude", input=2)),
            agent("sub", step("think", chat(name="gpt-5", input=4, output=4))),
        ),
    )
)


def test_task_tree(home: Path) -> None:
    assert tree(home, RECORDS) == [
        ("task week", 3, 7, 5),
        ("  agent lead", 3, 7, 5),
        ("    inference gpt-5", 1, 1, 1),
        ("    tool fetch", 0, None, None),
        ("    tool ask", 1, 2, None),
        ("      inference claude", 1, 2, None),
        ("    agent sub", 1, 4, 4),
        ("      step think", 1, 4, 4),
        ("        inference gpt-5", 1, 4, 4),
    ]


def test_a_row_says_where_it_hangs_and_what_it_is(home: Path) -> None:
    with asked(home, RECORDS) as connection:
        rows = connection.sql(
            "SELECT span_id, parent_span_id, agent, role, hidden, model, status, duration_ms "
            "FROM task_tree WHERE depth = 2 ORDER BY path LIMIT 2"
        ).fetchall()
    assert rows == [
        ("0000000100000004", "0000000100000002", "lead", "main", False, "gpt-5", "ok", 500.0),
        ("0000000100000006", "0000000100000002", "lead", None, None, None, "ok", 500.0),
    ]


def test_what_has_lost_its_parent_hangs_from_the_root(home: Path) -> None:
    """The sub-agent ran in a process that was killed, so its own span never arrived."""
    arrived = [record for record in RECORDS if record["name"] != "sub"]
    assert tree(home, arrived)[-2:] == [
        ("  step think", 1, 4, 4),
        ("    inference gpt-5", 1, 4, 4),
    ]


def test_a_task_whose_root_has_not_arrived_has_what_is_there(home: Path) -> None:
    assert tree(home, RECORDS[:-1])[:2] == [
        ("agent lead", 3, 7, 5),
        ("  inference gpt-5", 1, 1, 1),
    ]


def test_a_task_inside_a_task_is_a_tree_of_its_own(home: Path) -> None:
    assert tree(home, spans(task("outer", chat(name="a"), task("inner", chat(name="b"))))) == [
        ("task inner", 1, None, None),
        ("  inference b", 1, None, None),
        ("task outer", 1, None, None),
        ("  inference a", 1, None, None),
    ]


def test_every_span_of_a_task_has_one_line_in_any_order(home: Path) -> None:
    for record in RECORDS:
        write(home, [record])
    with opened(home, RECORDS):
        pass
    assert len(tree(home)) == 9


def test_a_span_that_names_itself_as_its_parent_is_shown(home: Path) -> None:
    call, root = spans(task("week", chat(name="gpt-5", input=1)))
    call["parent_span_id"] = call["span_id"]
    assert tree(home, [call, root]) == [
        ("task week", 1, 1, None),
        ("  inference gpt-5", 1, 1, None),
    ]
