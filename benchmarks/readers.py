"""The lake read without agenttrace: the same sums by DuckDB, polars, ClickHouse and Spark.

    python benchmarks/readers.py [--home HOME | --calls 1000000] [--rounds 3]

Each reader is a process of its own that groups all inference spans by day, provider and model, and
sums nine columns. Those that are not installed are left out: polars, chdb (ClickHouse in a process)
and pyspark, which needs Java. The goal: every sum is equal to that of agenttrace.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

GROUPS: Final = 3  # columns before the sums: day, provider, model
SUMS: Final = (
    "duration_ns",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "input_image_tokens",
    "output_audio_tokens",
)
LAKE: Final = "lake/spans/date=*/*.parquet"

Rows = list[list[Any]]


def _select(source: str, day: str) -> str:
    """Return the query: all four speak so much SQL; *day* is how they say the day, as text."""
    groups = f"{day}, provider, coalesce(response_model, request_model)"
    sums = ", ".join(f"sum({name})" for name in SUMS)
    return (
        f"SELECT {groups}, count(*), {sums} FROM {source} "
        f"WHERE kind = 'inference' GROUP BY {groups}"
    )


def with_agenttrace(home: Path) -> Rows:
    """Sum what ``agenttrace`` takes for its spans; not the roll-ups, which have no days."""
    from agenttrace.store import Store

    with Store.open(home) as store:
        found = store.connection.execute(_select("span", "started_at::DATE::VARCHAR"))
        return [list(row) for row in found.fetchall()]


def with_duckdb(home: Path) -> Rows:
    """Sum with DuckDB, on the wildcard that the guide shows."""
    import duckdb

    lake = f"read_parquet('{home / LAKE}', hive_partitioning = true)"
    with duckdb.connect() as connection:
        found = connection.execute(_select(lake, "date::VARCHAR"))
        return [list(row) for row in found.fetchall()]


def with_polars(home: Path) -> Rows:
    """Sum with polars; a sum of nothing is 0 there, and has to be made NULL."""
    pl: Any = import_module("polars")  # untyped, for it need not be here
    sums = [pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in SUMS]
    found = (
        pl.scan_parquet(home / LAKE, hive_partitioning=True)
        .filter(pl.col("kind") == "inference")
        .group_by(
            pl.col("date").cast(pl.String),
            "provider",
            pl.coalesce("response_model", "request_model").alias("model"),
        )
        .agg(pl.len().alias("calls"), *sums)
        .collect()
    )
    return [list(row) for row in found.rows()]


def with_clickhouse(home: Path) -> Rows:
    """Sum with ClickHouse, as chdb; the day is part of the path."""
    chdb: Any = import_module("chdb")
    settings = " SETTINGS output_format_json_quote_64bit_integers = 0, use_hive_partitioning = 1"
    query = _select(f"file('{home / LAKE}', Parquet)", "toString(date)") + settings
    answer = str(chdb.query(query, "JSONCompactEachRow"))
    return [json.loads(line) for line in answer.splitlines()]


def with_spark(home: Path) -> Rows:
    """Sum with Spark, two executors' worth of threads in this process."""
    spark: Any = import_module("pyspark.sql")
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        spark.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(str(home / "lake" / "spans")).createOrReplaceTempView("lake")
    rows = session.sql(_select("lake", "CAST(date AS STRING)")).collect()
    session.stop()
    return [list(row) for row in rows]


READERS: Final[dict[str, tuple[str, Callable[[Path], Rows]]]] = {
    "agenttrace": ("agenttrace", with_agenttrace),
    "DuckDB": ("duckdb", with_duckdb),
    "polars": ("polars", with_polars),
    "ClickHouse": ("chdb", with_clickhouse),
    "Spark": ("pyspark", with_spark),
}


def sums(name: str, home: Path) -> tuple[Rows, float]:
    """Let a reader sum in a process of its own; returns its rows in order, and wall seconds."""
    started = time.perf_counter()
    words = [sys.executable, __file__, "--home", str(home), "--only", name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    seconds = time.perf_counter() - started
    rows: Rows = json.loads(done.stdout.splitlines()[-1])
    return sorted(rows, key=json.dumps), seconds


def compare(home: Path, rounds: int) -> bool:
    """Print a row for each reader that is installed; returns whether all of them are equal."""
    installed = [name for name, (module, _) in READERS.items() if find_spec(module)]
    times: dict[str, list[float]] = {name: [] for name in installed}
    found: dict[str, Rows] = {}
    for _ in range(rounds):
        for name in installed:
            found[name], seconds = sums(name, home)
            times[name].append(seconds)
    expected = found[installed[0]]
    spans = sum(row[GROUPS] for row in expected)
    print(f"{spans:,} spans, {len(expected)} groups, {len(SUMS) + 1} sums of each; wall seconds")
    print(f"of a whole process, median of {rounds}; {os.cpu_count()} cores\n")
    print(f"{'reader':12} {'sums':>10} {'seconds':>9}")
    for name in installed:
        seconds = sorted(times[name])[rounds // 2]
        equal = "equal" if found[name] == expected else "NOT EQUAL"
        print(f"{name:12} {equal:>10} {seconds:9.2f}")
    for name in READERS.keys() - found.keys():
        print(f"{name:12} {'not here':>10}")
    return all(rows == expected for rows in found.values())


def main(words: Sequence[str] | None = None) -> None:
    """Compare, or be one of the readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a folder of agenttrace; generated if not given")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=READERS, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.only:
        print(json.dumps(READERS[options.only][1](options.home)))
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        if options.home is None:
            from generate import write_lake

            write_lake(home, options.calls)
        if not compare(home, options.rounds):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
