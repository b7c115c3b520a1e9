"""Price recorded calls on each hardware that there are figures for, in small and large batches."""

from dataclasses import dataclass
from typing import Final

from agenttrace.compare import what_if
from agenttrace.compare.what_if import Drawn
from agenttrace.reader import Reader
from agenttrace.report.what_if import sql
from agenttrace.report.what_if.plan import Plan, both_places
from agenttrace.report.what_if.values import Choices

BATCHES: Final = (8, 2048)
"""The smallest and the largest that were measured."""

_REFERENCE: Final = "h100"


@dataclass(frozen=True, slots=True)
class Variant:
    """The same calls on some hardware.

    Attributes:
        hardware: Its name.
        batch: How many requests are answered together.
        energy_wh: What the calls take there, central and in each draw.
    """

    hardware: str
    batch: int
    energy_wh: Drawn


def variants(reader: Reader) -> tuple[Variant, ...]:
    """Return the calls that *reader* shows on each hardware and batch; none without usage."""
    places = both_places(reader, Choices())
    rows = reader.query(sql.of_both_sides(reader, Choices(), places, None))
    if not any(row["sides"] for row in rows):
        return ()
    found: list[Variant] = []
    for hardware in (None, *what_if.hardware_names(reader.factors.origin)):
        for batch in BATCHES:
            plan = Plan.made(reader, Choices(hardware=hardware, batch=batch), rows, places, {})
            taken = what_if.priced(plan.after(row) for row in rows)
            found.append(Variant(hardware or _REFERENCE, batch, taken.energy_wh))
    return tuple(found)
