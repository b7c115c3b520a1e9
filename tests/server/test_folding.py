import subprocess
import threading
from pathlib import Path

import pytest

from agenttrace.server import folding
from agenttrace.server.folding import Folding


class _Process:
    pid = 2**22 + 1  # of nobody

    def wait(self) -> int:
        return 0


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run, one more with every fold."""
    found: list[list[str]] = []

    def popen(command: list[str], **_: object) -> _Process:
        found.append(command)
        return _Process()

    monkeypatch.setattr(subprocess, "Popen", popen)
    return found


def test_it_folds_after_something_has_come(folds: list[list[str]], tmp_path: Path) -> None:
    asked: list[float] = []
    enough = threading.Event()

    def last_received() -> float:
        asked.append(0.0)
        if len(asked) == 6:
            enough.set()
        return 0.0 if len(asked) < 3 else 7.0

    one = Folding(tmp_path, last_received, every_s=0.001)
    assert enough.wait(5)
    one.close()
    assert [command[-4:] for command in folds] == [["--store", str(tmp_path), "store", "fold"]]


def test_closing_does_not_wait_for_the_next_time(folds: list[list[str]], tmp_path: Path) -> None:
    Folding(tmp_path, lambda: 1.0, every_s=folding.EVERY_SECONDS).close()
    assert folds == []
