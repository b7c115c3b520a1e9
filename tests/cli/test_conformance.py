"""What the command refuses, and how a program that does not end is ended."""

import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands
from agenttrace.conformance import runner, scenarios
from agenttrace.conformance.runner import Setup


def command(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["conformance", *arguments])


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for scenarios of the test's own."""
    monkeypatch.setattr(scenarios, "folder", lambda: tmp_path)
    (tmp_path / "group").mkdir()
    return tmp_path / "group"


def test_where_no_scenario_ran_the_command_fails_and_says_what_is_missing(programs: Path):
    (programs / "one.py").write_text('"""A claim."""\n\nimport no_such_package\n')
    result = command()
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1:] == [
        "Error: no scenario ran, for not installed: no_such_package."
    ]


def test_no_jobs_at_all_are_refused():
    result = command("--jobs", "0")
    assert result.exit_code == 2
    assert "0 is not in the range x>=1" in result.stderr


STUCK = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("child", child.pid, "of a \u00e9", file=sys.stderr, flush=True)
time.sleep(60)
"""


def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path: Path):
    program = tmp_path / "program.py"
    program.write_text(f'"""A claim."""\n{STUCK}')
    done = runner.run(scenarios.read(program), Setup(timeout_s=2))
    assert done.trouble == "did not end within 2 s"
    word, child, *rest = done.stderr.split()
    assert (word, *rest) == ("child", "of", "a", "\u00e9")
    assert has_ended(int(child))


def has_ended(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # Killed, but whoever inherits it has not looked yet.
        if Path(f"/proc/{pid}/stat").exists() and is_zombie(pid):
            return True
        time.sleep(0.02)
    return False


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
