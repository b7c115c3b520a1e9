import os
import pty
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agenttrace import __version__
from agenttrace.cli import commands
from agenttrace.errors import AgentTraceError
from tests.builders import chat, spans, task, write

AGENTTRACE = [sys.executable, "-m", "agenttrace.cli"]
EVERY_COMMAND = (
    (),
    ("conformance",),
    ("demo",),
    ("doctor",),
    ("estimate",),
    ("explain",),
    ("export",),
    ("export", "activity"),
    ("export", "check"),
    ("factors",),
    ("factors", "check"),
    ("factors", "export"),
    ("factors", "list"),
    ("factors", "match"),
    ("factors", "show"),
    ("factors", "sources"),
    ("factors", "versions"),
    ("grid",),
    ("grid", "certificates"),
    ("grid", "import"),
    ("grid", "list"),
    ("grid", "remove"),
    ("grid", "residual"),
    ("grid", "show"),
    ("import",),
    ("integrations",),
    ("measure",),
    ("measure", "import"),
    ("measure", "run"),
    ("meter",),
    ("outcomes",),
    ("outcomes", "import"),
    ("project",),
    ("query",),
    ("report",),
    ("report", "carbon"),
    ("report", "claims"),
    ("report", "compare"),
    ("report", "hidden"),
    ("report", "methods"),
    ("report", "models"),
    ("report", "outcomes"),
    ("report", "parity"),
    ("report", "reconcile"),
    ("report", "task"),
    ("report", "trend"),
    ("run",),
    ("serve",),
    ("store",),
    ("store", "compact"),
    ("store", "export"),
    ("store", "fold"),
    ("store", "info"),
    ("store", "merge"),
    ("store", "migrate"),
    ("store", "prune"),
    ("store", "verify"),
    ("what-if",),
)


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*AGENTTRACE, *words],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_loads_click_and_nothing_heavier():
    program = """if True:
        import sys
        from agenttrace.cli import commands
        try:
            commands(["--help"])
        except SystemExit:
            pass
        heavy = {"agenttrace.report", "duckdb", "msgspec", "opentelemetry", "platformdirs", "rich"}
        print("loaded:", sorted(heavy & set(sys.modules)))
    """
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_every_command_explains_itself(words: tuple[str, ...]):
    result = CliRunner().invoke(commands, [*words, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")


def test_every_command_is_in_the_list_above():
    def under(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        if not isinstance(command, click.Group):
            return [path]
        context = click.Context(command)
        found = [
            one
            for name in command.list_commands(context)
            for one in under(command.get_command(context, name) or command, (*path, name))
        ]
        return [path, *found]

    assert sorted(under(commands, ())) == sorted(EVERY_COMMAND)


def test_the_version_is_said():
    assert run("--version").stdout == f"agenttrace, version {__version__}\n"


def test_an_unknown_command_is_a_usage_error():
    result = CliRunner().invoke(commands, ["reporting"])
    assert result.exit_code == 2
    assert "No such command 'reporting'" in result.stderr


def test_an_error_of_ours_is_one_line_on_stderr_and_exit_code_1(monkeypatch: pytest.MonkeyPatch):
    from agenttrace.cli.store import info

    def fail(home: str | None, form: str) -> None:
        raise AgentTraceError("the thing,\nthe trouble and the way out")

    monkeypatch.setattr(info, "callback", click.pass_obj(fail))
    result = CliRunner().invoke(commands, ["store", "info"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: the thing, the trouble and the way out\n"


def test_a_bug_is_not_dressed_up_as_an_error_of_the_user(monkeypatch: pytest.MonkeyPatch):
    from agenttrace.cli.store import info

    def fail(home: str | None, form: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(info, "callback", click.pass_obj(fail))
    assert isinstance(CliRunner().invoke(commands, ["store", "info"]).exception, ZeroDivisionError)


def test_the_folder_named_by_store_wins_over_the_environment(home: Path, tmp_path: Path):
    write(tmp_path / "other", spans(task("elsewhere", chat(input=1, output=1))))
    result = CliRunner().invoke(
        commands, ["--store", str(tmp_path / "other"), "query", "SELECT task_id FROM task"]
    )
    assert "elsewhere" in result.stdout


def test_a_reader_that_leaves_early_is_no_error(home: Path):
    sql = "SELECT range AS n FROM range(200000)"
    piped = subprocess.Popen(
        [*AGENTTRACE, "query", sql, "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert piped.stdout is not None
    assert piped.stderr is not None
    with piped:
        assert piped.stdout.readline() == "n\n"
        piped.stdout.close()
        said = [line for line in piped.stderr if not line.startswith("Warning: Nothing")]
    assert said == []


def test_a_terminal_without_unicode_gets_question_marks_and_no_traceback(home: Path):
    write(home, spans(task("greet", chat(input=10, output=5))))
    said = run("report", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (said.returncode, said.stderr) == (0, "")
    assert "Energy" in said.stdout
    assert " ? " in said.stdout


def on_a_terminal(**environ: str) -> str:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(
        [*AGENTTRACE, "report"],
        stdout=theirs,
        env={**environment, "TERM": "xterm-256color", "COLUMNS": "80", **environ},
        check=True,
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # Linux says that the other end is closed in this way.
        pass
    os.close(ours)
    return said.decode()


def test_colour_is_for_terminals_that_want_it(home: Path):
    write(home, spans(task("greet", chat(input=10, output=5))))
    assert "\x1b[1;36mCalls" in on_a_terminal()
    assert "\x1b[1;36m" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in run("report", NO_COLOR="").stdout


def test_a_full_disk_under_the_output_is_one_line_and_exit_code_1(home: Path):
    write(home, spans(task("greet", chat(input=10, output=5))))
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*AGENTTRACE, "report"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: No space left on device"
    assert "Traceback" not in done.stderr


def test_the_package_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agenttrace", "--version"], capture_output=True, text=True
    )
    assert done.stdout.startswith("agenttrace, version")
