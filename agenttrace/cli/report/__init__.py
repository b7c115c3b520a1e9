"""``agenttrace report``: everything recorded; one module per report below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.lazy import LazyGroup
from agenttrace.cli.output import report_format, show, warn

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.selection import Grouping

_NOTHING_YET: Final = """\
To read what your coding agents have logged:

    agenttrace import

To record your agents, say so once and name the task:

    import agenttrace

    agenttrace.configure()

    @agenttrace.task
    def answer(question): ...

Every model call inside is recorded then. `agenttrace demo` shows a whole run, offline."""


class _Reports(LazyGroup):
    """Reports on parts and sides of what was recorded."""

    package = __name__
    names = (
        "task",
        "models",
        "hidden",
        "compare",
        "trend",
        "outcomes",
        "claims",
        "carbon",
        "reconcile",
        "methods",
        "parity",
    )


@click.group(
    cls=_Reports,
    invoke_without_command=True,
    short_help="Show what your agents did and what that equals.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the largest tasks to list.",
)
@selecting.grouping
@report_format
@priced.options
@click.pass_context
def report(
    ctx: click.Context, limit: int, grouping: Grouping, form: str | None, pricing: Pricing
) -> None:
    """Show what your agents did: calls, hidden calls, tokens, energy, and what that equals."""
    if ctx.invoked_subcommand is not None:
        # What is said before the name of a report holds for it as well.
        ctx.default_map = {ctx.invoked_subcommand: _said(ctx)}
        return
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.overview import overview
    from agenttrace.report.selection import Selection, selected

    chosen = Selection(grouping=grouping)
    with Reader(ctx.obj, pricing=pricing) as reader, selected(reader, chosen):
        built = overview(reader, limit=limit)
    if not built.tasks and form in (None, "text"):
        warn(built.warnings)
        click.echo(_NOTHING_YET)
    else:
        show(built, form, "agenttrace report")


def _said(ctx: click.Context) -> dict[str, object]:
    """Return the options that were given, rather than left as they are."""
    given = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    return {
        name: value for name, value in ctx.params.items() if ctx.get_parameter_source(name) in given
    }
