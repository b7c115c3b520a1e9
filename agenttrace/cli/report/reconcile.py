"""``agenttrace report reconcile``: what several sources say of the same sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli import selecting
from agenttrace.cli.output import data_format, show

if TYPE_CHECKING:
    from agenttrace.report.selection import Selection


@click.command()
@selecting.options_as_recorded
@click.option("--session", metavar="ID", help="Only this session, or the one that begins so.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many sessions to list; those with differences come first.",
)
@data_format
@click.pass_obj
def reconcile(
    home: str | None, *, session: str | None, limit: int, form: str, selection: Selection
) -> None:
    """Show what log, telemetry and an agent's own total say of a session, and what counts.

    A call that several sources saw counts once. What the agent says that it used in all, and no
    source shows, is unexplained.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.reconcile import reconcile_report

    with Reader(home) as reader:
        built = reconcile_report(reader, selection, session=session, limit=limit)
    show(built, form, "agenttrace report reconcile")
