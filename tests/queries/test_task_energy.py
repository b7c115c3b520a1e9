from pathlib import Path

import pytest

from tests.builders import asked, chat, later, spans, task

RECORDS = spans(
    task("a", chat(input=10, output=0), chat(model="o", input=5, output=0), chat()),
    task("b", chat(model="o", input=20, output=0)),
    task("silent", chat()),
)
MODELS = {"gpt-5": [1.0, 2.0], "o": [1.0, 4.0]}


def test_task_energy(home: Path) -> None:
    """A task is priced as a whole in each draw.

    Task a is 10 * 1 + 5 * 1 = 15 Wh in the first draw and 10 * 2 + 5 * 4 = 40 Wh in the second, so
    5 % is 16.25, widened to the central 15, and 95 % is 15 + 25 * 0.95 = 38.75. The grid has
    1,000 g/kWh in the first draw and 500 in the second: 15 g and 20 g. Water is 2 ml a Wh.
    """
    with asked(home, RECORDS, models=MODELS, grid=[1000.0, 500.0]) as connection:
        rows = connection.sql("FROM task_energy ORDER BY task_id").fetchall()
    expected = [
        ("a", 3, 1, 15.0, 15.0, 38.75, 15.0, 15.0, 19.75, 0.03, 0.03, 0.0775),
        ("b", 1, 0, 20.0, 20.0, 77.0, 20.0, 20.0, 39.0, 0.04, 0.04, 0.154),
        ("silent", 1, 1, *[None] * 9),
    ]
    assert [row[:3] for row in rows] == [row[:3] for row in expected]
    for row, wanted in zip(rows, expected, strict=True):
        assert row[3:] == pytest.approx(wanted[3:])


def test_one_task_is_the_same_alone_and_among_others(home: Path) -> None:
    with asked(home, RECORDS, models=MODELS) as connection:
        among = connection.sql("FROM task_energy WHERE energy_wh = 15").fetchall()
        alone = connection.sql("FROM task_energy WHERE task_id IN ('a', 'nobody')").fetchall()
    assert alone == among


def test_a_model_that_nobody_named_is_priced_as_one(home: Path) -> None:
    with asked(home, spans(chat(model=None, input=3, output=0)), models={None: [2.0]}) as found:
        assert found.sql("SELECT energy_wh FROM task_energy").fetchall() == [(6.0,)]


def test_ranges_are_widened_to_hold_what_the_central_factors_give(home: Path) -> None:
    """Draws of 2 and 4 Wh and of 500 and 250 g/kWh, whose centrals are 9 Wh and 2,000 g/kWh."""
    with asked(home, RECORDS[:1], models={"gpt-5": [2.0, 4.0]}, grid=[500.0, 250.0]) as found:
        found.connection.execute(
            "UPDATE model_factor SET j_uncached = 9 * 3600; UPDATE place SET g_per_kwh = 2000"
        )
        rows = [
            found.sql(f"SELECT energy_high_wh, carbon_high_g, water_high_l FROM {name}").fetchall()
            for name in ("task_energy", "model_energy", "totals")
        ]
    assert rows == [[pytest.approx((90.0, 180.0, 0.18))]] * 3


def test_what_has_no_factor_takes_nothing_from_the_range_of_the_rest(home: Path) -> None:
    records = spans(
        task("a", chat(input=10, output=0), chat(model="unheard of", input=5, output=0))
    )
    with asked(home, records, models=MODELS) as found:
        rows = found.sql(
            "SELECT calls, calls_unpriced, energy_wh, energy_high_wh FROM task_energy"
        ).fetchall()
    assert rows == [(2, 1, 10.0, 19.5)]


def test_hours_weigh_in_every_draw_as_the_draw_has_it(home: Path) -> None:
    """Reading 10 tokens falls into an hour of 100 g/kWh, writing 10 into one of 1,000 g/kWh.

    Central: 10 * 1 Wh and 10 * 2 Wh, so 1 + 20 = 21 g. In the second draw reading takes 2 Wh and
    writing 10 Wh a token: 2 + 100 = 102 g. 5 % is 21 + 81 * 0.05 = 25.05, widened; 95 % is 97.95.
    """
    read, written = (
        chat(input=10, output=0, region="eu-north-1"),
        chat(input=0, output=10, region="eu-north-1"),
    )
    first, later_on = spans(task("a", read)), later(spans(task("a", written)), 3600)
    with asked(
        home, first, later_on, models={"gpt-5": [1.0, 2.0]}, imported=("hourly_moments",)
    ) as found:
        found.connection.execute(
            "UPDATE model_factor SET j_output = 7200; "
            "UPDATE model_factor_draw SET j_output = CASE draw WHEN 0 THEN 7200 ELSE 36000 END; "
            "INSERT INTO grid_hour VALUES ('SE', '2025-10-09 08:00', 100, NULL, NULL), "
            "('SE', '2025-10-09 09:00', 1000, NULL, NULL)"
        )
        rows = [
            found.sql(f"SELECT carbon_low_g, carbon_g, carbon_high_g FROM {name}").fetchall()
            for name in ("task_energy", "model_energy", "totals")
        ]
    assert rows == [[pytest.approx((21.0, 21.0, 97.95))]] * 3
