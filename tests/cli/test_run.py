"""``agenttrace run``: the receipt on stderr, the exit status of the command, and nothing else."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli.run import run as command
from agenttrace.testing import ModelProvider

ASK = "import openai; openai.OpenAI().responses.create(model='gpt-5', input='a b')"


def run(*words: str) -> Result:
    return CliRunner().invoke(command, list(words))


def test_a_receipt_says_what_it_came_to(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "receipt.json"
    with ModelProvider() as provider:
        for name, value in provider.env().items():
            monkeypatch.setenv(name, value)
        done = run("--name", "tea", "--receipt", str(file), "--", sys.executable, "-c", ASK)
    assert done.stdout == ""
    title, calls, tokens, energy, like, more = done.stderr.splitlines()
    assert title.startswith("agenttrace: tea, ")
    assert title.endswith(", exit status 0")
    assert calls == "  Calls    1, 0 hidden (0 % of calls, 0 % of tokens)"
    assert tokens.startswith("  Tokens   ")
    assert energy.startswith("  Energy   ")
    assert energy.endswith(", facility")
    assert " prompts of an " in like
    said = json.loads(file.read_text())
    assert (said["kind"], said["totals"]["calls"], said["status"]) == ("receipt", 1, 0)
    assert more == f"  More     agenttrace report task {said['tasks'][0][:12]}"


def test_quiet_is_quiet(home: Path):
    done = run("--quiet", "sh", "-c", "exit 3")
    assert (done.stdout, done.stderr, done.exit_code) == ("", "", 3)


def test_options_of_the_command_are_its_own(home: Path):
    done = run("true", "--name", "x", "--help")
    assert done.stderr.startswith("agenttrace: true, ")
    assert done.exit_code == 0


@pytest.mark.parametrize(("mode", "status"), [(None, 127), (0o644, 126)])
def test_what_cannot_be_run_has_the_status_that_a_shell_gives_it(
    home: Path, tmp_path: Path, mode: int | None, status: int
):
    program = tmp_path / "program"
    if mode is not None:
        program.write_text("#!/bin/sh\n")
        program.chmod(mode)
    done = run(str(program))
    assert done.exit_code == status
    assert done.stderr.startswith(f"Error: {program} cannot be run: ")


def test_a_receipt_that_cannot_be_written_changes_nothing(home: Path, tmp_path: Path):
    done = run("--receipt", str(tmp_path / "no" / "folder"), "--", "true")
    assert done.exit_code == 0
    assert done.stderr.startswith("Warning: there is no receipt: ")
