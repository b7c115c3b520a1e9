from pathlib import Path

import pytest

from tests.builders import asked, chat, spans, task


def test_model_energy(home: Path) -> None:
    """gpt-5: 30 tokens at 1 Wh, or 2 Wh in the second draw: 30 to 60 Wh.

    5 % of that is 31.5, widened to the central 30; 95 % is 58.5. Water is 2 ml a Wh.
    """
    records = spans(
        task("a", chat(input=10, output=0), chat(model="o", input=7, output=0)),
        task("b", chat(input=20, output=0), chat()),
    )
    models = {"gpt-5": [1.0, 2.0], "o": [3.0, 3.0], "unused": [1.0, 1.0]}
    with asked(home, records, models=models, grid=[1000.0, 500.0]) as connection:
        rows = connection.sql("FROM model_energy ORDER BY model").fetchall()
    assert [row[:7] for row in rows] == [
        ("openai", "gpt-5", "tiny", True, "a test", 3, 1),
        ("openai", "o", "tiny", True, "a test", 1, 0),
    ]
    assert rows[0][7:] == pytest.approx((30.0, 30.0, 58.5, 30.0, 30.0, 30.0, 0.06, 0.06, 0.117))
    assert rows[1][7:] == pytest.approx((21.0, 21.0, 21.0, 21.0, 11.025, 21.0, 0.042, 0.042, 0.042))
