import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands

OWN = "timestamp,zone,g_per_kwh\n2026-03-01T00:00Z,DE,300\n2026-03-01T02:00Z,DE,200\n"
SOLAR = "zone,year,mwh,source,g_per_kwh\nDE,2026,2,sun,0\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text(OWN)
    (tmp_path / "solar.csv").write_text(SOLAR)
    (tmp_path / "residual.csv").write_text("zone,year,g_per_kwh,source\nDE,2026,600,a list\n")
    return tmp_path / "home"


def grid(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(commands, ["--store", str(home), "grid", *arguments])


def test_a_file_is_imported_and_listed(home: Path):
    imported = grid(home, "import", "own.csv")
    assert imported.stdout == (
        "own.csv\n  DE: 2 hours from 2026-03-01 00:00 to 2026-03-01 02:00 UTC: 2 new\n"
    )
    assert grid(home, "list").stdout == (
        "DE: 2 hours from 2026-03-01 00:00 to 2026-03-01 02:00 UTC, 1 missing between (2 average)\n"
    )


def test_importing_again_says_what_it_changes(home: Path):
    grid(home, "import", "own.csv")
    Path("own.csv").write_text(OWN.replace("300", "310"))
    assert grid(home, "import", "own.csv").stdout.endswith("0 new, 1 replaced, 1 as before\n")


def test_what_is_taken_for_granted_is_said(home: Path):
    Path("local.csv").write_text(
        "timestamp,zone,g_per_kwh\n2026-10-25 02:00,DE,3\n2026-10-25 03:00,DE,4\n"
    )
    done = grid(home, "import", "local.csv", "--tz", "Europe/Berlin")
    assert done.stderr.startswith("Warning: 2026-10-25 02:00 is two hours")
    assert done.stderr.endswith("for the first of them.\n")


def test_hours_that_are_split_are_said(home: Path):
    Path("local.csv").write_text(
        "timestamp,zone,g_per_kwh\n2026-03-02 00:00,IN-NO,3\n2026-03-02 01:00,IN-NO,4\n"
    )
    done = grid(home, "import", "local.csv", "--tz", "Asia/Kolkata")
    assert "IN-NO: 3 hours from 2026-03-01 18:00 to 2026-03-01 20:00 UTC" in done.stdout
    assert done.stderr == (
        "Warning: its hours do not begin with those of UTC, so each is split over two.\n"
    )


def test_a_zone_is_shown_with_its_year_and_its_hours(home: Path):
    grid(home, "import", "own.csv")
    shown = grid(home, "show", "eu-central-1").stdout
    assert shown.startswith("zone            DE DEU\nannual")
    assert "average         250 g/kWh, from 200 to 300, 2 hours: own.csv\n" in shown
    said = json.loads(grid(home, "show", "DE", "--format", "json").stdout)
    assert (said["zone"], said["annual"]["country"], said["hourly"]["missing"]) == ("DE", "DEU", 1)


def test_a_zone_without_hours_says_how_to_get_them(home: Path):
    assert "none. `agenttrace grid import FILE` brings it" in grid(home, "show", "FR").stdout


def test_hours_of_a_zone_that_no_call_is_in_are_said_to_be_of_no_use(home: Path):
    Path("own.csv").write_text(OWN.replace("DE", "CAISO"))
    assert grid(home, "import", "own.csv").stderr == (
        "Warning: no call is ever in zone CAISO, and --region does not take it, so its hours are "
        "used for nothing. Did you mean US-CAL-CISO? Give the right one with --zone; these go with "
        "`agenttrace grid remove CAISO`.\n"
    )
    assert grid(home, "show", "caiso").stdout.startswith(
        "annual          not known: no call is ever in zone CAISO, so its hours are used for "
        "nothing. Did you mean US-CAL-CISO?\nhourly "
    )
    assert grid(home, "import", "own.csv", "--zone", "US-CAL-CISO").stderr == ""


def test_certificates_and_mixes_of_a_zone_that_no_call_is_in_are_said_to_be_of_no_use(home: Path):
    Path("solar.csv").write_text(SOLAR.replace("DE", "ATL"))
    assert grid(home, "certificates", "solar.csv").stderr == (
        "Warning: no call is ever in zone ATL, and --region does not take it, so its certificates "
        "are used for nothing. Correct the zone in solar.csv, and import it again.\n"
    )
    Path("residual.csv").write_text("zone,year,g_per_kwh,source\nXQ,2026,600,a list\n")
    assert "in zone XQ, and --region does not take it, so its residual mix is used for nothing" in (
        grid(home, "residual", "residual.csv").stderr
    )


def test_certificates_with_local_hours_are_read_with_their_time_zone(home: Path):
    Path("solar.csv").write_text(SOLAR.replace("year", "hour").replace("2026", "2026-06-01 12:00"))
    assert "Give it with --tz" in grid(home, "certificates", "solar.csv").stderr
    done = grid(home, "certificates", "solar.csv", "--tz", "Europe/Berlin")
    assert (done.stdout, done.stderr) == ("solar: 1 row, 2 MWh\n", "")


def test_rows_of_certificates_that_add_up_are_said(home: Path):
    Path("solar.csv").write_text(SOLAR + SOLAR.splitlines()[1])
    done = grid(home, "certificates", "solar.csv")
    assert done.stdout == "solar: 2 rows, 4 MWh\n"
    assert done.stderr == (
        "Warning: 1 row is of the hour or year, zone and source of a row before it: their MWh are "
        "added up. If it is there twice, remove one, and import solar.csv again.\n"
    )


def test_certificates_and_residual_mixes_are_imported_and_listed(home: Path):
    assert grid(home, "certificates", "solar.csv").stdout == "solar: 1 row, 2 MWh\n"
    assert grid(home, "residual", "residual.csv").stdout == "DE 2026: 600 g/kWh (a list)\n"
    assert grid(home, "list").stdout == (
        "certificates solar: 1 row, 2 MWh\nresidual mix DE 2026: 600 g/kWh (a list)\n"
    )
    said = json.loads(grid(home, "list", "--format", "json").stdout)
    assert [one["name"] for one in said["certificates"]] == ["solar"]
    assert [one["zone"] for one in said["residual_mixes"]] == ["DE"]


def test_what_was_imported_can_be_removed(home: Path):
    grid(home, "import", "own.csv")
    grid(home, "certificates", "solar.csv")
    assert grid(home, "remove", "DEU").stdout == "Removed the hours of DE.\n"
    assert grid(home, "remove", "--certificates", "solar").exit_code == 0
    assert grid(home, "list").stdout.startswith("Nothing was imported.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("import", "none.csv"), "none.csv does not exist"),
        (("import", "solar.csv"), "are of no known form"),
        (("certificates", "own.csv"), "line 1: column mwh is missing"),
        (("certificates", "solar.csv", "--year", "2025"), "it is of 2026, and --year says 2025"),
        (("residual", "solar.csv"), "line 1: column 'mwh' is not known"),
        (("show", "XX"), "there is no place 'XX'"),
        (("remove", "FR"), "there is no 'FR' to remove"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(home: Path, arguments: tuple[str, ...], said: str):
    result = grid(home, *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_help_loads_no_database():
    code = (
        "import sys; from click.testing import CliRunner; from agenttrace.cli import commands; "
        "assert CliRunner().invoke(commands, ['grid', 'import', '--help']).exit_code == 0; "
        "assert not {'duckdb', 'rich', 'agenttrace.energy'} & set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


GUIDE = (Path(__file__).parents[2] / "docs" / "grid.md").read_text(encoding="utf-8")


def test_the_sessions_of_the_guide_run_as_they_are_printed(home: Path):
    sessions = "".join(re.findall(r"^```console\n(.*?)^```$", GUIDE, re.M | re.S))
    steps = re.findall(r"^\$ (.*)\n((?:[^$\n].*\n)*)", sessions, re.M)
    assert len(steps) == sessions.count("$ ")
    for command, printed in steps:
        program, *arguments = command.split()
        if program == "cat":
            Path(arguments[0]).write_text(printed)
        else:
            assert (program, arguments.pop(0)) == ("agenttrace", "grid")
            assert grid(home, *arguments).output == printed


def test_the_example_of_the_guide_holds():
    (code,) = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.M | re.S)
    exec(code, {})
