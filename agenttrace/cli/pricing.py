"""Options of every command that turns tokens into energy."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARIES: Final = ("accelerator", "server", "facility")

_REGION: Final = click.option(
    "--region",
    metavar="PLACE",
    help="Where calls ran if nothing else tells: cloud region, country or grid zone; "
    "AGENTTRACE_REGION if not given.",
)

_OPTIONS: Final = (
    click.option(
        "--boundary",
        type=click.Choice(_BOUNDARIES),
        default="facility",
        show_default=True,
        help="What the energy covers: the chips, the server around them, or all of the facility.",
    ),
    click.option(
        "--factors",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Factors of yours, which replace ours by id; may be given several times.",
    ),
    click.option(
        "--factors-version",
        metavar="VERSION",
        help="Price with the factors of an earlier report: their version, or an exported file.",
    ),
)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that choose a pricing, and pass it as ``pricing``."""
    return _REGION(options_but_region(command, region_is_given=True))


def options_but_region(
    command: Callable[..., Any], *, region_is_given: bool = False
) -> Callable[..., Any]:
    """Do as :func:`options`, without ``--region``: the command has another use for it."""

    @functools.wraps(command)
    def priced(
        *args: Any,
        boundary: Any,
        factors: tuple[Path, ...],
        factors_version: str | None,
        **kwargs: Any,
    ) -> Any:
        # Loaded only here, so that --help does not wait for it.
        from agenttrace.energy.pricing import Pricing

        region = kwargs.pop("region") if region_is_given else None
        pricing = Pricing(boundary, factors, factors_version, region or None)
        return command(*args, pricing=pricing, **kwargs)

    for option in reversed(_OPTIONS):
        priced = option(priced)
    return priced
