"""A file of the spool is folded to its end only when its writer is dead."""

import errno
import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agenttrace.store.liveness import is_abandoned

HERE = socket.gethostname()
A_DAY_AGO = time.time() - 25 * 3600


def abandoned(path: Path, **said: Any) -> bool:
    given = {"host": HERE, "pid": os.getpid(), "medium": "mapped", **said}
    with path.open("rb") as file:
        return is_abandoned(file.fileno(), **given)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "1-1-1.open"
    made.write_bytes(b"{}\n")
    return made


def old(path: Path) -> Path:
    os.utime(path, (A_DAY_AGO, A_DAY_AGO))
    return path


@pytest.mark.parametrize("medium", ["mapped", "written", None])
def test_the_lock_decides_whatever_the_process_id_says(path: Path, medium: str | None) -> None:
    assert abandoned(path, medium=medium)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not abandoned(path, medium=medium, pid=None)
    assert abandoned(path, medium=medium)


def test_of_another_machine_on_a_shared_folder_a_day_of_silence_decides(path: Path) -> None:
    assert not abandoned(path, medium="written", host="elsewhere")
    assert abandoned(old(path), medium="written", host="elsewhere")


def test_a_mapped_file_that_was_copied_from_another_machine_has_no_writer(path: Path) -> None:
    assert abandoned(path, host="elsewhere")


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_without_locks_the_process_decides_and_where_it_is_unknown_a_day_of_silence(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    dead = int(done.stdout)
    monkeypatch.setattr(fcntl, "flock", _refuse)
    assert not abandoned(path, medium="written")
    assert abandoned(path, medium="written", pid=dead)
    assert abandoned(path, medium="written", pid=0)
    assert abandoned(path, medium="written", pid=2**80)
    assert not abandoned(path, pid=None)
    assert abandoned(old(path), pid=None)
