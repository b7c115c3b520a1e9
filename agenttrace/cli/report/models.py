"""``agenttrace report models``: what each model moved, used and took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing


@click.command()
@report_format
@priced.options
@click.pass_obj
def models(home: str | None, form: str | None, pricing: Pricing) -> None:
    """Show what each model moved, used and took, the largest first."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.models import models_report

    with Reader(home, pricing=pricing) as reader:
        built = models_report(reader)
    show(built, form, "agenttrace report models")
