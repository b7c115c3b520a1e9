from pathlib import Path

from tests.builders import agent, asked, chat, spans, tool


def test_agent_tokens(home: Path) -> None:
    records = spans(
        chat(input=1, output=1),
        agent(
            "lead",
            chat(input=2, output=1),
            agent("helper", tool("search", chat(input=4, output=1))),
            agent("helper", chat(input=8, output=1)),
        ),
    )
    with asked(home, records) as connection:
        rows = connection.sql(
            "SELECT task_id, agent, calls, hidden_calls, total_tokens, hidden_tokens, input_tokens "
            "FROM agent_tokens ORDER BY agent NULLS FIRST"
        ).fetchall()
    # The root agent's last call is read, and none before it.
    assert rows == [
        ("job", None, 1, 1, 2, 2, 1),
        ("job", "helper", 2, 2, 14, 14, 12),
        ("job", "lead", 1, 0, 3, 0, 2),
    ]
