"""What there is to import is found, and told apart, without a trace of the search."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from agenttrace.errors import SourceError
from agenttrace.sources import agents, finding
from agenttrace.sources.importing import import_logs
from agenttrace.sources.source import Piece, Skipped, User
from agenttrace.sources.told import Record
from tests.sources.plain import Plain, call, install


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    """Somebody whose agents can be codex and pi."""
    install(monkeypatch, "codex", "pi")
    return User(tmp_path)


def log(user: User, agent: str, *keys: str, name: str = "a.jsonl") -> Path:
    path = user.home / f".{agent}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(call(agent, key) for key in keys))
    return path


def looked(user: User, agent: str = "codex") -> finding.Found:
    source = agents.source(agent)
    return finding.look(user.home / "data", source, source.roots(user))


def test_all_of_a_log_is_new_before_it_is_imported(user: User) -> None:
    path = log(user, "codex", "m1", "m2")
    size = path.stat().st_size

    found = looked(user)

    assert found.roots == (user.home / ".codex",)
    assert (found.files, found.bytes, found.new_files, found.new_bytes) == (1, size, 1, size)
    assert found.imported_to_ns is None
    assert found.oldest_ns == found.latest_ns == path.stat().st_mtime_ns


def test_to_look_makes_nothing(user: User) -> None:
    log(user, "codex", "m1")

    looked(user)

    assert not (user.home / "data").exists()


def test_only_what_was_appended_is_new_after_an_import(user: User) -> None:
    path = log(user, "codex", "m1")
    other = log(user, "codex", "m2", name="b.jsonl")
    import_logs(user.home / "data", Plain("codex"), [path.parent])
    more = call("codex", "m3")
    with path.open("a") as file:
        file.write(more)

    found = looked(user)

    assert (found.files, found.new_files, found.new_bytes) == (2, 1, len(more))
    assert found.imported_to_ns == other.stat().st_mtime_ns


def test_a_file_that_was_replaced_is_new_as_a_whole(user: User) -> None:
    path = log(user, "codex", "m1")
    import_logs(user.home / "data", Plain("codex"), [path.parent])
    other = path.with_suffix(".new")
    other.write_text(call("codex", "m2"))
    other.rename(path)

    assert looked(user).new_bytes == path.stat().st_size


def test_roots_that_are_not_there_are_no_trouble(user: User) -> None:
    assert looked(user) == finding.Found("codex")


def test_a_root_that_is_named_twice_is_looked_into_once(user: User) -> None:
    path = log(user, "codex", "m1")

    found = finding.look(user.home / "data", Plain("codex"), [path.parent, path.parent, path])

    assert found.files == 1


def test_a_ledger_that_is_none_is_as_if_there_were_none(user: User) -> None:
    log(user, "codex", "m1")
    (user.home / "data").mkdir()
    (user.home / "data" / "sources.sqlite").write_text("no database")

    assert looked(user).new_files == 1
    assert finding.skipped(user.home / "data") == []


def test_what_was_skipped_is_remembered_by_its_type(user: User) -> None:
    path = log(user, "codex", "m1")
    path.write_text(call("pi", "m1") + call("pi", "m2"))
    import_logs(user.home / "data", Plain("codex"), [path])

    assert finding.skipped(user.home / "data") == [("codex", "a record of another agent", 2)]


def test_a_log_is_known_by_its_place(user: User) -> None:
    # The content says nothing: it is empty.
    assert finding.source_of(log(user, "pi"), user).name == "pi"
    assert finding.source_of(user.home / ".pi", user).name == "pi"


def test_a_log_elsewhere_is_known_by_what_it_holds(user: User) -> None:
    path = user.home / "old" / "x.jsonl"
    path.parent.mkdir()
    path.write_text(call("pi", "m1"))

    assert finding.source_of(path, user).name == "pi"
    assert finding.source_of(path.parent, user).name == "pi"


@pytest.mark.parametrize("text", ["", "{}\n", "a note\n", "\0\xff\n"])
def test_what_nobody_knows_is_refused_by_name(user: User, text: str) -> None:
    path = user.home / "x.jsonl"
    path.write_text(text)

    with pytest.raises(SourceError, match=r"x\.jsonl is nothing that is known\. Say what it is"):
        finding.source_of(path, user)


def test_what_several_understand_is_refused_with_their_names(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Greedy(Plain):
        def read(self, piece: Piece) -> Iterable[Record | Skipped | bytes]:
            yield self.told("m1", 1)

    known = {name: Greedy(name) for name in ("codex", "pi")}
    monkeypatch.setattr(agents, "source", known.__getitem__)
    path = user.home / "x.jsonl"
    path.write_text("?\n")

    with pytest.raises(SourceError, match="could be of codex or pi"):
        finding.source_of(path, user)


def test_a_database_is_read_by_no_source_of_lines(user: User) -> None:
    path = user.home / "x.jsonl"
    path.write_bytes(b"SQLite format 3\0" + call("pi", "m1").encode())

    with pytest.raises(SourceError, match="nothing that is known"):
        finding.source_of(path, user)


def test_exports_have_no_place_that_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "codex", "otlp")

    assert [one.name for one in finding.of_coding_agents()] == ["codex"]
