"""Options of every command that turns tokens into energy, or looks at what does."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARIES: Final = ("accelerator", "server", "facility")

# By the field of a Pricing that each chooses, in the order of --help.
_OPTIONS: Final = {
    "region": click.option(
        "--region",
        metavar="PLACE",
        help="Where calls ran if nothing else tells: cloud region, country or grid zone; "
        "AGENTTRACE_REGION if not given.",
    ),
    "boundary": click.option(
        "--boundary",
        type=click.Choice(_BOUNDARIES),
        default="facility",
        show_default=True,
        help="What the energy covers: the chips, the server around them, or all of the facility.",
    ),
    "factors": click.option(
        "--factors",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Factors of yours, which replace ours by id; may be given several times.",
    ),
    "factors_version": click.option(
        "--factors-version",
        metavar="VERSION",
        help="Use the factors of an earlier report: their version, or an exported file.",
    ),
}


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that choose a pricing, and pass it as ``pricing``."""
    return _choosing(command, *_OPTIONS)


def options_but_region(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do as :func:`options`, without ``--region``: the command has another use for it."""
    return _choosing(command, "boundary", "factors", "factors_version")


def factor_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do as :func:`options` for a command that prices nothing: only factors are chosen."""
    return _choosing(command, "factors", "factors_version")


def _choosing(command: Callable[..., Any], *fields: str) -> Callable[..., Any]:
    @functools.wraps(command)
    def priced(*args: Any, **kwargs: Any) -> Any:
        # Loaded only here, so that --help does not wait for it.
        from agenttrace.energy.pricing import Pricing

        pricing = Pricing(**{field: kwargs.pop(field) for field in fields})
        return command(*args, pricing=pricing, **kwargs)

    for field in reversed(fields):
        priced = _OPTIONS[field](priced)
    return priced
