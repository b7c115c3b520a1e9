"""``agenttrace report methods``: what other published methods make of the same calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing


@click.command()
@click.argument("task_id", metavar="[TASK]", required=False)
@report_format
@priced.options
@click.pass_obj
def methods(home: str | None, task_id: str | None, form: str | None, pricing: Pricing) -> None:
    """Show what other published methods make of the same calls, and what each leaves out.

    Of one TASK, by its id or the beginning of it, or of everything recorded.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.methods import methods_report

    with Reader(home, pricing=pricing) as reader:
        built = methods_report(reader, task_id)
    show(built, form, f"agenttrace report methods {task_id or ''}".rstrip())
