"""``agenttrace run``: record a program or a coding agent without a change to it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from agenttrace.launch.ended import Run
    from agenttrace.model import Workload

# The first line tells click to leave the others as they are.
_EXAMPLES = """\b
agenttrace run -- python app.py
agenttrace run --project shop -- claude -p "..." --output-format json
agenttrace run --receipt receipt.json -- codex exec --json "..."
"""


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    short_help="Run a program or a coding agent, and say what it used.",
    epilog=_EXAMPLES,
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--name", metavar="NAME", help="Name of the task.  [default: that of the program]")
@click.option("--project", metavar="NAME", help="What it is work on.")
@click.option(
    "--workload",
    type=click.Choice(["agentic", "user-facing"]),
    help="Whether an agent works in it, or a person is answered.",
)
@click.option(
    "--agent",
    metavar="NAME",
    help="The coding agent that COMMAND is.  [default: told by its program]",
)
@click.option("--quiet", is_flag=True, help="Print no receipt.")
@click.option(
    "--receipt",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the receipt as JSON.",
)
@click.pass_obj
def run(
    home: str | None,
    *,
    command: tuple[str, ...],
    name: str | None,
    project: str | None,
    workload: Workload | None,
    agent: str | None,
    quiet: bool,
    receipt: Path | None,
) -> None:
    """Run COMMAND as one task, record every model call in it, and say what it came to.

    In a Python program, and in every Python that it starts, recording and all integrations begin by
    themselves. A coding agent sends its telemetry to a receiver on this machine, which needs
    pip install "/path/to/this/checkout[serve]". Streams, signals and the exit status are those of
    COMMAND; the receipt goes to stderr.
    """
    # What it works with is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.command import status_of
    from agenttrace.launch import running

    settings = config.load(home)
    wanted = running.Wanted(command, name, agent, workload, project)
    try:
        done = running.run(wanted, settings.home)
    except OSError as error:
        click.echo(f"Error: {command[0]} cannot be run: {error.strerror}", err=True)
        raise click.exceptions.Exit(status_of(error)) from error
    if receipt is not None or not quiet:
        _tell(settings.home, done, receipt, quiet=quiet)
    raise click.exceptions.Exit(done.status)


def _tell(home: Path, done: Run, file: Path | None, *, quiet: bool) -> None:
    """Say what the run came to; whatever goes wrong with that, the run went as it did."""
    from agenttrace.errors import AgentTraceError
    from agenttrace.launch.receipt import lines
    from agenttrace.launch.receipt import receipt as of
    from agenttrace.report.json import to_json

    # Whoever reads the end of the output may have gone.
    with contextlib.suppress(BrokenPipeError):
        try:
            made = of(home, done)
            if file is not None:
                file.write_text(to_json(made) + "\n", encoding="utf-8")
            if not quiet:
                for line in lines(made):
                    click.echo(line, err=True)
        except (AgentTraceError, OSError) as error:
            click.echo(f"Warning: there is no receipt: {' '.join(str(error).split())}", err=True)
