"""The calls of a test start at START_NS, 2025-10-09 08:53:20 UTC; a month later is November."""

import json
from collections.abc import Callable
from dataclasses import astuple
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from agenttrace.cli.report.outcomes import outcomes as command
from agenttrace.compare.periods import parse
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.outcomes import Moved, OutcomesReport, outcomes_report
from agenttrace.report.selection import Selection, draws, selected
from agenttrace.report.text import to_text
from tests.builders import Node, Record, add, agent, chat, fact, later, loose, spans, task, write

MONTH = 30 * 86_400
TOLD = {outcome: fact(task_outcome=outcome) for outcome in ("success", "failure", "abandoned")}
CALL: dict[str, Any] = {"input": 1000, "output": 100}


def reported(home: Path, said: str = "all", **chosen: Any) -> OutcomesReport:
    with Reader(home) as reader:
        return outcomes_report(reader, Selection(period=parse(said)), **chosen)


def shown(report: OutcomesReport, width: int = 80) -> str:
    return to_text(report, Console(file=StringIO(), width=width))


def fix(number: int, *nodes: Node, calls: int = 1, trace: int = 0, **said: Any) -> list[Record]:
    """A task ``fix`` with some equal calls."""
    made = [chat(**CALL) for _ in range(calls)]
    return spans(task("fix", *made, *nodes, task_id=f"fix-{number}", **said), trace=trace or number)


@pytest.fixture
def week(home: Path) -> Path:
    """Two successes of 1 and 3 calls, a failure of 4, one abandoned of 2, one not told of 10."""
    for records in (
        fix(1, TOLD["success"], calls=1),
        fix(2, TOLD["success"], calls=3),
        fix(3, TOLD["failure"], calls=4, project="search"),
        fix(4, TOLD["abandoned"], calls=2),
        fix(5, calls=10),
    ):
        add(home, records)
    return home


def central(value: Range | None) -> float:
    assert value is not None
    return value.central


def test_tasks_are_counted_by_outcome_with_what_they_took(week: Path) -> None:
    report = reported(week)
    counted = [(line.outcome, line.tasks, line.calls, line.tokens) for line in report.outcomes]
    assert counted == [
        ("success", 2, 4, 4_400),
        ("failure", 1, 4, 4_400),
        ("abandoned", 1, 2, 2_200),
        (None, 1, 10, 11_000),
    ]
    shares = [line.energy_share for line in report.outcomes]
    assert shares == pytest.approx([0.2, 0.2, 0.1, 0.5])


def test_energy_of_all_told_tasks_is_divided_by_the_successful_ones(week: Path) -> None:
    """10 calls of told tasks, by 2 successes: 5 calls, and the energy of 5, for each."""
    report = reported(week)
    energy, tokens, calls = report.per_success
    one_call_wh = central(report.totals.energy_wh) / 20
    assert (energy.volume, tokens.volume, calls.volume) == (2, 2, 2)
    assert central(energy.total) == pytest.approx(10 * one_call_wh)
    assert central(energy.each) == pytest.approx(5 * one_call_wh)
    assert (tokens.total, calls.total) == (Range(11_000, 11_000, 11_000), Range(10, 10, 10))
    assert calls.each == Range(5, 5, 5)
    assert report.unsuccessful.tasks == 2
    assert central(report.unsuccessful.energy_wh) == pytest.approx(6 * one_call_wh)
    assert report.unsuccessful.energy_share == pytest.approx(0.6)


def test_the_range_of_all_outcomes_together_is_that_of_the_totals(home: Path) -> None:
    add(home, fix(1, TOLD["success"]))
    report = reported(home)
    assert report.totals.energy_wh is not None
    (line,) = report.outcomes
    assert line.energy_wh is not None
    assert report.per_success[0].each == line.energy_wh
    assert astuple(line.energy_wh) == pytest.approx(astuple(report.totals.energy_wh))


