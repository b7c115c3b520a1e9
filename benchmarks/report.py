"""The report on 100,000 spans in 10,000 tasks: the fold, and the answer at the terminal.

    python benchmarks/report.py [--tasks 10000] [--rounds 7]

The report is a whole process, from the command to the last line; the floor is a process that only
imports DuckDB. The goal: the answer in under half a second.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec
from timing import cpu_ms, medians, python

from agenttrace import semconv
from agenttrace.record.spool import Spool

CALLS_PER_TASK = 8
MODELS = (("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("anthropic", "claude-sonnet-5"))


def fill(home: Path, tasks: int) -> int:
    """Write *tasks* tasks of ten spans each into the spool; returns the number of spans."""
    spool = Spool(home / "spool", "benchmark")
    chance = random.Random(7)
    encode = msgspec.json.Encoder().encode
    now = time.time_ns() - tasks * 1_000_000_000
    spans = 0
    for task in range(tasks):
        trace_id = f"{chance.getrandbits(128):032x}"
        task_span, agent_span = (f"{chance.getrandbits(64):016x}" for _ in range(2))
        place: dict[str, str | int] = {semconv.TASK_ID: trace_id, semconv.ROLE: "main"}
        agent: dict[str, str | int] = {
            semconv.AGENT_NAME: "worker",
            semconv.AGENT_SPAN_ID: agent_span,
        }
        begun = now + task * 1_000_000_000
        named: dict[str, str | int] = {semconv.TASK_NAME: f"task {task % 50}"}
        structure = (
            (task_span, None, "task", named),
            (agent_span, task_span, "agent", agent),
        )
        lines = [
            (span_id, parent, kind, {**place, **more, semconv.KIND: kind})
            for span_id, parent, kind, more in structure
        ]
        for _ in range(CALLS_PER_TASK):
            provider, model = chance.choice(MODELS)
            cached = chance.randrange(100_000)
            call = {
                **place,
                **agent,
                semconv.AGENT_DEPTH: 1,
                semconv.KIND: "inference",
                semconv.OPERATION_NAME: semconv.CHAT,
                semconv.PROVIDER_NAME: provider,
                semconv.RESPONSE_MODEL: model,
                semconv.RESPONSE_ID: f"r-{chance.getrandbits(64):x}",
                semconv.CAPTURE: "wire",
                semconv.USAGE: "reported",
                semconv.ATTEMPT: 1,
                semconv.INPUT_TOKENS: cached + chance.randrange(5000),
                semconv.CACHE_READ_TOKENS: cached,
                semconv.OUTPUT_TOKENS: chance.randrange(1000),
            }
            lines.append((f"{chance.getrandbits(64):016x}", agent_span, "inference", call))
        for span_id, parent, name, attributes in lines:
            record = {
                "trace_id": trace_id,
                "span_id": span_id,
                "parent_span_id": parent,
                "name": name,
                "start_ns": begun,
                "end_ns": begun + 900_000_000,
                "status": "ok",
                "scope": "agenttrace",
                "attributes": attributes,
            }
            spool.append(encode(record) + b"\n")
            spans += 1
    spool.close()
    return spans


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environ = {"AGENTTRACE_HOME": folder}
        spans = fill(home, options.tasks)
        command = [sys.executable, "-m", "agenttrace.cli"]
        help_ms = cpu_ms([*command, "--help"])
        fold_ms = cpu_ms([*command, "store", "fold"], environ) - help_ms
        size = sum(path.stat().st_size for path in home.rglob("*.parquet"))
        print(
            f"{spans:,} spans: fold {fold_ms:.0f} ms CPU, {1000 * fold_ms / spans:.1f} us a span,"
        )
        print(f"{size / spans:.1f} bytes a span in the lake\n")
        commands = {
            "import duckdb": python("import duckdb"),
            "agenttrace --help": [*command, "--help"],
            "agenttrace report": [*command, "report"],
            "agenttrace report --format json": [*command, "report", "--format", "json"],
            "agenttrace query totals": [*command, "query", "totals"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.rounds):
            for name, words in commands.items():
                start = time.perf_counter()
                cpu_ms(words, environ)
                times[name].append((time.perf_counter() - start) * 1000)
        spent = medians(commands, options.rounds, environ)
        print(f"{'process':34} CPU ms   wall ms   x import duckdb   ({os.cpu_count()} cores)")
        for name, ms in spent.items():
            wall = sorted(times[name])[len(times[name]) // 2]
            print(f"{name:34} {ms:6.0f} {wall:9.0f} {ms / spent['import duckdb']:16.2f}")


if __name__ == "__main__":
    main()
