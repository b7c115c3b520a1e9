"""What the commands share about the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from agenttrace.report.values import Report

_PICTURE_WIDTH: Final = 84
_LEAST_WIDTH: Final = 80

report_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg"]),
    help="For the terminal, for programs, or as a picture.  [default: text]",
)

data_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
)


def console() -> Console:
    """Return the terminal as it is: no colour in a pipe or under NO_COLOR, no invented markup."""
    # 50 ms to import, and --help needs none of it.
    from rich.console import Console

    found = Console(highlight=False, markup=False, emoji=False)
    # A number that is cut is another number: a line that wraps is not.
    found.width = max(_LEAST_WIDTH, found.width)
    return found


def say(text: str) -> None:
    """Write *text* with the colours it has: whether to have any was the console's choice."""
    click.echo(text, color=True)


def warn(warnings: Iterable[str]) -> None:
    """Say *warnings* where they are not mistaken for data."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def show(report: Report, form: str | None, title: str) -> None:
    """Show *report* as ``text``, ``json`` or ``svg``; a picture is drawn under *title*."""
    match form:
        case "json":
            from agenttrace.report.json import to_json

            click.echo(to_json(report))
        case "svg":
            from agenttrace.report.svg import to_svg

            click.echo(to_svg(report, width=_PICTURE_WIDTH, title=title), nl=False)
        case _:
            from agenttrace.report.text import to_text

            say(to_text(report, console()))