def test_the_energy_of_outcomes_adds_up_to_that_of_everything(week: Path) -> None:
    report = reported(week)
    added = sum(central(line.energy_wh) for line in report.outcomes)
    assert added == pytest.approx(central(report.totals.energy_wh))
    groups = sum(central(line.energy_wh) for line in report.groups)
    assert groups == pytest.approx(added)


def test_groups_are_the_largest_projects_or_names_of_tasks(week: Path) -> None:
    write(week, spans(task("write", chat(**CALL), task_id="w"), trace=6))
    by_project = reported(week).groups
    assert [
        (line.name, line.tasks, line.successes, line.failures, line.abandoned, line.unsaid)
        for line in by_project
    ] == [("test", 5, 2, 0, 1, 2), ("search", 1, 0, 1, 0, 0)]
    # 6 calls of told tasks by 2 successes; in the other project none was successful.
    test, search = (line.per_success for line in by_project)
    one_call_wh = central(reported(week).totals.energy_wh) / 21
    assert central(test.each) == pytest.approx(3 * one_call_wh)
    assert (search.each, search.volume) == (None, 0)
    assert central(search.total) == pytest.approx(4 * one_call_wh)
    report = reported(week, by="task-name", limit=1)
    assert [line.name for line in report.groups] == ["fix"]
    assert report.groups_left_out == 1


def test_calls_in_no_task_are_told_as_such(home: Path) -> None:
    add(home, [*loose(chat(**CALL)), *fix(2, TOLD["success"])])
    report = reported(home, by="task-name")
    assert {line.name for line in report.groups} == {None, "fix"}
    assert "outside of any task" in shown(report)


def test_attempts_that_failed_and_retries_are_told_apart(home: Path) -> None:
    retry = chat(role="retry", attempt=2, **CALL)
    add(home, fix(1, chat(status="error"), retry, TOLD["success"], calls=2))
    report = reported(home)
    assert [
        (line.attempt, line.calls, line.unpriced_calls, line.tokens) for line in report.attempts
    ] == [("first", 2, 0, 2_200), ("retry", 1, 0, 1_100), ("failed", 1, 1, None)]
    first, again, failed = (line.energy_wh for line in report.attempts)
    assert central(first) == pytest.approx(2 * central(again))
    assert failed is None
    assert "failed 1 1 ? ? ? ?" in " ".join(shown(report).split())


@pytest.fixture
def months(home: Path) -> Path:
    """October: a success of 2 calls. November: two of 3 and 1 calls, and a failure of 2."""
    add(home, fix(1, TOLD["success"], calls=2))
    for records in (
        fix(2, TOLD["success"], calls=3),
        fix(3, TOLD["success"], calls=1),
        fix(4, TOLD["failure"], calls=2),
    ):
        add(home, later(records, MONTH))
    return home


def test_a_month_is_set_against_the_month_before(months: Path) -> None:
    report = reported(months, "2025-11")
    assert report.against == "2025-10"
    energy, _, calls = report.per_success
    assert calls.change is not None
    assert energy.change is not None
    # 6 calls against 2, 2 successes against 1: 3 for each against 2.
    assert astuple(calls.change) == ("2025-10", 2.0, 1.0, 0.5)
    assert astuple(energy.change) == ("2025-10", *map(pytest.approx, (2.0, 1.0, 0.5)))
    success, failure = report.outcomes
    assert success.change is not None
    assert astuple(success.change) == pytest.approx((1.0, 1.0, 1.0))
    assert failure.change == Moved(None, None, None)
    assert report.why_no_change == ""
    text = shown(report)
    assert "2025-11 against 2025-10, boundary facility" in text
    assert report.groups[0].per_success.change is not None


def test_another_period_can_be_named_and_one_that_overlaps_is_warned_of(months: Path) -> None:
    report = reported(months, "2025-11", against=parse("2025"))
    assert report.against is None
    said = (
        "the periods 2025-11 and 2025 overlap from 2025-11-01 to 2025-11-30 (UTC): in all 6 calls"
    )
    assert said in report.why_no_change
    assert {one.change for one in report.per_success} == {None}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("all", "no change is shown: what was recorded in all has no period before it"),
        ("2025-10", "no change is shown: nothing was recorded in 2025-09"),
    ],
)
def test_why_nothing_is_said_to_have_changed_is_said(said: str, why: str, months: Path) -> None:
    report = reported(months, said)
    assert report.against is None
    assert report.why_no_change.startswith(why)
    assert why in " ".join(shown(report).split())
    assert {one.change for one in report.per_success} == {None}


