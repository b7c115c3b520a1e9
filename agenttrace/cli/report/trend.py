"""``agenttrace report trend``: why energy and carbon changed from one period to another."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.compare.periods import Period
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.selection import Selection
    from agenttrace.report.trend.values import By

_YEAR: Final = 12


@click.command()
@selecting.options_of_a_change
@selecting.against
@click.option(
    "--against-factors",
    metavar="VERSION",
    help="Price the earlier period with other factors: their version, or an exported file.",
)
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(["agent", "project", "model", "task-name"]),
    help="Whose part in the change to show; may be given several times.  [default: project, model]",
)
@click.option("--by-month", is_flag=True, help="Show the last 12 months one by one as well.")
@click.option(
    "--months",
    type=click.IntRange(min=1),
    metavar="N",
    help="Show the last N months one by one as well.",
)
@report_format
@priced.options
@click.pass_obj
def trend(
    home: str | None,
    *,
    selection: Selection,
    against: Period | None,
    against_factors: str | None,
    by: tuple[By, ...],
    by_month: bool,
    months: int | None,
    form: str | None,
    pricing: Pricing,
) -> None:
    """Show why energy and carbon changed from one period to another, and who drove it.

    Without --period the last whole month is compared with the one before; where less is recorded,
    the later half of it with the earlier half.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.trend import DEFAULT_BY
    from agenttrace.report.trend import trend as trend_of

    with ExitStack() as readers:
        reader = readers.enter_context(Reader(home, pricing=pricing))
        earlier = None
        if against_factors is not None:
            other = replace(pricing, factors=(), factors_version=against_factors)
            earlier = readers.enter_context(Reader(home, pricing=other))
        built = trend_of(
            reader,
            selection,
            against=against,
            earlier=earlier,
            by=tuple(dict.fromkeys(by)) or DEFAULT_BY,
            months=months or (_YEAR if by_month else 0),
        )
    show(built, form, "agenttrace report trend")
