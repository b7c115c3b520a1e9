"""``agenttrace report outcomes``: what became of tasks, and what it took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.compare.periods import Period
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.outcomes import By


@click.command(short_help="Show what became of tasks, and what it took.")
@selecting.options
@selecting.against
@click.option(
    "--by",
    type=click.Choice(["project", "task-name"]),
    default="project",
    show_default=True,
    help="What to list the largest of.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the largest to list.",
)
@report_format
@priced.options
@click.pass_obj
def outcomes(home: str | None, form: str | None, pricing: Pricing, **chosen: Any) -> None:
    """Show tasks by outcome, energy per successful task, and what failed work took.

    An outcome is told by agenttrace.task.outcome() or imported: agenttrace outcomes import.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader

    with Reader(home, pricing=pricing) as reader:
        _show(reader, form, **chosen)


def _show(
    reader: Any, form: str | None, *, selection: Any, against: Period | None, by: By, limit: int
) -> None:
    from agenttrace.report.outcomes import outcomes_report

    built = outcomes_report(reader, selection, against=against, by=by, limit=limit)
    show(built, form, "agenttrace report outcomes")
