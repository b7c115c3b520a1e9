from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_model_place_draw(home: Path) -> None:
    """10 + 20 tokens of 1 Wh, or 2 Wh in the second draw, and 5 of them in the north.

    Both places have 1,000 and then 500 g/kWh, and 2 ml a Wh.
    """
    records = spans(
        task("a", chat(input=10, output=0), chat(model="silent")),
        task("b", chat(input=20, output=0), chat(input=5, output=0, region="eu-north-1")),
    )
    models = {"gpt-5": [1.0, 2.0], "silent": [1.0, 1.0]}
    with asked(home, records, models=models, grid=[1000.0, 500.0]) as found:
        rows = found.sql("FROM model_place_draw ORDER BY model, region, draw").fetchall()
    assert rows == [
        ("openai", "eu-north-1", "gpt-5", 0, 5.0, 5.0, 0.01),
        ("openai", "eu-north-1", "gpt-5", 1, 10.0, 5.0, 0.02),
        ("openai", None, "gpt-5", 0, 30.0, 30.0, 0.06),
        ("openai", None, "gpt-5", 1, 60.0, 30.0, 0.12),
        ("openai", None, "silent", 0, None, None, None),
        ("openai", None, "silent", 1, None, None, None),
    ]


def test_a_known_hour_of_the_grid_has_no_draws(home: Path) -> None:
    """Of 10 Wh and 20 Wh, 40 % fell into hours of 50 g/kWh, whatever the year is like.

    10 * (0.4 * 50 + 0.6 * 1000) = 6.2 g, and 20 * (0.4 * 50 + 0.6 * 500) = 6.4 g.
    """
    records = spans(task("a", chat(input=10, output=0)))
    with asked(home, records, models={"gpt-5": [1.0, 2.0]}, grid=[1000.0, 500.0]) as found:
        found.connection.execute(
            "INSERT INTO hourly_moments BY NAME SELECT 'openai' AS provider, 'gpt-5' AS model, "
            "'main' AS role, false AS hidden, 'estimated' AS basis, 4 AS uncached, "
            "200 AS uncached_g, 0 AS uncached_context, 0 AS cached, 0 AS output, "
            "0 AS output_context, 0 AS uncached_context_g, 0 AS cached_g, 0 AS output_g, "
            "0 AS output_context_g"
        )
        rows = found.sql("SELECT carbon_g FROM model_place_draw ORDER BY draw").fetchall()
    assert rows == [(6.2,), (6.4,)]
