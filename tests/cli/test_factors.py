"""``agenttrace factors`` shows every figure with its source, and checks files of users."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.energy import archive, shipped
from tests.factor_files import SOURCE, hall

MINE = f"""\
deployment."my-gpt" = "gpt-4o"
{SOURCE}{hall(1.1, 1.2, 1.3)}"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def run(*arguments: object, width: int = 80) -> Result:
    said = [str(one) for one in arguments]
    return CliRunner().invoke(commands, ["factors", *said], env={"COLUMNS": str(width)})


def shown(*arguments: object, width: int = 80) -> str:
    done = run(*arguments, width=width)
    assert done.exit_code == 0, done.output
    return done.stdout


def values(*arguments: object) -> Any:
    return json.loads(shown(*arguments, "--format", "json"))


def refused(*arguments: object) -> str:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_has_every_factor_with_range_unit_boundary_mark_and_source(
    home: Path, width: int
) -> None:
    text = shown("list", width=width)
    assert all(factor.id in text for factor in shipped().factors.values())
    assert max(map(len, text.splitlines())) <= width
    assert f"version {shipped().version};" in text


def test_a_factor_has_two_lines_on_a_narrow_terminal_and_one_on_a_wide(home: Path) -> None:
    narrow = shown("list", "constants").splitlines()
    at = next(n for n, line in enumerate(narrow) if "facility_multiplier" in line)
    assert narrow[at].split() == ["facility_multiplier", "1.35", "/", "1.72", "/", "2.4", "1"]
    assert narrow[at + 1].strip() == "facility, derived: google-serving"
    (wide,) = (
        line
        for line in shown("list", "constants", width=120).splitlines()
        if "facility_multiplier" in line
    )
    assert wide.split()[6:] == ["1", "facility", "derived", "google-serving"]


def test_the_list_names_the_file_that_a_factor_is_from(home: Path, mine: Path) -> None:
    text = shown("list", "constants", "--factors", mine, width=300)
    assert f"meter (from {mine})" in text
    assert "my-gpt  = gpt-4o" in shown("list", "--factors", mine)


def test_every_group_has_its_values(home: Path) -> None:
    found = values("list")
    assert list(found) == [
        "version", "constants", "classes", "models", "providers", "hardware", "grids",
    ]  # fmt: skip
    assert found["constants"][0]["id"] == "prefill_j_per_b_token"
    (tiny,) = (one for one in found["classes"] if one["name"] == "tiny")
    assert [part["id"] for part in tiny["factors"]] == [
        "tiny.active_parameters_b",
        "tiny.decode_j_per_token",
        "tiny.cache_bytes_per_token",
    ]
    names = {name for one in found["models"] for name in one["names"]}
    assert names == {*shipped().families, *shipped().library.models}
    assert len(found["grids"]) == len(shipped().library.mixes)
    assert [one["name"] for one in found["providers"]] == list(shipped().providers)
    assert list(values("list", "hardware")) == ["version", "hardware"]


def test_models_and_grids_are_named_where_they_are_asked_for(home: Path) -> None:
    models, grids = shown("list", "models"), shown("list", "grids")
    assert all(name in models for name in shipped().library.models)
    assert all(family.models[0].names[0] in models for family in shipped().records.family)
    assert "FRA" in grids
    assert "FRA" not in shown("list")


@pytest.mark.parametrize(
    ("id_", "kind", "said"),
    [
        ("facility_multiplier", "factor", ["1.35 / 1.72 / 2.4", "never below", "One operator's"]),
        ("cache_hit_share", "factor", ["never above", "https://arxiv.org/abs/2605.05696"]),
        ("large", "class", ["0.35 / 0.55 / 3.6 J/token", "mixtures up to"]),
        ("DeepSeek-V3", "family", ["made by", "671 B"]),
        ("openai", "provider", ["mostly in", "PUE", "WUE"]),
        ("ml-energy", "source", ["Chung et al."]),
        ("fra", "grid", ["41.44 gCO2e/kWh", "l/kWh"]),
    ],
)
def test_show_says_all_that_is_known(home: Path, id_: str, kind: str, said: list[str]) -> None:
    text = shown("show", id_)
    assert text.startswith(f"{kind} ")
    assert all(one in text for one in said)
    assert values("show", id_)["kind"] == kind


def test_show_says_what_a_file_replaced(home: Path, mine: Path) -> None:
    text = shown("show", "facility_multiplier", "--factors", mine, width=300)
    assert f"from                  {mine}" in text
    assert "in place of           1.35 / 1.72 / 2.4 (google-serving)" in text
    assert values("show", "facility_multiplier", "--factors", mine)["file"] == str(mine)


@pytest.mark.parametrize(
    "id_", ["facility_multiplier", "gpt-oss-120b", "openai", "tiny", "irminsul"]
)
def test_what_show_writes_as_toml_says_the_same_in_a_file_of_the_user(
    home: Path, tmp_path: Path, id_: str
) -> None:
    again = tmp_path / "again.toml"
    again.write_text(shown("show", id_, "--format", "toml"), encoding="utf-8")
    assert tomllib.loads(again.read_text(encoding="utf-8"))
    assert shown("check", again, width=300) == f"{again}: sound, and changes nothing.\n"


