"""Pricing of every task with its range, beside the plain sum of the same columns in DuckDB.

    python benchmarks/pricing.py [--calls 10000000] [--tasks 100000] [--rounds 5]

The floor is ``SELECT task_id, sum(...) GROUP BY task_id`` over the token columns of every call.
Each task is priced with the query ``task_energy``: energy, low and high over all draws, and with
carbon and water as well. *Roll-up* is what a report does: the fold has summed the moments of each
task, so the number of calls no longer matters. *Calls* sums them first. All have one thread, run in
fresh processes and take turns; CPU time without start-up, medians. The goal: at most three times
the floor.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from timing import load, python

MODELS: Final = (
    "claude-sonnet-4-5", "claude-haiku-4-5", "claude-opus-4-1", "gpt-5", "gpt-5-mini", "gpt-4o",
    "gemini-2.5-pro", "deepseek-chat",
)  # fmt: skip
"""Each task uses two that lie side by side."""

MAKE: Final = """
CREATE TABLE call AS
SELECT
    md5((i % {tasks})::VARCHAR) AS task_id,
    NULL::VARCHAR AS region,
    'openai' AS provider,
    list_value({models})[(1 + (i % {tasks} + hash(i) % 2) % {many})::BIGINT] AS model,
    (hash(i, 'u') % 2000)::BIGINT AS n_u,
    (hash(i, 'c') % 120000)::BIGINT AS n_c,
    (hash(i, 'o') % 900)::BIGINT AS n_o
FROM range({calls}) AS calls (i);
CREATE TABLE task_total AS {sums}
"""
SUMS: Final = """
SELECT
    task_id,
    region,
    provider,
    model,
    count(*) AS calls,
    0 AS unpriced_calls,
    count(*) AS input_tokens_calls,
    sum(n_u)::BIGINT AS uncached,
    sum(n_u::HUGEINT * (2 * n_c + n_u)) AS uncached_context_x2,
    sum(n_c)::BIGINT AS cached,
    sum(n_o)::BIGINT AS output,
    sum(n_o::HUGEINT * (2 * (n_c + n_u) + n_o)) AS output_context_x2,
    count(*) AS output_calls
FROM {calls}
GROUP BY ALL
"""
MEASURE: Final = """
import resource, sys, time
import duckdb
from agenttrace import energy, rollup
from agenttrace.energy.tables import NONE

file, setup, statement = sys.argv[1:]
connection = duckdb.connect(config={"threads": "1"})
connection.execute("SET enable_progress_bar = false")
connection.execute(f"ATTACH '{file}' AS recorded (READ_ONLY)")
if setup:
    models = connection.sql("SELECT DISTINCT provider, model FROM recorded.call").fetchall()
    start = time.process_time()
    energy.define(connection, models=models, regions=[("openai", None)])
    print("tables", time.process_time() - start, file=sys.stderr)
    definitions = rollup.Definitions(connection, rollup.folders())
    for name, columns in NONE.items():
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({listed})")
        definitions.give(name)
    connection.execute(f"CREATE VIEW task_total AS {setup}")
    definitions.give("task_total")
    definitions.define("task_energy")
start = time.process_time()
connection.execute(f"CREATE TEMP TABLE answer AS {statement}")
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
ENERGY: Final = "SELECT task_id, energy_low_wh, energy_wh, energy_high_wh FROM task_energy"
FLOOR: Final = "the plain sum"


class Case(NamedTuple):
    """What is measured.

    Attributes:
        setup: SQL for the sums per task; empty for the plain sum.
        statement: What is timed.
    """

    setup: str
    statement: str


CASES: Final = {
    FLOOR: Case(
        "",
        "SELECT task_id, sum(n_u), sum(n_c), sum(n_o) FROM recorded.call GROUP BY task_id",
    ),
    "energy, from the roll-up": Case("FROM recorded.task_total", ENERGY),
    "with carbon and water": Case("FROM recorded.task_total", "FROM task_energy"),
    "energy, from the calls": Case(SUMS.format(calls="recorded.call"), ENERGY),
}


def make(file: Path, calls: int, tasks: int) -> None:
    """Write *calls* in *tasks* tasks to a database."""
    sql = MAKE.format(
        calls=calls,
        tasks=tasks,
        models=", ".join(f"'{model}'" for model in MODELS),
        many=len(MODELS),
        sums=SUMS.format(calls="call"),
    )
    program = (
        "import sys, duckdb; connection = duckdb.connect(sys.argv[1]); "
        "connection.execute('SET enable_progress_bar = false'); connection.execute(sys.argv[2])"
    )
    subprocess.run(python(program, str(file), sql), check=True)


def spent(file: Path, case: Case) -> tuple[float, float]:
    """Return the CPU seconds of a case, and the most memory its process held, in MB."""
    command = python(MEASURE, str(file), case.setup, case.statement)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, peak = said.split()
    unit = 1 if sys.platform == "darwin" else 1024
    return float(seconds), float(peak) * unit / 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the calls, let the cases take turns, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000_000)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "calls.duckdb"
        make(file, asked.calls, asked.tasks)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in CASES}
        for _ in range(asked.rounds):
            for name, case in CASES.items():
                seen[name].append(spent(file, case))
    floor = statistics.median(seconds for seconds, _ in seen[FLOOR])
    print(f"{asked.calls:,} calls in {asked.tasks:,} tasks; {load()}")
    print(f"{'':26} {'CPU s':>7} {'floor':>7} {'peak MB':>8}")
    for name, times in seen.items():
        seconds = statistics.median(seconds for seconds, _ in times)
        peak = max(peak for _, peak in times)
        print(f"{name:26} {seconds:7.2f} {seconds / floor:6.1f}x {peak:8,.0f}")


if __name__ == "__main__":
    main()
