"""Spans start a second apart from START_NS on, 2025-10-09 08:53:20 UTC."""

from collections.abc import Sequence
from io import StringIO
from math import fsum
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from agenttrace.compare.periods import parse
from agenttrace.energy import measured
from agenttrace.reader import Reader
from agenttrace.report.hidden import By, HiddenReport, Layer, Line, TurnLine, hidden_report
from agenttrace.report.hidden import fan_out as looked
from agenttrace.report.json import to_json
from agenttrace.report.selection import Selection
from agenttrace.report.text import to_text
from tests.builders import (
    SECOND_NS,
    START_NS,
    Node,
    Record,
    add,
    agent,
    chat,
    fact,
    foreign,
    frame,
    later,
    loose,
    spans,
    task,
    tool,
)

DAY_S = 86_400


def reported(
    home: Path,
    *segments: Sequence[Record],
    by: By | None = None,
    limit: int | None = None,
    period: str = "all",
    against: str | None = None,
    project: str | None = None,
) -> HiddenReport:
    """Write *segments* and report; periods are said as on the command line."""
    for records in segments:
        add(home, records)
    with Reader(home) as reader:
        return hidden_report(
            reader,
            Selection(period=parse(period), project=project),
            against=None if against is None else parse(against),
            by=by,
            limit=limit,
        )


def shown(report: HiddenReport, width: int = 80) -> str:
    return to_text(report, Console(file=StringIO(), width=width))


def names(lines: Sequence[Line]) -> list[str | None]:
    return [line.name for line in lines]


def calls_of(report: HiddenReport, per: str) -> tuple[float | None, float | None, float | None]:
    """Return all calls, how many *per* there are, and the calls for each."""
    intensities = report.per_turn if per == "user turn" else report.per_task
    (calls,) = [one for one in intensities if one.what == "calls"]
    return (
        calls.total and calls.total.central,
        calls.volume,
        calls.each and calls.each.central,
    )


def asked_for(**said: object) -> Node:
    """A task of which a person reads 22 tokens of 1,133, and one call of three."""
    return task(
        "ask",
        agent(
            "lead",
            chat(input=100, output=10),
            agent("sub", chat(input=1000, output=1, role="subagent")),
            chat(input=20, output=2),
        ),
        fact(user_turns=2),
        **said,
    )


def test_the_iceberg_is_what_the_person_saw_and_what_ran_underneath(home: Path):
    report = reported(home, spans(asked_for()))
    visible, hidden = report.layers
    assert (visible.name, visible.calls, visible.tokens) == ("visible", 1, 22)
    assert (hidden.name, hidden.calls, hidden.tokens) == ("hidden", 2, 1111)
    assert (visible.calls_share, visible.tokens_share) == pytest.approx((1 / 3, 22 / 1133))
    assert visible.energy_wh is not None
    assert hidden.energy_wh is not None
    assert report.totals.energy_wh is not None
    both = visible.energy_wh.central + hidden.energy_wh.central
    assert both == pytest.approx(report.totals.energy_wh.central)
    assert hidden.energy_wh.central == pytest.approx(report.totals.hidden_energy_wh)


def test_a_turn_sets_off_all_calls_of_its_task(home: Path):
    report = reported(home, spans(asked_for()))
    assert calls_of(report, "user turn") == (3, 2, 1.5)
    assert calls_of(report, "task") == (3, 1, 3)
    tokens, energy = report.per_turn[1:]
    assert tokens.each is not None
    assert tokens.each.central == 1133 / 2
    assert energy.each is not None
    assert report.totals.energy_wh is not None
    # With a turn in every task the ranges are those of all calls, by two.
    assert (energy.each.low, energy.each.central, energy.each.high) == pytest.approx(
        tuple(getattr(report.totals.energy_wh, end) / 2 for end in ("low", "central", "high"))
    )


def test_turns_are_recorded_or_by_the_rule_and_tasks_without_are_on_neither_side(home: Path):
    report = reported(
        home,
        spans(asked_for()),
        spans(task("rule", chat(input=5, output=1)), trace=2),
        spans(task("night", chat(input=5, output=1), chat(), headless=True), trace=3),
        loose(chat(input=7, output=1), trace=4),
    )
    assert [
        (line.known, line.tasks, line.user_turns, line.calls, line.tokens) for line in report.turns
    ] == [
        ("recorded", 1, 2, 3, 1133),
        ("by rule", 1, 1, 1, 6),
        ("none", 1, 0, 2, 6),
        ("unknown", 1, None, 1, 8),
    ]
    assert calls_of(report, "user turn") == (4, 3, 4 / 3)
    assert calls_of(report, "task") == (7, 4, 7 / 4)


