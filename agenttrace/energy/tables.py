"""Write a factor set into tables, for SQL to join."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace.energy.estimate import HIGH_QUANTILE, LOW_QUANTILE, Coefficients, multiplier
from agenttrace.energy.grid import hourly
from agenttrace.energy.pricing import BOUNDARIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection

    from agenttrace.energy import FactorSet

_SCHEMA = Path(__file__).with_name("tables.sql")

# One list of draws per row, unfolded by DuckDB: a quarter of the time of one value per row.
_INSERT_DRAWS = """
INSERT INTO model_factor_draw
SELECT
    drawn.provider,
    drawn.model,
    'estimated',
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

_INSERT_PLACE_DRAWS = """
INSERT INTO place_draw
SELECT
    drawn.provider,
    drawn.region,
    unnest(range(len(drawn.g_per_kwh))),
    unnest(drawn.g_per_kwh),
    unnest(drawn.l_per_kwh)
FROM (
    SELECT
        unnest($1::VARCHAR[]) AS provider,
        unnest($2::VARCHAR[]) AS region,
        unnest($3::DOUBLE[][]) AS g_per_kwh,
        unnest($4::DOUBLE[][]) AS l_per_kwh
) AS drawn
"""

_INSERT_BOUNDARY_DRAWS = """
INSERT INTO boundary_draw
SELECT drawn.boundary, unnest(range(len(drawn.multiplier))), unnest(drawn.multiplier)
FROM (
    SELECT unnest($1::VARCHAR[]) AS boundary, unnest($2::DOUBLE[][]) AS multiplier
) AS drawn
"""


_CALLS: Final = {
    "task_id": "VARCHAR",
    "region": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "role": "VARCHAR",
    "hidden": "BOOLEAN",
}
_FIVE: Final = ("uncached", "uncached_context", "cached", "output", "output_context")
_MOMENTS: Final = dict.fromkeys(
    ("uncached", "uncached_context_x2", "cached", "output", "output_context_x2"), "DOUBLE"
)

NONE: Final[Mapping[str, Mapping[str, str]]] = {
    "hourly_moments": {
        **_CALLS,
        "basis": "VARCHAR",
        **dict.fromkeys(_FIVE, "DOUBLE"),
        **dict.fromkeys((f"{name}_g" for name in _FIVE), "DOUBLE"),
    },
    "measured_call": {
        "call_id": "VARCHAR",
        **_CALLS,
        "trace_id": "VARCHAR",
        "span_id": "VARCHAR",
        "started_at": "TIMESTAMP",
        "boundary": "VARCHAR",
        "mark": "VARCHAR",
        "covered": "DOUBLE",
        "measured_wh": "DOUBLE",
        "estimate_wh": "DOUBLE",
        "ratio": "DOUBLE",
        **_MOMENTS,
    },
    "measured_sum": {
        **_CALLS,
        "hour": "TIMESTAMP",
        "boundary": "VARCHAR",
        "calls": "BIGINT",
        "partly_calls": "BIGINT",
        "covered_calls": "DOUBLE",
        "modelled_calls": "BIGINT",
        "unpriced_calls": "BIGINT",
        "measured_j": "DOUBLE",
        "unpriced_j": "DOUBLE",
        **_MOMENTS,
    },
}
"""Columns of queries that have no rows where nothing was imported, with their types."""


def create(
    connection: DuckDBPyConnection, factor_set: FactorSet, hours: Iterable[Path] = ()
) -> None:
    """Create or replace the tables of ``tables.sql``.

    Args:
        connection: Where to.
        factor_set: What is in most of them.
        hours: Parquet files with the columns of ``grid_hour``, and others.
    """
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    _factor_set(connection, factor_set)
    _factor_source(connection, factor_set)
    _boundaries(connection, factor_set)
    _place(connection, factor_set)
    _grid_hour(connection, hours)
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


