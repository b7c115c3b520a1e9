"""What a call comes to, as attributes; quickly, for every span of a running program asks.

Matching a model and drawing its factors is done once for a model and a place. What is left for each
call are the products of its moments with those draws, and the two quantiles.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

from agenttrace import config, energy
from agenttrace.energy import chosen, pricing
from agenttrace.energy.estimate import (
    HIGH_QUANTILE,
    JOULES_PER_WH,
    LOW_QUANTILE,
    Moments,
    energy_j,
    moments,
    quantile,
)
from agenttrace.enrichment import names
from agenttrace.model import Range, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agenttrace.energy import ModelFactor, PlaceFactor
    from agenttrace.energy.factors import Factors

_WH_PER_KWH: Final = 1000.0
_KINDS_KEPT: Final = 512  # pairs of a model and a place; what a program names may have no end

Attributes = dict[str, str | float | bool]


class _Kind(NamedTuple):
    """What calls to one model at one place share."""

    factor: ModelFactor
    place: PlaceFactor
    is_place_known: bool  # one intensity in all draws
    said: Mapping[str, str | bool]


class Estimator:
    """Estimates calls one by one, with the factors as they were when it was made.

    Safe to use from several threads.
    """

    def __init__(
        self, pricing: pricing.Pricing = pricing.DEFAULT, home: Path | None = None
    ) -> None:
        """Choose the factors.

        Args:
            pricing: Boundary, region and which factors.
            home: Folder of the data, with factors of the user; that of the settings if not given.

        Raises:
            ConfigError: A setting is none.
            FactorError: A factor file does not hold, or the region or the version is unknown.
        """
        self._pricing = pricing
        self._factors: Factors = chosen.chosen(pricing, home or config.load().home)
        self._kind = functools.lru_cache(maxsize=_KINDS_KEPT)(self._matched)
        self._kind(None, None, None)  # a region that is none is refused here

    def attributes(
        self,
        usage: TokenUsage,
        *,
        model: str | None,
        provider: str | None = None,
        region: str | None = None,
    ) -> Attributes:
        """Return what a call comes to, as attributes of its span.

        Args:
            usage: Its tokens; input and output are inclusive.
            model: Its name in any spelling; None, or a name that nothing is known of, gets the
                range of every class, and ``model_is_known`` is False.
            provider: Who serves it.
            region: Cloud region, where the span says it.

        Returns:
            Wh and gCO2e as low, central and high, what they cover and which factors they rest on;
            nothing where neither side of the usage is known, for that is not zero.
        """
        if usage.input_tokens is None and usage.output_tokens is None:
            return {}
        kind = self._kind(provider, model, region)
        energy_wh, carbon_g = _priced(moments(usage), kind)
        return {
            names.ENERGY_LOW_WH: energy_wh.low,
            names.ENERGY_CENTRAL_WH: energy_wh.central,
            names.ENERGY_HIGH_WH: energy_wh.high,
            names.CARBON_LOW_G: carbon_g.low,
            names.CARBON_CENTRAL_G: carbon_g.central,
            names.CARBON_HIGH_G: carbon_g.high,
            **kind.said,
        }

    def _matched(self, provider: str | None, model: str | None, region: str | None) -> _Kind:
        used = energy.factor_set(
            [(provider, model)],
            regions=[(provider, region)],
            factors=self._factors,
            boundary=self._pricing.boundary,
            default=self._pricing.region,
        )
        (factor,), (place,) = used.models, used.places
        said: dict[str, str | bool] = {
            names.ENERGY_BOUNDARY: used.boundary,
            names.MODEL_CLASS: factor.match.class_name,
            names.MODEL_IS_KNOWN: factor.match.known,
            names.CARBON_ZONE: place.place.zone,
            names.FACTORS_VERSION: used.version,
        }
        return _Kind(factor, place, len(set(place.g_draws)) == 1, said)


def attributes(
    usage: TokenUsage,
    *,
    model: str | None,
    provider: str | None = None,
    region: str | None = None,
) -> Attributes:
    """Return what a call comes to, at the facility and with the factors of this user.

    Arguments and result are those of :meth:`Estimator.attributes`.

    Raises:
        ConfigError: A setting is none.
        FactorError: A factor file of the user does not hold.
    """
    return usual().attributes(usage, model=model, provider=provider, region=region)


@functools.cache
def usual() -> Estimator:
    """Return the estimator with the settings of this process, made once."""
    return Estimator()


def _priced(moment: Moments, kind: _Kind) -> tuple[Range, Range]:
    """Return Wh and gCO2e of a call, as ``agenttrace.energy.total`` and reports have them."""
    drawn = _drawn_wh(moment, kind.factor)
    central = energy_j(moment, kind.factor.coefficients) / JOULES_PER_WH
    energy_wh = _around(central, sorted(drawn))
    place = kind.place
    central_g = central / _WH_PER_KWH * place.g_per_kwh.central
    if kind.is_place_known:
        each = place.g_draws[0] / _WH_PER_KWH
        low, high = energy_wh.low * each, energy_wh.high * each
        return energy_wh, Range(min(low, central_g), central_g, max(high, central_g))
    grams = sorted(wh * each / _WH_PER_KWH for wh, each in zip(drawn, place.g_draws, strict=True))
    return energy_wh, _around(central_g, grams)


def _drawn_wh(moment: Moments, factor: ModelFactor) -> list[float]:
    uncached, uncached_context, cached, output, output_context = (
        one / JOULES_PER_WH for one in moment
    )
    # Written out, for it is most of what a call costs.
    return [
        uncached * a + uncached_context * b + cached * c + output * d + output_context * e
        for a, b, c, d, e in factor.draws
    ]


def _around(central: float, ordered: Sequence[float]) -> Range:
    low, high = quantile(ordered, LOW_QUANTILE), quantile(ordered, HIGH_QUANTILE)
    return Range(min(low, central), central, max(high, central))
