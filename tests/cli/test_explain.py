import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import agent, chat, keep, spans, task


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home,
        spans(
            task("research", agent("lead", chat(input=1000, output=200), chat(input=9, output=1))),
            task("greet", chat(input=10, output=5, provider="acme", model="zorg-9")),
        ),
    )
    return home


def explain(*words: str) -> Result:
    return CliRunner().invoke(commands, ["explain", *words])


def test_everything_is_explained_unless_something_is_named(recorded: Path):
    text = explain().output
    assert text.startswith("agenttrace explain total  from 2025-10-09 ")
    assert "\nThe energy of one call, in J\n" in text
    assert "\nWhat the range is due to " in text
    assert "\nFactors, low / central / high\n" in text
    assert "\nPlaces, low / central / high\n" in text
    assert explain("total").output == text


def test_a_task_or_a_call_is_explained_by_the_beginning_of_its_id(recorded: Path):
    told = json.loads(explain("res", "--format", "json").output)
    assert (told["kind"], told["subject"], told["id"]) == ("explain", "task", "research")
    told = json.loads(explain("greet-", "--format", "json").output)
    assert (told["subject"], told["calls"]) == ("call", 1)


def test_what_is_not_there_is_one_line_and_exit_code_1(recorded: Path):
    result = explain("nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: no task and no call begins with 'nobody'.")
    assert result.stderr.count("\n") == 1


def test_the_boundary_can_be_chosen(recorded: Path):
    told = json.loads(explain("--boundary", "accelerator", "--format", "json").output)
    assert told["boundary"] == "accelerator"
    assert told["formula"].startswith("E = eps*P*(")


def test_nothing_recorded_is_explained_as_nothing(home: Path):
    result = explain()
    assert result.exit_code == 0
    assert "Energy  not reported" in result.output
