from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_model_draw(home: Path) -> None:
    """10 + 10 + 10 tokens of 1 Wh, or 2 Wh in the second draw, at 1,000 and at 500 g/kWh.

    Where they were sent makes no difference to a model.
    """
    records = spans(
        task("a", chat(input=10, output=0), chat(model="silent")),
        task("b", chat(input=10, output=0), chat(input=10, output=0, region="eu-north-1")),
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
