"""``agenttrace report task``: one task as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing


@click.command()
@click.argument("task_id", metavar="ID")
@click.option("--full", is_flag=True, help="Show every span, however many there are.")
@report_format
@priced.options
@click.pass_obj
def task(home: str | None, task_id: str, full: bool, form: str | None, pricing: Pricing) -> None:
    """Show one task as a tree of agents, tools and model calls.

    The first characters of the ID are enough where no other task begins with them. A task with more
    than 20,000 spans is summed up by agent, role and model.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.task import task_report

    with Reader(home, pricing=pricing) as reader:
        built = task_report(reader, task_id, full=full)
    show(built, form, f"agenttrace report task {task_id}")
