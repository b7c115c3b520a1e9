"""What importing and configuring agenttrace costs, in fresh processes that take turns.

    python benchmarks/start_up.py [--rounds 21]

The goal: ``import agenttrace`` takes at most 1.3 times ``import opentelemetry.trace``.
"""

import argparse
import tempfile

from timing import medians, python

COLUMNS = {
    "pass": "pass",
    "import opentelemetry.trace": "import opentelemetry.trace",
    "import agenttrace": "import agenttrace",
    "the decorators": "from agenttrace import agent, task, tool",
    "configure()": "import agenttrace; agenttrace.configure()",
    "import opentelemetry.sdk.trace": "import opentelemetry.sdk.trace",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    commands = {name: python(program) for name, program in COLUMNS.items()}
    with tempfile.TemporaryDirectory() as home:
        spent = medians(commands, options.rounds, {"AGENTTRACE_HOME": home})
    floor = spent["import opentelemetry.trace"]
    print(f"{'fresh process':34} CPU ms   x import opentelemetry.trace")
    for name, ms in spent.items():
        print(f"{name:34} {ms:6.1f} {ms / floor:10.2f}")


if __name__ == "__main__":
    main()
