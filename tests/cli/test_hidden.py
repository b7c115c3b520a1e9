import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import agent, chat, fact, keep, later, spans, task

DAY_S = 86_400


@pytest.fixture
def recorded(home: Path) -> Path:
    """Two days: an agent that a person asked twice, and an answer to a person."""
    asked = task(
        "research",
        agent("lead", chat(input=1000, output=200), chat(input=9, output=1)),
        fact(user_turns=2),
        project="lab",
    )
    greeted = task("greet", chat(input=10, output=5), workload="user-facing", project="desk")
    keep(home, spans(asked), later(spans(greeted, trace=2), DAY_S))
    return home


def hidden(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", "hidden", *words], env={"COLUMNS": "80"})


def test_hidden_calls_come_as_text_json_and_picture(recorded: Path):
    text = hidden().output
    assert text.startswith("agenttrace report hidden  2025-10-09 ")
    assert "calls per user turn   1" in text
    told = json.loads(hidden("--format", "json").output)
    assert (told["kind"], [layer["calls"] for layer in told["layers"]]) == ("hidden", [2, 1])
    picture = ET.fromstring(hidden("--format", "svg").output)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"


def test_a_figure_for_each_turn_has_its_total_volume_and_period_with_it(recorded: Path):
    told = json.loads(hidden("--format", "json", "--period", "2025-10").output)
    for figure in [*told["per_turn"], *told["per_task"]]:
        assert figure["period"] == "2025-10"
        central = figure["total"]["central"] / figure["volume"]
        assert figure["each"]["central"] == pytest.approx(central)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("agent", ["lead", None]),
        ("project", ["lab", "desk"]),
        ("day", ["2025-10-09", "2025-10-10"]),
        ("task", ["research", "greet"]),
    ],
)
def test_lines_are_of_the_kind_that_was_asked_for(
    recorded: Path, by: str, expected: list[str | None]
):
    (group,) = json.loads(hidden("--by", by, "--format", "json").output)["groups"]
    assert (group["by"], [line["name"] for line in group["lines"]]) == (by, expected)
    assert "Per user turn" in hidden("--by", by).output


def test_only_what_is_selected_is_in_it(recorded: Path):
    text = hidden("--workload", "user-facing").output
    assert "workload user-facing, all recorded" in text
    assert "hidden       0" in text
    assert "lead" not in text


def test_changes_are_against_the_day_before_or_what_is_said(recorded: Path):
    assert "against 2025-10-09" in hidden("--period", "2025-10-10").output
    assert (
        "against 2025-10-10" in hidden("--period", "2025-10-09", "--against", "2025-10-10").output
    )
    first = hidden("--period", "2025-10-09").output
    assert "nothing is recorded in the period 2025-10-08" in " ".join(first.split())


def test_a_period_without_data_is_said_and_is_no_error(recorded: Path):
    result = hidden("--period", "2020-01")
    assert result.exit_code == 0
    assert "No model call is recorded (period 2020-01)" in result.output
    assert "calls of any kind were recorded from 2025-10-09 to 2025-10-10" in result.output


def test_an_empty_store_is_said_and_is_no_error(home: Path):
    result = hidden()
    assert (result.exit_code, "No model call was recorded" in result.output) == (0, True)
    assert json.loads(hidden("--format", "json").output)["layers"] == []


def test_a_period_that_is_none_is_an_error(recorded: Path):
    result = hidden("--period", "someday")
    assert result.exit_code == 2
    assert "is no period" in result.output
