from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_total_draw(home: Path) -> None:
    """10 * 1 + 5 * 1 = 15 Wh in the first draw, 10 * 2 + 5 * 4 = 40 Wh in the second; 2 ml a Wh."""
    records = spans(
        task("a", chat(input=10, output=0)),
        task("b", chat(model="o", input=5, output=0), chat(model="silent")),
    )
    models = {"gpt-5": [1.0, 2.0], "o": [1.0, 4.0], "silent": [1.0, 1.0]}
    with asked(home, records, models=models, grid=[1000.0, 500.0]) as connection:
        rows = connection.sql("FROM total_draw ORDER BY draw").fetchall()
    assert rows == [(0, 15.0, 15.0, 0.03), (1, 40.0, 20.0, 0.08)]