def _boundaries(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    central = [multiplier(factor_set.constants, boundary) for boundary in BOUNDARIES]
    insert(
        connection,
        "boundary_factor",
        {"boundary": BOUNDARIES, "multiplier": central},
    )
    drawn = [
        [multiplier(constants, boundary) for constants in factor_set.constant_draws]
        for boundary in BOUNDARIES
    ]
    connection.execute(_INSERT_BOUNDARY_DRAWS, [list(BOUNDARIES), drawn])


def _place(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    placed = factor_set.places
    places = [one.place for one in placed]
    keys = {
        "provider": [one.provider for one in placed],
        "region": [one.region for one in placed],
    }
    insert(
        connection,
        "place",
        {
            **keys,
            "zone": [place.zone for place in places],
            "country": [place.country for place in places],
            "g_per_kwh": [one.g_per_kwh.central for one in placed],
            "g_per_kwh_low": [one.g_per_kwh.low for one in placed],
            "g_per_kwh_high": [one.g_per_kwh.high for one in placed],
            "l_per_kwh": [one.l_per_kwh.central for one in placed],
            "l_per_kwh_low": [one.l_per_kwh.low for one in placed],
            "l_per_kwh_high": [one.l_per_kwh.high for one in placed],
            "resolution": [place.resolution for place in places],
            "reason": [place.reason for place in places],
            "title": ["; ".join(source.title for source in place.sources) for place in places],
            "url": ["; ".join(source.url for source in place.sources) for place in places],
            "mark": [place.mark for place in places],
        },
    )
    connection.execute(
        _INSERT_PLACE_DRAWS,
        [
            *keys.values(),
            [list(one.g_draws) for one in placed],
            [list(one.l_draws) for one in placed],
        ],
    )


def _grid_hour(connection: DuckDBPyConnection, hours: Iterable[Path]) -> None:
    # Whoever has a connection has loaded it; importing this module must not.
    import duckdb

    for path in hours:
        try:
            connection.execute(
                "INSERT INTO grid_hour BY NAME "
                "SELECT zone, hour, g_per_kwh, marginal_g_per_kwh, cfe_share FROM read_parquet($1)",
                [str(path)],
            )
        except duckdb.Error as error:
            raise hourly.unreadable(path) from error


def _model_factor(connection: DuckDBPyConnection, factor_set: FactorSet) -> None:
    models = factor_set.models
    parameters = [model.match.parts.active_parameters_b for model in models]
    insert(
        connection,
        "model_factor",
        {
            "provider": [model.provider for model in models],
            "model": [model.model for model in models],
            "basis": ["estimated"] * len(models),
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


def add_measured(connection: DuckDBPyConnection) -> None:
    """Let measured joules be priced: each model gets a row per boundary that a meter may cover.

    The joules are the moment of ``j_uncached``, which turns them into joules at the boundary of
    the report.
    """
    connection.execute(_MEASURED)
    connection.execute(_MEASURED_DRAWS)


_MEASURED = """
INSERT INTO model_factor BY NAME
SELECT
    model_factor.* REPLACE (
        measured.boundary AS basis,
        asked.multiplier / measured.multiplier AS j_uncached,
        0.0 AS j_uncached_context,
        0.0 AS j_cached,
        0.0 AS j_output,
        0.0 AS j_output_context
    )
FROM model_factor
CROSS JOIN boundary_factor AS measured
CROSS JOIN factor_set
INNER JOIN boundary_factor AS asked ON factor_set.boundary = asked.boundary
WHERE model_factor.basis = 'estimated'
"""

_MEASURED_DRAWS = """
INSERT INTO model_factor_draw BY NAME
SELECT
    model_factor.provider,
    model_factor.model,
    measured.boundary AS basis,
    measured.draw,
    asked.multiplier / measured.multiplier AS j_uncached,
    0.0 AS j_uncached_context,
    0.0 AS j_cached,
    0.0 AS j_output,
    0.0 AS j_output_context
FROM model_factor
CROSS JOIN boundary_draw AS measured
CROSS JOIN factor_set
INNER JOIN boundary_draw AS asked
    ON factor_set.boundary = asked.boundary AND measured.draw = asked.draw
WHERE model_factor.basis = 'estimated'
"""
