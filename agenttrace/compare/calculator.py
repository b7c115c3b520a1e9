"""Estimate calls that were never made: tokens and a model in, energy, carbon and water out.

agenttrace.estimate(model="claude-sonnet-4-5", input_tokens=500, output_tokens=300).energy_wh
"""

import dataclasses
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias, cast, get_args

from agenttrace import config, energy
from agenttrace.compare import ecologits_library, embodied, methods
from agenttrace.compare.embodied import Embodied
from agenttrace.compare.methods import METHODS, MethodName, Work
from agenttrace.energy import FactorSet, archive, draws
from agenttrace.energy.catalogue import entry, match
from agenttrace.energy.chosen import chosen
from agenttrace.energy.estimate import (
    JOULES_PER_WH,
    energy_j,
    moments,
    spread,
)
from agenttrace.energy.library import Entry
from agenttrace.energy.pricing import BOUNDARIES, Boundary, Pricing
from agenttrace.energy.records import Source
from agenttrace.errors import ConfigError, FactorError
from agenttrace.model import Range, TokenUsage

Files: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

TOKENS_AT_MOST: Final = 10**9
"""Of one call: a hundred times the longest context there is."""

CALLS_AT_MOST: Final = 10**12

_WH_PER_KWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may never have been made; tokens are of one call.

    Attributes:
        model: Its name in any spelling.
        input_tokens: Tokens sent, cache reads and cache writes included.
        output_tokens: Tokens generated, reasoning included.
        cache_read_tokens: Part of the input that is read from a cache.
        cache_write_tokens: Part of the input that is written to a cache.
        calls: How often the same call is made.
        provider: Who serves it; taken from the name if not given.

    Raises:
        ConfigError: A name is not text, or a number is not whole, is out of its range, or
            contradicts another.
    """

    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    calls: int = 1
    provider: str | None = None

    def __post_init__(self) -> None:
        model = cast("object", self.model)  # callers without a type checker name None as well
        if not isinstance(model, str) or not model.strip():
            raise ConfigError("no model is named. Give its name, as the provider spells it.")
        _text("provider", self.provider)
        for name, least, most in (
            ("input_tokens", 0, TOKENS_AT_MOST),
            ("output_tokens", 0, TOKENS_AT_MOST),
            ("cache_read_tokens", 0, TOKENS_AT_MOST),
            ("cache_write_tokens", 0, TOKENS_AT_MOST),
            ("calls", 1, CALLS_AT_MOST),
        ):
            value: object = getattr(self, name)
            # True is an int to Python, and no number of tokens.
            if not isinstance(value, int) or isinstance(value, bool):
                raise ConfigError(f"{name} is {value!r}. Give a whole number.")
            if not least <= value <= most:
                raise ConfigError(f"{name} is {value}. Give {least} to {most:,}.")
        cached = self.cache_read_tokens + self.cache_write_tokens
        if cached > self.input_tokens:
            raise ConfigError(
                f"{cached} tokens are read from or written to a cache, and the input has "
                f"{self.input_tokens}. The input includes both: give at least {cached}."
            )


@dataclass(frozen=True, slots=True)
class Electricity:
    """The place whose electricity and water the figures are for.

    Attributes:
        zone: Zone of the grid; ``WOR`` for the world, where the place is unknown.
        country: ISO 3166-1 alpha-3.
        resolution: What the intensity is an average of: ``annual``, or ``world``.
        reason: Why this place.
        g_per_kwh: gCO2e per kWh, location-based.
        pue: Power usage effectiveness of the data centre.
        wue_l_per_kwh: Water evaporated at the site, l per kWh of the machines.
        grid_water_l_per_kwh: Water that generating the electricity takes, l per kWh.
    """

    zone: str
    country: str
    resolution: str
    reason: str
    g_per_kwh: Range
    pue: Range
    wue_l_per_kwh: Range
    grid_water_l_per_kwh: Range


@dataclass(frozen=True, slots=True)
class Estimate:
    """What calls take: low and high are the 5 % and 95 % of what is known, central between them.

    Attributes:
        energy_wh: Energy of all the calls, at the boundary.
        carbon_g: gCO2e of that energy, location-based.
        water_l: Litres that evaporate at the site and in generating that energy.
        class_name: Size class of the model; ``class`` in JSON, ``class_name`` in Python.
        boundary: What the energy covers: accelerator, server or facility.
        factors_version: Version of the factors; ``--factors-version`` gives the same again.
        warnings: What to know before believing a figure, a sentence each.
        method: Whose method: ``agenttrace``, or one of those it is compared with.
        model: As given.
        provider: As given, else as the name says; None where neither does.
        match_reason: Why this class and these parameters.
        calls: How many calls.
        input_tokens: Of one call, cache reads and writes included.
        cache_read_tokens: Part of them that is read from a cache.
        cache_write_tokens: Part of them that is written to a cache.
        output_tokens: Of one call.
        place: Where the electricity is from.
        embodied: Making the hardware, in no other figure; None where it is unknown.
        ignores: What the method does not look at.
        sources: What the figures rest on.
    """

    kind: ClassVar = "estimate"

    energy_wh: Range
    carbon_g: Range
    water_l: Range
    class_name: str
    boundary: str
    factors_version: str
    warnings: tuple[str, ...]
    method: MethodName
    model: str
    provider: str | None
    match_reason: str
    calls: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    place: Electricity
    embodied: Embodied | None
    ignores: str
    sources: tuple[Work, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, under the names that the JSON has."""
        return {
            "class" if name == "class_name" else name: value
            for name, value in dataclasses.asdict(self).items()
        }


