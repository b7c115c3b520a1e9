from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_task_moments(home: Path) -> None:
    """Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450."""
    records = spans(
        task("a", chat(input=10, output=2), chat(input=20, output=4), chat(model="o", output=1)),
        task("b", chat(input=10, cache_read=10, output=0)),
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [1.0]}) as connection:
        rows = connection.sql(
            "SELECT * EXCLUDE (region, basis, hourly, hourly_g, hourly_share, hourly_g_per_kwh) "
            "FROM task_moments "
            "ORDER BY task_id, model"
        ).fetchall()
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110.
    assert rows == [
        ("a", "openai", "gpt-5", 2, 0, 30.0, 250.0, 0.0, 6.0, 110.0, 30.0, 30.0, 0.06),
        ("a", "openai", "o", 1, 1, None, None, None, 1.0, 0.5, 0.0, 0.0, 0.0),
        ("b", "openai", "gpt-5", 1, 0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    ]


HOURS = """
    INSERT INTO hourly_moments BY NAME
    SELECT 'a' AS task_id, 'eu-north-1' AS region, 'openai' AS provider, 'gpt-5' AS model,
        'main' AS role, true AS hidden, 'estimated' AS basis, 4 AS uncached, 200 AS uncached_g,
        0 AS uncached_context, 0 AS cached, 0 AS output, 0 AS output_context,
        0 AS uncached_context_g, 0 AS cached_g, 0 AS output_g, 0 AS output_context_g
"""


def test_known_hours_go_before_the_year(home: Path) -> None:
    """Of 10 Wh, 4 fell into hours of 50 g/kWh, and the other 6 into a year of 1,000 g/kWh.

    4 * 50 + 6 * 1000 = 6,200 mg. What ran elsewhere has no hours.
    """
    records = spans(
        task("a", chat(input=10, output=0, region="eu-north-1"), chat(input=5, output=0))
    )
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(HOURS)
        rows = found.sql(
            "SELECT region, hourly, hourly_g, hourly_share, hourly_g_per_kwh, carbon_g "
            "FROM task_moments ORDER BY region"
        ).fetchall()
    assert rows == [
        ("eu-north-1", [4.0, 0.0, 0.0, 0.0, 0.0], [200.0, 0.0, 0.0, 0.0, 0.0], 0.4, 50.0, 6.2),
        (None, [0.0] * 5, [0.0] * 5, 0.0, 0.0, 5.0),
    ]


MEASURED = """
    INSERT INTO model_factor BY NAME
    SELECT * REPLACE ('accelerator' AS basis, 2 AS j_uncached) FROM model_factor;
    INSERT INTO measured_sum BY NAME
    SELECT 'a' AS task_id, 'openai' AS provider, 'gpt-5' AS model, 'main' AS role, true AS hidden,
        'accelerator' AS boundary, 1 AS calls, 7200 AS measured_j, 10 AS uncached,
        100 AS uncached_context_x2, 0 AS cached, 2 AS output, 44 AS output_context_x2
"""


def test_what_a_meter_saw_leaves_the_estimate_and_stands_beside_it(home: Path) -> None:
    """Of the two calls the first was measured: 7,200 J at the accelerator, 4 Wh at the facility.

    The other is left to the estimate: 20 tokens, 20 * 10 = 200, 4 tokens, 4 * 22 = 88.
    """
    records = spans(task("a", chat(input=10, output=2), chat(input=20, output=4), chat()))
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(MEASURED)
        rows = found.sql(
            "SELECT basis, calls, uncached, uncached_context, output, output_context, energy_wh "
            "FROM task_moments WHERE uncached IS NOT NULL ORDER BY basis"
        ).fetchall()
    assert rows == [
        ("accelerator", 0, 7200.0, 0.0, 0.0, 0.0, 4.0),
        ("estimated", 3, 20.0, 200.0, 4.0, 88.0, 20.0),
    ]
