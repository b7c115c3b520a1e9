from pathlib import Path

from tests.builders import agent, asked, chat, frame, spans, task


def test_session_role(home: Path) -> None:
    """What the log tells of a call that was received counts once; the last call is read."""
    said = {"session": "s", "model": "m", "request_id": "q"}
    first = task(
        "one",
        agent("lead", frame(capture="otlp", input=10, cache_read=4, output=2, **said)),
        frame(capture="log", input=10, output=2, **said),
        chat(input=100, output=20, session="s"),
        chat(input=1, role="title"),
    )
    with asked(home, spans(first), spans(chat(input=7), trace=2)) as connection:
        rows = connection.sql("FROM session_role ORDER BY role").fetchall()
    assert rows == [
        ("s", "main", 2, 1, 110, 4, None, 22, None),
        ("s", "title", 1, 1, 1, None, None, None, None),
    ]
