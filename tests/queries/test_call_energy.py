from pathlib import Path

from tests.builders import asked, chat, later, spans


def test_call_energy(home: Path) -> None:
    """Of 100 input tokens 60 are from the cache and 30 go into it, and 20 come out.

    n_u = 40, n_c = 60, n_o = 20; n_u * (n_c + n_u / 2) = 40 * 80 = 3200;
    n_o * (n_c + n_u + n_o / 2) = 20 * 110 = 2200;
    40 * 1 + 3200 * 0.1 + 60 * 0.5 + 20 * 2 + 2200 * 0.01 = 452 Wh; 1 g and 2 ml a Wh.
    """
    records = spans(chat(input=100, cache_read=60, cache_write=30, output=20))
    with asked(home, records, models={"gpt-5": [1.0]}) as connection:
        connection.connection.execute(
            "UPDATE model_factor SET j_uncached_context = 360, j_cached = 1800, j_output = 7200, "
            "j_output_context = 36"
        )
        rows = connection.sql("SELECT * EXCLUDE (started_at) FROM call_energy").fetchall()
    assert rows == [
        (
            "job-0000000100000002", "0000000100000002", "job", None, "openai", "gpt-5", "main",
            False, 1, "ok", 120, 100, 10, 60, 30, 20, None, 40.0, 3200.0, 60.0, 20.0, 2200.0,
            False, 0.0, None, 452.0, 452.0, "annual", 452.0, 0.904,
        )
    ]  # fmt: skip


def test_a_side_that_is_not_reported_is_missing_and_not_zero(home: Path) -> None:
    records = spans(
        chat(input=10, output=0),
        chat(input=10),
        chat(output=10),
        chat(),
        chat(input=10, operation="embeddings"),
        chat(input=10, output=1, model="unheard of"),
    )
    with asked(home, records, models={"gpt-5": [1.0]}) as connection:
        rows = connection.sql(
            "SELECT uncached, cached, output, unpriced, energy_wh FROM call_energy ORDER BY call_id"
        ).fetchall()
    assert rows == [
        (10.0, 0.0, 0.0, False, 10.0),
        (10.0, 0.0, None, True, 10.0),
        (None, None, 10.0, True, 0.0),
        (None, None, None, True, None),
        (10.0, 0.0, 0.0, False, 10.0),
        (10.0, 0.0, 1.0, True, None),
    ]


def test_the_hour_of_the_grid_goes_before_its_year(home: Path) -> None:
    """The calls start at 08:53 and, an hour later, at 09:53; of Sweden the first hour is known."""
    records = spans(chat(input=10, output=0, region="eu-north-1"))
    with asked(home, records, later(records, 3600), models={"gpt-5": [1.0]}) as found:
        found.connection.execute(
            "INSERT INTO grid_hour VALUES ('SE', '2025-10-09 08:00', 20, 900, 0.9), "
            "('WOR', '2025-10-09 09:00', 70, NULL, NULL)"
        )
        rows = found.sql(
            "SELECT resolution, carbon_g FROM call_energy ORDER BY started_at"
        ).fetchall()
    assert rows == [("hourly", 0.2), ("annual", 10.0)]


def test_what_a_meter_saw_stands_in_place_of_that_part_of_the_estimate(home: Path) -> None:
    """A meter saw 4 Wh at the accelerator for a quarter of a call that is estimated at 10 Wh.

    The facility takes twice what the accelerator does: 4 * 2 + 10 * 3/4 = 15.5 Wh.
    """
    records = spans(chat(input=10, output=0))
    with asked(home, records, models={"gpt-5": [1.0]}) as found:
        found.connection.execute(
            "INSERT INTO model_factor BY NAME SELECT * REPLACE ('accelerator' AS basis, "
            "2 AS j_uncached) FROM model_factor; "
            "INSERT INTO measured_call BY NAME SELECT 'job-0000000100000002' AS call_id, "
            "'accelerator' AS boundary, 0.25 AS covered, 4 AS measured_wh"
        )
        rows = found.sql(
            "SELECT covered, measured_wh, estimate_wh, energy_wh FROM call_energy"
        ).fetchall()
    assert rows == [(0.25, 8.0, 10.0, 15.5)]