def test_the_range_per_turn_is_that_of_tasks_with_a_turn_alone(home: Path):
    """A headless task beside it makes the whole wider, and the figure per turn no wider."""
    alone = reported(home, spans(asked_for()))
    night = task("night", chat(input=9000, output=900, model="claude-opus-4-5"), headless=True)
    both = reported(home, spans(night, trace=2))
    assert both.per_turn[2].each is not None
    assert both.per_turn[2].each == alone.per_turn[2].each


def test_what_runs_without_a_person_has_no_figure_per_turn(home: Path):
    report = reported(home, spans(task("night", chat(input=5, output=1), headless=True)))
    assert [layer.calls for layer in report.layers] == [0, 1]
    assert calls_of(report, "user turn") == (0, 0, None)
    assert report.layers[0].energy_share == 0
    assert "a headless task has none" in " ".join(shown(report).split())


def test_where_nobody_knows_of_turns_that_is_said(home: Path):
    report = reported(home, loose(chat(input=7, output=1)))
    assert calls_of(report, "user turn") == (0, None, None)
    assert "nobody knows; in no figure per turn" in " ".join(shown(report).split())


def test_an_answer_to_a_person_hides_nothing(home: Path):
    report = reported(home, spans(task("ask", chat(input=20, output=2), workload="user-facing")))
    visible, hidden = report.layers
    assert (visible.calls, visible.calls_share, visible.energy_share) == (1, 1, pytest.approx(1))
    assert (hidden.calls, hidden.tokens, hidden.energy_share) == (0, 0, 0)
    assert calls_of(report, "user turn") == (1, 1, 1)


def test_the_spread_is_over_tasks(home: Path):
    """Tasks of 1, 1, 1, 1, 1, 1, 1, 1, 1 and 20 calls; the last has 4 turns."""
    small = [task(f"t{number}", chat(input=5, output=1)) for number in range(9)]
    large = task("large", *(chat(input=5, output=1) for _ in range(20)), fact(user_turns=4))
    report = reported(home, spans(*small, large))
    found = {(one.per, one.what): one for one in report.spreads}
    task_calls, turn_calls = found["task", "calls"], found["user turn", "calls"]
    assert (task_calls.tasks, task_calls.total) == (10, 29)
    assert (task_calls.median, task_calls.p90, task_calls.p99, task_calls.largest) == (1, 1, 20, 20)
    assert (turn_calls.median, turn_calls.p99, turn_calls.largest) == (1, 5, 5)
    assert found["task", "tokens"].largest == 120


def test_a_task_whose_calls_report_nothing_is_in_no_spread_of_tokens(home: Path):
    report = reported(home, spans(task("silent", chat()), task("idle")))
    found = {(one.per, one.what): one.tasks for one in report.spreads}
    assert found["task", "calls"] == 2
    assert found["task", "tokens"] == 1  # the one without a call, of none
    energy = report.per_task[2]
    assert (energy.total, energy.each) == (None, None)


def test_roles_and_depths_say_what_was_hidden_of_them(home: Path):
    report = reported(home, spans(asked_for()))
    assert [
        (line.name, line.calls, line.hidden_calls, line.tokens, line.hidden_tokens)
        for line in report.roles
    ] == [("subagent", 1, 1, 1001, 1001), ("main", 2, 1, 132, 110)]
    assert [(line.name, line.tasks, line.calls) for line in report.depths] == [
        ("1", 1, 2),
        ("2", 1, 1),
    ]


def test_lines_are_of_agents_projects_days_and_tasks(home: Path):
    report = reported(
        home,
        spans(asked_for(project="desk")),
        later(spans(task("rule", chat(input=5, output=1)), trace=2), DAY_S),
    )
    agents, projects, days, tasks = report.groups
    assert names(agents.lines) == ["sub", "lead", None]
    assert names(projects.lines) == ["desk", "test"]
    assert names(days.lines) == ["2025-10-09", "2025-10-10"]
    assert names(tasks.lines) == ["ask", "rule"]
    first = agents.lines[1].per_turn[0]
    assert (first.total and first.total.central, first.volume) == (2, 2)
    assert first.each is not None
    assert first.each.central == 1


def test_only_as_many_lines_as_asked_for_the_largest_of_them_and_the_last_days(home: Path):
    small = spans(task("small", chat(input=5, output=1)))
    large = later(spans(task("large", chat(input=500, output=1)), trace=2), DAY_S)
    (tasks,) = reported(home, small, large, by="task", limit=1).groups
    assert (names(tasks.lines), tasks.left_out) == (["large"], 1)
    (days,) = reported(home, by="day", limit=1).groups
    assert (names(days.lines), days.left_out) == (["2025-10-10"], 1)
    (none,) = reported(home, by="agent", limit=0).groups
    assert (none.lines, none.left_out) == ((), 1)


