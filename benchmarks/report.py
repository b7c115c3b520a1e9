"""Reports as whole processes, on stores of growing size, beside a process that imports DuckDB.

    python benchmarks/report.py [--calls 1000000 10000000] [--rounds 7] [--homes FOLDER]

A store is made by ``generate.py`` and folded, unless it is in FOLDER from the last time. The
processes take turns; medians of CPU time and of time, and the most memory that any held. ``growth``
is the CPU time over that at the size before. The goals, at 100 million calls: 2.5 times ``import
duckdb``, 1.5 times the CPU time of 10 million, 300 MB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from fold import files_of
from timing import Spent, alternate, load, python, run

HERE: Final = Path(__file__).parent
COMMAND: Final = [sys.executable, "-m", "agenttrace"]
TASKS: Final = """
import json, sys
sys.path.insert(0, sys.argv[1])
import generate
print(json.dumps(generate.tasks(int(sys.argv[2]), int(sys.argv[3]))))
"""
OTHERS: Final = ("models", "compare", "outcomes", "hidden", "trend", "claims")
MIDDLE: Final = 1_000  # calls in a task of middling size


def make(home: Path, calls: int, seed: int) -> None:
    """Generate the store and fold it."""
    numbers = ["--calls", str(calls), "--seed", str(seed)]
    subprocess.run([sys.executable, HERE / "generate.py", *numbers, "--home", home], check=True)
    took = run([*COMMAND, "--store", str(home), "store", "fold"])
    print(
        f"roll-ups of {calls:,} calls: {took.cpu_ms / 1000:.0f} s CPU, "
        f"{1000 * took.cpu_ms / calls:.1f} us a call, at most {took.peak_mb:.0f} MB",
        flush=True,
    )


def reports(home: Path, calls: int, seed: int) -> dict[str, list[str]]:
    """Return the commands to time, by what they are called."""
    asked = [*COMMAND, "--store", str(home), "report"]
    # In a process of its own: this one stays small (see timing.run).
    found = subprocess.check_output(python(TASKS, str(HERE), str(calls), str(seed)))
    tasks: list[tuple[str, int]] = json.loads(found)
    chosen = (tasks[0], min(tasks, key=lambda task: abs(task[1] - MIDDLE)), tasks[-1])
    commands = {"import duckdb": python("import duckdb"), "report": asked}
    for task_id, size in chosen:
        commands[f"report task, {size:,} calls"] = [*asked, "task", task_id]
    for name in OTHERS:
        other = [*asked, name]
        # An earlier version, to compare with, may not have it yet.
        if subprocess.run([*other, "--help"], capture_output=True, check=False).returncode == 0:
            commands[f"report {name}"] = other
    return commands


def show(calls: int, spent: dict[str, Spent], before: dict[str, Spent]) -> None:
    """Print the figures at one size, with the growth since the size before."""
    floor = spent["import duckdb"].cpu_ms
    print(f"\n{calls:,} calls; {load()}")
    print(f"{'process':32} CPU ms  wall ms  x import duckdb  growth   MB")
    # The middle task is another one at each size, and counts as the same.
    earlier = dict(zip(spent, before.values(), strict=False))
    for name, one in spent.items():
        growth = f"{one.cpu_ms / earlier[name].cpu_ms:6.2f}" if name in earlier else "     -"
        print(
            f"{name:32} {one.cpu_ms:6.0f} {one.wall_ms:8.0f} {one.cpu_ms / floor:16.2f} "
            f" {growth} {one.peak_mb:4.0f}",
            flush=True,
        )


def sizes(home: Path, calls: int) -> None:
    """Say how many bytes a call takes."""
    lake = sum(Path(file).stat().st_size for file in files_of(home))
    summed = (home / "store.duckdb").stat().st_size
    print(f"bytes a call: lake {lake / calls:.1f}, store.duckdb {summed / calls:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--homes", type=Path, help="where the stores are kept for another time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agenttrace-report-") as temporary:
        before: dict[str, Spent] = {}
        for calls in sorted(options.calls):
            home = (options.homes or Path(temporary)) / f"{calls}-{options.seed}"
            if not (home / "store.duckdb").exists():
                make(home, calls, options.seed)
            spent = alternate(reports(home, calls, options.seed), options.rounds)
            show(calls, spent, before)
            sizes(home, calls)
            before = spent


if __name__ == "__main__":
    main()
