"""The store that benchmarks are run on is one that recorders and the fold could have made."""

import subprocess
import sys
from pathlib import Path

import duckdb

GENERATE = Path(__file__).parents[1] / "benchmarks" / "generate.py"
WRITER = {"service_name", "host", "pid"}  # of the spool, one process


def generated(home: Path, *options: str) -> Path:
    command = [sys.executable, str(GENERATE), "--calls", "2000", "--home", str(home), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home


def rows(home: Path) -> list[tuple[object, ...]]:
    files = [str(path) for path in (home / "lake").rglob("*.parquet")]
    lake = duckdb.read_parquet(files, hive_partitioning=False)
    names = ", ".join(name for name in lake.columns if name not in WRITER)
    return lake.project(names).order("span_id").fetchall()


def test_the_same_seed_generates_the_same_store(tmp_path: Path) -> None:
    assert rows(generated(tmp_path / "one")) == rows(generated(tmp_path / "two"))


def test_a_generated_lake_is_what_the_fold_makes_of_the_same_spool(tmp_path: Path) -> None:
    lake = generated(tmp_path / "lake")
    spool = generated(tmp_path / "spool", "--spool")
    command = [sys.executable, "-m", "agenttrace", "--store", str(spool), "store", "fold"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert rows(spool) == rows(lake)
