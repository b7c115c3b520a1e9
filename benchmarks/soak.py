"""Ten million calls in one task, recorded by processes that are killed at random moments.

    python benchmarks/soak.py [--calls 10000000] [--kills 20] [--threads 1] [--seed 1]

A child records calls into one task, as fast as it can. It is killed with SIGKILL at random moments
and another one takes over, while the store is folded now and then. Prints how the child's memory
went, which must stay flat, and whether the store has every call that had ended, once; exits with 1
if it has not. ``kills.py`` kills far more often; here a process lives long.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from ledger import Ledger, audit, forked, verdict

import agenttrace


def record(home: Path, ledger: Ledger, first: int, options: argparse.Namespace, calls: int) -> None:
    """Record *calls* calls in this process, in the ledger's lines from *first* on."""
    agenttrace.configure(home, service_name="soak")

    def work(line: int) -> None:
        with agenttrace.agent("worker"):
            for _ in range(calls // options.threads):
                ledger.record(line)

    with agenttrace.task("one task", id="soak"):
        threads = [
            threading.Thread(target=work, args=(first + number,))
            for number in range(options.threads)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    agenttrace.shutdown()


def resident(pid: int) -> float | None:
    """MB of memory that the process holds, without the segment's pages, which are the kernel's."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    # A process that has just ended has none.
    return int(fields["RssAnon"].split()[0]) / 1024 if "RssAnon" in fields else None


def main() -> None:
    """Record, kill, fold, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    home: Path = options.home or Path(tempfile.mkdtemp(prefix="agenttrace-soak-"))
    fold = [sys.executable, "-m", "agenttrace", "--store", str(home), "store", "fold"]
    kills = sorted(chance.randrange(options.calls) for _ in range(options.kills))
    # The last recorder may leave a remainder of calls for each of the threads to one more.
    ledger = Ledger((options.kills + 2) * options.threads)
    memory: dict[int, float] = {}
    folding: subprocess.Popen[bytes] | None = None
    started = time.monotonic()
    first = 0
    while (left := options.calls - ledger.ended()) >= options.threads:
        begin, calls = first, left
        pid = forked(lambda: record(home, ledger, begin, options, calls))  # noqa: B023 - at once
        stop_at = kills.pop(0) if kills else None
        while os.waitpid(pid, os.WNOHANG)[0] == 0:
            # At any moment within the call, not just after it has been counted.
            time.sleep(chance.uniform(0.001, 0.05))
            ended = ledger.ended()
            million = ended // 1_000_000
            if million not in memory and (held := resident(pid)):
                memory[million] = held
                print(f"{ended:>12,} calls  {held:6.1f} MB", flush=True)
            if stop_at is not None and ended >= stop_at:
                os.kill(pid, signal.SIGKILL)
            if folding is None or folding.poll() is not None:
                folding = subprocess.Popen(fold, stdout=subprocess.DEVNULL)
        first += options.threads
    if folding is not None:
        folding.wait()
    seconds = time.monotonic() - started
    print(f"{ledger.ended():,} calls in {seconds:.0f} s, {options.kills} processes killed")
    sys.exit(verdict(audit(home, ledger)))


if __name__ == "__main__":
    main()
