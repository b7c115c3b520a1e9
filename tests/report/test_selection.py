from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.compare.periods import parse
from agenttrace.compare.workloads import NAME
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.hidden import hidden_report
from agenttrace.report.selection import (
    GROUPINGS,
    Grouping,
    Selection,
    draws,
    extent,
    selected,
)
from tests.builders import Record, add, agent, chat, fact, later, spans, task

# The first span starts at 2025-10-09 08:53:20 UTC.
HOUR = 3600
DAY = 24 * HOUR


def totals(home: Path, selection: Selection) -> tuple[int, int, int, int | None]:
    """Return tasks, calls, hidden calls and tokens."""
    with Reader(home) as reader, selected(reader, selection):
        (row,) = reader.query("totals")
    return row["tasks"], row["calls"], row["hidden_calls"], row["total_tokens"]


@pytest.fixture
def recorded(home: Path) -> Path:
    """A chat in one hour; a task of two agents, which goes on into the next hour."""
    add(home, spans(task("ask", chat(input=10, output=1), workload="user-facing", project="desk")))
    first = spans(task("fix", agent("coder", chat(input=100, output=10))), trace=2)
    last = spans(
        task("fix", agent("coder", agent("tester", chat(input=1000, output=100)))), trace=3
    )
    add(home, [*first, *later(last, HOUR)])
    return home


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), (2, 3, 1, 1221)),
        (Selection(workload="agentic"), (1, 2, 1, 1210)),
        (Selection(workload="user-facing"), (1, 1, 0, 11)),
        (Selection(project="desk"), (1, 1, 0, 11)),
        (Selection(project="test"), (1, 2, 1, 1210)),
        (Selection(task_name="fix"), (1, 2, 1, 1210)),
        (Selection(agent="tester"), (1, 2, 1, 1210)),
        (Selection(agent="nobody"), (0, 0, 0, None)),
        (Selection(period=parse("2025-10-09")), (2, 3, 1, 1221)),
        (Selection(period=parse("2025-10-09T08")), (2, 2, 0, 121)),
        (Selection(period=parse("2025-10-09T09")), (1, 1, 1, 1100)),
        (Selection(period=parse("2025-10-09T09"), workload="user-facing"), (0, 0, 0, None)),
        (Selection(period=parse("2020")), (0, 0, 0, None)),
        (Selection(project="it's"), (0, 0, 0, None)),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_folded", [True, False])
def test_whole_tasks_are_seen_and_of_them_the_calls_of_the_period(
    recorded: Path,
    selection: Selection,
    expected: tuple[int, int, int, int | None],
    is_folded: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(Reader, "is_rolled_up", is_folded)
    assert totals(recorded, selection) == expected


def test_after_a_selection_everything_is_seen_again(recorded: Path):
    with Reader(recorded) as reader:
        with selected(reader, Selection(workload="user-facing")):
            assert reader.query("totals")[0]["calls"] == 1
        assert reader.query("totals")[0]["calls"] == 3


def test_a_task_without_a_call_is_seen_when_it_began(home: Path):
    add(home, spans(task("think", fact(task_outcome="abandoned"))))
    assert totals(home, Selection(period=parse("2025-10-09")))[0] == 1
    assert totals(home, Selection(period=parse("2025-10-10")))[0] == 0


def test_a_setting_of_the_project_decides_where_the_task_says_nothing(recorded: Path):
    (recorded / NAME).write_text('[project]\ntest = "user-facing"\ndesk = "agentic"\n')
    assert totals(recorded, Selection(workload="user-facing")) == (2, 3, 1, 1221)


def test_the_extent_is_the_hours_from_the_first_call_to_the_last(recorded: Path):
    with Reader(recorded) as reader:
        assert str(extent(reader)) == "2025-10-09T08..2025-10-09T09"
        with selected(reader, Selection(period=parse("2020"))):
            assert extent(reader) is None


def records(places: list[tuple[int, int, bool]]) -> list[Record]:
    """Return a task for each day, tokens and whether a person was answered."""
    return [
        record
        for number, (day, tokens, is_chat) in enumerate(places, start=1)
        for record in later(
            spans(
                task(
                    f"task {number}",
                    chat(input=tokens, output=1),
                    workload="user-facing" if is_chat else "agentic",
                ),
                trace=number,
            ),
            day * DAY,
        )
    ]


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 10**6), st.booleans()), min_size=1, max_size=6
    )
)
def test_draws_and_sums_of_the_parts_add_up_to_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int, bool]]
):
    home = tmp_path_factory.mktemp("parts")
    add(home, records(places))
    parts = [
        Selection(parse(period), workload)
        for period in ("2025-10-09", "2025-10-10", "2025-10-11")
        for workload in ("agentic", "user-facing")
    ]
    found: list[tuple[int, int | None, list[float]]] = []
    with Reader(home) as reader:
        for part in [Selection(), *parts]:
            with selected(reader, part):
                total = sums.totals(reader)
                drawn = [draw["energy_wh"] for draw in draws(reader)]
                found.append((total.calls, total.tokens.total, drawn))
    whole, *rest = found
    assert sum(calls for calls, _, _ in rest) == whole[0]
    assert sum(tokens or 0 for _, tokens, _ in rest) == whole[1]
    added = [sum(drawn[draw] for _, _, drawn in rest if drawn) for draw in range(256)]
    assert added == pytest.approx(whole[2], rel=1e-9)


