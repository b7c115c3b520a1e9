from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from agenttrace import energy, rollup
from agenttrace.energy import DRAWS, estimate, tables
from agenttrace.energy.estimate import multiplier
from agenttrace.model import TokenUsage

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = [
    "boundary_draw",
    "boundary_factor",
    "factor_set",
    "factor_source",
    "grid_hour",
    "model_factor",
    "model_factor_draw",
    "place",
    "place_draw",
]
MODELS = [("openai", "gpt-5"), ("anthropic", "claude-haiku-4-5"), (None, "mystery"), ("x", None)]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_tables_hold_one_row_per_model_and_per_draw(connection: duckdb.DuckDBPyConnection):
    chosen = energy.define(connection, models=MODELS)
    assert connection.execute(
        "SELECT provider, model, class, known FROM model_factor"
    ).fetchall() == [
        ("openai", "gpt-5", "large", True),
        ("anthropic", "claude-haiku-4-5", "tiny", True),
        (None, "mystery", "unknown", False),
        ("x", None, "unknown", False),
    ]
    assert connection.execute(
        "SELECT model, count(DISTINCT draw), min(draw), max(draw) FROM model_factor_draw "
        "GROUP BY ALL ORDER BY model"
    ).fetchall() == [
        (name, DRAWS, 0, DRAWS - 1) for name in ("claude-haiku-4-5", "gpt-5", "mystery", None)
    ]
    assert connection.execute("FROM factor_set").fetchall() == [
        (chosen.version, "facility", DRAWS, 0.05, 0.95)
    ]


def test_sql_over_the_tables_gives_the_estimate(connection: duckdb.DuckDBPyConnection):
    chosen = energy.define(connection, models=[("openai", "gpt-5")])
    usage = TokenUsage(input_tokens=9_000, cache_read_tokens=7_000, output_tokens=400)
    connection.execute("CREATE TABLE call AS SELECT 7000 AS n_c, 2000 AS n_u, 400 AS n_o")
    row = connection.execute(
        """
        WITH energy AS (
            SELECT (
                n_u * factor.j_uncached + n_u * (n_c + n_u / 2) * factor.j_uncached_context
                + n_c * factor.j_cached
                + n_o * factor.j_output + n_o * (n_c + n_u + n_o / 2) * factor.j_output_context
            ) / 3600 AS wh, factor.draw
            FROM call, (
                SELECT *, NULL AS draw
                FROM (SELECT COLUMNS('^j_') FROM model_factor)
                UNION ALL BY NAME SELECT COLUMNS('^j_|draw') FROM model_factor_draw
            ) AS factor
        )
        SELECT
            quantile_cont(wh, 0.05) FILTER (draw IS NOT NULL),
            any_value(wh) FILTER (draw IS NULL),
            quantile_cont(wh, 0.95) FILTER (draw IS NOT NULL)
        FROM energy
        """
    ).fetchone()
    expected = estimate(usage, chosen.models[0])
    assert expected is not None
    assert row == pytest.approx((expected.low, expected.central, expected.high))


def test_factor_source_has_a_row_for_every_factor_in_use(connection: duckdb.DuckDBPyConnection):
    chosen = energy.define(connection, models=MODELS)
    in_table = connection.execute(
        "SELECT DISTINCT id, unit, low, central, high FROM factor_source "
        "WHERE title <> '' AND year > 2000 AND url LIKE 'https://%' AND locator <> ''"
    ).fetchall()
    assert set(in_table) == {(f.id, f.unit, f.low, f.central, f.high) for f in chosen.factors}
    assert "gpt-5.active_parameters_b" in {row[0] for row in in_table}


def test_a_store_without_models_has_empty_tables(connection: duckdb.DuckDBPyConnection):
    energy.define(connection, models=[])
    assert connection.execute("FROM model_factor").fetchall() == []
    assert connection.execute("FROM model_factor_draw").fetchall() == []


