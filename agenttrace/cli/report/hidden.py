"""``agenttrace report hidden``: what the person saw, and what ran underneath."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.compare.periods import Period
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.hidden import By
    from agenttrace.report.selection import Selection


@click.command()
@selecting.options
@selecting.against
@click.option(
    "--by",
    type=click.Choice(["agent", "project", "day", "task"]),
    help="List the lines of one kind, per user turn as well.  [default: a few of each]",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="How many lines to list of a kind.  [default: 3, and 10 with --by]",
)
@report_format
@priced.options
@click.pass_obj
def hidden(
    home: str | None,
    *,
    by: By | None,
    limit: int | None,
    form: str | None,
    selection: Selection,
    against: Period | None,
    pricing: Pricing,
) -> None:
    """Show what a person saw of the calls, what ran underneath, and what a user turn sets off.

    Hidden calls, their tokens and energy by role, depth, agent, project, day and task; how widely
    the largest tasks branch; and calls, tokens and energy per user turn and per task.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.hidden import hidden_report

    with Reader(home, pricing=pricing) as reader:
        built = hidden_report(reader, selection, against=against, by=by, limit=limit)
    show(built, form, "agenttrace report hidden")
