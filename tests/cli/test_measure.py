import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.energy import measured
from agenttrace.energy.measured import meters
from agenttrace.energy.measured.meters import Meter, Reading
from tests.builders import SECOND_NS, START_NS, chat, spans, write

START_S = START_NS // SECOND_NS
OWN = f"start,end,joules,boundary\n{START_S + 2},{START_S + 3},90,accelerator\n"


def measure(*words: str) -> Result:
    return CliRunner().invoke(commands, ["measure", *words])


def report(*words: str) -> Result:
    return CliRunner().invoke(commands, ["report", "parity", *words])


def written(folder: Path, text: str = OWN, name: str = "own.csv") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_is_brought_in_once(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path)
    assert measure("import", file).output.splitlines() == [
        "windows: 1 window, 0.025 Wh, accelerator",
        "1 window kept. `agenttrace report parity` compares them.",
    ]
    assert measure("import", file).output.splitlines()[1:] == [
        "  left out, for their time is measured already: 1",
        "0 windows kept. `agenttrace report parity` compares them.",
    ]
    assert len(measured.files(home)) == 1


def test_what_is_left_out_is_told(home: Path, tmp_path: Path) -> None:
    samples = "\n".join(f"{START_S + at},{watts}" for at, watts in ((0, 10), (1, -1), (2, 10)))
    file = written(tmp_path, f"timestamp,watts\n{samples}\n")
    assert measure("import", file, "--boundary", "server").output.splitlines() == [
        "power samples: 1 window, 0.005556 Wh, server",
        "  negative or impossible samples: 1",
        "1 window kept. `agenttrace report parity` compares them.",
    ]


def test_options_say_what_the_file_does_not(home: Path, tmp_path: Path) -> None:
    file = written(tmp_path, "start,end,joules\n2025-10-09 10:00,2025-10-09 10:01,5\n")
    said = {
        "--boundary": "facility",
        "--host": "GPU1",
        "--model": "m",
        "--provider": "p",
        "--service": "s",
        "--time-zone": "Europe/Berlin",
        "--max-gap": "5",
    }
    words = [word for pair in said.items() for word in pair]
    assert measure("import", file, *words).exit_code == 0
    found = CliRunner().invoke(
        commands,
        ["query", "SELECT * EXCLUDE (file) FROM measured_window", "--format", "json"],
    )
    (row,) = json.loads(found.stdout)
    assert row["start_ns"] == 1_759_996_800 * SECOND_NS  # 08:00 UTC
    kept = (row["boundary"], row["host"], row["model"], row["provider"], row["service_name"])
    assert kept == ("facility", "gpu1", "m", "p", "s")


BAD = {
    "a bad line": (OWN + "1,2,3,accelerator\n", [], 1, "line 3: 1 are no seconds"),
    "an empty file": ("", [], 1, "own.csv is empty. Export it again."),
    "a blank header": ("\na,b\n", [], 1, "own.csv has no header in its first line. Known are"),
    "an unknown kind": ("a,b\n", [], 1, "no known kind"),
    "an unknown zone": (OWN, ["--time-zone", "Mars"], 2, "'Mars' is no time zone"),
    "no gap": (OWN, ["--max-gap", "0"], 2, "--max-gap"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_nothing_is_kept(home: Path, tmp_path: Path, name: str) -> None:
    text, words, status, said = BAD[name]
    result = measure("import", written(tmp_path, text), *words)
    assert (result.exit_code, said in result.output) == (status, True)
    assert measured.files(home) == []
    if status == 1:
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1


def test_a_file_that_is_not_there_is_said(home: Path, tmp_path: Path) -> None:
    result = measure("import", str(tmp_path / "none.csv"))
    assert (result.exit_code, "none.csv" in result.output) == (2, True)


class Fake:
    name = "fake"
    at = START_NS

    def start(self, interval_s: float) -> None:
        assert interval_s == 60

    def read(self) -> Sequence[Reading]:
        Fake.at += SECOND_NS
        return [Reading(Fake.at - SECOND_NS, Fake.at, 3600.0, "accelerator")]

    def stop(self) -> Sequence[Reading]:
        return self.read()


def let_be_found(monkeypatch: pytest.MonkeyPatch, meter: Meter | None, *reasons: str) -> None:
    monkeypatch.setattr(meters, "find", lambda: (meter, reasons))


def test_a_command_is_measured_and_its_options_are_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_found(monkeypatch, Fake())
    code = "import sys; raise SystemExit(len(sys.argv))"
    result = measure(
        "run", "--interval", "60", "--model", "m", "--", sys.executable, "-c", code, "--require"
    )
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == ["Measuring with fake.", "1 window kept, 1 Wh."]
    assert len(measured.files(home)) == 1


def test_without_a_meter_the_command_runs_and_that_is_said_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_found(monkeypatch, None, "Zeus is not installed", "CodeCarbon is not installed")
    result = measure("run", sys.executable, "-c", "raise SystemExit(3)")
    assert result.exit_code == 3
    assert result.stderr == (
        "Warning: nothing is measured, for no meter works here: Zeus is not installed; "
        "CodeCarbon is not installed.\n"
    )


def test_who_requires_a_meter_runs_nothing_without(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_found(monkeypatch, None, "Zeus is not installed")
    file = tmp_path / "ran"
    result = measure(
        "run", "--require", "--", sys.executable, "-c", f"open({str(file)!r}, 'w').close()"
    )
    assert (result.exit_code, file.exists()) == (1, False)
    assert result.output.startswith("Error: no meter works here: Zeus is not installed.")
    assert '`pip install "/path/to/this/checkout[measure]"`' in result.output


def test_a_command_that_cannot_run_ends_as_in_a_shell(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_be_found(monkeypatch, Fake())
    plain = written(tmp_path)
    missing, refused = measure("run", str(tmp_path / "none")), measure("run", plain)
    assert (missing.exit_code, refused.exit_code) == (127, 126)
    assert "cannot be run: No such file or directory" in missing.output
    assert "cannot be run: Permission denied" in refused.output
    assert measured.files(home) == []


def test_the_streams_are_those_of_the_command(home: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('err', file=sys.stderr); sys.exit(4)"
    command = [sys.executable, "-m", "agenttrace", "measure", "run", sys.executable, "-c", code]
    done = subprocess.run(
        command, input="hello", capture_output=True, text=True, env={**os.environ}, check=False
    )
    assert (done.returncode, done.stdout) == (4, "HELLO\n")
    assert "err\n" in done.stderr


def test_parity_says_how_to_measure_where_nothing_is(home: Path) -> None:
    write(home, spans(chat(input=1000, output=0)))
    result = report()
    assert result.exit_code == 0
    assert "Nothing is measured yet, so every energy here is an estimate." in result.output
    told = json.loads(report("--format", "json").output)
    assert (told["kind"], told["measured_calls"], told["models"], told["files"]) == (
        "parity", 0, [], [],
    )  # fmt: skip


def test_parity_comes_as_text_json_and_picture(home: Path, tmp_path: Path) -> None:
    write(home, spans(chat(input=1000, output=0, **{"server.address": "localhost"})))
    measure("import", written(tmp_path))
    text = report().output
    assert text.startswith("agenttrace report parity  2025-10-09 ")
    assert "Measured  1 of 1 call" in text
    told = json.loads(report("--format", "json").output)
    assert [line["parity"]["measured_wh"] for line in told["models"]] == [0.025]
    assert report("--format", "svg").output.startswith("<svg")