def rows(home: Path, sql: str, selection: Selection) -> list[tuple[object, ...]]:
    with Reader(home) as reader, selected(reader, selection):
        return [tuple(row.values()) for row in reader.query(sql)]


@pytest.fixture
def turns(home: Path) -> Path:
    """Three prompts on two days: of sessions a, a and b, on branches main, x and main.

    And a task that says neither, on the second day.
    """
    said = {"project": "shop", "user_turns": 1}
    first = task(
        "one", agent("coder", chat(input=10, output=1, session="a"), chat(input=20, output=2)),
        branch="main", **said,
    )  # fmt: skip
    second = task("two", chat(input=100, output=10, session="a"), branch="x", **said)
    third = task("three", chat(input=1000, output=100, session="b"), branch="main", **said)
    fourth = task("four", chat(input=10_000, output=1000), project="other")
    add(home, spans(first))
    add(home, later(spans(second, trace=2), HOUR))
    add(home, later(spans(third, trace=3) + spans(fourth, trace=4), DAY))
    return home


TASKS = """
SELECT task_name, calls, hidden_calls, total_tokens, user_turns
FROM task ORDER BY total_tokens
"""


@pytest.mark.parametrize("is_folded", [True, False])
@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        ("turn", [("one", 2, 1, 33, 1), ("two", 1, 0, 110, 1), ("three", 1, 0, 1100, 1)]),
        ("session", [("a", 3, 1, 143, 2), ("b", 1, 0, 1100, 1)]),
        ("branch", [("shop x", 1, 0, 110, 1), ("shop main", 3, 1, 1133, 2)]),
    ],
)
def test_tasks_are_put_together_when_it_is_known_which_calls_are_hidden(
    turns: Path, grouping: Grouping, expected: list[object], is_folded: bool,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(Reader, "is_rolled_up", is_folded)
    found = rows(turns, TASKS, Selection(grouping=grouping))
    assert found == [*expected, ("four", 1, 0, 11_000, 1)]


def test_the_tasks_of_a_day_are_those_that_began_on_it(turns: Path):
    found = rows(turns, TASKS, Selection(grouping="day"))
    assert found == [("2025-10-09", 3, 1, 143, 2), ("2025-10-10", 2, 0, 12_100, 2)]


@pytest.mark.parametrize(
    ("grouping", "tasks"), [("turn", 4), ("session", 3), ("branch", 3), ("day", 2)]
)
def test_whatever_is_taken_for_a_task_the_totals_are_the_same(
    turns: Path, grouping: Grouping, tasks: int
):
    assert totals(turns, Selection(grouping=grouping)) == (tasks, 5, 1, 12_243)


def test_what_is_chosen_of_tasks_is_asked_before_they_are_put_together(turns: Path):
    chosen = Selection(grouping="day", project="shop", period=parse("2025-10-10"))
    assert rows(turns, TASKS, chosen) == [("2025-10-10", 1, 0, 1100, 1)]


def test_prompts_that_nobody_told_are_counted_by_the_task_as_it_was_recorded(home: Path):
    add(home, spans(task("one", chat(session="s")), task("two", chat(session="s"))))
    found = rows(
        home,
        "SELECT user_turns, user_turns_from FROM task_workload",
        Selection(grouping="session"),
    )
    assert found == [(2, "default")]


def test_a_report_says_what_it_took_for_a_task():
    chosen = Selection(grouping="session", workload="agentic")
    assert str(chosen) == "workload agentic, one task for each session, period all"


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_how_widely_tasks_branch_does_not_depend_on_what_is_taken_for_one(
    turns: Path, grouping: Grouping
):
    with Reader(turns) as reader:
        found = hidden_report(reader, Selection(grouping=grouping)).fan_out
    assert found is not None
    assert (found.tasks, found.levels, found.frames) == (4, 3, 5)
