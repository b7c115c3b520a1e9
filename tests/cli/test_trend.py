import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import agent, chat, keep, later, spans, task

MONTH = 30 * 86_400  # from October 9 to November 8


def trend(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", "trend", *words], env={"COLUMNS": "80"})


@pytest.fixture
def recorded(home: Path) -> Path:
    """A task of two models in October 2025, and two such tasks a month later."""
    calls = chat(input=1000, output=200), chat(input=50, output=5, model="claude-opus-4-5")
    job = task("job", agent("coder", *calls), project="desk")
    keep(home, spans(job), later(spans(job, task("more", *calls), trace=2), MONTH))
    return home


def test_the_whole_story_is_told(recorded: Path) -> None:
    done = trend("--period", "2025-11")
    assert done.exit_code == 0
    text = done.output
    assert text.startswith("agenttrace report trend  2025-10 to 2025-11\n")
    assert "Energy rose by" in text
    for said in (
        "In all",
        "energy per task",
        "Effects on energy",
        "Effects on carbon",
        "Rebound",
        "By project",
        "By model",
        "taken to be as before",
    ):
        assert said in text
    assert max(map(len, text.splitlines())) <= 80


def test_json_has_every_effect_and_they_add_up(recorded: Path) -> None:
    told = json.loads(
        trend("--period", "2025-11", "--against", "2025-10", "--format", "json").output
    )
    assert told["kind"] == "trend"
    effects = told["energy"]["effects"]
    assert [effect["factor"] for effect in effects] == [
        "tasks", "calls_per_task", "mix", "uncached_per_call", "output_per_call",
        "energy_per_token", "facility",
    ]  # fmt: skip
    change = told["energy"]["change"]["central"]
    assert sum(effect["amount"]["central"] for effect in effects) == pytest.approx(change)
    assert told["energy"]["after"] == pytest.approx(2 * told["energy"]["before"])


def test_periods_are_chosen_where_none_is_said(recorded: Path) -> None:
    done = trend()
    assert done.exit_code == 0
    assert "Chosen without --period: the later half of the 31 days" in done.output


def test_who_drove_it_is_chosen_with_by(recorded: Path) -> None:
    text = trend("--period", "2025-11", "--by", "agent", "--by", "task-name").output
    assert "By agent" in text
    assert "By task-name" in text
    assert "By project" not in text
    assert "By model" not in text


def test_months_are_told_one_by_one(recorded: Path) -> None:
    for words in (["--by-month"], ["--months", "2"]):
        text = trend("--period", "2025-11", *words).output
        assert "By month" in text
    assert (
        json.loads(trend("--months", "1", "--format", "json").output)["months"][0]["period"]
        == "2025-11"
    )


def test_only_tasks_that_were_asked_for_are_compared(recorded: Path) -> None:
    told = json.loads(trend("--period", "2025-11", "--project", "desk", "--format", "json").output)
    assert (told["selection"], told["before"]["tasks"], told["after"]["tasks"]) == (
        "project desk",
        1,
        1,
    )


def test_the_earlier_period_is_priced_with_other_factors(recorded: Path) -> None:
    file = recorded.parent / "exported.toml"
    exported = CliRunner().invoke(commands, ["factors", "export", str(file)])
    assert exported.exit_code == 0, exported.output
    done = trend("--period", "2025-11", "--against-factors", str(file))
    assert done.exit_code == 0
    refused = trend("--period", "2025-11", "--against-factors", "0000")
    assert refused.exit_code == 1
    assert "0000" in refused.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--period", "2025", "--against", "2025-10"), "The periods 2025 and 2025-10 overlap"),
        (("--period", "2020"), "No model call is recorded (period 2020)"),
        (("--period", "2025-11", "--against", "2020"), "No model call is recorded (period 2020)"),
        (("--period", "2025-10"), "There is no period before 2025-10 with anything in it"),
    ],
)
def test_what_cannot_be_told_is_said_beside_what_can(
    recorded: Path, words: tuple[str, ...], said: str
) -> None:
    done = trend(*words)
    assert done.exit_code == 0
    text = " ".join(done.output.split())
    assert said in text
    assert "nan" not in text.lower().split()


def test_an_empty_store_says_so(home: Path) -> None:
    done = trend("--by-month")
    assert done.exit_code == 0
    assert "No model call was recorded" in done.output


def test_what_is_no_period_is_refused(recorded: Path) -> None:
    done = trend("--period", "soon")
    assert done.exit_code == 2
    assert "'soon' is no period" in done.output
