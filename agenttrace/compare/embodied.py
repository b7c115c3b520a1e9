"""Impacts of making the hardware that answers: apart from those of using it, never added to them.

The figures are EcoLogits': the making of GPUs and server over a life of three years, shared out by
the seconds that a call takes of them at a batch of 64. It looks at output tokens only, so what
reading long inputs takes of the hardware is missing from them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from agenttrace.compare import ecologits_library
from agenttrace.compare.ecologits_library import Hardware
from agenttrace.compare.methods import ECOLOGITS, Work
from agenttrace.energy.catalogue import Match
from agenttrace.energy.library import Entry
from agenttrace.model import Range

IGNORES: Final = (
    "input tokens, the building, the network, the end of life; its range is that of the parameters"
    " alone"
)


@dataclass(frozen=True, slots=True)
class Embodied:
    """What making the hardware costs, for the part of its life that calls take.

    Attributes:
        gwp_kgco2e: Global warming potential, kg CO2 equivalent.
        adpe_kgsbeq: Abiotic depletion of elements, kg antimony equivalent.
        calls: Calls that it is known for.
        calls_by_parameters: Those of them whose model is not in EcoLogits' catalogue: its formulae
            with the parameters that our own has.
        ignores: What is not in it, in words.
        source: Where it is from.
    """

    gwp_kgco2e: Range
    adpe_kgsbeq: Range
    calls: int
    calls_by_parameters: int
    ignores: str
    source: Work


@dataclass(frozen=True, slots=True)
class Usage:
    """Calls of one model, summed.

    Attributes:
        entry: Of the model in EcoLogits' catalogue; None where it has none.
        calls: How many.
        output_tokens: Sum of what they generated.
        latency_s: Sum of how long they took; None where it is unknown.
        active_parameters_b: Active parameters, 1e9, for a model that EcoLogits does not know.
        total_parameters_b: All its parameters, 1e9; None where nobody says them.
    """

    entry: Entry | None
    calls: int
    output_tokens: int
    latency_s: float | None = None
    active_parameters_b: Range | None = None
    total_parameters_b: Range | None = None


def of_model(
    match: Match,
    entry: Entry | None,
    calls: int,
    output_tokens: int,
    latency_s: float | None = None,
) -> Usage:
    """Return calls of a model that our catalogue and EcoLogits' make something of."""
    active, total = match.parts.active_parameters_b, match.total_parameters_b
    return Usage(
        entry, calls, output_tokens, latency_s, active.range, total.range if total else None
    )


def embodied(usages: Iterable[Usage]) -> Embodied | None:
    """Add the embodied impacts of calls.

    Low and high are EcoLogits' ends, added: it gives no way to say how they go together, and they
    come from parameters that one maker does not publish, so they lean the same way.

    Returns:
        None where the parameters of none of the models are known, or nothing is generated, because
        that is not zero; ``calls`` says how many calls the figures are for.
    """
    gwp = adpe = Range(0.0, 0.0, 0.0)
    calls = by_parameters = 0
    for usage in usages:
        known = _in_catalogue(usage)
        found = known or _by_parameters(usage)
        # What only reads takes hardware as well, of which EcoLogits knows nothing.
        if found is None or not usage.output_tokens:
            continue
        gwp, adpe = gwp + found.gwp_kgco2e, adpe + found.adpe_kgsbeq
        calls += usage.calls
        by_parameters += 0 if known else usage.calls
    return Embodied(gwp, adpe, calls, by_parameters, IGNORES, ECOLOGITS) if calls else None


def _in_catalogue(usage: Usage) -> Hardware | None:
    said = ecologits_library.opinion(
        usage.entry,
        output_tokens=usage.output_tokens,
        calls=usage.calls,
        latency_s=usage.latency_s,
    )
    return said.hardware if said else None


def _by_parameters(usage: Usage) -> Hardware | None:
    if usage.active_parameters_b is None or usage.total_parameters_b is None:
        return None
    return ecologits_library.hardware(
        usage.active_parameters_b,
        usage.total_parameters_b,
        output_tokens=usage.output_tokens,
        calls=usage.calls,
        latency_s=usage.latency_s,
    )
