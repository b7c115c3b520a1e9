"""What is run is recorded without a change to it, and does not notice."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import agenttrace
from agenttrace.errors import ConfigError
from agenttrace.launch import running
from agenttrace.launch.ended import Run
from agenttrace.launch.receipt import Receipt, lines, receipt
from agenttrace.launch.running import Wanted, agent_of, name_of
from agenttrace.testing import ModelProvider

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).with_name("stand_in.py")
PYTHON = sys.executable


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in of each agent, first on the path; the user has no settings."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("claude", "codex"):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {PYTHON} {STAND_IN} {name} "$@"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "CLAUDE_CODE_ENABLE_TELEMETRY", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def records(home: Path) -> list[dict[str, Any]]:
    """The attributes of all records in a spool, and their status; quicker than a report."""
    lines = (
        line
        for segment in sorted((home / "spool").glob("*-*"))
        for line in segment.read_bytes().rstrip(b"\0").splitlines()[1:]
    )
    found = (json.loads(line) for line in lines)
    return [{**record["attributes"], "status": record["status"]} for record in found]


def calls(home: Path) -> list[dict[str, Any]]:
    return [one for one in records(home) if one["agenttrace.kind"] == "inference"]


def ran(home: Path, *command: str, **how: Any) -> Run:
    return running.run(Wanted(command, **how), home)


def test_a_child_process_and_a_thread_pool_give_one_tree_and_one_bill(home: Path):
    done = ran(home, PYTHON, str(ROOT / "examples" / "zero_code.py"), project="tea")
    assert done.status == 0
    assert [(one["task.id"], one["agenttrace.task.name"]) for one in calls(home)] == [
        (done.task_id, "zero_code.py")
    ] * 3
    [whole] = [one for one in records(home) if one["agenttrace.kind"] == "task"]
    assert (whole["agenttrace.project"], whole["status"]) == ("tea", "ok")
    with agenttrace.read(home) as reader:
        assert reader.query("FROM task SELECT task_id") == [{"task_id": done.task_id}]
    bill = receipt(home, done)
    # 5 + 8 + 7 tokens were sent and 6 + 9 + 8 answered.
    assert (bill.totals.calls, bill.totals.hidden_calls) == (3, 2)
    assert (bill.totals.tokens.input, bill.totals.tokens.output) == (20, 23)


def test_claude_tells_by_its_telemetry_and_by_its_result(
    home: Path, bin_: Path, capfd: pytest.CaptureFixture[str]
):
    done = ran(home, "claude", "-p", "hello", "--output-format", "json")
    assert json.loads(capfd.readouterr().out)["type"] == "result"
    facts = [one for one in records(home) if one.get("agenttrace.capture") == "result"]
    assert [one["gen_ai.usage.input_tokens"] for one in facts] == [1004, 897]
    assert {one["agenttrace.kind"] for one in facts} == {"fact"}
    assert "words that nobody keeps" not in "".join(
        path.read_text(errors="replace") for path in (home / "spool").rglob("*-*")
    )
    bill = receipt(home, done)
    assert (bill.totals.calls, bill.sessions) == (2, ("session-1",))
    assert (bill.totals.tokens.input, bill.totals.tokens.output) == (4 + 1000 + 897, 63)
    assert [(one.model, one.input_tokens, one.output_tokens) for one in bill.said] == [
        ("claude-opus-4-5", 1004, 50),
        ("claude-haiku-4-5", 897, 13),
    ]


def test_codex_tells_by_its_telemetry_and_by_its_result(
    home: Path, bin_: Path, capfd: pytest.CaptureFixture[str]
):
    done = ran(home, "codex", "exec", "--json", "hello")
    said = [json.loads(line)["type"] for line in capfd.readouterr().out.splitlines()]
    assert said == ["thread.started", "turn.completed"]
    bill = receipt(home, done)
    assert (bill.totals.calls, bill.sessions) == (1, ("thread-1",))
    assert [(one.model, one.input_tokens, one.output_tokens) for one in bill.said] == [
        (None, 300, 20)
    ]


def test_what_the_user_has_sent_elsewhere_still_gets_there(
    home: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    from agenttrace import server

    theirs = home.with_name("theirs")
    with server.running(theirs, http_port=0, grpc_port=0, is_folding=False) as other:
        monkeypatch.setenv("CLAUDE_CODE_ENABLE_TELEMETRY", "1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", other.http_url)
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
        done = ran(home, "claude", "-p", "hello")
    del capfd
    assert done.notes == ()
    assert (len(calls(home)), len(calls(theirs))) == (2, 2)


def test_a_receiver_that_runs_already_is_used(
    home: Path, bin_: Path, capfd: pytest.CaptureFixture[str]
):
    from agenttrace import server

    with server.running(home, http_port=0, grpc_port=0, is_folding=False) as there:
        done = ran(home, "claude", "-p", "hello")
        assert there.receiver.counts.records["logs",] == 2
    del capfd
    assert done.notes == ()
    assert len(calls(home)) == 2


def test_a_user_who_sends_to_the_receiver_that_runs_already_needs_no_other(
    home: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    from agenttrace import server

    with server.running(home, http_port=0, grpc_port=0, is_folding=False) as there:
        monkeypatch.setenv("CLAUDE_CODE_ENABLE_TELEMETRY", "1")
        own = there.http_url.replace("127.0.0.1", "localhost")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", own)
        ran(home, "claude", "-p", "hello")
    del capfd
    assert len(calls(home)) == 2


def test_the_receiver_of_one_run_is_not_lent_to_another_that_may_outlive_it(home: Path):
    from agenttrace import server

    with running._receiving(home, None) as url:
        assert url.startswith("http://127.0.0.1:")
        assert server.find(home) is None


def test_output_to_a_terminal_is_not_touched(home: Path):
    """In a process of its own, whose output is a terminal."""
    command = ("sh", "-c", "test -t 1 && echo untouched", "-p", "--output-format", "json")
    program = (
        "from pathlib import Path; from agenttrace.launch import running; "
        f"running.run(running.Wanted({command!r}, agent='claude-code'), Path({str(home)!r}))"
    )
    terminal, end = os.openpty()
    subprocess.run([PYTHON, "-c", program], stdout=end, check=True)
    os.close(end)
    assert os.read(terminal, 100) == b"untouched\r\n"
    os.close(terminal)


def test_telemetry_that_goes_over_grpc_stays_as_it_is(
    home: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / ".codex").mkdir()
    (tmp_path / ".codex" / "config.toml").write_text(
        '[otel]\nexporter = { otlp-grpc = { endpoint = "http://127.0.0.1:9" } }\n'
    )
    done = ran(home, "codex", "exec", "hello")
    assert done.notes == (
        "Its telemetry goes to its endpoint over gRPC, and we pass on over HTTP only, "
        "and stays as it is.",
    )


def test_an_agent_without_telemetry_names_the_way_to_its_log(home: Path):
    done = ran(home, "true", agent="amp")
    assert done.notes == ("It sends no telemetry; `agenttrace import amp` reads its log.",)


def test_without_the_receiver_the_command_runs_all_the_same(
    home: Path, bin_: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = ran(home, "claude", "-p", "hello", "--output-format", "json")
    assert done.status == 0
    [note] = done.notes
    assert '[serve]"' in note
    bill = receipt(home, done)
    assert (bill.totals.calls, len(bill.said)) == (0, 2)
    assert capfd.readouterr().out


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)]
)
def test_the_exit_status_is_that_of_the_command(home: Path, script: str, status: int):
    assert ran(home, "sh", "-c", script).status == status
    assert [one["status"] for one in records(home)] == ["error"]


def test_what_cannot_be_started_is_not_recorded(home: Path):
    with pytest.raises(FileNotFoundError):
        ran(home, "no-such-program")
    assert not home.exists()


def test_no_agent_of_an_unknown_name(home: Path):
    with pytest.raises(ConfigError, match="no coding agent is called eliza"):
        ran(home, "true", agent="eliza")


def test_a_disabled_sdk_is_respected(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert ran(home, "true").task_id is None
    assert not (home / "spool").exists()


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["python", "app.py", "a secret"], "app.py"),
        (["/usr/bin/python3.12", "-X", "dev", "-u", "src/app.py"], "app.py"),
        (["python", "-m", "package.tool", "x"], "package.tool"),
        (["python", "-c", "print(1)"], "python"),
        (["python"], "python"),
        (["claude", "-p", "a secret"], "claude"),
        (["./node.exe", "x"], "node"),
    ],
)
def test_a_run_is_called_by_its_program_and_never_by_an_argument(command: list[str], name: str):
    assert name_of(command) == name


@pytest.mark.parametrize(
    ("command", "agent"),
    [(["/opt/bin/claude"], "claude-code"), (["gemini.cmd"], "gemini"), (["ls"], None)],
)
def test_an_agent_is_told_by_its_program(command: Sequence[str], agent: str | None):
    assert agent_of(Wanted(tuple(command))) == agent


def test_a_receipt_says_that_nothing_was_seen(home: Path):
    made = receipt(home, ran(home, "true"))
    assert isinstance(made, Receipt)
    assert lines(made)[1] == "  No model call was seen."


def test_signals_reach_the_command_and_its_streams_are_its_own(home: Path):
    """A process of its own, for signals go to the whole of it."""
    script = (
        "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(9)); "
        "print('ready', flush=True); print(input()); signal.pause()"
    )
    program = (
        "import sys; from pathlib import Path; from agenttrace.launch import running; "
        f"sys.exit(running.run(running.Wanted((sys.executable, '-c', {script!r})), "
        f"Path({str(home)!r})).status)"
    )
    with subprocess.Popen(
        [PYTHON, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.stdin.write("passed through\n")
        process.stdin.flush()
        assert process.stdout.readline() == "passed through\n"
        process.terminate()
        assert process.wait() == 9


def test_ctrl_c_reaches_the_command_once():
    """In a process of its own, with a terminal, which sends the signal to all in front."""
    script = (
        "import signal; ctrl_c = [signal.SIGINT]; "
        "signal.pthread_sigmask(signal.SIG_BLOCK, ctrl_c); "
        "print('ready', flush=True); signal.sigwait(ctrl_c); "
        "print('twice' if signal.sigtimedwait(ctrl_c, 0.3) else 'once')"
    )
    program = (
        "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        "from agenttrace.command import pass_through; "
        f"sys.exit(pass_through((sys.executable, '-c', {script!r})))"
    )
    terminal, end = os.openpty()
    with (
        subprocess.Popen(
            [PYTHON, "-c", program], stdin=end, stdout=end, start_new_session=True
        ) as process,
        os.fdopen(terminal, "r+b", buffering=0) as typed,
    ):
        os.close(end)
        said = b""
        while b"ready" not in said:
            said += typed.read(1000)
        typed.write(b"\x03")
        while b"ce\r\n" not in said:
            said += typed.read(1000)
        assert said.endswith(b"once\r\n")
        assert process.wait(10) == 0


def test_what_is_ignored_under_nohup_stays_ignored_in_the_command(home: Path):
    """In a process of its own, which was begun with a signal that it ignores."""
    script = "import signal; print(signal.getsignal(signal.SIGHUP).name)"
    program = (
        "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "from agenttrace.command import pass_through; "
        f"pass_through((sys.executable, '-c', {script!r}))"
    )
    ended = subprocess.run([PYTHON, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "SIG_IGN\n"


def test_a_local_provider_is_reached_by_what_is_run(home: Path, monkeypatch: pytest.MonkeyPatch):
    code = "import openai; openai.OpenAI().responses.create(model='gpt-5', input='a b')"
    with ModelProvider() as provider:
        for name, value in provider.env().items():
            monkeypatch.setenv(name, value)
        done = ran(home, PYTHON, "-c", code, name="one question", workload="user-facing")
    [call] = calls(home)
    assert (call["task.id"], call["agenttrace.task.name"]) == (done.task_id, "one question")
    [task] = [one for one in records(home) if one["agenttrace.kind"] == "task"]
    assert task["agenttrace.workload"] == "user-facing"
