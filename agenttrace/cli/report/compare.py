"""``agenttrace report compare``: what agents used, in people who use as much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show

if TYPE_CHECKING:
    from agenttrace.compare.periods import Period
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.selection import Selection

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace report compare --period 2026-10
agenttrace report compare --project "nightly builds" --personas people.toml
"""


@click.command(epilog=_EXAMPLES)
@selecting.options_but_workload
@selecting.against
@click.option(
    "--personas",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="People of yours, which replace ours by id; may be given several times.",
)
@report_format
@priced.options
@click.pass_obj
def compare(  # noqa: PLR0917 - one per option
    home: str | None,
    form: str | None,
    selection: Selection,
    against: Period | None,
    personas: tuple[Path, ...],
    pricing: Pricing,
) -> None:
    """Show how many people use as much as your agents: of a kind, your own, and what others say.

    Agentic tasks are compared with personas, with the user-facing tasks of the same period and
    project, and with what others published. Energy is divided draw by draw, so that what is unknown
    of both sides cancels; tokens are divided as well, which needs no factor.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.compare import compare_report

    with Reader(home, pricing=pricing) as reader:
        built = compare_report(reader, selection, against=against, personas=personas)
    show(built, form, "agenttrace report compare")
