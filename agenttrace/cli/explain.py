"""``agenttrace explain``: where an estimate comes from, number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import data_format, show

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace explain
agenttrace explain 4f1c
agenttrace explain 4f1c --boundary accelerator --format json
"""


@click.command(short_help="Take an estimate apart: formula, factors, sources.", epilog=_EXAMPLES)
@click.argument("subject", metavar="[TASK|CALL|total]", default="total")
@data_format
@priced.options
@click.pass_obj
def explain(home: str | None, subject: str, form: str, pricing: Pricing) -> None:
    """Explain the energy of a task, of a call, or of everything.

    Shows what went in, the formula with its numbers, each factor with its source, and what the
    range is due to. The first characters of an id are enough where nothing else begins with them.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.explain import explanation

    with Reader(home, pricing=pricing) as reader:
        built = explanation(reader, subject)
    show(built, form, "agenttrace explain")
