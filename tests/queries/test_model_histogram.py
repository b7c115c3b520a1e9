from pathlib import Path

from tests.builders import asked, chat, frame, later, spans


def test_model_histogram(home: Path) -> None:
    """50 * ln(2) = 34.7; calls of all days and tasks are together."""
    records = spans(
        chat(input=1, output=2),
        frame(input=1, output=2, provider="openai", model="gpt-5"),
        chat(input=1, output=0, model="o"),
        chat(input=1, output=2),
    )
    with asked(home, records[:3], later(records[3:], 86_400)) as connection:
        rows = connection.sql(
            "FROM model_histogram WHERE measure = 'output' ORDER BY model"
        ).fetchall()
    assert rows == [("openai", "gpt-5", "output", 35, 3), ("openai", "o", "output", None, 1)]
