"""The doctor speaks in 80 columns or in JSON; its exit status says whether anything is broken."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli.doctor import doctor
from agenttrace.doctor import examination
from agenttrace.doctor.findings import Finding, Machine


def run(home: Path, *words: str) -> Result:
    return CliRunner().invoke(doctor, words, obj=str(home))


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch) -> list[Finding]:
    """What the only check finds."""
    found = [
        Finding("Logs", "pi", "1 file"),
        Finding("Logs", "Codex", "not imported: " + "a " * 40 + "b", "note", "agenttrace import"),
    ]

    def check(_: Machine) -> list[Finding]:
        return found

    monkeypatch.setattr(examination, "CHECKS", {"Logs": (check,)})
    return found


def test_each_finding_has_a_mark_and_its_remedy(home: Path, findings: list[Finding]) -> None:
    findings.append(Finding("Data", "Lost", "3 records", "warning"))

    result = run(home)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Logs",
        "    pi: 1 file",
        "  - Codex: not imported: " + "a " * 27 + "a",
        "    " + "a " * 12 + "b",
        "    > agenttrace import",
        "",
        "Data",
        "  ! Lost: 3 records",
        "",
        "1 warning (!), 1 note (-)",
    ]


def test_the_exit_status_is_1_if_something_is_broken(home: Path, findings: list[Finding]) -> None:
    findings.append(Finding("Data", "Store", "cannot be read", "broken"))

    result = run(home)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 broken (x), 1 note (-)"


def test_json_has_every_field(home: Path, findings: list[Finding]) -> None:
    del findings[1]

    assert json.loads(run(home, "--format", "json").stdout) == {
        "findings": [
            {"topic": "Logs", "subject": "pi", "says": "1 file", "level": "ok", "mend": None}
        ]
    }


def test_a_machine_on_which_nothing_is_yet_is_well(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    result = run(home)

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert not home.exists()
