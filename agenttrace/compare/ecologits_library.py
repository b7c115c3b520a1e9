"""Ask EcoLogits, called as a library, what it makes of calls.

This is the one place that runs its code. Importing it takes about 120 ms, so a caller imports it
where an answer is wanted. ``EcoLogits.init`` is never called: it patches the SDKs of providers.

Source: EcoLogits <https://ecologits.ai>, MPL-2.0.
"""

import importlib.metadata
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from agenttrace.energy.library import Entry
from agenttrace.model import Range

_WH_PER_KWH: Final = 1000.0
_NOTHING: Final = Range(0.0, 0.0, 0.0)


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
    """

    provider: str
    model: str
    energy_wh: Range
    hardware: Hardware


def version() -> str:
    """Return the version of the installed EcoLogits."""
    return importlib.metadata.version("ecologits")


@lru_cache(maxsize=4096)  # the energy and the hardware of the same calls are asked for apart
def opinion(
    entry: Entry | None, *, output_tokens: float, calls: float = 1, latency_s: float | None = None
) -> Opinion | None:
    """Return what EcoLogits makes of calls, of which only the sums need to be known.

    The parameters and the speed are those of *entry*, so a set of factors that was kept gives the
    same again; the formulae, and the PUE of the provider, are those of the installed version.

    Its energy of a call is proportional to the output tokens in the GPUs, and in the server to the
    shorter of the measured latency and the generation time that it expects, which is linear in the
    output tokens. So the mean call, times the calls, is the sum over the calls wherever no latency
    is given, and wherever the same of the two is the shorter in all calls. Else it is above the
    sum, because the shorter of two sums is at least the sum of the shorter ones.

    Args:
        entry: Of its catalogue, as :func:`agenttrace.energy.catalogue.entry` finds it.
        output_tokens: Sum over the calls.
        calls: How many.
        latency_s: Sum over the calls, seconds; None where it is unknown.

    Returns:
        None where there is no entry, or where the installed version does not know its provider.
    """
    if entry is None:
        return None
    if not calls or not output_tokens:
        return Opinion(entry.provider, entry.name, _NOTHING, Hardware(_NOTHING, _NOTHING))
    provider = _code().providers.get(entry.provider)
    if provider is None:
        return None
    impacts = _impacts(
        entry.active_parameters_b,
        entry.total_parameters_b,
        output_tokens=output_tokens / calls,
        latency_s=None if latency_s is None else latency_s / calls,
        pue=provider.datacenter_pue,
        tps=entry.deployment.tps if entry.deployment else None,
        ttft=entry.deployment.ttft if entry.deployment else None,
    )
    return Opinion(
        provider=entry.provider,
        model=entry.name,
        energy_wh=_range(impacts.energy.value, calls * _WH_PER_KWH),
        hardware=_hardware(impacts, calls),
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
        return Hardware(_NOTHING, _NOTHING)
    impacts = _impacts(
        active_parameters_b,
        total_parameters_b,
        output_tokens=output_tokens / calls,
        latency_s=None if latency_s is None else latency_s / calls,
    )
    return _hardware(impacts, calls)


def _impacts(
    active_parameters_b: Range,
    total_parameters_b: Range,
    *,
    output_tokens: float,
    latency_s: float | None,
    pue: Any = 1.0,
    tps: float | None = None,
    ttft: float | None = None,
) -> Any:
    """Return what EcoLogits makes of one call: its energy, and the making of the hardware."""
    code = _code()
    return code.compute(
        model_active_parameter_count=code.interval(
            min=active_parameters_b.low, max=active_parameters_b.high
        ),
        model_total_parameter_count=code.interval(
            min=total_parameters_b.low, max=total_parameters_b.high
        ),
        output_token_count=output_tokens,
        request_latency=latency_s,
        datacenter_pue=pue,
        tps=tps,
        ttft=ttft,
        # The electricity and the water are those of our places.
        if_electricity_mix_adpe=0.0,
        if_electricity_mix_pe=0.0,
        if_electricity_mix_gwp=0.0,
        if_electricity_mix_wue=0.0,
        datacenter_wue=0.0,
    )


class _Code(NamedTuple):
    """What is called of EcoLogits."""

    compute: Callable[..., Any]
    interval: Callable[..., Any]
    providers: Mapping[str, Any]


@cache
def _code() -> _Code:
    with _logger_class():
        from ecologits.impacts.llm import compute_llm_impacts
        from ecologits.tracers.utils import PROVIDER_CONFIG_MAP
        from ecologits.utils.range_value import RangeValue
    return _Code(compute_llm_impacts, RangeValue, PROVIDER_CONFIG_MAP)


@contextmanager
def _logger_class() -> Generator[None]:
    """Keep the class of loggers, which importing EcoLogits makes its own for all later ones."""
    before = logging.getLoggerClass()
    try:
        yield
    finally:
        logging.setLoggerClass(before)


def _hardware(impacts: Any, calls: float) -> Hardware:
    return Hardware(
        gwp_kgco2e=_range(impacts.embodied.gwp.value, calls),
        adpe_kgsbeq=_range(impacts.embodied.adpe.value, calls),
    )


def _range(value: Any, times: float) -> Range:
    low, high = getattr(value, "min", value) * times, getattr(value, "max", value) * times
    return Range(low, (low + high) / 2, high)
