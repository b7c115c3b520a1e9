"""SIGKILL at random moments for recorders and folds: nothing is lost, nothing is there twice.

    python benchmarks/kills.py [--kills 1000] [--seed 1] [--home FOLDER]

Recorders with two threads record, some of them in a forked child as well, and a fold runs beside
them, again and again. A recorder is killed after up to 0.3 seconds, with its child, and another one
takes its place; two folds of three are killed at any moment within the time that the last whole one
took. All are forked from this process, which has imported everything, so that the time goes into
recording. Each thread counts its calls in memory that outlives it (``ledger.py``). At the end the
store must have every call that had ended, once, and must know each call that had begun and was
killed before its end to be interrupted. Exits with 1 if it does not.
"""

import argparse
import contextlib
import importlib
import itertools
import os
import random
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from ledger import Ledger, audit, forked, verdict

import agenttrace

THREADS: Final = 2  # of a recorder, and of the child that it forks
LINES: Final = 2 * THREADS  # of the ledger, that a recorder may use
RECORDERS: Final = 2  # at a time
TASKS: Final = 7  # each is spread over many processes
LIVES_SECONDS: Final = 0.3  # a recorder, at most
WHOLE: Final = 3  # every so many folds one is left to end, and the spool stays small
BURST: Final = 50  # calls of a thread between two rests, without which the fold never catches up
REST_SECONDS: Final = 0.01


class Running(NamedTuple):
    """A process that is at work, and when to kill it; never if None."""

    pid: int
    kill_at: float | None


def recorder(home: Path, ledger: Ledger, number: int, *, forks: bool) -> None:
    """Record until killed; with *forks*, in a forked child as well."""
    os.setpgid(0, 0)
    agenttrace.configure(home, service_name="kills")
    first = number * LINES

    def work(line: int) -> None:
        for recorded in itertools.count(1):
            ledger.record(line)
            if recorded % BURST == 0:
                time.sleep(REST_SECONDS)

    with agenttrace.task("kills", id=f"task {number % TASKS}"):
        threads = _started(work, first)
        if forks:
            # By then the threads are at work, and what they hold is not the child's.
            time.sleep(0.005)
            if os.fork() == 0:
                threads = _started(work, first + THREADS)
        for thread in threads:
            thread.join()


def _started(work: Callable[[int], None], first: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(first + one,)) for one in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads


def folder(home: Path) -> None:
    """Fold once, as ``agenttrace store fold`` does."""
    # As a program would; only the start of Python is left out.
    from agenttrace.cli import commands

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        commands(["--store", str(home), "store", "fold"], standalone_mode=False)


class Killing:
    """Recorders and folds at work in one folder, killed until there were enough kills."""

    def __init__(self, home: Path, kills: int, seed: int) -> None:
        self.home = home
        self.left = kills
        self.killed_recorders = 0
        self.killed_folds = 0
        self.whole_folds = 0
        self._folds = 0
        self._fold_began = 0.0
        self._fold_seconds = 0.5  # that the last whole one took
        self.ledger = Ledger(kills * LINES)
        self._chance = random.Random(seed)
        self._numbers = itertools.count()
        self._last_dies, self._alive = os.pipe()

    def run(self) -> None:
        """Kill; returns when every recorder is dead."""
        recorders: list[Running] = []
        fold: Running | None = None
        while self.left or recorders:
            while len(recorders) < min(RECORDERS, self.left):
                recorders.append(self._record())
            if fold is None:
                fold = self._fold()
            time.sleep(0.001)
            recorders = [one for one in recorders if not self._end_recorder(one)]
            fold = None if self._end_fold(fold) else fold
        if fold is not None:
            os.waitpid(fold.pid, 0)
        # A forked child is nobody's here to wait for; it holds the pipe until it is dead.
        os.close(self._alive)
        os.read(self._last_dies, 1)

    def _record(self) -> Running:
        self.left -= 1
        number = next(self._numbers)
        forks = number % 3 == 0
        pid = forked(lambda: recorder(self.home, self.ledger, number, forks=forks))
        return Running(pid, time.monotonic() + self._chance.uniform(0, LIVES_SECONDS))

    def _fold(self) -> Running:
        pid = forked(lambda: folder(self.home))
        kill_at = None
        self._folds += 1
        self._fold_began = time.monotonic()
        if self._folds % WHOLE:
            kill_at = self._fold_began + self._chance.uniform(0, self._fold_seconds)
        return Running(pid, kill_at)

    def _end_recorder(self, one: Running) -> bool:
        if one.kill_at is None or time.monotonic() < one.kill_at:
            return False
        os.setpgid(one.pid, one.pid)  # if it has not come so far itself
        os.killpg(one.pid, signal.SIGKILL)
        _, status = os.waitpid(one.pid, 0)
        if not os.WIFSIGNALED(status):
            raise ChildProcessError("a recorder failed; what it said is above")
        self.killed_recorders += 1
        return True

    def _end_fold(self, one: Running) -> bool:
        if one.kill_at is not None and self.left and time.monotonic() >= one.kill_at:
            os.kill(one.pid, signal.SIGKILL)
        pid, status = os.waitpid(one.pid, os.WNOHANG)
        if pid == 0:
            return False
        if os.WIFSIGNALED(status):
            self.killed_folds += 1
            self.left -= 1
        elif status:
            raise ChildProcessError("a fold failed; what it said is above")
        else:
            self.whole_folds += 1
            self._fold_seconds = time.monotonic() - self._fold_began
        return True


def main() -> None:
    """Kill, fold, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="agenttrace-kills-"))
    # Forking while threads run is the point.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    # What a recorder and a fold would import, once for all.
    for module in ("duckdb", "agenttrace.cli.store", "agenttrace.store.fold"):
        importlib.import_module(module)
    for module in ("setup", "task", "greenlets", "pools", "processes", "programs", "wire.meter"):
        importlib.import_module(f"agenttrace.record.{module}")
    start = time.monotonic()
    killing = Killing(home, options.kills, options.seed)
    killing.run()
    print(
        f"{killing.killed_recorders:,} recorders and {killing.killed_folds:,} folds killed in "
        f"{time.monotonic() - start:.0f} s; {killing.whole_folds:,} folds ended by themselves"
    )
    sys.exit(verdict(audit(home, killing.ledger)))


if __name__ == "__main__":
    main()