def test_defining_again_replaces(connection: duckdb.DuckDBPyConnection):
    energy.define(connection, models=MODELS)
    energy.define(connection, models=[("openai", "gpt-5")], regions=[(None, None)], default="FR")
    assert connection.execute("SELECT model FROM model_factor").fetchall() == [("gpt-5",)]
    assert connection.execute("SELECT count(*) FROM model_factor_draw").fetchone() == (DRAWS,)
    assert connection.execute("SELECT country FROM place").fetchall() == [("FRA",)]


def test_draws_of_a_place_have_its_range(connection: duckdb.DuckDBPyConnection):
    (world,) = energy.define(connection, models=[], regions=[(None, None)]).places
    assert connection.execute(
        "SELECT quantile_cont(g_per_kwh, [0.05, 0.5, 0.95]), "
        "quantile_cont(l_per_kwh, [0.05, 0.95]) FROM place_draw"
    ).fetchone() == (
        pytest.approx(
            [world.g_per_kwh.low, world.g_per_kwh.central, world.g_per_kwh.high], rel=0.03
        ),
        pytest.approx([world.l_per_kwh.low, world.l_per_kwh.high]),
    )
    (known,) = energy.define(connection, models=[], regions=[(None, None)], default="FR").places
    assert connection.execute("SELECT DISTINCT g_per_kwh FROM place_draw").fetchall() == [
        (known.g_per_kwh.central,)
    ]


def test_ranges_in_sql_are_the_quantiles_of_the_draws(connection: duckdb.DuckDBPyConnection):
    energy.define(connection, models=[("openai", "gpt-5"), ("openai", "o3")])
    rows = connection.execute(
        "SELECT low_of_draws(j_output), high_of_draws(j_output), "
        "quantile_cont(j_output, [0.05, 0.95]) FROM model_factor_draw GROUP BY model"
    ).fetchall()
    assert [row[:2] for row in rows] == [pytest.approx(tuple(row[2])) for row in rows]


def test_measured_joules_are_brought_to_the_boundary_of_the_report(
    connection: duckdb.DuckDBPyConnection,
):
    """What the facility takes for a joule, over what the measured boundary takes, in each draw."""
    chosen = energy.define(connection, models=[("openai", "gpt-5")], boundary="server")
    tables.add_measured(connection)
    server = multiplier(chosen.constants, "server")
    assert connection.execute(
        "SELECT basis, j_uncached, j_output FROM model_factor WHERE basis <> 'estimated'"
    ).fetchall() == [
        ("accelerator", server, 0.0),
        ("server", 1.0, 0.0),
        ("facility", server / multiplier(chosen.constants, "facility"), 0.0),
    ]
    assert connection.execute(
        "SELECT count(*) FROM model_factor_draw AS d JOIN boundary_draw AS s USING (draw) "
        "WHERE d.basis = 'accelerator' AND s.boundary = 'server' AND d.j_uncached = s.multiplier"
    ).fetchone() == (DRAWS,)


def test_queries_without_rows_have_the_columns_that_their_files_describe():
    queries = rollup.find(rollup.folders(), tables.NONE)
    assert {name: set(columns) for name, columns in tables.NONE.items()} == {
        name: {column.name for column in query.columns} for name, query in queries.items()
    }


def test_every_table_and_column_says_what_it_is(connection: duckdb.DuckDBPyConnection):
    energy.define(connection, models=[])
    assert (
        connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL "
            "UNION ALL SELECT table_name || '.' || column_name FROM duckdb_columns() "
            "WHERE comment IS NULL AND NOT internal"
        ).fetchall()
        == []
    )
    assert [
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() ORDER BY table_name"
        ).fetchall()
    ] == TABLES


def test_importing_energy_loads_no_heavy_package():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, agenttrace.energy, agenttrace.compare; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "agenttrace.energy" in loaded
    assert not {"duckdb", "ecologits", "pydantic", "numpy", "opentelemetry"} & set(loaded)


def test_pricing_reads_the_catalogue_without_importing_it():
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from agenttrace import energy; "
            "print(energy.factor_set([('openai', 'gpt-5')]).models[0].match.reason); "
            "print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "assumed by EcoLogits" in loaded
    assert not {"ecologits", "pydantic"} & set(loaded.split())
