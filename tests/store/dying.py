"""Let a process die at each step in the file system that matters, one step later each time."""

import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.builders import Record

DAY_NS = 86_400 * 10**9

_DIED = 9
_STEPS = {"os.rename", "os.remove", "os.rmdir", "shutil.rmtree"}


def on_day(records: list[Record], days: int) -> list[Record]:
    """Return *records* as if they had been made some days later; before with a negative number."""
    moved = {"start_ns": days * DAY_NS, "end_ns": days * DAY_NS}
    return [{**one, **{key: one[key] + more for key, more in moved.items()}} for one in records]


def homes_of_the_dead(folder: Path, work: Callable[[Path], None]) -> list[Path]:
    """Let children work on copies of ``folder / "home"``, and die at another step each.

    Returns the copies; the last child did not die. They are children of a process that has no
    connection to DuckDB when it forks.
    """
    context = multiprocessing.get_context("spawn")
    parent = context.Process(target=_die_everywhere, args=(folder, work))
    parent.start()
    parent.join()
    assert parent.exitcode == 0
    return sorted((folder / "dead").iterdir(), key=lambda home: int(home.name))


def _die_everywhere(folder: Path, work: Callable[[Path], None]) -> None:
    for death in range(100):
        home = folder / "dead" / str(death)
        shutil.copytree(folder / "home", home)
        child = os.fork()
        if child == 0:
            _die_at_step(death, home, work)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return
        assert code == _DIED, code
    raise AssertionError("nobody came to the end")


def _die_at_step(death: int, home: Path, work: Callable[[Path], None]) -> None:
    steps = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if str(home) in str(arguments) and (event in _STEPS or _makes_a_file(event, arguments)):
            if steps == death:
                os._exit(_DIED)
            steps += 1

    try:
        sys.addaudithook(watch)
        work(home)
    except BaseException:
        os._exit(1)
    os._exit(0)


def _makes_a_file(event: str, arguments: tuple[object, ...]) -> bool:
    return event == "open" and bool(int(str(arguments[2] or 0)) & os.O_EXCL)
