from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_model_draw(home: Path) -> None:
    """10 + 20 tokens of 1 Wh, or 2 Wh in the second draw, at 1,000 and at 500 g/kWh."""
    records = spans(
        task("a", chat(input=10, output=0), chat(model="silent")),
        task("b", chat(input=20, output=0)),
    )
    models = {"gpt-5": [1.0, 2.0], "silent": [1.0, 1.0]}
    with asked(home, records, models=models, grid=[1000.0, 500.0]) as found:
        rows = found.sql("FROM model_draw ORDER BY model, draw").fetchall()
    assert rows == [
        ("openai", "gpt-5", 0, 30.0, 30.0, 0.06),
        ("openai", "gpt-5", 1, 60.0, 30.0, 0.12),
        ("openai", "silent", 0, None, None, None),
        ("openai", "silent", 1, None, None, None),
    ]


def test_a_known_hour_of_the_grid_has_no_draws(home: Path) -> None:
    """Of 10 Wh and 20 Wh, 40 % fell into hours of 50 g/kWh, whatever the year is like.

    10 * (0.4 * 50 + 0.6 * 1000) = 6.2 g, and 20 * (0.4 * 50 + 0.6 * 500) = 6.4 g.
    """
    records = spans(task("a", chat(input=10, output=0)))
    with asked(home, records, models={"gpt-5": [1.0, 2.0]}, grid=[1000.0, 500.0]) as found:
        found.connection.execute(
            "INSERT INTO hourly_energy BY NAME SELECT 'openai' AS provider, 'gpt-5' AS model, "
            "'main' AS role, false AS hidden, 10 AS whole_energy_wh, 4 AS energy_wh, "
            "0.2 AS carbon_g"
        )
        rows = found.sql("SELECT carbon_g FROM model_draw ORDER BY draw").fetchall()
    assert rows == [(6.2,), (6.4,)]
