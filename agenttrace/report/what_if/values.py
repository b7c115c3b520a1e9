"""What may be otherwise, and what the comparison says of it, as plain values.

Units are in the names. ``None`` is what is not known, never zero.
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from agenttrace.model import Range
from agenttrace.report.explain.values import FactorLine

EVERY: Final = "*"

MOST_HOURS: Final = 87_660
"""How far calls may be shifted: ten years."""

PERFECT: Final = "perfect"


@dataclass(frozen=True, slots=True)
class Choices:
    """What is to be otherwise; what is not said stays.

    Attributes:
        models: Model by the name of the one that it stands in for, in the order in which they are
            tried; ``*`` is every model that writes.
        cache: Share of the input of each call that comes from a cache, 0 to 1, or ``perfect``.
        context_limit: Most input tokens of a call.
        region: Where the calls run: a cloud region, a country or a zone of the grid.
        shift_hours: By how much later they run; earlier if negative. At most ten years.
        hardware: What they run on, such as ``b200``.
        batch: How many requests are answered together.
    """

    models: tuple[tuple[str, str], ...] = ()
    cache: float | Literal["perfect"] | None = None
    context_limit: int | None = None
    region: str | None = None
    shift_hours: int = 0
    hardware: str | None = None
    batch: int | None = None

    @property
    def is_by_call(self) -> bool:
        """Whether calls change each by itself, so that their sums are not enough."""
        return self.cache is not None or self.context_limit is not None


@dataclass(frozen=True, slots=True)
class Change:
    """A quantity before and after, and the difference on the same draws.

    Attributes:
        before: As recorded.
        after: Under the choices.
        difference: After less before; its range is that of the differences.
        ratio: After over before, likewise; None where there is nothing to divide by.
    """

    before: Range
    after: Range
    difference: Range
    ratio: Range | None


@dataclass(frozen=True, slots=True)
class ModelChange:
    """The calls of one model.

    Attributes:
        provider: Who answered; None where nothing says it.
        model: Model that answered; None where nothing says it.
        becomes: Model that stands in for it; None where it stays.
        calls: Model calls.
        energy_wh: What they take; None where no usage is reported.
    """

    provider: str | None
    model: str | None
    becomes: str | None
    calls: int
    energy_wh: Change | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same calls under another choice.

    Attributes:
        store: The folder.
        subject: ``total`` or ``task``.
        id: Of the task.
        name: Of the task, as far as it is known.
        since: Start of the first hour that counts, UTC; None for all.
        choices: What was chosen, a phrase each.
        assumed: What is taken for granted, a sentence each.
        calls: Model calls.
        estimated_calls: Those whose tokens agenttrace estimated.
        unpriced_calls: Those whose usage lacks a side; what is missing is in no figure.
        cut_calls: Those whose input was cut.
        cut_tokens: Input tokens that were cut off.
        input_tokens: Input before and after.
        cached_tokens: Input from a cache before and after.
        energy_wh: Energy at the boundary; None where no usage is reported.
        carbon_g: CO2 equivalent, location-based.
        water_l: Water of sites and grids.
        models: Largest difference first.
        factors: Sourced figures that only this comparison uses.
        boundary: What the energy covers.
        factor_set: Version of all factors together.
        draws: Joint draws behind each range.
        warnings: What to know before believing a figure, a sentence each.
    """

    kind: ClassVar[str] = "what_if"

    store: str
    subject: str
    id: str | None
    name: str | None
    since: str | None
    choices: tuple[str, ...]
    assumed: tuple[str, ...]
    calls: int
    estimated_calls: int
    unpriced_calls: int
    cut_calls: int
    cut_tokens: int
    input_tokens: tuple[int, int]
    cached_tokens: tuple[int, int]
    energy_wh: Change | None
    carbon_g: Change | None
    water_l: Change | None
    models: tuple[ModelChange, ...]
    factors: tuple[FactorLine, ...]
    boundary: str
    factor_set: str
    draws: int
    warnings: tuple[str, ...]
