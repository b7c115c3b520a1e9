import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.report.what_if.values import MOST_HOURS
from tests.builders import agent, chat, keep, spans, task


@pytest.fixture
def recorded(home: Path) -> Path:
    keep(
        home,
        spans(
            task(
                "research",
                agent(
                    "lead",
                    chat(input=1000, output=200, cache_read=900),
                    chat(input=9, output=1),
                ),
            ),
            task("greet", chat(input=10, output=5, model="gpt-5-mini")),
        ),
    )
    return home


def what_if(*words: str) -> Result:
    return CliRunner().invoke(commands, ["what-if", *words])


def test_the_difference_is_shown_with_what_it_takes_for_granted(recorded: Path):
    text = what_if("--cache", "off", "--hardware", "b200").output
    assert text.startswith("agenttrace what-if  no cache; on b200\n")
    assert "before" in text
    assert "Taken for granted" in text
    assert "Factors, low / central / high" in text
    assert "both sides on the same" in text


def test_options_go_together_and_come_as_json(recorded: Path):
    told = json.loads(
        what_if(
            "res",
            *("--model", "gpt-5=gpt-5-mini", "--model", "gpt-5-mini=gpt-5-nano"),
            *("--cache", "90%", "--context-limit", "500", "--region", "FR"),
            *("--shift-hours", "-3", "--batch", "64", "--format", "json"),
        ).output
    )
    assert (told["kind"], told["subject"], told["id"]) == ("what_if", "task", "research")
    assert told["choices"] == [
        "gpt-5 is gpt-5-mini",
        "gpt-5-mini is gpt-5-nano",
        "90% of the input is cached",
        "at most 500 input tokens a call",
        "in FR",
        "3 hours earlier",
        "in batches of 64",
    ]
    assert [one["becomes"] for one in told["models"]] == ["gpt-5-mini"]
    assert (told["cut_calls"], told["cut_tokens"]) == (1, 500)


@pytest.mark.parametrize(
    ("cache", "choice"),
    [
        ("off", "no cache"),
        ("0", "no cache"),
        ("perfect", "the cache is perfect"),
        ("0.25", "25% of the input is cached"),
        ("25%", "25% of the input is cached"),
    ],
)
def test_a_cache_is_off_or_perfect_or_a_share(recorded: Path, cache: str, choice: str):
    told = json.loads(what_if("--cache", cache, "--format", "json").output)
    assert told["choices"] == [choice]


@pytest.mark.parametrize(
    "since",
    [
        *("2025-10-10", "2025-10-09T23", "2025-10-09T23:00", "2025-10-09 23:00:30"),
        *("2025-10-09T23:00Z", "2025-10-10T01:00+02:00", "20251010"),
    ],
)
def test_calls_before_the_date_are_left_out(recorded: Path, since: str):
    result = what_if("--cache", "off", "--since", since)
    assert result.exit_code == 0
    assert "No model call is in it" in result.output


def test_a_time_is_that_of_its_zone_and_else_utc(recorded: Path):
    told = json.loads(
        what_if("--cache", "off", "--since", "2025-10-09T10:30+02:00", "--format", "json").output
    )
    assert (told["since"], told["calls"]) == ("2025-10-09T08:00:00Z", 3)


def test_calls_can_be_shifted_as_far_as_the_report_allows(recorded: Path):
    for hours in (MOST_HOURS, -MOST_HOURS):
        assert what_if("--shift-hours", str(hours)).exit_code == 0
        assert what_if("--shift-hours", str(hours * 2)).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shift-hours", "99999999999"], "99999999999 is not in the range -87660<=x<=87660."),
        (["--shift-hours", "-99999999999"], "-99999999999 is not in the range"),
        (["--since", "0001-01-01T00:00+14:00"], "'0001-01-01T00:00+14:00' is no date and no time"),
        (["--model", "gpt-5"], "'gpt-5' is not two models with = between"),
        (["--model", "=gpt-5"], "'=gpt-5' is not two models with = between"),
        (["--cache", "some"], "'some' is not off, perfect, or a share such as 0.9 or 90%."),
        (["--cache", "nan"], "'nan' is not off"),
        (["--cache", "1.1"], "'1.1' is not off"),
        (["--batch", "0"], "Invalid value for '--batch'"),
        (["--since", "yesterday"], "'yesterday' is no date and no time, such as 2026-11-01,"),
    ],
)
def test_a_choice_that_makes_no_sense_is_a_usage_error(recorded: Path, words: list[str], said: str):
    result = what_if(*words)
    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Error: say what is to be otherwise: --model A=B, --cache, --context-limit,"),
        (["--model", "gpt-6=gpt-5"], "Error: no call was answered by 'gpt-6'. Models here: gpt-5"),
        (["--hardware", "abacus"], "Error: there are no figures for hardware 'abacus'."),
        (["nobody", "--cache", "off"], "Error: no task begins with 'nobody'."),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_1(
    recorded: Path, words: list[str], said: str
):
    result = what_if(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_the_region_of_the_environment_is_where_calls_ran(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AGENTTRACE_REGION", "FR")
    told = json.loads(what_if("--region", "FR", "--format", "json").output)
    assert told["carbon_g"]["difference"] == {"low": 0.0, "central": 0.0, "high": 0.0}
