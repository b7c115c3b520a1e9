"""What the commands share about the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console


def console() -> Console:
    """Return the terminal as it is: no colour in a pipe or under NO_COLOR, no invented markup."""
    # 50 ms to import, and --help needs none of it.
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """Write *text* with the colours it has: whether to have any was the console's choice."""
    click.echo(text, color=True)


def warn(warnings: Iterable[str]) -> None:
    """Say *warnings* where they are not mistaken for data."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