def test_figures_are_set_against_the_period_before(home: Path):
    first = spans(task("a", chat(input=10, output=1)))
    calls = [chat(input=10, output=1) for _ in range(3)]
    second = later(spans(task("b", *calls), trace=2), DAY_S)
    report = reported(home, first, second, period="2025-10-10")
    change = report.per_turn[0].change
    assert change is not None
    assert (change.against, change.total, change.volume, change.each) == (
        "2025-10-09",
        pytest.approx(2),
        pytest.approx(0),
        pytest.approx(2),
    )
    assert report.no_change is None


def test_without_an_earlier_period_nothing_is_said_to_have_changed(home: Path):
    report = reported(home, spans(task("a", chat(input=10, output=1))), period="2025-10-09")
    assert report.per_turn[0].change is None
    assert report.no_change is not None
    assert "nothing is recorded in the period 2025-10-08" in report.no_change
    everything = reported(home)
    assert everything.no_change is not None
    assert "choose a --period" in everything.no_change


def test_periods_that_overlap_have_no_change_and_say_so(home: Path):
    records = spans(task("a", chat(input=10, output=1)))
    report = reported(home, records, period="2025-10-09", against="2025-10")
    said = [warning for warning in report.warnings if "2025-10" in warning]
    assert said == []
    shared = "the periods 2025-10-09 and 2025-10 overlap from 2025-10-09 to 2025-10-09 (UTC)"
    assert report.no_change is not None
    assert shared in report.no_change
    assert {one.change for one in report.per_task} == {None}


def test_a_period_without_data_says_when_there_was_some(home: Path):
    report = reported(home, spans(task("a", chat(input=10, output=1))), period="2024")
    assert report.totals.calls == 0
    assert (report.layers, report.roles, report.fan_out) == ((), (), None)
    assert report.warnings[-1] == "calls of any kind were recorded on 2025-10-09 (UTC)"
    assert "No model call is recorded (period 2024)" in shown(report)


def test_an_empty_store_has_a_report(home: Path):
    report = reported(home)
    assert (report.tasks, report.totals.calls, report.layers, report.turns) == (0, 0, (), ())
    assert calls_of(report, "user turn") == (0, 0, None)
    assert "No model call was recorded" in shown(report)


def test_the_largest_fan_outs_are_frames_of_their_tasks(home: Path):
    wide = task("wide", agent("lead", *(chat(input=1, output=1) for _ in range(4)), tool("t")))
    report = reported(home, spans(wide, task("narrow", chat(input=1, output=1))))
    found = report.fan_out
    assert found is not None
    assert (found.tasks, found.levels, found.frames, found.median, found.p99) == (2, 3, 3, 1, 5)
    assert [
        (frame.task_id, frame.kind, frame.name, frame.calls, frame.tools, frame.fan_out)
        for frame in found.largest
    ] == [
        ("wide", "agent", "lead", 4, 1, 5),
        ("narrow", "task", "narrow", 1, 0, 1),
        ("wide", "task", "wide", 0, 0, 1),
    ]
    assert "agenttrace report task wide" in shown(report)


def test_tasks_are_looked_at_a_few_at_a_time(home: Path, monkeypatch: pytest.MonkeyPatch):
    tasks = [task(f"t{number}", chat(), chat()) for number in range(4)]
    whole = reported(home, spans(*tasks)).fan_out
    monkeypatch.setattr(looked, "SPANS_TOGETHER", 6)
    assert reported(home).fan_out == whole
    monkeypatch.setattr(looked, "SPANS_AT_MOST", 9)
    some = reported(home).fan_out
    assert some is not None
    assert (some.tasks, some.spans, some.left_out) == (3, 9, 0)
    monkeypatch.setattr(looked, "SPANS_AT_MOST", 2)
    assert reported(home).fan_out is None


def test_a_task_of_too_many_spans_is_left_out_and_that_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """Tasks of 6, 3 and 2 spans; 5 are looked at."""
    monkeypatch.setattr(looked, "SPANS_AT_MOST", 5)
    large = task("large", *(chat() for _ in range(5)))
    report = reported(home, spans(large, task("b", chat(), chat()), task("c", chat())))
    assert report.fan_out is not None
    assert (report.fan_out.tasks, report.fan_out.spans, report.fan_out.left_out) == (2, 5, 1)
    assert "the 2 tasks with the most spans but 1 of too many spans (of 3; " in " ".join(
        shown(report).split()
    )


