"""``agenttrace report parity``: measured energy beside the estimate of the same calls."""

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
def parity(home: str | None, form: str | None, pricing: Pricing) -> None:
    """Show measured energy beside the estimate of the same calls, at the meter's boundary."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.parity import parity_report

    with Reader(home, pricing=pricing) as reader:
        built = parity_report(reader)
    show(built, form, "agenttrace report parity")
