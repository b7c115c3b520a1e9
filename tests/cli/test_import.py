"""What is there is said, all of it is imported, and a second time there is nothing to do."""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agenttrace.cli import commands, import_
from agenttrace.coding_agents import CODING_AGENTS, CodingAgent
from agenttrace.reader import Reader
from agenttrace.sources import agents, finding
from agenttrace.sources.source import User
from agenttrace.sources.watching import Watched
from tests.sources.plain import Plain, call, install

# As they are, before a test has others.
NAMES, SOURCE = agents.NAMES, agents.source
EXAMPLE = Path(__file__).parents[1] / "sources" / "corpora" / "example"


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of somebody whose agents can be Codex and pi."""
    install(monkeypatch, "codex", "pi")
    lacking = CodingAgent(
        "codex", "Codex", ("codex",), "its titles are not in its log", "turn on its telemetry"
    )
    monkeypatch.setitem(CODING_AGENTS, "codex", lacking)
    monkeypatch.setitem(CODING_AGENTS, "pi", CodingAgent("pi", "pi", ("pi",)))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def log(user: Path, agent: str, *keys: str, folder: str | None = None) -> Path:
    path = user / (folder or f".{agent}") / "a.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(call(agent, key) for key in keys))
    return path


def run(home: Path, *words: object) -> Result:
    return CliRunner().invoke(commands, ["--store", str(home), "import", *map(str, words)])


def figures(result: Result) -> Any:
    return json.loads(result.stdout)


def _nowhere(*_: object) -> list[Path]:
    return []


def calls(home: Path) -> int:
    with Reader(home) as reader:
        (row,) = reader.query("SELECT calls FROM totals")
    return row["calls"]


def test_without_a_source_all_that_is_there_is_imported(home: Path, user: Path) -> None:
    log(user, "codex", "m1", "m2")
    log(user, "pi", "m1")

    result = run(home)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Source  Files      Size  New",
        "Codex       1  82 bytes  all",
        "pi          1  38 bytes  all",
        "",
        "Imported  New calls  Improved  Repeated  Turns",
        "Codex             2         0         0      1",
        "pi                1         0         0      1",
        "",
        "What these logs cannot tell:",
        "  Codex: its titles are not in its log.",
        "    To see it, turn on its telemetry.",
        "",
        "`agenttrace report` shows what it comes to.",
    ]
    assert calls(home) == 3


def test_a_second_time_there_is_nothing_new(home: Path, user: Path) -> None:
    log(user, "codex", "m1")
    run(home)

    result = run(home)

    assert result.stdout.splitlines() == [
        "Nothing new in 1 file.",
        "`agenttrace report` shows what it comes to.",
    ]


def test_list_imports_nothing(home: Path, user: Path) -> None:
    log(user, "codex", "m1")

    result = run(home, "--list")

    assert result.stdout.splitlines() == [
        "Source  Files      Size  New",
        "Codex       1  41 bytes  all",
        "Looked for as well, and not here: pi.",
        "",
        "`agenttrace import` imports what is new.",
    ]
    assert not home.exists()


def test_a_machine_without_agents_is_no_error(home: Path) -> None:
    result = run(home)

    assert result.exit_code == 0
    assert "No coding agent of this user has written a log" in result.stdout


def test_a_source_is_imported_alone(home: Path, user: Path) -> None:
    log(user, "codex", "m1")
    log(user, "pi", "m1")

    assert [one["source"] for one in figures(run(home, "pi", "--format", "json"))["imported"]] == [
        "pi"
    ]


def test_a_source_is_read_from_where_one_says(home: Path, user: Path) -> None:
    log(user, "codex", "m1")
    path = log(user, "codex", "m1", "m2", folder="old")

    said = figures(run(home, "codex", path, "--format", "json"))

    assert said["found"][0]["roots"] == [str(path)]
    assert said["imported"][0]["calls"] == 2


def test_a_path_alone_says_by_itself_whose_it_is(home: Path, user: Path) -> None:
    old = log(user, "pi", "m1", folder="old").parent

    assert figures(run(home, old, "--format", "json"))["imported"][0]["source"] == "pi"


def test_what_was_left_out_is_said_by_its_type(home: Path, user: Path) -> None:
    path = log(user, "codex", "m1")
    path.write_text(path.read_text() + call("pi", "secret") + call("codex", "m2")[:-9])

    result = run(home, "codex")

    assert "  Codex: 1 left out: a record of another agent" in result.stdout
    assert "  Codex: 1 file with a last line that is not finished" in result.stdout
    assert "secret" not in result.stdout


def test_json_has_every_figure(home: Path, user: Path) -> None:
    path = log(user, "codex", "m1")
    path.write_text(path.read_text() + call("pi", "m1"))

    (done,) = figures(run(home, "codex", "--format", "json"))["imported"]

    assert done == {
        "source": "codex",
        "files": 1,
        "unchanged": 0,
        "calls": 1,
        "improved": 0,
        "repeated": 0,
        "turns": 1,
        "spans": 0,
        "skipped": {"a record of another agent": 1},
        "unfinished": 0,
        "unreadable": {},
        "lacks": "its titles are not in its log",
        "way": "turn on its telemetry",
    }


def test_the_example_of_the_documentation_comes_to_what_its_lines_say(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Claude Code: 12 + 24,000; 4 + 24,000 + 3,500; 6 + 27,500 + 1,200; its sub-agent 30 + 9,000.
    # pi: 20 + 5,000. The first call is there twice, with 1 token of output and with 480.
    monkeypatch.setattr(agents, "NAMES", NAMES)
    monkeypatch.setattr(agents, "source", SOURCE)
    monkeypatch.setattr(finding, "this_user", lambda: User(EXAMPLE))

    assert run(home).exit_code == 0

    with Reader(home) as reader:
        (row,) = reader.query("SELECT tasks, calls, input_tokens, output_tokens FROM totals")
    assert dict(row) == {
        "tasks": 3,
        "calls": 5,
        "input_tokens": 24_012 + 27_504 + 28_706 + 9_030 + 5_020,
        "output_tokens": 480 + 900 + 610 + 350 + 200,
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_one_file_that_may_not_be_read_is_named_and_the_others_are_imported(
    home: Path, user: Path
) -> None:
    shut = log(user, "codex", "m1")
    shut.chmod(0)
    log(user, "pi", "m1")

    result = run(home)

    assert result.exit_code == 0
    assert "Codex: not readable:" in result.stdout
    assert "Permission denied" in result.stdout
    assert calls(home) == 1


def test_the_exit_status_is_1_if_nothing_can_be_read(home: Path, user: Path) -> None:
    log(user, "codex").write_text("no JSON\n")

    result = run(home)

    assert result.exit_code == 1
    assert "not as expected (JSONDecodeError)" in " ".join(result.stdout.split())


def test_a_path_that_is_not_there_is_one_line_and_status_1(home: Path, user: Path) -> None:
    for words in (["codex", user / "none"], [user / "none"]):
        result = run(home, *words)

        assert result.exit_code == 1
        assert "there is no such file or folder" in result.stderr


def test_an_unknown_source_is_a_usage_error_with_the_names(home: Path) -> None:
    result = run(home, "codx")

    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert "there is no source 'codx'" in said
    assert "Did you mean codex?" in said
    assert "Sources: codex, pi." in said


def test_an_agent_that_cannot_be_imported_is_a_usage_error_with_the_reason(home: Path) -> None:
    result = run(home, "Cursor")

    assert result.exit_code == 2
    assert "Cursor cannot be imported: Cursor's database" in result.stderr


def test_the_name_of_a_command_leads_to_its_source(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "claude-code")

    for word in ("claude", "cladue"):
        assert "Did you mean claude-code?" in " ".join(run(home, word).stderr.split())


def test_a_source_without_a_place_wants_a_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "otlp")
    monkeypatch.setattr(Plain, "roots", _nowhere)

    result = run(home, "otlp")

    assert result.exit_code == 2
    assert "agenttrace import otlp PATH" in " ".join(result.stderr.split())


@pytest.mark.parametrize("words", [["--list", "--watch"], ["--watch", "--format", "json"]])
def test_options_that_cannot_be_together_are_refused(home: Path, words: list[str]) -> None:
    assert run(home, *words).exit_code == 2


def test_watching_imports_what_is_written_and_folders_that_come_later(
    home: Path, user: Path
) -> None:
    there = log(user, "codex", "m1")
    said: list[str] = []
    stop = threading.Event()

    def write() -> None:
        with there.open("a") as file:
            file.write(call("codex", "m2"))

    def come() -> None:
        log(user, "codex", "m8", "m9", folder="later")

    then = iter([write, come, stop.set])

    def say(line: str) -> None:
        said.append(line.partition("  ")[2])
        next(then)()

    watched = [Watched(Plain("codex"), (there.parent, user / "later"))]
    import_.follow(home, watched, stop, say, look_ms=50)

    assert said == [
        "Codex: 1 new call, 1 turn (.codex)",
        "Codex: 1 new call (a.jsonl)",
        "Codex: 2 new calls, 1 turn (later)",
    ]


def test_nobody_needs_the_library_that_watches_but_who_watches(
    home: Path, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    log(user, "codex", "m1")

    assert run(home).exit_code == 0
    result = run(home, "--watch")

    assert result.exit_code == 1
    assert "--watch needs watchfiles" in result.stderr


def test_a_folder_without_logs_is_named(user: Path, home: Path) -> None:
    (user / "empty").mkdir()

    result = run(home, "codex", user / "empty")

    said = " ".join(result.stdout.split())
    assert f"There are no logs of Codex in {user / 'empty'}. Nothing was imported." in said
    assert result.exit_code == 1
