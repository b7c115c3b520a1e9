import subprocess
import sys
from pathlib import Path

KILLS = Path(__file__).parents[2] / "benchmarks" / "kills.py"


def test_kill_9_of_recorders_and_folds_loses_no_call_that_had_ended(home: Path) -> None:
    command = [sys.executable, str(KILLS), "--kills", "25", "--home", str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # A fold that dies before it publishes leaves a file, which the next one says and puts aside.
    said = [line for line in done.stderr.splitlines() if " belongs to no store " not in line]
    assert (done.returncode, said) == (0, []), done.stdout + done.stderr