@pytest.mark.parametrize("is_folded", [True, False])
@pytest.mark.parametrize("project", [None, "test"])
def test_spans_that_others_tell_of_count_once(
    home: Path, project: str | None, is_folded: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Reader, "is_rolled_up", is_folded)
    inner = frame(chat(input=1, output=1))
    around = foreign("httpx", {"server.address": "x"}, tool("fetch"))
    report = reported(home, spans(task("a", agent("lead", inner, around))), project=project)
    assert report.fan_out is not None
    assert [(frame.name, frame.calls, frame.tools) for frame in report.fan_out.largest] == [
        ("lead", 1, 1),
        ("a", 0, 0),
    ]


def test_measured_energy_is_in_every_line(home: Path):
    """A meter tells of the time of both agents: what it saw is in their lines and in the sum."""
    add(home, spans(task("a", agent("one", chat(input=9, output=1)), agent("two", chat(input=1)))))
    measured.add(
        home, [measured.Window(START_NS, START_NS + 60 * SECOND_NS, 3600.0, "accelerator",
                               provider="openai")]
    )  # fmt: skip
    report = reported(home, by="agent")
    (agents,) = report.groups
    assert report.method.measured_share
    assert report.totals.energy_wh is not None
    added = fsum(line.energy_wh.central for line in agents.lines if line.energy_wh)
    assert added == pytest.approx(report.totals.energy_wh.central)


def test_models_that_nothing_knows_have_a_wide_range_and_a_warning(home: Path):
    report = reported(home, spans(task("a", chat(input=9, output=1, model="zorg-9"))))
    energy = report.per_task[2].each
    assert energy is not None
    assert energy.low < energy.central < energy.high
    assert any("zorg-9" in warning for warning in report.warnings)


def test_every_width_and_the_json_can_be_read(home: Path):
    report = reported(home, spans(asked_for()), by="task")
    assert '"kind": "hidden"' in to_json(report)
    assert max(len(line) for line in shown(report, 80).splitlines()) <= 80
    assert "Per user turn" in shown(report, 40)


tokens = st.one_of(st.none(), st.integers(0, 10**6))


@st.composite
def tasks(draw: st.DrawFn, number: int) -> Node:
    """A task of some agents, in one of two projects, with turns or without."""
    inner = [
        chat(input=draw(tokens), output=draw(tokens), model=draw(st.sampled_from(["gpt-5", "x"])))
        for _ in range(draw(st.integers(0, 3)))
    ]
    below = (
        [agent(draw(st.sampled_from(["lead", "sub"])), *inner)] if draw(st.booleans()) else inner
    )
    turns = draw(st.one_of(st.none(), st.integers(0, 5)))
    said = [] if turns is None else [fact(user_turns=turns)]
    return task(
        f"t{number}",
        *below,
        *said,
        project=draw(st.sampled_from(["p", "q"])),
        headless=draw(st.sampled_from([None, True])),
    )


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_visible_and_hidden_are_all_and_lines_add_up(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    home = tmp_path_factory.mktemp("law")
    for number in range(data.draw(st.integers(1, 4))):
        records = spans(data.draw(tasks(number)), trace=number + 1)
        add(home, later(records, DAY_S * data.draw(st.integers(0, 2))))
    report = reported(home, limit=100)
    totals = report.totals
    whole = totals.energy_wh.central if totals.energy_wh else 0
    parts = [report.layers, report.turns, report.roles, report.depths] + [
        group.lines for group in report.groups
    ]
    for lines in parts:
        assert sum(line.calls for line in lines) == totals.calls
        assert sum(line.tokens or 0 for line in lines) == (totals.tokens.total or 0)
        energy = [central(line) for line in lines]
        assert fsum(energy) == pytest.approx(whole, rel=1e-9)
    for lines in (report.roles, report.depths, *(group.lines for group in report.groups)):
        assert sum(line.hidden_calls for line in lines) == totals.hidden_calls
        assert sum(line.hidden_tokens or 0 for line in lines) == (totals.hidden_tokens or 0)
        hidden = fsum(line.hidden_energy_wh or 0 for line in lines)
        assert hidden == pytest.approx(totals.hidden_energy_wh or 0, rel=1e-9)
    projects, tasks_ = report.groups[1], report.groups[3]
    for group in (projects, tasks_):
        turns = [line.per_turn[0].volume or 0 for line in group.lines]
        assert sum(turns) == (report.per_turn[0].volume or 0)
    shown(report)


def central(line: Layer | Line | TurnLine) -> float:
    """Return the central energy of a line; none where it is unknown."""
    return line.energy_wh.central if line.energy_wh else 0.0
