from pathlib import Path

from tests.builders import asked, chat, later, spans, task

HOURS = """
    INSERT INTO grid_hour VALUES
        ('SE', '2025-10-09 08:00', NULL, 900, NULL), ('SE', '2025-10-09 09:00', 50, NULL, NULL)
"""


def test_hourly_moments(home: Path) -> None:
    """Calls run in Sweden at 08:53 and at 09:53, and one elsewhere; of 09:00 50 g/kWh are known.

    Of 20 tokens and 2 written n_u * n_u / 2 = 200 and 2 * (20 + 1) = 42. Of an hour of which only
    the marginal intensity is known, the average is not.
    """
    records = spans(
        task("a", chat(input=10, output=0, region="eu-north-1"), chat(input=7, output=0))
    )
    after = later(spans(task("a", chat(input=20, output=2, region="eu-north-1"))), 3600)
    with asked(
        home, records, after, models={"gpt-5": [1.0]}, imported=("hourly_moments",)
    ) as found:
        found.connection.execute(HOURS)
        # Rows of a roll-up that take back what others say add up to nothing.
        rows = found.sql(
            "SELECT * EXCLUDE (hidden) FROM hourly_moments WHERE uncached <> 0"
        ).fetchall()
    moments = (20.0, 200.0, 0.0, 2.0, 42.0)
    assert rows == [
        (
            *("a", "eu-north-1", "openai", "gpt-5", "main", "estimated"),
            *moments,
            *(50 * moment for moment in moments),
        )
    ]


def test_what_a_meter_saw_is_weighed_with_the_hour_in_which_it_ran(home: Path) -> None:
    """The measured 5 of 20 tokens leave the estimate of 09:00; 7,200 J stand in their place."""
    records = later(
        spans(task("a", chat(input=20, output=0, region="eu-north-1"), chat(output=1))), 3600
    )
    with asked(home, records, models={"gpt-5": [1.0]}, imported=("hourly_moments",)) as found:
        found.connection.execute(HOURS)
        found.connection.execute(
            "INSERT INTO measured_sum BY NAME SELECT 'a' AS task_id, "
            "TIMESTAMP '2025-10-09 09:00' AS hour, 'eu-north-1' AS region, 'openai' AS provider, "
            "'gpt-5' AS model, 'main' AS role, true AS hidden, 'server' AS boundary, "
            "7200 AS measured_j, 5 AS uncached, 0 AS uncached_context_x2, 0 AS cached, "
            "0 AS output, 0 AS output_context_x2"
        )
        rows = found.sql(
            "SELECT basis, uncached, uncached_g FROM hourly_moments ORDER BY basis"
        ).fetchall()
    assert rows == [("estimated", 15.0, 750.0), ("server", 7200.0, 360000.0)]


def test_a_zone_without_hours_has_no_row(home: Path) -> None:
    records = spans(task("a", chat(input=10, output=0)))
    with asked(home, records, models={"gpt-5": [1.0]}, imported=("hourly_moments",)) as found:
        assert found.rows("hourly_moments") == []
