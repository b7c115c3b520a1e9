from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agenttrace.cli import commands
from agenttrace.cli.report import report
from agenttrace.report.selection import GROUPINGS
from tests.builders import chat, spans, task, write


@pytest.mark.parametrize("name", ["hidden", "compare", "trend", "outcomes", "claims"])
def test_a_period_to_compare_with_needs_one_that_is_compared(home: Path, name: str):
    done = CliRunner().invoke(commands, ["report", name, "--against", "2025-09"])
    assert done.exit_code == 2
    assert "--against needs --period: say which period to set against it" in done.output


def test_a_number_is_whole_in_a_narrow_terminal(home: Path):
    write(home, spans(task("t", chat(input=123_456_789, output=1))))
    told = ["report", "hidden", "--period", "2025-10"]
    wide, narrow = (
        CliRunner(env={"COLUMNS": columns}).invoke(commands, told).output
        for columns in ("80", "40")
    )
    assert "123,456,790" in narrow
    assert narrow == wide


@pytest.mark.parametrize("name", ["hidden", "compare", "trend", "outcomes", "claims"])
def test_what_is_one_task_is_said_of_every_report_that_looks_at_some_of_them(home: Path, name: str):
    write(home, spans(task("t", chat(input=1, output=1, session="s"))))
    for said in ("session", "branch", "day"):
        done = CliRunner().invoke(commands, ["report", name, "--task", said])
        assert done.exit_code == 0, done.output


def test_the_report_on_everything_names_the_tasks_that_it_puts_together(home: Path):
    write(home, spans(task("one", chat(session="abc")), task("two", chat(session="abc"))))
    shown = [
        CliRunner().invoke(commands, ["report", *said]).output
        for said in ([], ["--task", "session"])
    ]
    assert ["Tasks", "2"] in [row.split() for row in shown[0].splitlines()]
    assert ["Tasks", "1"] in [row.split() for row in shown[1].splitlines()]
    assert "abc" in shown[1]


def test_the_options_say_every_way_of_putting_tasks_together():
    (option,) = (one for one in report.params if one.name == "grouping")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == GROUPINGS
