"""The command line: one module per command, and the one place where errors become exit codes.

Nothing but click is imported here or at the top of a command's module, so that ``--help`` answers
at once; a command imports what it works with when it runs.
"""

import errno
import io
import sys

import click

from agenttrace import __version__
from agenttrace.cli.lazy import LazyGroup
from agenttrace.errors import AgentTraceError


class _Commands(LazyGroup):
    """All commands, and what becomes of their errors."""

    package = __name__
    names = (
        "demo",
        "import",
        "run",
        "serve",
        "meter",
        "report",
        "estimate",
        "explain",
        "what-if",
        "project",
        "query",
        "outcomes",
        "export",
        "store",
        "doctor",
        "factors",
        "grid",
        "measure",
        "integrations",
        "conformance",
    )

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except AgentTraceError as error:
            message = " ".join(str(error).split())
            raise click.ClickException(message) from error
        except OSError as error:
            # A pipe that was closed is click's own business.
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="agenttrace")
@click.option(
    "--store",
    "home",
    metavar="DIR",
    help="Folder of the recorded data; AGENTTRACE_HOME or the user's data folder if not given.",
)
@click.pass_context
def commands(ctx: click.Context, home: str | None) -> None:
    """See every model call that your agents made, what it used, and how much that is."""
    ctx.obj = home


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows a question mark instead of a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    commands()
