import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from tests.builders import agent, chat, keep, spans, task

MINE = """
[[persona]]
id = "support"
name = "somebody of the help desk"
prompts_per_day = 40
input_tokens = 2000
cache_read_tokens = 1500
output_tokens = 250
model = "claude-sonnet-4-5"
mark = "assumption"
retrieved = 2026-11-23
assumption = "asked around"
"""


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home,
        [
            *spans(task("build", agent("coder", chat(input=1000, output=200)), project="nightly")),
            *spans(task("index", chat(input=10, output=5))),
            *spans(
                task("ask", chat(input=500, output=300), workload="user-facing", user_hash="x"),
                trace=2,
            ),
        ],
    )
    return home


def compare(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", "compare", *words], env={"COLUMNS": "80"})


def test_agents_are_compared_with_people(recorded: Path):
    result = compare("--period", "2025-10")
    assert result.exit_code == 0
    assert result.output.startswith("agenttrace report compare  2025-10-09 08:53 UTC\n")
    for said in (
        "workload agentic, period 2025-10\n",
        "What that equals\n- In 2025-10 (31 days) the agents used",
        "Active users, 31 days",
        "ratio: agents over users, of energy draw by draw",
        "prompts per person-day",
        "energy per task",
        "a task of SWE-bench Verified: 4,170,000 tokens a task",
    ):
        assert said in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_the_json_has_every_sentence_and_every_figure(recorded: Path):
    told = json.loads(compare("--format", "json").output)
    assert (told["kind"], told["totals"]["calls"]) == ("compare", 2)
    assert [one["persona"] for one in told["personas"]] == ["average", "heavy", "very-heavy"]
    assert len(told["sentences"]) == 4
    assert told["user_facing"]["people"] == 1
    assert set(told["user_facing"]["ratios"]) == {"calls", "tokens", "energy"}


def test_which_agents_is_chosen(recorded: Path):
    told = json.loads(
        compare("--project", "nightly", "--agent", "coder", "--format", "json").output
    )
    assert told["totals"]["calls"] == 1
    assert told["selection"] == "workload agentic, project nightly, agent coder, period all"
    assert "the agents (project nightly, agent coder) used" in told["sentences"][0]["text"]


def test_it_is_drawn_as_well(recorded: Path):
    assert compare("--format", "svg").output.startswith("<svg")


def test_personas_of_a_file_are_compared_with_too(recorded: Path, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text(MINE)
    output = " ".join(compare("--personas", str(mine)).output.split())
    assert (
        "active users of the kind somebody of the help desk (40 prompts a day of 2,000 (1,500 from "
        "a cache) + 250 tokens, model claude-sonnet-4-5; assumption)" in output
    )
    assert "somebody of the help desk asked around (assumption, 2026-11-23)" in output


def test_personas_of_the_home_are_in_every_report(recorded: Path):
    (recorded / "personas.toml").write_text(MINE)
    assert "somebody of the help desk" in compare().output
    assert "somebody of the help desk" in CliRunner().invoke(commands, ["report"]).output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("= 40", "= 0", "persona 'support' uses nothing that can be compared with"),
        ('name = "somebody of the help desk"\n', "", "persona 'support': Object missing required"),
        ("= 40", '= "forty"', "persona 'support': Expected `float`, got `str`"),
        ('model = "claude-sonnet-4-5"', 'class = "huge"', "names class 'huge'. Classes: "),
        ("[[persona]]", "[[persona", "mine.toml: Expected ']]'"),
    ],
)
def test_a_bad_persona_ends_with_one_line(
    recorded: Path, tmp_path: Path, old: str, new: str, message: str
):
    mine = tmp_path / "mine.toml"
    mine.write_text(MINE.replace(old, new))
    result = compare("--personas", str(mine))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert message in result.output
    assert "mine.toml" in result.output
    assert len(result.output.splitlines()) == 1


def test_a_bad_persona_of_the_home_ends_every_report_with_one_line(recorded: Path):
    (recorded / "personas.toml").write_text(MINE.replace("= 40", "= 0"))
    for line in (["report"], ["report", "compare"]):
        result = CliRunner().invoke(commands, line)
        assert result.exit_code == 1
        assert result.output == (
            f"Error: {recorded}/personas.toml: persona 'support' uses nothing that can be compared "
            "with: prompts_per_day = 0. Give prompts_per_day above zero, or remove the persona.\n"
        )


def test_a_persona_that_is_given_twice_ends_with_one_line(recorded: Path, tmp_path: Path):
    mine = tmp_path / "mine.toml"
    mine.write_text(MINE + MINE)
    result = compare("--personas", str(mine))
    assert result.exit_code == 1
    assert "persona 'support' is given twice. Remove one of the two." in result.output


def test_a_file_of_personas_that_is_not_there_is_named(recorded: Path):
    result = compare("--personas", "nowhere.toml")
    assert result.exit_code == 1
    assert "nowhere.toml cannot be read" in result.output


def test_a_period_without_data_is_no_error(recorded: Path):
    result = compare("--period", "2020-01")
    assert result.exit_code == 0
    assert "No model call of the agents is traced in 2020-01 (31 days)" in result.output


def test_an_empty_store_is_no_error(home: Path):
    result = compare()
    assert result.exit_code == 0
    assert "No model call of the agents is traced" in result.output


def test_what_is_no_period_is_a_usage_error(recorded: Path):
    result = compare("--period", "October")
    assert result.exit_code == 2
    assert "'October' is no period" in result.output
