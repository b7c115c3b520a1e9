"""Energy, carbon and water of model calls: ranges, and the source of every figure in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agenttrace import config
from agenttrace.energy import catalogue, draws, places, tables
from agenttrace.energy.catalogue import Match, match
from agenttrace.energy.draws import DRAWS, PlaceFactor
from agenttrace.energy.estimate import Constants, ModelFactor, estimate, moments, total
from agenttrace.energy.factors import Factor, Factors, Source, load, shipped
from agenttrace.energy.grid import hourly
from agenttrace.energy.places import Place
from agenttrace.energy.pricing import Boundary, Pricing

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

__all__ = [
    "Boundary",
    "FactorSet",
    "Match",
    "ModelFactor",
    "Place",
    "PlaceFactor",
    "Pricing",
    "define",
    "estimate",
    "factor_set",
    "load",
    "match",
    "moments",
    "shipped",
    "total",
]


@dataclass(frozen=True, slots=True)
class FactorSet:
    """Everything that the estimates of one report are made with.

    Attributes:
        version: Changes with any factor, with the library's data and with the way of drawing.
        boundary: What the energy covers.
        draws: Number of joint draws.
        models: One per provider and model, in the order given.
        places: One per provider and region, in the order given.
        constants: Central values of what all models share.
        constant_draws: One value of each per draw.
        origin: All factors that could have been in use.
        factors: Every factor in use, those of the models included.
        sources: What the factors cite.
        warnings: One sentence per model that nothing is known about.
    """

    version: str
    boundary: Boundary
    draws: int
    models: tuple[ModelFactor, ...]
    places: tuple[PlaceFactor, ...]
    constants: Constants
    constant_draws: tuple[Constants, ...]
    origin: Factors
    factors: tuple[Factor, ...]
    sources: Mapping[str, Source]
    warnings: tuple[str, ...]

    def warnings_of(self, models: Container[tuple[str | None, str | None]]) -> tuple[str, ...]:
        """Return the sentences on those of *models*, pairs of provider and model."""
        unknown = (one for one in self.models if not one.match.known)
        return tuple(
            warning
            for one, warning in zip(unknown, self.warnings, strict=True)
            if (one.provider, one.model) in models
        )


def define(
    connection: DuckDBPyConnection,
    *,
    models: Iterable[tuple[str | None, str | None]],
    regions: Iterable[tuple[str | None, str | None]] = (),
    factors: Factors | None = None,
    boundary: Boundary = "facility",
    default: str | None = None,
    home: Path | None = None,
) -> FactorSet:
    """Create the tables that queries turn tokens into energy, carbon and water with.

    They are created or replaced; ``tables.sql`` says what their columns are.

    Args:
        connection: An open DuckDB connection.
        models: Distinct pairs of provider and model, spelt as the records have them.
        regions: Distinct pairs of provider and region, spelt as the records have them.
        factors: Other factors than those that come with agenttrace.
        boundary: What the energy is to cover.
        default: Where calls ran if nothing else tells; ``AGENTTRACE_REGION`` if not
            given. See :func:`~agenttrace.energy.places.place`.
        home: Folder of the data, with what was imported about the hours of grids.

    Raises:
        FactorError: Factors are incomplete, or *default* is no place.
    """
    chosen = factor_set(
        models, regions=regions, factors=factors, boundary=boundary, default=default
    )
    zones = dict.fromkeys(one.place.zone for one in chosen.places)
    paths = [hourly.file_of(home, zone) for zone in zones] if home else []
    hours = [path for path in paths if path.exists()]
    tables.create(connection, chosen, hours)
    return chosen


def factor_set(
    models: Iterable[tuple[str | None, str | None]],
    *,
    regions: Iterable[tuple[str | None, str | None]] = (),
    factors: Factors | None = None,
    boundary: Boundary = "facility",
    default: str | None = None,
) -> FactorSet:
    """Match, draw and price *models* and *regions*; arguments and errors as in :func:`define`."""
    factors = factors or shipped()
    constants = draws.shared(factors)
    priced = tuple(
        draws.priced(provider, model, match(model, factors), factors, constants, boundary=boundary)
        for provider, model in models
    )
    placed = tuple(
        draws.placed(
            provider,
            region,
            places.place(provider, region, factors, default=default or config.region()),
            boundary,
        )
        for provider, region in regions
    )
    return FactorSet(
        version=factors.version,
        boundary=boundary,
        draws=DRAWS,
        models=priced,
        places=placed,
        constants=draws.central(factors),
        constant_draws=tuple(constants),
        origin=factors,
        factors=_in_use(factors, priced),
        sources=factors.sources,
        warnings=tuple(_warning(model) for model in priced if not model.match.known),
    )


def _in_use(factors: Factors, models: Iterable[ModelFactor]) -> tuple[Factor, ...]:
    """Return the constants of the formula, and the parts of *models*."""
    used = {factor.id: factor for factor in factors.constants()}
    for model in models:
        parts = model.match.parts
        for part in (
            parts.active_parameters_b,
            parts.decode_j_per_token,
            parts.cache_bytes_per_token,
        ):
            if part is not None:
                used[part.id] = part
    return tuple(used.values())


def _warning(model: ModelFactor) -> str:
    name = "a call that names no model" if model.model is None else f"model {model.model!r}"
    parameters = model.match.parts.active_parameters_b
    said = (
        f"{name} is not in the catalogue: its range spans every class "
        f"({parameters.low:g} to {parameters.high:g} B active parameters)."
    )
    if model.model is None:
        return said
    return (
        f"{said} If you know it, say so at the top of factors.toml in the folder of the data: "
        f"{catalogue.mending(model.model)}"
    )
