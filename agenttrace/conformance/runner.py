"""Run the programs: each in a process of its own, with a provider and a folder of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from agenttrace.conformance import door, tracers
from agenttrace.conformance.judge import Cell, State, judge
from agenttrace.conformance.scenarios import Scenario
from agenttrace.conformance.truth import Call, calls
from agenttrace.errors import ConfigError

Order = Literal["first", "last"]

OURS: Final = "agenttrace"
_ORDERS: Final[Sequence[Order]] = ("first", "last")

_KILLED_SECONDS: Final = 5.0  # for what is left in the pipe

# What is set for the user's own programs must not reach these, nor their spans a backend.
_NOT_FOR_THE_PROGRAMS: Final = (
    "AGENTTRACE_",
    "ANTHROPIC_",
    "AWS_",
    "AZURE_",
    "BAGGAGE",
    "GEMINI_",
    "GOOGLE_",
    "LANGCHAIN_",
    "LANGSMITH_",
    "OPENAI_",
    "OTEL_",
    "TRACEPARENT",
    "TRACESTATE",
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What is measured.

    Attributes:
        tracer: Name of the tracer that is measured; see ``tracers.load``.
        beside: Name of another one that is switched on as well.
        order: Whether that one is configured first or last.
        timeout_s: How long a program may take.
    """

    tracer: str = OURS
    beside: str | None = None
    order: Order = "first"
    timeout_s: float = 60.0

    @property
    def title(self) -> str:
        """What it is called in a table."""
        if self.beside is None:
            return self.tracer
        return ", then ".join(self.tracers)

    @property
    def tracers(self) -> tuple[str, ...]:
        """The names in the order in which they are configured."""
        if self.beside is None:
            return (self.tracer,)
        both = (self.beside, self.tracer)
        return both if self.order == "first" else both[::-1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One program under one setup.

    Attributes:
        scenario: The program.
        setup: What was measured.
        cells: A cell for each measure; none where the program did not run.
        missing: Packages that it needs and that are not installed.
        trouble: Why there are no cells, in a line; or empty.
        stderr: What the program wrote there.
    """

    scenario: Scenario
    setup: Setup
    cells: Mapping[str, Cell] = field(default_factory=dict[str, Cell])
    missing: tuple[str, ...] = ()
    trouble: str = ""
    stderr: str = ""

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why cells are not exact; the programs' reasons are about agenttrace."""
        return self.scenario.reasons if self.setup.tracer == OURS else {}

    @property
    def unexpected(self) -> tuple[str, ...]:
        """Measures that are not exact without a reason, or exact in spite of one."""
        return tuple(
            name
            for name, cell in self.cells.items()
            if (cell.state in {State.EXACT, State.NONE}) == (name in self.reasons)
        )

    @property
    def is_exact(self) -> bool:
        """Every call once, every token that the provider reported, all under the right task."""
        return bool(self.cells) and all(
            self.cells[name].state in {State.EXACT, State.NONE, State.ESTIMATED}
            for name in ("calls", "duplicates", "input", "output", "task")
        )

    @property
    def is_as_it_should_be(self) -> bool:
        """Nothing unexpected; a scenario whose packages are missing says nothing."""
        return not self.trouble and not self.unexpected


def run_all(
    scenarios: Iterable[Scenario], setups: Sequence[Setup], *, jobs: int = 2
) -> Iterator[Outcome]:
    """Run every scenario under every setup, *jobs* at a time; yield in the order given."""
    wanted = [(scenario, setup) for scenario in scenarios for setup in setups]
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run, *zip(*wanted, strict=True))


def run(scenario: Scenario, setup: Setup) -> Outcome:
    """Run one program under one setup and judge what was recorded."""
    if missing := scenario.missing:
        return Outcome(scenario, setup, missing=missing)
    with tempfile.TemporaryDirectory(prefix="agenttrace-conformance-") as temporary:
        folder = Path(temporary)
        with scenario.provider() as provider:
            program, trouble = _run(scenario, setup, folder, provider.env())
            if trouble:
                return Outcome(scenario, setup, trouble=trouble, stderr=program)
            # While it runs: it waits for what is still being sent.
            true = calls(provider)
            if trouble := _unjudgeable(true):
                return Outcome(scenario, setup, trouble=trouble, stderr=program)
        rows = tracers.load(setup.tracer).rows(folder / "measured")
    return Outcome(scenario, setup, cells=judge(true, rows), stderr=program)


def _run(
    scenario: Scenario, setup: Setup, folder: Path, provider_env: Mapping[str, str]
) -> tuple[str, str]:
    """Run the program; return what it wrote to stderr, and what went wrong or nothing."""
    command = [sys.executable, str(scenario.path)]
    with subprocess.Popen(  # noqa: S603 - our own program, with this Python
        command,
        env=_environment(setup, folder, provider_env),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as program:
        try:
            said = program.communicate(timeout=setup.timeout_s)[1]
        except subprocess.TimeoutExpired:
            return _kill(program), f"did not end within {setup.timeout_s:g} s"
        except BaseException:
            _kill(program)
            raise
    if program.returncode:
        last = said.strip().splitlines()[-1:] or ["no word"]
        return said, f"exit status {program.returncode}: {last[0]}"
    return said, ""


def _kill(program: subprocess.Popen[str]) -> str:
    """Kill the program and the processes that it has started; return what is on its stderr."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    try:
        return program.communicate(timeout=_KILLED_SECONDS)[1]
    except subprocess.TimeoutExpired as error:
        # One that has left the group still holds the pipe.
        return (error.stderr or b"").decode(errors="replace")


def _unjudgeable(true: Sequence[Call]) -> str:
    """Say what is wrong with the program itself: it has to make calls, and to mark each."""
    billed = [call for call in true if call.billed]
    if not billed:
        return "no call was billed"
    unmarked = sum(call.owner is None for call in billed)
    return f"{unmarked} of {len(billed)} calls do not say whose they are" if unmarked else ""


def _environment(setup: Setup, folder: Path, provider_env: Mapping[str, str]) -> dict[str, str]:
    for name in ("measured", "beside"):
        (folder / name).mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_NOT_FOR_THE_PROGRAMS)
    }
    return {
        **kept,
        **provider_env,
        "PYTHONPATH": tracers.search_path(),
        # A program's neighbours would stand in for modules of their names otherwise.
        "PYTHONSAFEPATH": "1",
        door.TRACERS: ",".join(setup.tracers),
        door.MEASURED: setup.tracer,
        door.FOLDER: str(folder),
    }


def setups(
    measured: Sequence[str], beside: str | None, order: str, timeout_s: float
) -> list[Setup]:
    """Return what a command line asks for: each tracer, in each order beside the other one.

    Raises:
        ConfigError: A tracer cannot be loaded, or is to be beside itself.
    """
    orders: Sequence[Order] = [one for one in _ORDERS if order in {one, "both"}]
    found = [
        Setup(tracer, beside, one, timeout_s)
        for tracer in measured or (OURS,)
        for one in (orders if beside else _ORDERS[:1])
    ]
    for name in {name for setup in found for name in setup.tracers}:
        tracers.load(name)
    if beside is not None and beside in (measured or (OURS,)):
        raise ConfigError(f"{beside} cannot be beside itself. Name another one.")
    return found
