"""An estimate on a terminal: the figures, then what they rest on."""

import shlex
from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.compare.calculator import Estimate
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.text import hardware, parts

_WORKS_NAMED: Final = 4
_LABEL_WIDTH: Final = 10


def blocks(found: Estimate) -> Iterator[RenderableType]:
    """Yield what an estimate says."""
    calls = "" if found.calls == 1 else f"  {parts.calls(found.calls)}"
    yield Text.assemble((f"agenttrace estimate  {printable(found.model)}", parts.STRONG), calls)
    yield _figures(found)
    yield _basis(found)
    yield from parts.cautions(found.warnings)


def _figures(found: Estimate) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    grid.add_column(style=parts.STRONG, no_wrap=True)
    grid.add_column(style=parts.QUIET)
    place = found.place
    grid.add_row("Energy", parts.interval(found.energy_wh, figures.ENERGY), found.boundary)
    grid.add_row(
        "Carbon",
        parts.interval(found.carbon_g, figures.MASS, of=" CO2e"),
        f"{place.resolution} average of {printable(place.zone)}"
        if place.zone != "WOR"
        else "world average",
    )
    grid.add_row("Water", parts.interval(found.water_l, figures.VOLUME), "site and electricity")
    if found.embodied is None:
        # What only reads takes hardware as well, of which nobody says how much.
        why = "EcoLogits has no figure for it" if found.output_tokens else "nothing is generated"
        grid.add_row("Hardware", Text("not known", style="not bold"), why)
    else:
        grid.add_row("Hardware", hardware.carbon(found.embodied), "making it, apart")
        grid.add_row("", hardware.elements(found.embodied), "its elements, apart")
    return Group(_tokens(found), grid)


def _tokens(found: Estimate) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.HEADING, no_wrap=True, min_width=_LABEL_WIDTH)
    grid.add_column()
    inside = parts.listed(
        ("read from a cache", found.cache_read_tokens),
        ("written to one", found.cache_write_tokens),
    )
    each = "" if found.calls == 1 else " a call"
    text = Text(f"{found.input_tokens:,} input")
    if inside:
        text.append(f" ({inside})", parts.QUIET)
    grid.add_row("Tokens", text.append(f", {found.output_tokens:,} output{each}"))
    if each:
        grid.add_row("", f"{_in_all(found)} in {parts.calls(found.calls)}")
    return grid


def _in_all(found: Estimate) -> str:
    """Return the tokens of all the calls: those of one say nothing without their number."""
    sent, written = found.calls * found.input_tokens, found.calls * found.output_tokens
    return f"{sent:,} input, {written:,} output"


def _basis(found: Estimate) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style=parts.QUIET, no_wrap=True, min_width=_LABEL_WIDTH)
    grid.add_column(style=parts.QUIET)
    place = found.place
    grid.add_row("Model", printable(found.match_reason))
    grid.add_row(
        "Place",
        f"{printable(place.reason)}; {_known(place.g_per_kwh)} g CO2e/kWh",
    )
    grid.add_row("Method", f"{found.method}; ignores {found.ignores}")
    grid.add_row("Factors", f"{found.factors_version}; {_ends(found)}")
    if found.embodied is not None:
        grid.add_row(
            "Hardware",
            f"{found.embodied.source.title}; in no other figure; ignores {found.embodied.ignores}",
        )
    grid.add_row("Sources", _sources(found))
    name = shlex.quote(printable(found.model))
    grid.add_row("Explain", f"agenttrace factors match {name}\nagenttrace factors sources")
    return grid


def _known(value: Range) -> str:
    """Return one number where it is known, else low, central and high."""
    low, central, high = parts.numbers(value)
    return central if value.low == value.high else figures.dashed((low, central, high))


def _ends(found: Estimate) -> str:
    if found.method == "agenttrace":
        return f"ranges are {figures.dashed(('5 %', 'central', '95 %'))}"
    return "the ends of the energy are those that the method gives"


def _sources(found: Estimate) -> str:
    works = list(dict.fromkeys(f"{work.authors} {work.year}" for work in found.sources))
    named = "; ".join(works[:_WORKS_NAMED])
    others = " and others" if len(works) > _WORKS_NAMED else ""
    return f"{len(found.sources)}: {named}{others}"
