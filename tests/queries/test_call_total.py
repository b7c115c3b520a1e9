from pathlib import Path

from tests.builders import asked, chat, later, spans, task


def test_call_total(home: Path) -> None:
    """Calls of two tasks and two hours: the answers have 2 and 8 tokens, the others 1 and 4."""
    records = spans(
        task("a", chat(input=1), chat(input=2)), task("b", chat(input=4), chat(input=8))
    )
    with asked(home, records[:3], later(records[3:], 3600)) as connection:
        rows = connection.sql(
            "SELECT hidden, provider, model, role, status, usage, capture, calls, input_tokens, "
            "output_tokens, output_tokens_calls FROM call_total ORDER BY hidden"
        ).fetchall()
    kind = ("openai", "gpt-5", "main", "ok", "missing", "wire")
    assert rows == [(False, *kind, 2, 10, 0, 0), (True, *kind, 2, 5, 0, 0)]
