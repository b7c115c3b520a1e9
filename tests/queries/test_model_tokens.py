from pathlib import Path

from tests.builders import asked, chat, spans


def test_model_tokens(home: Path) -> None:
    records = spans(
        chat(model="a", input=1, output=2),
        chat(model="a", input=10, output=20, usage="estimated"),
        chat(model="a", provider="groq", input=100),
        chat(model=None, provider=None),
    )
    with asked(home, records) as connection:
        rows = connection.sql(
            "SELECT provider, model, calls, estimated_calls, total_tokens, "
            "input_tokens, output_tokens FROM model_tokens ORDER BY provider NULLS FIRST"
        ).fetchall()
    assert rows == [
        (None, None, 1, 0, None, None, None),
        ("groq", "a", 1, 0, 100, 100, None),
        ("openai", "a", 2, 1, 33, 11, 22),
    ]