@pytest.mark.parametrize("name", ["gpt-4o", "gpt-4.1", "claude-haiku-4-5", "command-r"])
def test_a_model_of_ecologits_is_shown_and_is_the_same_in_a_file_of_the_user(
    home: Path, tmp_path: Path, name: str
) -> None:
    assert "ecologits-models (read): GenAI Impact" in shown("show", name)
    again = tmp_path / "again.toml"
    again.write_text(shown("show", name, "--format", "toml"), encoding="utf-8")

    def taken_for(*options: object) -> list[object]:
        (found,) = values("match", name, *options)
        ranges = [tuple(one[end] for end in ("low", "central", "high")) for one in found["factors"]]
        return [found["class"], found["factors"][0]["mark"], ranges]

    assert taken_for("--factors", again) == taken_for()


def test_a_deployment_is_a_record_too(home: Path, mine: Path) -> None:
    text = shown("show", "My-GPT", "--format", "toml", "--factors", mine)
    assert tomllib.loads(text) == {"deployment": {"my-gpt": "gpt-4o"}}


def test_what_nothing_is_known_by_is_said_with_what_is_close(home: Path) -> None:
    line = refused("show", "facility_multipliers")
    assert "there is nothing known by 'facility_multipliers'. Did you mean facility_multip" in line
    # A model, and its maker's family of that name.
    close = re.search(r"Did you mean (.*)\?", refused("show", "gpt-ossx"))
    assert close is not None
    names = close.group(1).split(" or ")
    assert len(set(names)) == len(names)
    assert "zone 'FRA' cannot be replaced" in refused("show", "FRA", "--format", "toml")


def test_check_shows_what_was_there_and_what_is_there_now(home: Path, mine: Path) -> None:
    text = shown("check", mine, width=300)
    first, *lines = text.splitlines()
    assert first.startswith(f"{mine}: sound. Version {shipped().version} becomes ")
    assert [line.split(maxsplit=2) for line in lines] == [
        ["factor", "facility_multiplier", "1.35 / 1.72 / 2.4 -> 1.1 / 1.2 / 1.3"],
        ["deployment", "my-gpt", "= gpt-4o"],
    ]


def test_a_file_that_is_in_use_already_is_not_checked_over_itself(home: Path) -> None:
    home.mkdir()
    (home / "factors.toml").write_text(MINE, encoding="utf-8")
    assert "1.35 / 1.72 / 2.4 -> 1.1 / 1.2 / 1.3" in shown("check", home / "factors.toml")


@pytest.mark.parametrize("table", ["[[factor]]", "[[class]]", "[[family]]", "[[provider]]"])
def test_what_is_not_understood_names_a_command_that_prints_what_is(
    home: Path, tmp_path: Path, table: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f"{table}\nnam = 7\n", encoding="utf-8")
    way_out = re.search(
        r"`agenttrace factors (.*)` prints one that is sound", refused("check", file)
    )
    assert way_out is not None
    assert shown(*way_out.group(1).split()).startswith(table)


def test_check_warns_of_a_deployment_of_an_unknown_model(home: Path, mine: Path) -> None:
    mine.write_text(MINE.replace("gpt-4o", "gtp"), encoding="utf-8")
    done = run("check", mine)
    assert done.exit_code == 0
    assert done.stderr == (
        "Warning: deployment 'my-gpt' is said to be 'gtp', which is not in the catalogue.\n"
    )


def test_a_file_that_is_not_sound_is_one_line_and_exit_code_1(home: Path, mine: Path) -> None:
    mine.write_text(MINE.replace("low = 1.1", "low = 11"), encoding="utf-8")
    line = refused("check", mine)
    assert line.startswith(f"Error: {mine}, line 14: factor 'facility_multiplier' needs 0 < low <=")
    assert refused("list", "--factors", mine) == line


def test_every_source_is_listed_with_its_address(home: Path, mine: Path) -> None:
    text = shown("sources", width=300)
    assert all(source.url in text for source in shipped().sources.values())
    (google,) = (one for one in values("sources") if one["id"] == "google-serving")
    assert google["cited_by"] >= 2
    assert "meter" in {one["id"] for one in values("sources", "--factors", mine)}


def test_match_says_what_a_name_is_taken_for_and_why(home: Path) -> None:
    text = shown("match", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert re.search(r"class +large", text)
    assert "made by" in text
    assert "claude-sonnet-4-5" in text.rpartition("looked for")[2]
    assert "factors.toml" not in text


def test_match_of_an_unknown_name_gives_lines_that_make_it_known(
    home: Path, tmp_path: Path
) -> None:
    text = shown("match", "mystery-9")
    lines = text.partition("folder of the data:")[2]
    fixed = tmp_path / "fixed.toml"
    fixed.write_text("\n".join(line.strip() for line in lines.splitlines()), encoding="utf-8")
    assert "sound" in shown("check", fixed)
    (found,) = values("match", "mystery-9", "--factors", fixed)
    assert (found["known"], found["way_out"]) == (True, [])


def test_an_exported_set_is_taken_as_a_version(home: Path, mine: Path, tmp_path: Path) -> None:
    kept = tmp_path / "then.json.gz"
    assert shown("export", kept, "--factors", mine).startswith(f"{kept}: factors of version ")
    mine.unlink()
    assert values("show", "facility_multiplier", "--factors-version", kept)["central"] == 1.2
    assert "is there already" in refused("export", kept)
    assert "Give one of the two." in refused("list", "--factors", mine, "--factors-version", kept)


def test_versions_say_which_one_is_in_use(home: Path) -> None:
    home.mkdir()
    assert f"in use are version {shipped().version}" in shown("versions")
    archive.save(shipped(), home)
    (line,) = (line for line in shown("versions").splitlines() if shipped().version in line)
    assert line.endswith("in use")
    (kept,) = values("versions")
    assert (kept["version"], kept["in_use"], kept["trouble"]) == (shipped().version, True, "")
