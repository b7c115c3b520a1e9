import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import chat, keep, spans, task

FLEET = ("--agents", "2", "--hours-per-week", "40")


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home,
        spans(
            task("one", chat(input=1000, output=100)),
            task("two", chat(input=1000, output=100), chat(input=2000, output=100)),
            task("ask", chat(input=500, output=300), workload="user-facing"),
        ),
    )
    return home


def project(*words: str) -> Result:
    return CliRunner().invoke(commands, ["project", *words], env={"COLUMNS": "80"})


def told(*words: str) -> dict[str, Any]:
    return json.loads(project(*words, "--format", "json").output)


def test_a_fleet_is_projected_and_fits_a_terminal(recorded: Path):
    done = project(*FLEET, "--growth", "50%", "--efficiency", "0.3", "--grid", "250")
    assert done.exit_code == 0
    assert done.output.startswith("agenttrace project  2026 to 2030\n")
    assert "A scenario, not a forecast" in done.output
    assert max(map(len, done.output.splitlines())) <= 80


def test_the_options_are_the_assumptions(recorded: Path):
    report = told(
        *FLEET,
        *("--growth", "20%/50%/100%", "--efficiency", "30%", "--grid", "250/300/400"),
        *("--grid-change", "-5%", "--years", "2", "--first-year", "2030", "--people", "100"),
        *("--people-growth", "1%", "--persona", "heavy", "--tasks-per-hour", "6", "--seed", "7"),
    )
    assert (report["kind"], report["seed"]) == ("projection", 7)
    lines = report["assumptions"]
    given = {line["name"]: line["value"]["central"] for line in lines if line["origin"] == "given"}
    assert given == {
        "agents": 2,
        "hours_per_week": 40,
        "growth": 0.5,
        "efficiency": 0.3,
        "first_year": 2030,
        "tasks_per_hour": 6,
        "grid": 300,
        "grid_change": -0.05,
        "people": 100,
        "people_growth": 0.01,
    }
    years = report["years"]
    assert [year["year"] for year in years] == [2030, 2031]


def test_a_grid_may_be_a_file(recorded: Path, tmp_path: Path):
    grid = tmp_path / "grid.csv"
    grid.write_text("year,g_per_kwh\n2026,300\n2027,100\n")
    years = told(*FLEET, "--grid", str(grid), "--years", "2")["years"]
    found = [year["carbon_g"]["central"] / year["energy_wh"]["central"] for year in years]
    assert found == pytest.approx([0.3, 0.1])


def test_what_is_saved_runs_again_without_the_store(recorded: Path, tmp_path: Path):
    saved = tmp_path / "shared.toml"
    words = (*FLEET, "--growth", "0/0.5/1", "--people", "1/10/100")
    first = told(*words, "--save", str(saved))
    elsewhere = str(tmp_path / "elsewhere")
    again = CliRunner().invoke(
        commands,
        ["--store", elsewhere, "project", "--scenario", str(saved), "--format", "json"],
    )
    assert json.loads(again.output)["years"] == first["years"]
    assert not Path(elsewhere).exists()


def test_an_option_overrides_the_file(recorded: Path, tmp_path: Path):
    file = tmp_path / "fleet.toml"
    file.write_text("years = 1\n[agents]\nvalue = 9\n[hours_per_week]\nvalue = 40\n")
    years = told("--scenario", str(file), "--agents", "2")["years"]
    assert years == told(*FLEET, "--years", "1")["years"]


def test_a_chosen_period_is_measured_anew_and_not_taken_from_the_file(
    recorded: Path, tmp_path: Path
):
    saved = tmp_path / "shared.toml"
    assert project(*FLEET, "--save", str(saved)).exit_code == 0
    report = told("--scenario", str(saved), "--task-name", "one")
    assert report["tasks"] == 1


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ((), "nothing says agents. Give --agents N"),
        (("--agents", "2"), "nothing says hours per week. Give --hours-per-week H"),
        (("--agents", "0", "--hours-per-week", "1"), "--agents is 0. Say how many"),
        (("--agents", "1", "--hours-per-week", "-3"), "--hours-per-week is -3. A week has 168"),
        ((*FLEET, "--growth", "-100%"), "--growth is -1. Give more than -1"),
        ((*FLEET, "--efficiency", "100%"), "--efficiency is 1. Give less than 1"),
        ((*FLEET, "--years", "0"), "--years is 0. Give 1 to 50."),
        ((*FLEET, "--people", "5", "--persona", "none"), "Known: average, heavy, very-heavy."),
        ((*FLEET, "--scenario", "none.toml"), "none.toml cannot be read: No such file"),
    ],
)
def test_what_cannot_be_projected_is_one_sentence(
    recorded: Path, words: tuple[str, ...], trouble: str
):
    done = project(*words)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert trouble in done.output


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (("--agents", "many"), "'many' is no number."),
        ((*FLEET, "--grid", "none.csv"), "none.csv cannot be read: No such file"),
        ((*FLEET, "--period", "soon"), "is no period"),
    ],
)
def test_a_word_that_is_no_number_is_a_wrong_use(words: tuple[str, ...], trouble: str):
    done = project(*words)
    assert done.exit_code == 2
    assert trouble in " ".join(done.output.split())


def test_an_empty_store_says_why_nothing_is_projected_and_what_was_assumed(home: Path):
    done = project(*FLEET)
    assert done.exit_code == 0
    assert "No agentic task is recorded (period all)" in done.output
    assert "agents in the first year" in done.output


def test_a_file_that_is_there_is_not_written_over(recorded: Path, tmp_path: Path):
    (tmp_path / "mine.toml").write_text("mine")
    done = project(*FLEET, "--save", str(tmp_path / "mine.toml"))
    assert done.exit_code == 1
    assert "mine.toml is there already. Name another file, or remove it." in done.output
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_nothing_is_saved_of_nothing(home: Path, tmp_path: Path):
    done = project(*FLEET, "--save", str(tmp_path / "shared.toml"))
    assert done.exit_code == 1
    assert "nothing is projected, so" in done.output
    assert not (tmp_path / "shared.toml").exists()


def test_each_year_is_named_also_where_agents_and_people_are_far_apart(recorded: Path):
    done = project("--agents", "1e6", "--hours-per-week", "168", "--first-year", "2027")
    table = done.output[done.output.index("Energy  agents") :].splitlines()[:6]
    assert [line.split()[0] for line in table] == ["Energy", *map(str, range(2027, 2032))]
    assert max(map(len, table)) <= 80
