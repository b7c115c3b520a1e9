from pathlib import Path

from tests.builders import asked, chat, spans, task


def test_model_moments(home: Path) -> None:
    """Moments are taken per call and then added: 10 * 5 + 20 * 10 = 250, not 30 * 15 = 450."""
    records = spans(
        task("a", chat(input=10, output=2), chat(input=20, output=4), chat(model="o", output=1)),
        task("b", chat(input=10, cache_read=10, output=0), headless=True),
        task("c", chat(model="silent"), chat(model="nobody's", input=1, output=1)),
    )
    with asked(home, records, models={"gpt-5": [1.0], "o": [1.0]}) as connection:
        rows = connection.sql("FROM model_moments ORDER BY model, hidden").fetchall()
    # n_o * (n_c + n_u + n_o / 2): 2 * 11 + 4 * 22 = 110.
    assert rows == [
        ("openai", "gpt-5", "main", True, 3, 0, 30.0, 250.0, 10.0, 6.0, 110.0, 30.0),
        ("openai", "nobody's", "main", False, 1, 1, 1.0, 0.5, 0.0, 1.0, 1.5, None),
        ("openai", "o", "main", False, 1, 1, None, None, None, 1.0, 0.5, 0.0),
        ("openai", "silent", "main", True, 1, 1, None, None, None, None, None, None),
    ]
