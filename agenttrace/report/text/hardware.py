"""Making the hardware: a line of its own in reports, in no other figure."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from agenttrace.compare.embodied import Embodied
from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.text import parts

_GRAMS_PER_KG: Final = 1000.0
_MINUTE: Final = (figures.Unit("ng", 1e-9), *figures.MASS)  # of elements, a call takes that little


def block(embodied: Embodied | None, calls: int) -> RenderableType:
    """Show what making the hardware costs: a line of its own, in no other figure."""
    if embodied is None:
        return Text.assemble(
            ("Hardware  ", parts.HEADING), "not known: EcoLogits has no figure for these calls"
        )
    text = Text.assemble(
        ("Hardware  ", parts.HEADING),
        (carbon(embodied), parts.STRONG),
        ", ",
        (elements(embodied), parts.STRONG),
    )
    some = "" if embodied.calls == calls else f" Of {embodied.calls:,} of {parts.calls(calls)}."
    if embodied.calls_by_parameters:
        some += f" {embodied.calls_by_parameters:,} by the parameters in our catalogue."
    return Group(
        text,
        Text(
            f"Making it, apart: in no other figure here. Ignores {embodied.ignores}."
            f"{some} {embodied.source.title} {embodied.source.url}",
            style=parts.QUIET,
        ),
    )


def carbon(embodied: Embodied) -> str:
    """Return what making the hardware emitted, with its unit."""
    return _span(embodied.gwp_kgco2e, figures.MASS) + " CO2e"


def elements(embodied: Embodied) -> str:
    """Return the elements that making the hardware depleted, with its unit."""
    return _span(embodied.adpe_kgsbeq, _MINUTE) + " Sb eq"


def _span(value_kg: Range, units: tuple[figures.Unit, ...]) -> str:
    """Return a range, or one figure where the ends are shown alike: EcoLogits often gives one."""
    ends = (value_kg.low, value_kg.central, value_kg.high)
    value = Range(*(end * _GRAMS_PER_KG for end in ends))
    unit = figures.unit_of(value.central, units)
    shown = figures.bounds(value, unit)
    return f"{shown[1] if len(set(shown)) == 1 else figures.dashed(shown)} {unit.symbol}"
