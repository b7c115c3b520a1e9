"""Ten million calls in one task, recorded by processes that are killed at random moments.

    python benchmarks/soak.py [--calls 10000000] [--kills 20] [--threads 1] [--seed 1]

A child records calls into one task, as fast as it can, and counts each in shared memory when it has
ended. It is killed with SIGKILL at random moments and another takes over, while the store is folded
now and then. At the end every call that had ended must be in the store once; there is no flush
interval, so nothing is taken off. Prints how the child's memory went, and what the store says.
"""

import argparse
import mmap
import multiprocessing
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

TASK: Final = "one task"
MODEL: Final = "gpt-5-2025-08-07"
COUNTER: Final = struct.Struct("<Q")
LINE: Final = 64  # bytes between counters of threads
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def record(home: str, shared: mmap.mmap, calls: int, threads: int) -> None:
    """Record *calls* calls in this process; each thread counts those that it has ended."""
    import agenttrace
    from agenttrace import TokenUsage, semconv

    agenttrace.configure(home, service_name="soak")
    usage = TokenUsage(1200, 300, cache_read_tokens=1024, reasoning_tokens=64, state="reported")
    asked = {
        semconv.OPERATION_NAME: semconv.CHAT,
        semconv.PROVIDER_NAME: "openai",
        semconv.REQUEST_MODEL: "gpt-5",
        semconv.CAPTURE: "wire",
        semconv.SERVER_ADDRESS: "api.openai.com",
        semconv.ATTEMPT: 1,
    }
    answered = {
        semconv.RESPONSE_MODEL: MODEL,
        semconv.HTTP_STATUS: 200,
        semconv.OUTCOME: "complete",
    }

    def work(number: int) -> None:
        place = number * LINE
        with agenttrace.agent("worker"):
            for done in range(1, calls // threads + 1):
                call = agenttrace.start("inference", MODEL, attributes=asked)
                call.set(answered)
                call.usage(usage)
                call.stop()
                COUNTER.pack_into(shared, place, done)

    with agenttrace.task(TASK, id="soak"):
        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def ended(shared: mmap.mmap, threads: int) -> int:
    """Calls that the child has ended so far."""
    return sum(COUNTER.unpack_from(shared, number * LINE)[0] for number in range(threads))


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
    parser.add_argument("--home", default=None)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    home = options.home or tempfile.mkdtemp(prefix="agenttrace-soak-")
    fork = multiprocessing.get_context("fork")
    fold = [sys.executable, "-m", "agenttrace", "--store", home, "store", "fold"]
    kills = sorted(chance.randrange(options.calls) for _ in range(options.kills))
    counted = 0
    memory: dict[int, float] = {}
    folding: subprocess.Popen[bytes] | None = None
    started = time.monotonic()
    while counted < options.calls:
        shared = mmap.mmap(-1, PAGE)
        left = options.calls - counted
        child = fork.Process(target=record, args=(home, shared, left, options.threads))
        child.start()
        stop_at = kills.pop(0) - counted if kills else left + 1
        base = counted
        while child.is_alive():
            # At any moment within the call, not just after it has been counted.
            time.sleep(chance.uniform(0.001, 0.05))
            now = ended(shared, options.threads)
            million = (base + now) // 1_000_000
            if now and million not in memory and child.pid and (held := resident(child.pid)):
                memory[million] = held
                print(f"{base + now:>12,} calls  {held:6.1f} MB", flush=True)
            if now >= stop_at and child.pid:
                os.kill(child.pid, signal.SIGKILL)
            if folding is None or folding.poll() is not None:
                folding = subprocess.Popen(fold, stdout=subprocess.DEVNULL)
        child.join()
        counted += ended(shared, options.threads)
    if folding is not None:
        folding.wait()
    seconds = time.monotonic() - started
    print(f"{counted:,} calls ended in {seconds:.0f} s, {options.kills} processes killed")
    check(home, counted, options)


def check(home: str, counted: int, options: argparse.Namespace) -> None:
    """Say what the store holds; exits with 1 if a call is missing or there twice."""
    import agenttrace

    with agenttrace.read(home) as reader:
        ((rows, distinct, tokens),) = reader.table(
            "SELECT count(*), count(DISTINCT call_id), sum(input_tokens) FROM model_call"
        ).rows
        ((tasks,),) = reader.table("SELECT count(*) FROM task").rows
    # A call may have ended in the instant between its record and its count.
    spare = options.kills * options.threads
    fine = rows == distinct and counted <= rows <= counted + spare and tokens == rows * 1200
    size = sum(path.stat().st_size for path in Path(home, "lake").rglob("*.parquet"))
    print(f"store: {rows:,} calls, {distinct:,} distinct, {tasks} task, {size / rows:.1f} B each")
    print("nothing is lost, nothing is there twice" if fine else "WRONG")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
