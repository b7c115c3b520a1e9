"""Run a command inside a task, with all that its calls need to be seen."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import agenttrace
from agenttrace import command as commands
from agenttrace import config
from agenttrace.coding_agents import CODING_AGENTS
from agenttrace.errors import AgentTraceError, ConfigError
from agenttrace.launch import results, telemetry
from agenttrace.launch.copying import Copying
from agenttrace.launch.ended import Run
from agenttrace.launch.results import Results
from agenttrace.launch.telemetry import Telemetry
from agenttrace.model import Workload
from agenttrace.record.spool import Spool
from agenttrace.sources import told

if TYPE_CHECKING:
    from agenttrace.server import Found

_PYTHONS: Final = ("python", "pypy")
_ALL: Final = "all"
_STDOUT: Final = 1
_SUFFIXES: Final = (".exe", ".cmd", ".js", ".mjs")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants to run.

    Attributes:
        command: Program and arguments.
        name: Of the task; that of the program if not given.
        agent: The coding agent that it is; told by its program if not given.
        workload: Of its tasks.
        project: Of its tasks.
    """

    command: tuple[str, ...]
    name: str | None = None
    agent: str | None = None
    workload: Workload | None = None
    project: str | None = None


def run(wanted: Wanted, home: Path | None = None) -> Run:
    """Run a command to its end.

    Its streams are those of this process and signals are passed on to it. Only where an agent is
    asked for a result as JSON and that goes to no terminal, it is copied on its way.

    Args:
        wanted: The command.
        home: Folder of the data; that of the settings if not given.

    Raises:
        OSError: The command cannot be started.
        ConfigError: There is no such agent, or a setting is none.
    """
    settings = config.load(home)
    agent = agent_of(wanted)
    if which(wanted.command[0]) is None and not Path(wanted.command[0]).exists():
        # Before anything is recorded of what never ran.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), wanted.command[0])
    name = wanted.name or name_of(wanted.command)
    agenttrace.configure(
        settings.home, service_name=name, workload=wanted.workload, project=wanted.project
    )
    notes: list[str] = []
    start_ns = time.time_ns()
    try:
        with agenttrace.task(name) as task:
            environ = agenttrace.environ()
            environ.setdefault(config.INTEGRATIONS_VARIABLE, _ALL)
            with _seen(agent, settings.home, environ, notes) as how:
                command = (wanted.command[0], *how.arguments, *wanted.command[1:])
                said = Results(agent) if agent and results.is_told(agent, command) else None
                status = _run(command, telemetry.applied(how, environ), said)
                if status:
                    task.fail(f"exit status {status}")
    finally:
        agenttrace.shutdown()
    totals = said.totals if said else ()
    if totals:
        _keep(settings, totals)
    return Run(
        name=name,
        task_id=None if settings.disabled else task.task_id,
        agent=agent,
        session=said.session if said else None,
        start_ns=start_ns,
        end_ns=time.time_ns(),
        status=status,
        said=totals,
        notes=tuple(notes),
    )


def agent_of(wanted: Wanted) -> str | None:
    """Return the coding agent that a command is; None where it is none.

    Raises:
        ConfigError: The one that is named is not known.
    """
    if wanted.agent is not None:
        if wanted.agent not in CODING_AGENTS:
            raise ConfigError(
                f"no coding agent is called {wanted.agent}. Choose {', '.join(CODING_AGENTS)}."
            )
        return wanted.agent
    program = _program(wanted.command)
    return next((one.name for one in CODING_AGENTS.values() if program in one.commands), None)


def name_of(command: Sequence[str]) -> str:
    """Return what to call a run: its program, or what Python runs.

    No other argument is looked at, for a prompt may be one.
    """
    program = _program(command)
    if not program.startswith(_PYTHONS):
        return program
    arguments = iter(command[1:])
    for word in arguments:
        if word == "-m":
            return next(arguments, program)
        if word in ("-c", "-"):
            break
        if word in ("-W", "-X"):
            next(arguments, None)
        elif not word.startswith("-"):
            return Path(word).name
    return program


def _program(command: Sequence[str]) -> str:
    name = Path(command[0]).name
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name


@contextmanager
def _seen(
    agent: str | None, home: Path, environ: Mapping[str, str], notes: list[str]
) -> Generator[Telemetry]:
    """Yield how an agent is told to send its telemetry, to a receiver that runs meanwhile."""
    with ExitStack() as stack:
        how = Telemetry()
        if agent in telemetry.SPEAKING and not config.load(home).disabled:
            own = telemetry.own(agent, environ, telemetry.user_home(environ))
            if own is not None and own.why_not:
                notes.append(f"Its telemetry {own.why_not}, and stays as it is.")
            else:
                try:
                    url = stack.enter_context(_receiving(home, own))
                    how = telemetry.towards(agent, url, environ, is_new=own is None)
                except AgentTraceError as error:
                    notes.append(f"Its telemetry is not received: {error}")
                except (ImportError, OSError) as error:
                    # The command comes first, whatever is wrong with the receiver.
                    notes.append(f"Its telemetry is not received: {type(error).__name__}.")
        elif agent is not None:
            notes.append(f"It sends no telemetry; `agenttrace import {agent}` reads its log.")
        yield how


@contextmanager
def _receiving(home: Path, own: telemetry.Own | None) -> Generator[str]:
    """Yield the URL of a receiver: the one that runs, or one that runs until the block is left.

    What the user has sent elsewhere needs one that passes it on to there.
    """
    from agenttrace import server

    found = server.find(home)
    target = None
    if own is not None and own.url is not None and not _is_same(own.url, found):
        from agenttrace.server.forwarding import Target

        target = Target(own.url, own.headers)
    elif found is not None and not found.asks_for_token:
        yield found.http_url
        return
    # It is gone when the command has ended, so no other command may be sent to it.
    with server.running(
        home, http_port=0, grpc_port=0, forward=target, is_folding=False, is_found=False
    ) as mine:
        yield mine.http_url


def _is_same(url: str, found: "Found | None") -> bool:
    """Whether *url* is that of the receiver that runs: what is sent there needs no other."""
    if found is None:
        return False
    own, there = urlsplit(url), urlsplit(found.http_url)
    return own.port == there.port and own.hostname in ("localhost", "::1", there.hostname)


def _run(command: Sequence[str], environ: Mapping[str, str], said: Results | None) -> int:
    """Run it, and let *said* see its output, unless that goes to a terminal."""
    sys.stdout.flush()
    if said is None or os.isatty(_STDOUT):
        return commands.pass_through(command, environ)
    with commands.begun(command, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        copying = Copying(process.stdout, _STDOUT, said.take, results.LINE_AT_MOST)
        status = commands.status(process.wait())
        copying.finish()
    return status


def _keep(settings: config.Settings, totals: Sequence[told.Total]) -> None:
    """Keep what an agent says of its session; without it the calls are as they are."""
    with suppress(OSError, AgentTraceError):
        spool = Spool(settings.spool, totals[0].source, is_retold=True)
        try:
            spool.append_all(map(told.line, totals))
        finally:
            spool.close()
