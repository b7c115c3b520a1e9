from pathlib import Path

from tests.builders import asked, chat, spans, tool


def test_role_tokens(home: Path) -> None:
    records = spans(
        chat(input=1, status="error"),
        chat(input=2, attempt=2),
        tool("search", chat(input=4), chat(input=8, usage="estimated")),
    )
    with asked(home, records) as connection:
        rows = connection.sql(
            "SELECT role, calls, hidden_calls, retry_calls, failed_calls, estimated_calls, "
            "input_tokens FROM role_tokens ORDER BY role"
        ).fetchall()
    assert rows == [
        ("main", 1, 1, 0, 1, 0, 1),
        ("retry", 1, 0, 1, 0, 0, 2),
        ("tool", 2, 2, 0, 0, 1, 12),
    ]
