"""Energy of model calls: a range in Wh at the facility, with the source of every figure in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agenttrace.energy import draws, tables
from agenttrace.energy.catalogue import Match, match
from agenttrace.energy.draws import DRAWS, SCHEME
from agenttrace.energy.estimate import ModelFactor, estimate, moments, total
from agenttrace.energy.factors import Factor, Factors, Source, load, shipped
from agenttrace.energy.grid import WORLD, Grid, intensity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duckdb import DuckDBPyConnection

__all__ = [
    "BOUNDARY",
    "FactorSet",
    "Grid",
    "Match",
    "ModelFactor",
    "define",
    "estimate",
    "factor_set",
    "load",
    "match",
    "moments",
    "shipped",
    "total",
]

BOUNDARY = "facility"
"""What an estimate covers: accelerator, host, provisioned idle machines, cooling and power."""


@dataclass(frozen=True, slots=True)
class FactorSet:
    """Everything that the estimates of one report are made with.

    Attributes:
        version: Changes with any factor, with the library's data and with the way of drawing.
        boundary: What the energy covers.
        draws: Number of joint draws.
        models: One per provider and model, in the order given.
        grid: Carbon intensity of electricity.
        factors: Every factor in use, those of the models included.
        sources: What the factors cite.
        warnings: One sentence per model that nothing is known about.
    """

    version: str
    boundary: str
    draws: int
    models: tuple[ModelFactor, ...]
    grid: Grid
    factors: tuple[Factor, ...]
    sources: Mapping[str, Source]
    warnings: tuple[str, ...]


def define(
    connection: DuckDBPyConnection,
    *,
    models: Iterable[tuple[str | None, str | None]],
    zone: str = WORLD,
    factors: Factors | None = None,
) -> FactorSet:
    """Create the tables that queries turn tokens into energy with.

    ``factor_set``, ``factor_source``, ``grid``, ``grid_draw``, ``model_factor`` and
    ``model_factor_draw`` are created or replaced; ``tables.sql`` says what their columns are.

    Args:
        connection: An open DuckDB connection.
        models: Distinct pairs of provider and model, spelt as the records have them.
        zone: Where the electricity is from; see :func:`~agenttrace.energy.grid.intensity`.
        factors: Other factors than those that come with agenttrace.

    Raises:
        FactorError: Factors are incomplete, or *zone* is unknown.
    """
    chosen = factor_set(models, zone=zone, factors=factors)
    tables.create(connection, chosen)
    return chosen


def factor_set(
    models: Iterable[tuple[str | None, str | None]],
    *,
    zone: str = WORLD,
    factors: Factors | None = None,
) -> FactorSet:
    """Match, draw and price *models*; arguments and errors as in :func:`define`."""
    factors = factors or shipped()
    constants = draws.shared(factors)
    priced = tuple(
        draws.priced(provider, model, match(model, factors), factors, constants)
        for provider, model in models
    )
    return FactorSet(
        version=_version(factors),
        boundary=BOUNDARY,
        draws=DRAWS,
        models=priced,
        grid=intensity(zone, factors),
        factors=_in_use(factors, priced),
        sources=factors.sources,
        warnings=tuple(_warning(model) for model in priced if not model.match.known),
    )


def _version(factors: Factors) -> str:
    return hashlib.sha256(f"{factors.version} {SCHEME} {DRAWS}".encode()).hexdigest()[:12]


def _in_use(factors: Factors, models: Iterable[ModelFactor]) -> tuple[Factor, ...]:
    used = dict(factors.factors)
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
    return (
        f"{name} is not in the catalogue: its range spans every class "
        f"({parameters.low:g} to {parameters.high:g} B active parameters). "
        f"If it is new, a newer ecologits may have it: pip install --upgrade ecologits"
    )
