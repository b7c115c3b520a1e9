from pathlib import Path

from tests.builders import asked, chat, spans, tool


def test_role_energy(home: Path) -> None:
    records = spans(
        tool("search", chat(input=4, output=0), chat()), chat(input=1, output=0), chat(role="title")
    )
    with asked(home, records, models={"gpt-5": [2.0]}) as connection:
        rows = connection.sql("FROM role_energy ORDER BY role").fetchall()
    assert rows == [("main", 1, 0, 0, 2.0), ("title", 1, 1, 1, None), ("tool", 2, 2, 1, 8.0)]
