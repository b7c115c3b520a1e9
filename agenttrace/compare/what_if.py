"""The same calls under another choice: other factors on the same draws, and honest differences.

Both sides of a comparison are priced in the same draws, so what is unknown about both cancels: a
difference is taken inside each draw, and its range is that of the differences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import mul
from typing import Final

from agenttrace.energy.draws import DRAWS, PlaceFactor, column
from agenttrace.energy.estimate import (
    JOULES_PER_WH,
    Coefficients,
    ModelFactor,
    Moments,
    energy_j,
    spread,
)
from agenttrace.energy.factors import Factor, Factors, spanning
from agenttrace.errors import FactorError
from agenttrace.model import Range

MEASURED_BATCH: Final = 181
"""The batch that the factors stand for: the geometric middle of the 64 to 512 of the benchmark."""

_WH_PER_KWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A quantity by its central value and in each draw."""

    central: float
    draws: tuple[float, ...]

    @property
    def range(self) -> Range:
        """Low and high are the 5 % and 95 % of the draws, widened to the central value."""
        return spread(self.central, self.draws)

    def minus(self, other: "Drawn") -> "Drawn":
        """Return the difference inside each draw."""
        pairs = zip(self.draws, other.draws, strict=True)
        return Drawn(self.central - other.central, tuple(one - two for one, two in pairs))

    def over(self, other: "Drawn") -> "Drawn | None":
        """Return the ratio inside each draw; None where there is nothing to divide by."""
        if not other.central or not all(other.draws):
            return None
        pairs = zip(self.draws, other.draws, strict=True)
        return Drawn(self.central / other.central, tuple(one / two for one, two in pairs))


@dataclass(frozen=True, slots=True)
class Side:
    """Calls of one model at one place, as they are priced on one side of a comparison.

    Attributes:
        moments: Of the calls, added up.
        factor: What prices them.
        place: Where they run.
        hourly: Moments of those calls of which the hour's intensity is known, each call's
            multiplied with it (gCO2e/kWh).
        by_hour: Plain moments of the same calls: a part of *moments*.
    """

    moments: Moments
    factor: ModelFactor
    place: PlaceFactor
    hourly: Moments | None = None
    by_hour: Moments | None = None


@dataclass(frozen=True, slots=True)
class Amounts:
    """What calls take: energy in Wh, carbon in gCO2e, water in litres."""

    energy_wh: Drawn
    carbon_g: Drawn
    water_l: Drawn


@dataclass(frozen=True, slots=True)
class Scale:
    """Ratios that turn coefficients into those of another choice.

    Attributes:
        prefill: Of reading.
        decode: Of writing at short context.
        cache_read: Of reading the cache again while writing.
        factors: Where they come from.
    """

    prefill: Drawn
    decode: Drawn
    cache_read: Drawn
    factors: tuple[Factor, ...]


_SAME: Final = Drawn(1.0, (1.0,) * DRAWS)


def priced(sides: Iterable[Side]) -> Amounts:
    """Add the energy, carbon and water of calls, centrally and in each draw."""
    terms = list(sides)
    return Amounts(
        energy_wh=_added(_energy_wh(one.moments, one.factor) for one in terms),
        carbon_g=_added(_carbon_g(one) for one in terms),
        water_l=_added(_water_l(one) for one in terms),
    )


def scaled(factor: ModelFactor, *scales: Scale) -> ModelFactor:
    """Return *factor* with its coefficients multiplied, centrally and in each draw."""
    if not scales:
        return factor
    ratios = [
        reduce(_times, (getattr(scale, name) for scale in scales), _SAME)
        for name in ("prefill", "prefill", "prefill", "decode", "cache_read")
    ]
    return replace(
        factor,
        coefficients=Coefficients(
            *(map(mul, factor.coefficients, (ratio.central for ratio in ratios)))
        ),
        draws=[
            Coefficients(*map(mul, drawn, (ratio.draws[number] for ratio in ratios)))
            for number, drawn in enumerate(factor.draws)
        ],
    )


def hardware_names(factors: Factors) -> list[str]:
    """Return the hardware that there are figures for."""
    names = {id_.split(".", 1)[0] for id_ in factors.factors if id_.endswith(".decode_ratio")}
    return sorted(names)


def hardware_id(name: str, factors: Factors) -> str:
    """Return the name of hardware as the ids of factors spell it.

    Raises:
        FactorError: There are no figures for *name*.
    """
    owner = name.lower()
    if owner not in hardware_names(factors):
        known = ", ".join(hardware_names(factors)) or "none"
        raise FactorError(
            f"there are no figures for hardware {name!r}. Known: {known}, beside the h100 that the "
            f"factors stand for. A factor file with {owner}.CLASS.decode_ratio for each class of "
            "models adds some."
        )
    return owner


