"""Fresh processes that take turns: their CPU time, their time, and the memory that they held."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Spent(NamedTuple):
    """What a process, or the median of several, took.

    Attributes:
        cpu_ms: Milliseconds of CPU, user and system, with the children that it waited for.
        wall_ms: Milliseconds from its start to its end.
        peak_mb: The most memory that it held, in MB of 1,000,000 bytes.
    """

    cpu_ms: float
    wall_ms: float
    peak_mb: float


def run(command: Sequence[str], environ: Mapping[str, str] | None = None) -> Spent:
    """Run *command* once and throw away what it prints.

    Raises:
        CalledProcessError: It failed.
    """
    start = time.perf_counter()
    # Popen.wait() would not tell of the memory. Before exec() a child counts as large as this
    # process, so a benchmark itself imports little.
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, **(environ or {})}
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    unit = 1 if sys.platform == "darwin" else 1024
    cpu = usage.ru_utime + usage.ru_stime
    return Spent(cpu * 1000, wall * 1000, usage.ru_maxrss * unit / 1e6)


def cpu_ms(command: Sequence[str], environ: Mapping[str, str] | None = None) -> float:
    """Run *command* once; returns its CPU milliseconds, user and system."""
    return run(command, environ).cpu_ms


def alternate(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Spent]:
    """Run every command once a round, in turn; returns what :func:`median` says of each."""
    seen: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seen[name].append(run(command, environ))
    return {name: median(times) for name, times in seen.items()}


def median(times: Sequence[Spent]) -> Spent:
    """Return the median of each time, and the highest peak."""
    return Spent(
        statistics.median(one.cpu_ms for one in times),
        statistics.median(one.wall_ms for one in times),
        max(one.peak_mb for one in times),
    )


def medians(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    environ: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Run every command once a round, in turn; returns the median CPU milliseconds of each."""
    return {name: one.cpu_ms for name, one in alternate(commands, rounds, environ).items()}


def python(program: str, *arguments: str) -> list[str]:
    """Return the command that runs *program* in a fresh interpreter."""
    return [sys.executable, "-c", program, *arguments]


def load() -> str:
    """Return what else the machine is doing, to stand beside the figures."""
    one, five, _ = os.getloadavg()
    return f"{os.cpu_count()} cores, load {one:.1f} (1 min) {five:.1f} (5 min)"
