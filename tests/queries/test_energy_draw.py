from pathlib import Path

from tests.builders import asked


def test_energy_draw(home: Path) -> None:
    """A model meets every place of its provider, draw by draw."""
    with asked(home, models={"gpt-5": [1.0, 2.0]}, grid=[300.0, 400.0]) as found:
        found.connection.execute("UPDATE model_factor_draw SET j_output = 7")
        rows = found.sql("FROM energy_draw ORDER BY region, draw").fetchall()
    assert rows == [
        ("openai", region, "gpt-5", "estimated", draw, joules, 0.0, 0.0, 7.0, 0.0, grams, 2.0)
        for region in ("eu-north-1", None)
        for draw, joules, grams in ((0, 3600.0, 300.0), (1, 7200.0, 400.0))
    ]
