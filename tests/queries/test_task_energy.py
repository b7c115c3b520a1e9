from pathlib import Path

import pytest

from tests.builders import asked, chat, spans, task

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


def test_what_has_no_factor_takes_nothing_from_the_range_of_the_rest(home: Path) -> None:
    records = spans(
        task("a", chat(input=10, output=0), chat(model="unheard of", input=5, output=0))
    )
    with asked(home, records, models=MODELS) as found:
        rows = found.sql(
            "SELECT calls, calls_unpriced, energy_wh, energy_high_wh FROM task_energy"
        ).fetchall()
    assert rows == [(2, 1, 10.0, 19.5)]
