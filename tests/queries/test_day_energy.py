import datetime as dt
from pathlib import Path

import pytest

from tests.builders import asked, chat, later, spans, task


def test_day_energy(home: Path) -> None:
    """Of the first day 10 Wh, or 20 Wh in the second draw, at 1,000 and at 500 g/kWh: 10 g each.

    5 % of 10 to 20 is 10.5, widened to the central 10, and 95 % is 19.5. A day whose calls report
    nothing has calls and no energy. Water is 2 ml a Wh.
    """
    first = spans(task("a", chat(input=4, output=0), chat(model="o", input=6, output=0)))
    second = later(spans(task("b", chat())), 86_400)
    models = {"gpt-5": [1.0, 2.0], "o": [1.0, 2.0]}
    with asked(home, first, second, models=models, grid=[1000.0, 500.0]) as found:
        rows = found.sql("FROM day_energy ORDER BY day").fetchall()
    assert rows == [
        (
            *(dt.date(2025, 10, 9), 2, 0),
            *map(pytest.approx, (10.0, 10.0, 19.5, 10.0, 10.0, 10.0, 0.02, 0.02, 0.039)),
        ),
        (dt.date(2025, 10, 10), 1, 1, *[None] * 9),
    ]


def test_known_hours_and_measured_energy_count_by_the_day(home: Path) -> None:
    """One call of 10 Wh in an hour of 50 g/kWh; of another, in no known hour, a meter saw 2 Wh."""
    records = spans(task("a", chat(input=10, output=0, region="eu-north-1"), chat(output=0)))
    with asked(home, records, models={"gpt-5": [1.0, 1.0]}, imported=("hourly_moments",)) as found:
        found.connection.execute(
            "INSERT INTO grid_hour VALUES ('SE', '2025-10-09 08:00', 50, NULL, NULL); "
            "INSERT INTO model_factor BY NAME SELECT * REPLACE ('server' AS basis, "
            "1 AS j_uncached) FROM model_factor; "
            "INSERT INTO model_factor_draw BY NAME SELECT * REPLACE ('server' AS basis, "
            "1 AS j_uncached) FROM model_factor_draw; "
            "INSERT INTO measured_sum BY NAME SELECT 'a' AS task_id, "
            "TIMESTAMP '2025-10-09 08:00' AS hour, 'openai' AS provider, 'gpt-5' AS model, "
            "'main' AS role, false AS hidden, 'server' AS boundary, 7200 AS measured_j, "
            "0 AS uncached, 0 AS uncached_context_x2, 0 AS cached, 0 AS output, "
            "0 AS output_context_x2"
        )
        day = found.sql("SELECT energy_wh, carbon_g FROM day_energy").fetchall()
        totals = found.sql("SELECT energy_wh, carbon_g FROM totals").fetchall()
    assert day == totals == [(12.0, 2.5)]
