import hashlib
from pathlib import Path

from tests.builders import asked, chat, later, loose, spans, task


def group(task_id: str) -> int:
    """The first eight digits of the MD5 as a number, modulo 400."""
    return int(hashlib.md5(task_id.encode()).hexdigest()[:8], 16) % 400


def test_a_task_is_in_the_group_of_the_hash_of_its_id_once(home: Path) -> None:
    first = spans(task("a", chat()), task("b"))
    again = spans(task("a", chat()), trace=2)
    outside = loose(chat(), trace=3)
    with asked(home, first, later(again, 86_400), outside) as connection:
        rows = connection.sql("FROM task_group ORDER BY ALL").fetchall()
    trace = f"{3:032x}"
    assert rows == sorted((name, group(name)) for name in ("a", "b", trace))
