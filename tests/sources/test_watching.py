"""Of all that changes, only what is a log of the source is told, under the name it is known by."""

from collections.abc import Iterable
from pathlib import Path
from threading import Event

import pytest

from agenttrace.sources import watching
from agenttrace.sources.source import Form, Unreadable, walk
from agenttrace.sources.watching import Watched
from tests.sources.plain import Plain, call

ADDED, MODIFIED, DELETED = 1, 2, 3


class Database(Plain):
    """A source of databases."""

    form: Form = "database"

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        return walk(root, lambda path: path.endswith(".db"), unreadable)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of pi, in a folder of its own."""
    path = tmp_path / "logs" / "a.jsonl"
    path.parent.mkdir()
    path.write_text(call("pi", "m1"))
    return path


def watched(*roots: Path) -> Watched:
    one = Watched(Plain("pi"), roots)
    one.look()
    return one


def test_a_log_that_changes_is_told_and_what_is_no_log_is_not(log: Path) -> None:
    note = log.with_name("note.txt")
    note.write_text("")

    changed = watched(log.parent).changed({(MODIFIED, str(log)), (ADDED, str(note))})

    assert changed == [log]


def test_a_log_that_is_new_is_told_and_one_that_is_gone_is_not(log: Path) -> None:
    one = watched(log.parent)
    new = log.rename(log.with_name("b.jsonl"))

    assert one.changed({(DELETED, str(log)), (ADDED, str(new))}) == [new]


def test_a_log_is_told_under_the_name_that_an_import_has_for_it(log: Path) -> None:
    link = log.parents[1] / "link"
    link.symlink_to(log.parent)

    assert watched(link).changed({(MODIFIED, str(log))}) == [link / "a.jsonl"]


def test_a_database_changes_when_its_journal_does(log: Path) -> None:
    database = log.with_name("a.db")
    database.write_text("")
    one = Watched(Database("pi"), (log.parent,))
    one.look()

    assert one.changed({(MODIFIED, f"{database}-wal")}) == [database]


def test_a_single_file_is_told_when_it_is_replaced(log: Path) -> None:
    class Replacing(Event):
        """Replaces the log where others wait."""

        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            log.with_suffix(".new").write_text(call("pi", "m2"))
            log.with_suffix(".new").replace(log)
            return False

    _, files = next(watching.changes([Watched(Plain("pi"), (log,))], Replacing()))

    assert files == [log]


def test_what_changed_before_the_watch_began_is_told_with_its_folder(log: Path) -> None:
    _, files = next(watching.changes([watched(log.parent)], Event(), look_ms=10))

    assert files == [log.parent]


def test_nothing_is_told_after_the_end(log: Path) -> None:
    stop = Event()
    stop.set()

    assert list(watching.changes([watched(log.parent)], stop)) == []
