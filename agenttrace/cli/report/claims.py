"""``agenttrace report claims``: claims on agents and electricity, held against the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.compare.periods import Period
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.selection import Selection


@click.command()
@selecting.options_but_workload
@selecting.against
@click.option(
    "--persona",
    metavar="ID",
    help="Whose use agents are compared with: average, heavy, very-heavy, or one of yours.",
)
@click.option(
    "--training-share",
    type=click.FloatRange(min=0, max=1),
    metavar="SHARE",
    help="Share of training in the electricity of models, 0 to 1; unknown if not given.",
)
@report_format
@priced.options
@click.pass_obj
def claims(
    home: str | None,
    *,
    selection: Selection,
    against: Period | None,
    persona: str | None,
    training_share: float | None,
    form: str | None,
    pricing: Pricing,
) -> None:
    """Hold claims on agents and electricity against what was recorded, each with a verdict."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.claims import Asked, claims_report

    asked = Asked(selection, against, persona, training_share)
    with Reader(home, pricing=pricing) as reader:
        built = claims_report(reader, asked)
    show(built, form, "agenttrace report claims")
