from pathlib import Path

from tests.builders import asked, chat, later, spans, task


def test_hourly_energy(home: Path) -> None:
    """Of 10 + 20 Wh in Sweden, at 08:53 and at 09:53, the second hour is known: 20 Wh at 50 g/kWh.

    Of an hour of which only the marginal intensity is known, the average is not.
    """
    records = spans(
        task("a", chat(input=10, output=0, region="eu-north-1"), chat(input=7, output=0))
    )
    after = later(spans(task("a", chat(input=20, output=0, region="eu-north-1"))), 3600)
    with asked(home, records, after, models={"gpt-5": [1.0]}, imported=("hourly_energy",)) as found:
        found.connection.execute(
            "INSERT INTO grid_hour VALUES ('SE', '2025-10-09 08:00', NULL, 900, NULL), "
            "('SE', '2025-10-09 09:00', 50, NULL, NULL)"
        )
        rows = found.sql(
            "SELECT task_id, region, provider, model, role, sum(whole_energy_wh), "
            "sum(energy_wh), sum(carbon_g) FROM hourly_energy GROUP BY ALL"
        ).fetchall()
    assert rows == [("a", "eu-north-1", "openai", "gpt-5", "main", 30.0, 20.0, 1.0)]


def test_a_zone_without_hours_has_no_row(home: Path) -> None:
    records = spans(task("a", chat(input=10, output=0)))
    with asked(home, records, models={"gpt-5": [1.0]}, imported=("hourly_energy",)) as found:
        assert found.rows("hourly_energy") == []