def hardware(name: str, class_name: str, factors: Factors, *, decodes: bool = True) -> Scale:
    """Return what a class of models needs on other hardware, beside the H100 of the factors.

    Args:
        name: Such as ``b200``.
        class_name: Size class of the model. A class that there is no figure for spans all others.
        factors: Where the ratios are.
        decodes: Whether the model writes anything.

    Raises:
        FactorError: There are no figures for *name*.
    """
    owner = hardware_id(name, factors)
    decode = None
    if decodes:
        decode = factors.factors.get(f"{owner}.{class_name}.decode_ratio")
        decode = decode or _any_class(owner, factors)
    prefill = factors.factors.get(f"{owner}.prefill_ratio")
    cache_read = factors.factors.get(f"{owner}.cache_read_ratio")
    return Scale(
        prefill=_ratio(prefill),
        decode=_ratio(decode),
        cache_read=_ratio(cache_read),
        factors=tuple(one for one in (decode, prefill, cache_read) if one is not None),
    )


def batch(size: int, factors: Factors) -> Scale:
    """Return what writing needs when *size* requests are answered together.

    The energy of an output token at short context falls as a power of the batch, because the
    weights are read once for all of it. Each request reads its own cache, so that part stays.

    Args:
        size: Requests in one batch, at least 1.
        factors: Where the exponent is.
    """
    exponent = factors.factors["batch_exponent"]
    base = size / MEASURED_BATCH
    drawn = column(exponent.range, exponent.id, least=exponent.least, most=exponent.most)
    decode = Drawn(base**-exponent.central, tuple(base**-value for value in drawn))
    return Scale(prefill=_SAME, decode=decode, cache_read=_SAME, factors=(exponent,))


def _any_class(owner: str, factors: Factors) -> Factor:
    found = [
        factor
        for id_, factor in factors.factors.items()
        if id_.startswith(f"{owner}.") and id_.endswith(".decode_ratio")
    ]
    return spanning(f"{owner}.unknown.decode_ratio", found)


def _ratio(factor: Factor | None) -> Drawn:
    if factor is None:
        return _SAME
    drawn = column(factor.range, factor.id, least=factor.least, most=factor.most)
    return Drawn(factor.central, tuple(drawn))


def _times(one: Drawn, other: Drawn) -> Drawn:
    return Drawn(one.central * other.central, tuple(map(mul, one.draws, other.draws)))


def _energy_wh(moments: Moments, factor: ModelFactor) -> Drawn:
    return Drawn(
        energy_j(moments, factor.coefficients) / JOULES_PER_WH,
        tuple(energy_j(moments, drawn) / JOULES_PER_WH for drawn in factor.draws),
    )


def _carbon_g(side: Side) -> Drawn:
    """Return gCO2e: of calls with a known hour by its intensity, of all others by the year's."""
    rest = side.moments
    if side.by_hour is not None:
        pairs = zip(side.moments, side.by_hour, strict=True)
        rest = Moments(*(whole - part for whole, part in pairs))
    place = side.place
    energy = _energy_wh(rest, side.factor)
    annual = Drawn(
        energy.central * place.g_per_kwh.central / _WH_PER_KWH,
        tuple(
            wh * grams / _WH_PER_KWH for wh, grams in zip(energy.draws, place.g_draws, strict=True)
        ),
    )
    if side.hourly is None:
        return annual
    weighed = _energy_wh(side.hourly, side.factor)
    hourly = Drawn(
        weighed.central / _WH_PER_KWH, tuple(value / _WH_PER_KWH for value in weighed.draws)
    )
    return _added([annual, hourly])


def _water_l(side: Side) -> Drawn:
    energy, place = _energy_wh(side.moments, side.factor), side.place
    return Drawn(
        energy.central * place.l_per_kwh.central / _WH_PER_KWH,
        tuple(
            wh * litres / _WH_PER_KWH
            for wh, litres in zip(energy.draws, place.l_draws, strict=True)
        ),
    )


def _added(terms: Iterable[Drawn]) -> Drawn:
    found: Sequence[Drawn] = list(terms)
    columns = zip(*(one.draws for one in found), strict=True)
    draws = tuple(map(sum, columns)) if found else (0.0,) * DRAWS
    return Drawn(sum(one.central for one in found), draws)
