from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.compare.periods import parse
from agenttrace.compare.workloads import NAME
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.selection import Selection, draws, extent, selected
from tests.builders import Record, agent, chat, fact, later, spans, task, write

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
    write(
        home, spans(task("ask", chat(input=10, output=1), workload="user-facing", project="desk"))
    )
    first = spans(task("fix", agent("coder", chat(input=100, output=10))), trace=2)
    last = spans(
        task("fix", agent("coder", agent("tester", chat(input=1000, output=100)))), trace=3
    )
    write(home, [*first, *later(last, HOUR)])
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
    write(home, spans(task("think", fact(task_outcome="abandoned"))))
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
    write(home, records(places))
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