def estimate(
    *,
    model: str,
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int = 0,
    cache_write_tokens: int = 0,
    calls: int = 1,
    provider: str | None = None,
    region: str | None = None,
    boundary: Boundary = "facility",
    method: MethodName = "agenttrace",
    factors: Files | None = None,
    factors_version: str | None = None,
) -> Estimate:
    """Estimate energy, carbon and water of calls from their tokens; nothing recorded is needed.

    The factors are kept in the folder of the data, if there is one, so that their version gives the
    same again.

    Args:
        model: Its name, in any spelling that providers use. A name that nothing is known about gets
            a wide range and a warning.
        input_tokens: Tokens of one call, cache reads and cache writes included.
        output_tokens: Tokens that one call generates, reasoning included.
        cache_read_tokens: Part of the input that is read from a prompt cache.
        cache_write_tokens: Part of the input that is written to a prompt cache.
        calls: How often the same call is made.
        provider: Who serves it, such as ``anthropic``; taken from the name if not given.
        region: Where: a cloud region, a country (ISO 3166-1) or a zone of the grid. Without it,
            what is known of the provider, else the world.
        boundary: What the energy covers.
        method: ``agenttrace``; or, for a second opinion, ``ecologits``, ``price`` or
            ``per-prompt``, which cover the facility.
        factors: Factor files of yours, which go before ours.
        factors_version: Factors as they were: the version that an earlier estimate or report names,
            or an exported file. It does not go with *factors*.

    Raises:
        ConfigError: An argument is out of range, or contradicts another.
        FactorError: A factor file does not hold, the region or the version is unknown, or *method*
            does not know the model.
    """
    if boundary not in BOUNDARIES:
        raise ConfigError(f"there is no boundary {boundary!r}. Choose {', '.join(BOUNDARIES)}.")
    call = Call(
        model=model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        calls=calls,
        provider=provider,
    )
    pricing = Pricing(
        boundary,
        _paths(factors),
        _text("factors_version", factors_version),
        _text("region", region),
    )
    return estimated(call, pricing, config.load().home, method)


def estimated(
    call: Call, pricing: Pricing, home: Path, method: MethodName = "agenttrace"
) -> Estimate:
    """Estimate *call* as a pricing says, and keep the factors in *home* if there is such a folder.

    Args:
        call: The call.
        pricing: Boundary, region, and which factors.
        home: Folder of the data, with factors of the user.
        method: Whose method.

    Raises:
        ConfigError: There is no such method, or it does not cover the boundary.
        FactorError: As in :func:`estimate`.
    """
    if method not in get_args(MethodName):
        raise ConfigError(f"there is no method {method!r}. Choose {', '.join(METHODS)}.")
    if method != "agenttrace" and pricing.boundary != "facility":
        raise ConfigError(
            f"method {method} covers the facility only, not the {pricing.boundary}. "
            f"Leave the boundary out, or use method agenttrace."
        )
    factors = chosen(pricing, home)
    provider = call.provider or match(call.model, factors).provider or None
    used = energy.factor_set(
        [(provider, call.model)],
        regions=[(provider, None)],
        factors=factors,
        boundary=pricing.boundary,
        default=pricing.region,
    )
    found = _estimate(call, used, entry(call.model, factors), method)
    not_kept = archive.save(factors, home)
    return dataclasses.replace(found, warnings=(*found.warnings, *filter(None, [not_kept])))


