"""``agenttrace report carbon``: carbon and water by place, and what certificates make of them."""

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
def carbon(home: str | None, form: str | None, pricing: Pricing) -> None:
    """Show carbon and water by place, and how certificates match the energy by year and by hour."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.carbon import carbon_report

    with Reader(home, pricing=pricing) as reader:
        built = carbon_report(reader)
    show(built, form, "agenttrace report carbon")
