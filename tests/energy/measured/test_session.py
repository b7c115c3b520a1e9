import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from agenttrace.energy import measured
from agenttrace.energy.measured import session
from agenttrace.energy.measured.meters import Reading

S = 1_000_000_000
PYTHON = sys.executable


class Fake:
    """A meter that sees 2 J between any two looks."""

    name = "fake"

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.at = 1_760_000_000 * S

    def start(self, interval_s: float) -> None:
        if self.fails == "start":
            raise RuntimeError("no device")

    def read(self) -> Sequence[Reading]:
        if self.fails == "read":
            raise RuntimeError("lost")
        self.at += S
        return [Reading(self.at - S, self.at, 2.0, "accelerator", "gpu0")]

    def stop(self) -> Sequence[Reading]:
        return self.read()


def rows(home: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        measured.define(connection, home)
        return connection.execute(
            "SELECT DISTINCT joules, boundary, device, host, model, provider, mark, meter, source "
            "FROM measured_window"
        ).fetchall()


def test_what_a_command_uses_is_kept_with_who_it_was(tmp_path: Path) -> None:
    done = session.run(
        [PYTHON, "-c", "import time; time.sleep(0.3)"],
        Fake(),
        tmp_path,
        host="GPU1",
        model="llama",
        provider="vllm",
        interval_s=0.1,
    )
    assert done.status == 0
    assert done.windows >= 2
    assert done.joules == 2 * done.windows
    assert done.trouble == ""
    name = Path(PYTHON).name
    assert rows(tmp_path) == [
        (2.0, "accelerator", "gpu0", "gpu1", "llama", "vllm", "measured", "fake", name)
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [("raise SystemExit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", 143)],
)
def test_the_exit_status_is_that_of_the_command(tmp_path: Path, code: str, status: int) -> None:
    command = [PYTHON, "-c", code]
    assert session.run(command, Fake(), tmp_path, host=None).status == status
    assert session.pass_through(command) == status


@pytest.mark.parametrize("fails", ["start", "read"])
def test_a_meter_that_fails_is_told_of_and_the_command_goes_on(tmp_path: Path, fails: str) -> None:
    done = session.run(
        [PYTHON, "-c", "import time; time.sleep(0.2); raise SystemExit(3)"],
        Fake(fails),
        tmp_path,
        host=None,
        interval_s=0.1,
    )
    assert done.status == 3
    assert "RuntimeError" in done.trouble
    assert measured.files(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "measured").write_text("a file where the folder goes")
    done = session.run([PYTHON, "-c", "raise SystemExit(3)"], Fake(), tmp_path, host=None)
    assert (done.status, done.windows) == (3, 0)
    assert done.trouble.startswith(f"{tmp_path / 'measured'} cannot be written: ")


def test_a_command_that_is_not_there_is_not_measured(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(FileNotFoundError):
        session.run([str(tmp_path / "none")], Fake(), tmp_path, host=None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_windows_are_kept_now_and_then_in_ever_larger_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept after 1 look, 2 more, then every 4: 8 looks and the end are 4 files at most."""
    monkeypatch.setattr(session, "_KEPT_AFTER_S", 0.1)
    monkeypatch.setattr(session, "_KEPT_AFTER_AT_MOST_S", 0.4)
    command = [PYTHON, "-c", "import time; time.sleep(0.85)"]
    done = session.run(command, Fake(), tmp_path, host=None, interval_s=0.1)
    assert 2 <= len(measured.files(tmp_path)) <= 4
    assert done.joules == 2 * done.windows


PROGRAM = """
import sys
from pathlib import Path
from agenttrace.energy.measured import session
from tests.energy.measured.test_session import Fake

command = [sys.executable, "-u", "-c", sys.argv[2]]
raise SystemExit(session.run(command, Fake(), Path(sys.argv[1]), host=None, interval_s=0.1).status)
"""
CAUGHT = """
import signal, sys, time
def stop(number, frame):
    print("caught", flush=True)
    sys.exit(9)
signal.signal(signal.{signal}, stop)
print(sys.stdin.readline().strip(), flush=True)
time.sleep(30)
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_streams_and_signals_are_passed_through(tmp_path: Path, name: str) -> None:
    process = subprocess.Popen(
        [PYTHON, "-c", PROGRAM, str(tmp_path / "home"), CAUGHT.format(signal=name)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        start_new_session=True,  # without a terminal, which would send to both
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("hello\n")
    process.stdin.flush()
    assert process.stdout.readline() == "hello\n"
    time.sleep(0.3)
    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=30)
    assert output == "caught\n"
    assert process.returncode == 9
    assert len(measured.files(tmp_path / "home")) == 1
