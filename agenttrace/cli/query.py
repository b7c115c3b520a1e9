"""``agenttrace query``: run a query by name, or SQL."""

from __future__ import annotations

import textwrap
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import console, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agenttrace.energy.pricing import Pricing
    from agenttrace.model import Table

_GAP: Final = "  "

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace query task_energy --format csv
agenttrace query "SELECT model, count(*) AS calls FROM model_call GROUP BY model"
"""


@click.command(short_help="Run a query by its name, or SQL.", epilog=_EXAMPLES)
@click.argument("question", metavar="[NAME|SQL]", required=False)
@click.option("--list", "listing", is_flag=True, help="List the queries and where each is from.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
)
@priced.options
@click.pass_obj
def query(
    home: str | None, question: str | None, listing: bool, form: str, pricing: Pricing
) -> None:
    """Run a query by NAME, or any SELECT, over everything recorded.

    Without an argument the queries are listed. A file NAME.sql in the folder queries/ of the
    store replaces the query of that name, or adds one.
    """
    # DuckDB and rich are loaded only here, so that --help does not wait for them.
    from agenttrace.reader import Reader
    from agenttrace.report import rows

    named = question if question and question.strip() and not listing else None
    with Reader(home, pricing=pricing) as reader:
        found = reader.catalogue() if named is None else reader.table(named)
        warn(reader.store_warnings)
    match form:
        case "json":
            click.echo(rows.to_json(found))
        case "csv":
            click.echo(rows.to_csv(found))
        case _ if named is None:
            click.echo("\n".join(_by_folder(found, console().width)))
        case _:
            click.echo(rows.to_text(found, console().width))


def _by_folder(catalogue: Table, width: int) -> Iterator[str]:
    """Yield the catalogue as lines: each folder, then its queries and what their rows are."""
    label = 2 * len(_GAP) + max(len(name) for name, _, _ in catalogue.rows)
    by_folder = sorted(catalogue.rows, key=lambda row: Path(row[2]).parent)
    for folder, queries in groupby(by_folder, key=lambda row: Path(row[2]).parent):
        yield str(folder)
        for name, doc, _ in queries:
            yield textwrap.fill(
                doc or "(its first comment would stand here)",
                width=width,
                initial_indent=f"{_GAP}{name}".ljust(label),
                subsequent_indent=" " * label,
            )
