from pathlib import Path

from tests.builders import agent, asked, chat, frame, spans


def test_counted_call(home: Path) -> None:
    records = spans(
        chat(input=100, cache_read=60, cache_write=30, output=20),
        frame(output=5, request_model="gpt", attempt=2),
        chat(input=7, operation="embeddings", usage=None),
        frame(),
    )
    with asked(home, records, stored=False) as connection:
        rows = connection.sql(
            "SELECT judged, role, attempt, model, usage, total_tokens, n_u, n_c, n_o "
            "FROM counted_call ORDER BY start_ns"
        ).fetchall()
    assert rows == [
        (False, "main", 1, "gpt-5", "reported", 120, 40, 60, 20),
        (True, "retry", 2, "gpt", "partial", 5, None, None, 5),
        (False, "embedding", 1, "gpt-5", "reported", 7, 7, 0, 0),
        (True, "main", 1, None, "missing", None, None, None, None),
    ]


def test_what_may_be_the_answer_is_a_main_call_or_what_stands_in_for_one(home: Path) -> None:
    records = spans(
        agent(
            "lead",
            chat(),
            chat(attempt=2),
            chat(role="fallback"),
            agent("sub", chat(), chat(role="retry")),
            chat(role="summary"),
            chat(operation="embeddings"),
        )
    )
    with asked(home, records, stored=False) as connection:
        rows = connection.sql("SELECT role, answer_role FROM counted_call ORDER BY start_ns")
        assert rows.fetchall() == [
            ("main", "main"),
            ("retry", "main"),
            ("fallback", "main"),
            ("subagent", "subagent"),
            ("retry", "subagent"),
            ("summary", None),
            ("embedding", None),
        ]