def test_a_period_before_without_outcomes_is_no_base_of_a_change(home: Path) -> None:
    add(home, fix(1))
    add(home, later(fix(2, TOLD["success"]), MONTH))
    report = reported(home, "2025-11")
    assert report.why_no_change == "no change is shown: no outcome is told of a task in 2025-10"
    assert {one.change for one in report.per_success} == {None}


def test_the_energy_per_success_has_the_draws_of_its_total(week: Path) -> None:
    """Of a selection that is all told, the range of each is the range of the draws, divided."""
    with Reader(week) as reader:
        chosen = Selection(project="search")
        report = outcomes_report(reader, chosen)
        with selected(reader, chosen):
            drawn = sorted(one["energy_wh"] for one in draws(reader))
    (line,) = report.outcomes
    assert line.energy_wh is not None
    assert drawn[0] <= line.energy_wh.low <= line.energy_wh.high <= drawn[-1]


def run(home: Path, *words: str) -> Result:
    shown_by: Any = command
    return CliRunner().invoke(shown_by, words, obj=str(home), env={"COLUMNS": "80"})


def only_unsaid(home: Path) -> None:
    add(home, fix(1))


def only_failures(home: Path) -> None:
    add(home, fix(1, TOLD["failure"]))


def one_task(home: Path) -> None:
    add(home, fix(1, TOLD["success"]))


def no_calls(home: Path) -> None:
    add(home, spans(task("t", agent("lead"), TOLD["success"])))


def usage_unknown(home: Path) -> None:
    add(home, spans(task("t", chat(status="error"), TOLD["success"])))


def models_unknown(home: Path) -> None:
    add(home, spans(task("t", chat(model="nobody-knows", **CALL), TOLD["success"])))


def nothing(home: Path) -> None:
    home.mkdir()


BAD: dict[Callable[[Path], None], str] = {
    only_unsaid: "No outcome is recorded yet.",
    only_failures: "0 successful tasks",
    one_task: "the 1 task took whose outcome is told",
    no_calls: "success 1 0",
    usage_unknown: "success 1 1 ? ? ? ?",
    models_unknown: "1 successful task",
    nothing: "No model call was recorded.",
}


@pytest.mark.parametrize("recorded", BAD)
def test_there_is_always_a_useful_answer(recorded: Callable[[Path], None], home: Path) -> None:
    recorded(home)
    result = run(home)
    assert result.exit_code == 0, result.output
    words = " ".join(result.output.split())
    assert not {"nan", "inf", "None"} & set(words.replace(",", " ").split())
    assert BAD[recorded] in words
    as_json = run(home, "--format", "json")
    assert "NaN" not in as_json.output
    assert json.loads(as_json.output)["kind"] == "outcomes"


def test_a_period_in_which_nothing_was_recorded_says_so(week: Path) -> None:
    result = run(week, "--period", "2031-01")
    assert result.exit_code == 0
    assert "No model call is recorded (period 2031-01)." in result.output
    assert "calls of any kind were recorded" in result.output


def test_a_workload_of_which_there_is_none_says_so(week: Path) -> None:
    result = run(week, "--workload", "user-facing")
    assert result.exit_code == 0
    assert "workload user-facing" in result.output


def test_every_figure_per_success_has_its_total_and_its_volume_beside_it(week: Path) -> None:
    lines = shown(reported(week)).splitlines()
    per = [line for line in lines if line.startswith(("energy per", "tokens per", "calls per"))]
    assert len(per) == 3
    assert all("2 successful" in line for line in per)


def test_the_text_fits_a_terminal_of_80_columns(months: Path) -> None:
    for said in ("all", "2025-11"):
        assert max(map(len, shown(reported(months, said)).splitlines())) <= 80