def _estimate(
    call: Call, used: FactorSet, catalogued: Entry | None, method: MethodName
) -> Estimate:
    (factor,), (spot,) = used.models, used.places
    place = spot.place
    energy_wh, drawn_wh = _energy(call, used, catalogued, method)
    electricity = Electricity(
        zone=place.zone,
        country=place.country,
        resolution=place.resolution,
        reason=place.reason,
        g_per_kwh=place.g_per_kwh,
        pue=place.pue,
        wue_l_per_kwh=place.wue_l_per_kwh,
        grid_water_l_per_kwh=place.grid_water_l_per_kwh,
    )
    return Estimate(
        energy_wh=energy_wh,
        carbon_g=_spent(energy_wh.central, drawn_wh, spot.g_per_kwh, spot.g_draws),
        water_l=_spent(energy_wh.central, drawn_wh, spot.l_per_kwh, spot.l_draws),
        class_name=factor.match.class_name,
        boundary=used.boundary,
        factors_version=used.version,
        warnings=used.warnings,
        method=method,
        model=call.model,
        provider=factor.provider,
        match_reason=factor.match.reason,
        calls=call.calls,
        input_tokens=call.input_tokens,
        cache_read_tokens=call.cache_read_tokens,
        cache_write_tokens=call.cache_write_tokens,
        output_tokens=call.output_tokens,
        place=electricity,
        embodied=embodied.embodied(
            [
                embodied.of_model(
                    factor.match, catalogued, call.calls, call.calls * call.output_tokens
                )
            ]
        ),
        ignores=_ignores(method),
        sources=_sources(method, used, place.sources),
    )


def _energy(
    call: Call, used: FactorSet, catalogued: Entry | None, method: MethodName
) -> tuple[Range, Sequence[float]]:
    """Return Wh of all the calls: the range, and one value per draw."""
    if method == "agenttrace":
        (factor,) = used.models
        one = moments(
            TokenUsage(
                input_tokens=call.input_tokens,
                output_tokens=call.output_tokens,
                cache_read_tokens=call.cache_read_tokens,
                cache_write_tokens=call.cache_write_tokens,
            )
        )
        times = call.calls / JOULES_PER_WH
        drawn = [energy_j(one, draw) * times for draw in factor.draws]
        return spread(energy_j(one, factor.coefficients) * times, drawn), drawn
    value = _other_wh(call, catalogued, method)
    # For carbon and water its ends are taken for the 5 % and the 95 %, which it does not say.
    return value, draws.column(value, f"method {method}")


def _other_wh(call: Call, catalogued: Entry | None, method: MethodName) -> Range:
    if method == "ecologits":
        said = ecologits_library.opinion(
            catalogued, output_tokens=call.calls * call.output_tokens, calls=call.calls
        )
        if said is None:
            raise FactorError(
                f"EcoLogits {ecologits_library.version()} does not know model {call.model!r}. "
                f"Use method agenttrace, which has a range for any model."
            )
        return said.energy_wh
    others = methods.shipped()
    if method == "per-prompt":
        return methods.per_prompt_wh(call.calls, others)
    uncached = call.input_tokens - call.cache_read_tokens - call.cache_write_tokens
    return methods.price_wh(
        methods.Usage(
            calls=call.calls,
            uncached=call.calls * uncached,
            cache_write=call.calls * call.cache_write_tokens,
            cache_read=call.calls * call.cache_read_tokens,
            output=call.calls * call.output_tokens,
        ),
        others,
    )


def _spent(
    central_wh: float, drawn_wh: Sequence[float], each: Range, drawn: Sequence[float]
) -> Range:
    """Return an energy times what a kWh of it emits or takes, draw by draw."""
    return spread(
        central_wh / _WH_PER_KWH * each.central,
        [wh / _WH_PER_KWH * value for wh, value in zip(drawn_wh, drawn, strict=True)],
    )


def _ignores(method: MethodName) -> str:
    if method == "agenttrace":
        return methods.OURS_IGNORES
    if method == "ecologits":
        return methods.ECOLOGITS_IGNORES
    return methods.shipped().methods[method].ignores


def _sources(method: MethodName, used: FactorSet, grid: Iterable[Source]) -> tuple[Work, ...]:
    """Return what the energy and the place rest on, each work once."""
    if method == "agenttrace":
        cited = (citation.id for factor in used.factors for citation in factor.sources)
        works = [Work.of(used.sources[id_]) for id_ in cited]
    elif method == "ecologits":
        works = [methods.ECOLOGITS]
    else:
        works = list(methods.shipped().cited(method))
    return tuple(dict.fromkeys([*works, *map(Work.of, grid)]))


def _paths(files: Files | None) -> tuple[Path, ...]:
    if files is None:
        return ()
    named = (files,) if isinstance(files, str | os.PathLike) else files
    wrong = f"factors is {files!r}. Give the path of a factor file, or several in a list."
    try:
        paths = tuple(Path(one) for one in named)
    except TypeError as error:
        raise ConfigError(wrong) from error
    # An empty name is the folder that the program runs in.
    if Path() in paths:
        raise ConfigError(wrong)
    return paths


def _text(name: str, value: object) -> str | None:
    """Return what is text or not given; callers without a type checker give anything."""
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigError(f"{name} is {value!r}. Give its name as text, or leave it out.")
