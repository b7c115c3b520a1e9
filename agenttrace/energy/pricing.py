"""How the user wants tokens turned into energy, carbon and water."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

Boundary: TypeAlias = Literal["accelerator", "server", "facility"]
"""What an estimate covers.

``accelerator`` is the GPU or TPU alone; ``server`` adds the host around it while it works;
``facility`` adds idle machines kept ready, cooling and power.
"""

BOUNDARIES: Final[tuple[Boundary, ...]] = get_args(Boundary)


@dataclass(frozen=True, slots=True)
class Pricing:
    """Choices that a report is made under; each has a default that needs nothing.

    Attributes:
        boundary: What the energy covers.
        factors: Factor files of the user, which go before all others; later ones before earlier.
        factors_version: Version of a kept set of factors, or a file with one, to price with in
            place of the factors in use.
        region: Where calls ran of which nothing else tells the place: a cloud region, a country
            (ISO 3166-1) or a zone of the grid.
    """

    boundary: Boundary = "facility"
    factors: tuple[Path, ...] = ()
    factors_version: str | None = None
    region: str | None = None


DEFAULT: Final = Pricing()
