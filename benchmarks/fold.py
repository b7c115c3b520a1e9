"""The fold beside DuckDB's own insert of the same rows, and what a call takes on the disk.

    python benchmarks/fold.py [--calls 1000000] [--rounds 5] [--columns]

The fold is a whole process that reads the spool and leaves the lake and the roll-ups; what a fold
of nothing takes is taken off. The floor is what DuckDB takes to insert the rows that are in the
lake then, from an Arrow table in memory, into a table of the same columns in a file, and to write
that file; it neither parses nor sums. Copying the bytes of the spool stands beside them. All have
one thread and take turns; CPU time, medians. ``--columns`` says which columns of the lake take the
most. The goals: at most twice the insert; 30 bytes a call in the lake and 1 in the roll-ups.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from timing import Spent, load, median, python, run

INSERT: Final = """
import sys, time
import duckdb
database, *files = sys.argv[1:]
connection = duckdb.connect(database, config={"threads": "1"})
connection.execute("SET memory_limit = '16GB'; SET enable_progress_bar = false")
rows = connection.read_parquet(files, hive_partitioning=False).to_arrow_table()
connection.execute("CREATE TABLE span AS FROM rows LIMIT 0")
start = time.process_time()
connection.execute("INSERT INTO span FROM rows")
connection.execute("CHECKPOINT")
print(time.process_time() - start, rows.num_rows)
"""
LARGEST: Final = """
import sys
import duckdb
calls, *files = sys.argv[1:]
for name, size in duckdb.execute('''
    SELECT path_in_schema, sum(total_compressed_size) FROM parquet_metadata($1)
    GROUP BY path_in_schema ORDER BY 2 DESC LIMIT 12
''', [files]).fetchall():
    print(f"  {name:24} {size / int(calls):6.2f}")
"""
# A file whose spans have moved to another one stays for a while.
FILES: Final = """
import sys
import duckdb
with duckdb.connect(sys.argv[1], read_only=True) as store:
    for row in store.sql("SELECT file FROM part WHERE retired_at IS NULL").fetchall():
        print(*row)
"""


def spool_of(folder: Path, calls: int, seed: int) -> Path:
    """Make a spool with so many calls of one day in *folder* and return it."""
    generator = Path(__file__).with_name("generate.py")
    # A spool is folded every day at the latest, if reports are looked at.
    what = ["--calls", str(calls), "--seed", str(seed), "--days", "1", "--spool"]
    subprocess.run([sys.executable, generator, *what, "--home", folder], check=True)
    return folder / "spool"


def linked(spool: Path, home: Path) -> Path:
    """Return a new *home* with the same segments; a fold removes their names, not the bytes."""
    shutil.rmtree(home, ignore_errors=True)
    (home / "spool").mkdir(parents=True, mode=0o700)
    for segment in spool.iterdir():
        os.link(segment, home / "spool" / segment.name)
    return home


def fold(home: Path) -> Spent:
    """Fold *home* in a process of its own."""
    return run([sys.executable, "-m", "agenttrace", "--store", str(home), "store", "fold"])


def files_of(home: Path) -> list[str]:
    """Return the files of the lake that count."""
    listed = subprocess.check_output(python(FILES, str(home / "store.duckdb")), text=True)
    return [str(home / "lake" / "spans" / name) for name in listed.splitlines()]


def insert(files: Sequence[str], database: Path) -> tuple[float, int]:
    """Insert the rows of the lake into a database; returns CPU milliseconds and rows."""
    database.unlink(missing_ok=True)
    command = python(INSERT, str(database), *files)
    seconds, rows = subprocess.check_output(command, text=True).split()
    return float(seconds) * 1000, int(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--columns", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agenttrace-fold-") as name:
        folder = Path(name)
        spool = spool_of(folder / "made", options.calls, options.seed)
        home, nothing, copied = folder / "home", folder / "nothing", folder / "copied"
        folds: list[Spent] = []
        starts: list[float] = []
        inserts: list[float] = []
        copies: list[float] = []
        rows = 0
        for _ in range(options.rounds):
            folds.append(fold(linked(spool, home)))
            shutil.rmtree(nothing, ignore_errors=True)
            nothing.mkdir()
            starts.append(fold(nothing).cpu_ms)
            spent, rows = insert(files_of(home), folder / "rows.duckdb")
            inserts.append(spent)
            shutil.rmtree(copied, ignore_errors=True)
            copies.append(run(["cp", "-r", str(spool), str(copied)]).cpu_ms)
        print(f"{options.calls:,} calls, {rows:,} spans; {load()}\n")
        whole, floor = median(folds), statistics.median(inserts)
        table = {
            "insert from Arrow": floor,
            "fold": whole.cpu_ms - statistics.median(starts),
            "copy of the bytes": statistics.median(copies),
        }
        print(f"{'':20} CPU ms  us a call  us a span  x insert")
        for what, ms in table.items():
            each = [1000 * ms / number for number in (options.calls, rows)]
            print(f"{what:20} {ms:6.0f} {each[0]:10.2f} {each[1]:10.2f} {ms / floor:9.2f}")
        print(f"\nfold: {whole.wall_ms / 1000:.1f} s, at most {whole.peak_mb:.0f} MB")
        sizes(home, spool, options.calls)
        if options.columns:
            subprocess.run(python(LARGEST, str(options.calls), *files_of(home)), check=True)


def sizes(home: Path, spool: Path, calls: int) -> None:
    """Say how many bytes a call takes in the spool, the lake and the roll-ups."""
    lake = sum(Path(file).stat().st_size for file in files_of(home))
    summed = (home / "store.duckdb").stat().st_size
    written = sum(path.stat().st_size for path in spool.iterdir())
    print(f"bytes a call: spool {written / calls:.0f}, store.duckdb {summed / calls:.2f}")
    print(f"in the lake {lake / calls:.1f}")


if __name__ == "__main__":
    main()
