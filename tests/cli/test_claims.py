import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli.report.claims import claims
from agenttrace.errors import ConfigError
from tests.builders import agent, chat, keep, later, spans, task

DAY = 24 * 3600


@pytest.fixture
def recorded(home: Path) -> Path:
    run = task("fix", agent("coder", *(chat(input=900, output=100) for _ in range(20))))
    ask = task("ask", chat(input=900, output=100), workload="user-facing")
    keep(home, spans(run), later(spans(run, trace=2), DAY), later(spans(ask, trace=3), DAY))
    return home


def run(*words: str) -> Result:
    return CliRunner().invoke(claims, words, env={"COLUMNS": "80"})


def test_the_claims_come_as_text_json_and_picture(recorded: Path):
    text = run().output
    assert text.startswith("agenttrace report claims  2025-10-09 ")
    told = json.loads(run("--format", "json").output)
    assert (told["kind"], len(told["claims"])) == ("claims", 9)
    assert {line["verdict"] for line in told["claims"]} <= {
        "supported",
        "not supported",
        "not enough data",
    }
    assert run("--format", "svg").output.startswith("<svg")


def test_the_verdicts_come_first_and_then_what_the_data_say(recorded: Path):
    # 40 calls of an agent and one of a person, all of the same tokens.
    text = run().output
    verdict = "supported        agents run 10 to 100 times the inference that people ask for"
    said = " ".join(text.split())
    assert text.index(verdict) < text.index("Claim: agents run 10 to 100 times")
    assert (
        "Agents made 40 times as many calls as people asked for: 40 agentic, 1 user-facing (all "
        "recorded, boundary facility). Claimed: 10 to 100 times; supported."
    ) in said
    assert "Supported: the whole range lies within what is claimed." in said


def test_the_text_fits_80_columns(recorded: Path):
    result = run("--period", "2025-10-10", "--training-share", "0.15")
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80


def test_a_period_and_an_earlier_one_are_set_side_by_side(recorded: Path):
    told = json.loads(
        run("--period", "2025-10-10", "--against", "2025-10-09", "--format", "json").output
    )
    line = next(line for line in told["claims"] if line["id"] == "per-unit-misleads")
    assert (line["period"], line["against"]) == ("2025-10-10", "2025-10-09")
    assert [one["volume"] for one in line["intensities"]] == [21, 2, 21.0]


def test_an_empty_store_says_what_is_missing(home: Path):
    result = run()
    assert result.exit_code == 0
    assert result.output.count("not enough data; missing: ") == 9
    assert "nan" not in result.output.lower().split()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--training-share", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (("--period", "soon"), "'soon' is no period"),
        (("--workload", "agentic"), "No such option"),
    ],
)
def test_what_makes_no_sense_is_refused(home: Path, words: tuple[str, ...], said: str):
    result = run(*words)
    assert result.exit_code == 2
    assert said in result.output


def test_a_persona_that_there_is_not_is_refused(home: Path):
    result = run("--persona", "nobody")
    assert isinstance(result.exception, ConfigError)
    assert "there is no persona 'nobody'" in str(result.exception)
