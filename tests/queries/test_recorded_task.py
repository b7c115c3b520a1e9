from pathlib import Path

from tests.builders import asked, chat, foreign, frame, later, loose, spans, task, tool


def test_recorded_task(home: Path) -> None:
    """Calls in no task of which a better source tells make no task; what else happened does."""
    program = spans(task("week", chat(input=1, output=1, response_id="r"), task_id="week"))
    told = loose(frame(input=1, output=1, response_id="r"), trace=2)
    alone = loose(frame(input=1, output=1, response_id="s"), trace=3)
    with_a_tool = loose(tool("search", frame(input=1, output=1, response_id="r")), trace=4)
    elsewhere = loose(foreign("flask", {"server.address": "x"}), trace=5)
    empty = spans(task("nothing"), trace=6)
    pieces = [program, told, alone, with_a_tool, elsewhere, later(empty, 1)]
    with asked(home, *pieces) as connection:
        rows = connection.sql("FROM recorded_task ORDER BY task_id").fetchall()
    assert rows == [(f"{3:032x}",), (f"{4:032x}",), ("nothing",), ("week",)]
