"""CPU time of fresh processes that take turns: what start-up and reports are measured with."""

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence


def cpu_ms(command: Sequence[str], environ: Mapping[str, str] | None = None) -> float:
    """Run *command* once; returns its CPU milliseconds, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, stdout=subprocess.DEVNULL, check=True, env={**os.environ, **(environ or {})}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent * 1000


def medians(
    commands: Mapping[str, Sequence[str]],
    rounds: int,
    environ: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Run every command once a round, in turn; returns the median CPU milliseconds of each."""
    seen: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            seen[name].append(cpu_ms(command, environ))
    return {name: statistics.median(times) for name, times in seen.items()}


def python(program: str) -> list[str]:
    """Return the command that runs *program* in a fresh interpreter."""
    return [sys.executable, "-c", program]
