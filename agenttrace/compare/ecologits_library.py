"""Ask EcoLogits, called as a library, what it makes of calls.

This is the one place that runs its code. Importing it takes about 120 ms, so a caller imports it
where an answer is wanted. ``EcoLogits.init`` is never called: it patches the SDKs of providers.

Source: EcoLogits <https://ecologits.ai>, MPL-2.0.
"""

import importlib.metadata
import logging
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from agenttrace.energy import library
from agenttrace.energy.catalogue import spellings
from agenttrace.energy.library import Entry
from agenttrace.model import Range

_WH_PER_KWH: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Hardware:
    """What EcoLogits makes of the hardware of calls: making it, shared out by time.

    Attributes:
        gwp_kgco2e: kgCO2e.
        adpe_kgsbeq: kg of antimony equivalent: abiotic depletion, elements.
    """

    gwp_kgco2e: Range
    adpe_kgsbeq: Range


@dataclass(frozen=True, slots=True)
class Opinion:
    """What EcoLogits makes of calls of one model.

    Low and high are the ends that it gives, which follow from the range of parameters that it
    assumes; central is the middle between them, as in its own reports.

    Attributes:
        provider: The provider in its catalogue.
        model: The model in its catalogue.
        energy_wh: Wh at the facility: GPUs, server, and the PUE it assumes for the provider.
        hardware: Making the hardware, apart from the energy.
        warnings: What it says about its own figures.
    """

    provider: str
    model: str
    energy_wh: Range
    hardware: Hardware
    warnings: tuple[str, ...]


def version() -> str:
    """Return the version of the installed EcoLogits."""
    return importlib.metadata.version("ecologits")


def entry(model: str | None) -> Entry | None:
    """Return the entry of its catalogue for *model* in any spelling; None where it has none."""
    catalogue = library.models()
    return next((catalogue[name] for name in spellings(model or "") if name in catalogue), None)


@lru_cache(maxsize=4096)  # the energy and the hardware of the same calls are asked for apart
def opinion(
    model: str | None, *, output_tokens: float, calls: float = 1, latency_s: float | None = None
) -> Opinion | None:
    """Return what EcoLogits makes of calls, of which only the sums need to be known.

    Its energy of a call is proportional to the output tokens in the GPUs, and in the server to the
    shorter of the measured latency and the generation time that it expects, which is linear in the
    output tokens. So the mean call, times the calls, is the sum over the calls wherever no latency
    is given, and wherever the same of the two is the shorter in all calls. Else it is above the
    sum, because the shorter of two sums is at least the sum of the shorter ones.

    Args:
        model: Its name in any spelling.
        output_tokens: Sum over the calls.
        calls: How many.
        latency_s: Sum over the calls, seconds; None where it is unknown.

    Returns:
        None where its catalogue does not have the model.
    """
    known = entry(model)
    if known is None:
        return None
    if not calls or not output_tokens:
        nothing = Range(0.0, 0.0, 0.0)
        return Opinion(known.provider, known.name, nothing, Hardware(nothing, nothing), ())
    impacts = _impacts(
        known.provider,
        known.name,
        output_tokens / calls,
        math.inf if latency_s is None else latency_s / calls,
    )
    if impacts.energy is None or impacts.embodied is None:
        return None
    return Opinion(
        provider=known.provider,
        model=known.name,
        energy_wh=_range(impacts.energy.value, calls * _WH_PER_KWH),
        hardware=Hardware(
            gwp_kgco2e=_range(impacts.embodied.gwp.value, calls),
            adpe_kgsbeq=_range(impacts.embodied.adpe.value, calls),
        ),
        warnings=tuple(str(warning.message) for warning in impacts.warnings or ()),
    )


def hardware(
    active_parameters_b: Range,
    total_parameters_b: Range,
    *,
    output_tokens: float,
    calls: float = 1,
    latency_s: float | None = None,
) -> Hardware:
    """Return what its formulae make of a model that its catalogue does not have.

    Args:
        active_parameters_b: Active parameters, 1e9; its ends go with those of the total.
        total_parameters_b: All parameters, 1e9.
        output_tokens: Sum over the calls.
        calls: How many.
        latency_s: Sum over the calls, seconds; None where it is unknown.
    """
    if not calls or not output_tokens:
        return Hardware(Range(0.0, 0.0, 0.0), Range(0.0, 0.0, 0.0))
    compute, interval = _compute_llm_impacts()
    impacts = compute(
        model_active_parameter_count=interval(
            min=active_parameters_b.low, max=active_parameters_b.high
        ),
        model_total_parameter_count=interval(
            min=total_parameters_b.low, max=total_parameters_b.high
        ),
        output_token_count=output_tokens / calls,
        request_latency=None if latency_s is None else latency_s / calls,
        # Using the hardware is not asked for.
        if_electricity_mix_adpe=0.0,
        if_electricity_mix_pe=0.0,
        if_electricity_mix_gwp=0.0,
        if_electricity_mix_wue=0.0,
        datacenter_pue=1.0,
        datacenter_wue=0.0,
    )
    return Hardware(
        gwp_kgco2e=_range(impacts.embodied.gwp.value, calls),
        adpe_kgsbeq=_range(impacts.embodied.adpe.value, calls),
    )


def _impacts(provider: str, model: str, output_tokens: float, latency_s: float) -> Any:
    compute = _llm_impacts()
    with _quiet():
        # The number of tokens is declared as whole and only ever multiplied.
        return compute(provider, model, output_tokens, latency_s)


@cache
def _llm_impacts() -> Callable[..., Any]:
    with _logger_class():
        from ecologits.tracers.utils import llm_impacts
    return llm_impacts


@cache
def _compute_llm_impacts() -> tuple[Callable[..., Any], Callable[..., Any]]:
    with _logger_class():
        from ecologits.impacts.llm import compute_llm_impacts
        from ecologits.utils.range_value import RangeValue
    return compute_llm_impacts, RangeValue


@contextmanager
def _logger_class() -> Generator[None]:
    """Keep the class of loggers, which importing EcoLogits makes its own for all later ones."""
    before = logging.getLoggerClass()
    try:
        yield
    finally:
        logging.setLoggerClass(before)


@contextmanager
def _quiet() -> Generator[None]:
    """Keep EcoLogits from logging what :class:`Opinion` says in its warnings."""
    logger = logging.getLogger("ecologits")

    def nothing(_record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)


def _range(value: Any, times: float) -> Range:
    low, high = getattr(value, "min", value) * times, getattr(value, "max", value) * times
    return Range(low, (low + high) / 2, high)
