"""Recorders, reports, queries, a notebook and the fold, all at work in one folder at once.

    python benchmarks/together.py [--processes 8] [--threads 8] [--calls 5000] [--pause 0]

Every thread of every process records so many calls. Until the last one is done, and at least once,
``report``, ``query``, ``store fold`` and a program that reads again and again run in loops beside
them. None of them may fail or say a word on stderr, what a reader counts may never become less, and
at the end the store must have every call once. Exits with 1 if that is not so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from ledger import Ledger, audit, forked, verdict
from timing import load

import agenttrace

NOTEBOOK: Final = """
import sys, agenttrace
seen = 0
for _ in range(2):
    with agenttrace.read(sys.argv[1]) as reader:
        ((calls,),) = reader.table("SELECT count(*) FROM model_call").rows
        reader.query("task_energy")
    assert calls >= seen, f"{seen} calls, and then {calls}"
    seen = calls
"""


class Loop(threading.Thread):
    """Runs one command again and again until told to stop.

    Attributes:
        runs: How often it has run.
        trouble: What it said on stderr, and how it failed.
    """

    def __init__(self, name: str, command: list[str]) -> None:
        super().__init__(name=name)
        self.runs = 0
        self.trouble: list[str] = []
        self._command = command
        self._enough = threading.Event()

    def run(self) -> None:
        """Run the command at least once."""
        while not (self.runs and self._enough.is_set()):
            done = subprocess.run(self._command, capture_output=True, text=True, check=False)
            self.runs += 1
            if done.returncode or done.stderr:
                self.trouble.append(f"{self.name}, exit {done.returncode}: {done.stderr.strip()}")

    def stop(self) -> None:
        """Let it end with the run that is under way."""
        self._enough.set()
        self.join()


def loops(home: Path) -> list[Loop]:
    """Return everything that reads or folds *home*."""
    command = [sys.executable, "-m", "agenttrace", "--store", str(home)]
    return [
        Loop("report", [*command, "report"]),
        Loop("query", [*command, "query", "model_tokens"]),
        Loop("store fold", [*command, "store", "fold"]),
        Loop("notebook", [sys.executable, "-c", NOTEBOOK, str(home)]),
    ]


def record(home: Path, ledger: Ledger, process: int, options: argparse.Namespace) -> None:
    """Record in one process; its stderr goes to a file of its own."""
    os.dup2(os.open(home / f"stderr-{process}", os.O_WRONLY | os.O_CREAT, 0o600), 2)
    agenttrace.configure(home, service_name="together")

    def work(line: int) -> None:
        for _ in range(options.calls):
            ledger.record(line)
            if options.pause:
                time.sleep(options.pause)

    first = process * options.threads
    # Every second process works for the same task as the one before it.
    with agenttrace.task("together", id=f"task {process // 2}"):
        threads = [
            threading.Thread(target=work, args=(first + number,))
            for number in range(options.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    agenttrace.shutdown()


def main() -> None:
    """Record and read at once, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--calls", type=int, default=5_000, help="of each thread")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two calls")
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    home: Path = options.home or Path(tempfile.mkdtemp(prefix="agenttrace-together-"))
    home.mkdir(mode=0o700, exist_ok=True)
    ledger = Ledger(options.processes * options.threads)
    start = time.monotonic()

    def recorder(process: int) -> int:
        return forked(lambda: record(home, ledger, process, options))

    recorders = [recorder(process) for process in range(options.processes)]
    readers = loops(home)
    # A report on nothing says so on stderr, and rightly.
    while not ledger.ended():
        time.sleep(0.01)
    for reader in readers:
        reader.start()
    failed = [pid for pid in recorders if os.waitpid(pid, 0)[1]]
    for reader in readers:
        reader.stop()
    seconds = time.monotonic() - start
    print(f"{ledger.ended():,} calls in {seconds:.0f} s; {load()}")
    print(", ".join(f"{reader.name}: {reader.runs}" for reader in readers))
    trouble = [one for reader in readers for one in reader.trouble]
    trouble += [f"recorder {pid} failed" for pid in failed]
    trouble += filter(None, (path.read_text() for path in sorted(home.glob("stderr-*"))))
    print("\n".join(trouble) or "no error, and nothing on stderr")
    found = audit(home, ledger)
    whole = options.processes * options.threads * options.calls
    code = verdict(found)
    sys.exit(1 if trouble or found.found != whole else code)


if __name__ == "__main__":
    main()
