"""Let a process die at each step in the file system that matters, one step later each time."""

import hashlib
import multiprocessing
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.builders import Record

DAY_NS = 86_400 * 10**9

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def on_day(records: list[Record], days: int) -> list[Record]:
    """Return *records* as if they had been made some days later; before with a negative number."""
    moved = {"start_ns": days * DAY_NS, "end_ns": days * DAY_NS}
    return [{**one, **{key: one[key] + more for key, more in moved.items()}} for one in records]


def homes_of_the_dead(folder: Path, work: Callable[[Path], None]) -> list[Path]:
    """Let a process work on ``folder / "home"``, and keep what there is on the disk at each step.

    Whoever is killed leaves just that: what it has not written yet is lost, and its locks are let
    go. Steps that change nothing are passed over.

    Returns copies of the home, the first before anything was done and the last after everything.
    """
    # A process of its own, for it cannot stop being watched.
    process = multiprocessing.get_context("spawn").Process(target=_watched, args=(folder, work))
    process.start()
    process.join()
    assert process.exitcode == 0
    return sorted((folder / "dead").iterdir(), key=lambda home: int(home.name))


def _watched(folder: Path, work: Callable[[Path], None]) -> None:
    home, dead = folder / "home", folder / "dead"
    dead.mkdir()
    is_copying = False
    last = b""

    def keep() -> None:
        nonlocal is_copying, last
        is_copying = True
        now = _digest(home)
        if now != last:
            shutil.copytree(home, dead / str(len(list(dead.iterdir()))))
        last, is_copying = now, False

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if not is_copying and event in _STEPS and str(home) in str(arguments):
            keep()

    sys.addaudithook(watch)
    work(home)
    keep()


def _digest(home: Path) -> bytes:
    seen = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        seen.update(repr((str(path), content)).encode())
    return seen.digest()
