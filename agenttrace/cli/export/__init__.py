"""``agenttrace export``: figures to hand on; one module per command below it."""

from __future__ import annotations

import click

from agenttrace.cli.lazy import LazyGroup


class _Exports(LazyGroup):
    """What can be handed on, and the check of it."""

    package = __name__
    names = ("activity", "check")


@click.group(cls=_Exports, short_help="Hand figures on, with method and hash.")
def export() -> None:
    """Hand figures on to whoever reports or audits them, and check what was handed on."""


def counted(number: int, what: str) -> str:
    """Return how many of *what*, in words."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
