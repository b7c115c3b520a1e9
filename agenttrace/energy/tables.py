"""Write a factor set into tables, for SQL to join."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agenttrace.energy import draws
from agenttrace.energy.estimate import HIGH_QUANTILE, LOW_QUANTILE, Coefficients

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from agenttrace.energy import FactorSet

_SCHEMA = Path(__file__).with_name("tables.sql")

# One list of draws per model, unfolded by DuckDB: a quarter of the time of one value per row.
_INSERT_DRAWS = """
INSERT INTO model_factor_draw
SELECT
    drawn.provider,
    drawn.model,
    unnest(range(len(drawn.j_uncached))),
    unnest(drawn.j_uncached),
    unnest(drawn.j_uncached_context),
    unnest(drawn.j_cached),
    unnest(drawn.j_output),
    unnest(drawn.j_output_context)
FROM (
    SELECT
        unnest($1::VARCHAR[]) AS provider,
        unnest($2::VARCHAR[]) AS model,
        unnest($3::DOUBLE[][]) AS j_uncached,
        unnest($4::DOUBLE[][]) AS j_uncached_context,
        unnest($5::DOUBLE[][]) AS j_cached,
        unnest($6::DOUBLE[][]) AS j_output,
        unnest($7::DOUBLE[][]) AS j_output_context
) AS drawn
"""


def create(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    """Create or replace the tables of ``tables.sql``."""
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    _factor_set(connection, factor_set)
    _factor_source(connection, factor_set)
    _grid(connection, factor_set)
    _grid_draw(connection, factor_set)
    _model_factor(connection, factor_set)
    _model_factor_draw(connection, factor_set)


def insert(
    connection: DuckDBPyConnection, table: str, columns: Mapping[str, Sequence[object]]
) -> None:
    """Insert whole columns at once: row by row, DuckDB takes a thousand times as long.

    Args:
        connection: Where *table* is.
        table: Its name, trusted.
        columns: Values by column name (trusted); all of one length.
    """
    values = ", ".join(f"unnest(${number})" for number in range(1, len(columns) + 1))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
    connection.execute(statement, list(columns.values()))


def _factor_set(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    insert(
        connection,
        "factor_set",
        {
            "version": [factor_set.version],
            "boundary": [factor_set.boundary],
            "draws": [factor_set.draws],
            "low_quantile": [LOW_QUANTILE],
            "high_quantile": [HIGH_QUANTILE],
        },
    )


def _factor_source(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    cited = [
        (factor, factor_set.sources[citation.id], citation.locator)
        for factor in factor_set.factors
        for citation in factor.sources
    ]
    insert(
        connection,
        "factor_source",
        {
            "id": [factor.id for factor, _, _ in cited],
            "name": [factor.name for factor, _, _ in cited],
            "unit": [factor.unit for factor, _, _ in cited],
            "low": [factor.low for factor, _, _ in cited],
            "central": [factor.central for factor, _, _ in cited],
            "high": [factor.high for factor, _, _ in cited],
            "boundary": [factor.boundary for factor, _, _ in cited],
            "mark": [factor.mark for factor, _, _ in cited],
            "retrieved": [factor.retrieved for factor, _, _ in cited],
            "title": [source.title for _, source, _ in cited],
            "authors": [source.by for _, source, _ in cited],
            "year": [source.year for _, source, _ in cited],
            "url": [source.url for _, source, _ in cited],
            "locator": [locator for _, _, locator in cited],
            "source_mark": [source.mark for _, source, _ in cited],
        },
    )


def _grid(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    grid = factor_set.grid
    insert(
        connection,
        "grid",
        {
            "zone": [grid.zone],
            "g_per_kwh": [grid.g_per_kwh.central],
            "g_per_kwh_low": [grid.g_per_kwh.low],
            "g_per_kwh_high": [grid.g_per_kwh.high],
            "resolution": [grid.resolution],
            "title": [grid.source.title],
            "url": [grid.source.url],
            "mark": [grid.mark],
        },
    )


def _grid_draw(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    intensities = draws.column(factor_set.grid.g_per_kwh, f"grid {factor_set.grid.zone}")
    insert(
        connection,
        "grid_draw",
        {"draw": list(range(factor_set.draws)), "g_per_kwh": intensities},
    )


def _model_factor(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    models = factor_set.models
    parameters = [model.match.parts.active_parameters_b for model in models]
    insert(
        connection,
        "model_factor",
        {
            "provider": [model.provider for model in models],
            "model": [model.model for model in models],
            "class": [model.match.class_name for model in models],
            "known": [model.match.known for model in models],
            "match_reason": [model.match.reason for model in models],
            "active_parameters_b_low": [factor.low for factor in parameters],
            "active_parameters_b_central": [factor.central for factor in parameters],
            "active_parameters_b_high": [factor.high for factor in parameters],
            **_by_name(model.coefficients for model in models),
        },
    )


def _model_factor_draw(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    models = factor_set.models
    by_field = (
        [[draw[field] for draw in model.draws] for model in models]
        for field in range(len(Coefficients._fields))
    )
    connection.execute(
        _INSERT_DRAWS,
        [[model.provider for model in models], [model.model for model in models], *by_field],
    )


def _by_name(rows: Iterable[Coefficients]) -> dict[str, Sequence[object]]:
    columns = list(zip(*rows, strict=True)) or [()] * len(Coefficients._fields)
    return {name: list(column) for name, column in zip(Coefficients._fields, columns, strict=True)}
