"""``agenttrace demo``: run a real multi-agent program, report it, and check the report.

``program`` is the program, ``replies`` what its models say, and ``comparison`` holds what was
recorded against the ledger of the local provider (``agenttrace.testing``) that answered it.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace import config
from agenttrace.errors import AgentTraceError, ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from rich.console import Console

    from agenttrace.demo.comparison import Comparison
    from agenttrace.testing import Billed

_NEEDED: Final = ("anthropic", "langchain", "langchain_anthropic", "langchain_openai", "langgraph")

# What is set for the user's own programs must not reach the demo's, nor its spans their backend.
_NOT_FOR_THE_DEMO: Final = (
    "AGENTTRACE_",
    "ANTHROPIC_",
    "LANGCHAIN_",
    "LANGSMITH_",
    "OPENAI_",
    "OTEL_",
    "TRACEPARENT",
    "TRACESTATE",
    "BAGGAGE",
)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the demo's program.

    Attributes:
        ledger: What the provider billed.
        attempts: Requests that reached the provider.
        framework_calls: Answers that LangChain's own counter was told of.
        framework_tokens: Input and output of these.
    """

    ledger: "tuple[Billed, ...]"
    attempts: int
    framework_calls: int
    framework_tokens: int


def run(home: "str | os.PathLike[str] | None", console: "Console") -> "Comparison":
    """Run the program, print the report of its store, and compare it with the ledger.

    Args:
        home: Folder to record into, new or empty; default a fresh temporary one, which is kept,
            so that the user's own data stay as they are.
        console: Where to print.

    Raises:
        MissingDependencyError: A package of the extra ``demo`` is not installed.
        ConfigError: *home* holds data already.
        AgentTraceError: The program failed, or the counts are not the provider's.
    """
    _check_installed()
    folder = _folder(home)
    with console.status("A team of agents answers a question about tea ..."):
        done = play(folder)
    compared = _report(folder, done, console)
    if not compared.exact:
        raise AgentTraceError(
            f"the demo's count is wrong. What was recorded is in {folder}: please report it."
        )
    return compared


def _report(folder: Path, done: Run, console: "Console") -> "Comparison":
    from agenttrace.demo.comparison import sentence
    from agenttrace.reader import Reader
    from agenttrace.report.overview import overview
    from agenttrace.report.text import to_text

    with Reader(folder) as reader:
        console.file.write(f"{to_text(overview(reader), console)}\n")
        compared = compare(reader.query("model_call"), done)
        largest = reader.query("FROM task_tokens ORDER BY input_tokens DESC LIMIT 1")
    store = f"{_command()} --store {folder}"
    console.print(f"\n{sentence(compared)}\n")
    console.print("Look around:", style="bold")
    console.print(f"  {store} report task {str(largest[0]['task_id'])[:12]}", soft_wrap=True)
    console.print(f"  {store} query model_call", soft_wrap=True)
    return compared


def _command() -> str:
    """Return what to type for ``agenttrace`` here, where the environment may not be active."""
    called = Path(sys.argv[0])
    if shutil.which("agenttrace") or called.name != "agenttrace":
        return "agenttrace"
    return str(called)


def play(home: Path) -> Run:
    """Run the program against a provider of its own, recording into *home*."""
    from agenttrace.demo import replies
    from agenttrace.testing import Failure, ModelProvider

    # Whatever is not in the script is a mistake in it.
    with ModelProvider(default=Failure(400)) as provider:
        replies.play(provider)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_NOT_FOR_THE_DEMO)
        }
        environment |= provider.env() | {config.HOME_VARIABLE: str(home)}
        program = subprocess.run(
            [sys.executable, "-m", "agenttrace.demo.program"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if program.returncode:
        sys.stderr.write(program.stderr)
        raise AgentTraceError(
            f"the demo's program failed with exit status {program.returncode}: see above"
        )
    seen = json.loads(program.stdout)
    tokens = sum(one["total_tokens"] for one in seen["models"].values())
    return Run(provider.ledger, len(provider.requests), seen["calls"], tokens)


def compare(calls: "list[dict[str, object]]", done: Run) -> "Comparison":
    """Compare the rows of ``model_call`` with the ledger of the run they were recorded in."""
    from agenttrace.demo.comparison import Seen, compare

    return compare(
        calls,
        done.ledger,
        attempts=done.attempts,
        framework=Seen(done.framework_calls, done.framework_tokens),
    )


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependencyError(
            f"the demo needs packages that are not installed ({', '.join(missing)}). "
            'In a checkout: pip install -e ".[demo]"'
        )


def _folder(home: "str | os.PathLike[str] | None") -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="agenttrace-demo-"))
    folder = config.load(home).home
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(
            f"{folder} holds something already, and the demo would mix with it. "
            "Name a new folder with --store, or none."
        )
    return folder
