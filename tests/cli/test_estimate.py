import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.compare.calculator import estimate
from agenttrace.report.figures import DASH
from tests.factor_files import SOURCE, hall

STEP = ("--model", "gpt-5", "--input", "119531", "--cache-read", "118656", "--output", "214")

DOUBLED = SOURCE + hall(3.44, 3.44, 3.44)  # of ours it is 1.72

pytestmark = pytest.mark.usefixtures("home")


def run(*words: str) -> Result:
    return CliRunner().invoke(commands, ["estimate", *words])


def told(*words: str) -> dict[str, Any]:
    result = run(*words, "--format", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_json_is_the_estimate_of_the_function():
    expected = estimate(
        model="gpt-5",
        input_tokens=119_531,
        cache_read_tokens=118_656,
        output_tokens=214,
        calls=40,
        region="eu-west-1",
    )
    found = told(*STEP, "--calls", "40", "--region", "eu-west-1")
    assert found == json.loads(json.dumps(expected.as_dict()))


def test_nothing_recorded_is_needed_and_nothing_is_made(home: Path):
    assert run(*STEP).exit_code == 0
    assert not home.exists()


def test_the_version_of_the_factors_gives_the_same_again(home: Path, tmp_path: Path):
    home.mkdir()
    first = told(*STEP)
    # Other factors in the meantime, and the old ones asked for.
    (home / "factors.toml").write_text(DOUBLED, encoding="utf-8")
    now, again = told(*STEP), told(*STEP, "--factors-version", first["factors_version"])
    assert now["energy_wh"]["central"] == pytest.approx(2 * first["energy_wh"]["central"])
    assert again == first


def test_text_says_figures_place_method_and_sources():
    text = " ".join(run(*STEP, "--calls", "40", "--region", "FRA").stdout.split())
    for said in (
        "gpt-5 40 calls",
        "119,531 input (118,656 read from a cache), 214 output a call",
        "4,781,240 input, 8,560 output in 40 calls",
        "facility",
        "g CO2e",
        "class large",
        "agenttrace factors match gpt-5",
    ):
        assert said in text
    assert re.search(r"Sources \d+: ", text)
    assert re.search(rf"Energy [\d.,]+ {DASH} [\d.,]+ {DASH} [\d.,]+ \w*Wh facility", text)


def test_text_fits_80_columns():
    lines = run(*STEP, "--calls", "40").stdout.splitlines()
    assert max(map(len, lines)) <= 80


def test_text_of_another_method_says_whose_ends_they_are():
    text = " ".join(run(*STEP, "--method", "price", "--region", "FR").stdout.split())
    assert "the ends of the energy are those that the method gives" in text
    assert "Sources 2: Couch 2026;" in text


def test_hardware_of_a_call_that_generates_nothing_is_not_known_and_says_why():
    text = " ".join(run("--model", "gpt-4o", "--input", "500", "--output", "0").stdout.split())
    assert "Hardware not known nothing is generated" in text
    unknown = " ".join(run("--model", "mystery-9", "--input", "5", "--output", "3").stdout.split())
    assert "Hardware not known EcoLogits has no figure for it" in unknown


def test_each_method_answers():
    energies = {
        method: told(*STEP, "--method", method)["energy_wh"]["central"]
        for method in ("agenttrace", "ecologits", "price", "per-prompt")
    }
    assert len(set(energies.values())) == 4
    assert energies["per-prompt"] == pytest.approx(0.24)


def test_the_boundary_is_told_with_the_number():
    energies = [told(*STEP, "--boundary", name) for name in ("accelerator", "server", "facility")]
    assert [found["boundary"] for found in energies] == ["accelerator", "server", "facility"]
    accelerator, server, facility = (found["energy_wh"]["central"] for found in energies)
    assert accelerator < server < facility


def test_an_unknown_model_is_warned_of_in_text_and_json():
    words = ("--model", "mystery-9", "--input", "500", "--output", "300")
    assert "mystery-9" in told(*words)["warnings"][0]
    assert "! " in run(*words).stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--input", "-1"), 2, "-1 is not in the range x>=0"),
        (("--output", "two"), 2, "'two' is not a valid integer"),
        (("--calls", "0"), 2, "0 is not in the range x>=1"),
        (("--boundary", "planet"), 2, "'planet' is not one of"),
        (("--method", "guess"), 2, "'guess' is not one of"),
        (("--cache-write", "876"), 1, "the input has 119531. The input includes both"),
        (("--region", "atlantis"), 1, "there is no place 'atlantis'"),
        (("--method", "price", "--boundary", "server"), 1, "covers the facility only"),
        (("--factors", "nowhere.toml"), 1, "nowhere.toml"),
        (("--factors-version", "000000000000"), 1, "000000000000"),
        (("--input", "9" * 30, "--cache-read", "0"), 1, "Give 0 to 1,000,000,000."),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], code: int, said: str):
    result = run(*STEP, *words)
    assert (result.exit_code, result.stdout) == (code, "")
    (line,) = (line for line in result.stderr.splitlines() if line.startswith("Error: "))
    assert said in line


def test_a_model_and_its_tokens_are_required():
    assert "Missing option '--model'" in run("--input", "1", "--output", "1").stderr
    assert "Missing option '--input'" in run("--model", "gpt-5", "--output", "1").stderr
    assert "Missing option '--output'" in run("--model", "gpt-5", "--input", "1").stderr
