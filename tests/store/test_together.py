import subprocess
import sys
from pathlib import Path

TOGETHER = Path(__file__).parents[2] / "benchmarks" / "together.py"


def test_processes_that_record_fold_and_read_at_once_get_along(home: Path) -> None:
    numbers = ["--processes", "3", "--threads", "3", "--calls", "50", "--pause", "0.02"]
    command = [sys.executable, str(TOGETHER), *numbers, "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
