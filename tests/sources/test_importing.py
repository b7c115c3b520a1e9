"""What an import reads, and that each call is told once whatever happens to the files."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from agenttrace.reader import Reader
from agenttrace.record.spool import Spool
from agenttrace.sources import importing, reading
from agenttrace.sources import source as sources
from agenttrace.sources.importing import Imported, import_logs
from agenttrace.sources.source import Form, Piece, Skipped, Unreadable, User, walk
from agenttrace.sources.told import Call, Record, Turn
from agenttrace.sources.usage import inside
from tests.builders import SECOND_NS, START_NS


class Plain:
    """A source of lines like ``{"id": "m1", "out": 5}``."""

    name = "plain"
    form: Form = "lines"

    def roots(self, user: User) -> Iterable[Path]:
        return [user.home / "logs"]

    def find(self, root: Path, unreadable: Unreadable) -> Iterable[Path]:
        return walk(root, lambda path: path.endswith(".jsonl"), unreadable)

    def read(self, piece: Piece) -> Iterable[Record | Skipped]:
        if piece.is_first:
            yield Turn(source="plain", session="s", turn="1", start_ns=START_NS)
        for line in piece.lines():
            try:
                said = json.loads(line)
            except ValueError:
                yield Skipped("a line that is no JSON")
                continue
            yield Call(
                source="plain",
                session="s",
                turn="1",
                key=said["id"],
                start_ns=START_NS + SECOND_NS,
                response_id=said["id"],
                usage=inside(said.get("in", 100), said["out"]),
            )


def _line(call: str, out: int) -> str:
    return json.dumps({"id": call, "out": out}) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs" / "a.jsonl"


def _import(log: Path) -> Imported:
    return import_logs(log.parents[1] / "home", Plain(), [log.parent])


def _totals(log: Path) -> dict[str, Any]:
    with Reader(log.parents[1] / "home") as reader:
        (row,) = reader.query("SELECT tasks, calls, input_tokens, output_tokens FROM totals")
    return dict(row)


def test_an_import_brings_each_call_once(log: Path) -> None:
    log.write_text(_line("m1", 5) + _line("m1", 9) + _line("m2", 7))

    done = _import(log)

    assert (done.files, done.calls, done.repeated, done.turns) == (1, 2, 1, 1)
    assert _totals(log) == {"tasks": 1, "calls": 2, "input_tokens": 200, "output_tokens": 16}


def test_nothing_is_read_again_of_a_file_that_has_not_changed(log: Path) -> None:
    log.write_text(_line("m1", 5))
    _import(log)

    done = _import(log)

    assert (done.files, done.unchanged, done.calls, done.repeated) == (1, 1, 0, 0)


def test_only_what_is_new_of_a_file_is_read(log: Path) -> None:
    log.write_text(_line("m1", 5))
    _import(log)
    with log.open("a") as file:
        file.write(_line("m2", 7))

    done = _import(log)

    assert (done.calls, done.repeated, done.turns) == (1, 0, 0)
    assert _totals(log)["output_tokens"] == 12


def test_a_call_that_had_not_ended_counts_with_its_final_usage(log: Path) -> None:
    log.write_text(_line("m1", 1))
    _import(log)
    assert _totals(log)["output_tokens"] == 1
    with log.open("a") as file:
        file.write(_line("m1", 40))

    done = _import(log)

    assert (done.calls, done.improved) == (0, 1)
    assert _totals(log) == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 40}


def test_a_last_line_that_is_not_finished_is_read_the_next_time(log: Path) -> None:
    log.write_text(_line("m1", 5) + _line("m2", 7)[:-5])
    first = _import(log)
    assert (first.calls, first.unfinished) == (1, 1)
    log.write_text(_line("m1", 5) + _line("m2", 7))

    done = _import(log)

    assert (done.calls, done.unfinished) == (1, 0)
    assert _totals(log)["output_tokens"] == 12


def test_a_last_line_without_a_newline_is_read_if_it_is_whole(log: Path) -> None:
    log.write_text(_line("m1", 5) + _line("m2", 7).rstrip("\n"))
    assert _import(log).calls == 2
    with log.open("a") as file:
        file.write("\n" + _line("m3", 1))

    assert _import(log).calls == 1
    assert _totals(log)["output_tokens"] == 13


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_shrank_or_was_replaced_is_read_from_its_beginning(
    log: Path, *, is_replaced: bool
) -> None:
    log.write_text(_line("m1", 5) + _line("m2", 7))
    _import(log)
    (_swap if is_replaced else Path.write_text)(log, _line("m3", 2))

    done = _import(log)

    assert done.calls == 1
    assert _totals(log)["output_tokens"] == 14


def _swap(path: Path, text: str) -> None:
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def test_a_lost_ledger_makes_nothing_count_twice(log: Path) -> None:
    log.write_text(_line("m1", 5) + _line("m2", 7))
    _import(log)
    before = _totals(log)
    (log.parents[1] / "home" / "sources.sqlite").unlink()

    assert _import(log).calls == 2
    assert _totals(log) == before


def test_a_copy_of_a_file_counts_once(log: Path) -> None:
    log.write_text(_line("m1", 5))
    _import(log)
    (log.parent / "b.jsonl").write_text(_line("m1", 5) + _line("m1", 3))

    done = _import(log)

    assert (done.calls, done.improved, done.repeated) == (0, 0, 2)
    assert _totals(log)["calls"] == 1


def test_a_line_that_is_too_long_is_skipped_by_name(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agenttrace.sources.reading.CHUNK", 64)
    monkeypatch.setattr("agenttrace.sources.reading.LINE_AT_MOST", 200)
    long = json.dumps({"id": "m2", "out": 1, "text": "x" * 300}) + "\n"
    log.write_text(_line("m1", 5) + long + json.dumps({"id": "m3", "out": 2, "t": "x" * 90}) + "\n")

    done = _import(log)

    assert done.calls == 2
    assert sum(done.skipped.values()) == 1


def test_what_cannot_be_read_is_named_and_the_rest_is_imported(log: Path) -> None:
    log.write_text(_line("m1", 5) + "no json\n")
    os.mkfifo(log.parent / "pipe.jsonl")
    broken = log.parent / "odd.jsonl"
    broken.write_text('{"no id": 1}\n')

    done = _import(log)

    assert done.calls == 1
    assert done.skipped == {"a line that is no JSON": 1}
    assert done.unreadable == {
        log.parent / "pipe.jsonl": "no file",
        broken: "not as expected (KeyError)",
    }


def test_an_import_waits_for_no_other_for_ever(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agenttrace.errors import SourceError
    from agenttrace.sources import ledger

    monkeypatch.setattr(ledger, "_WAIT_SECONDS", 0.1)
    log.write_text(_line("m1", 5))
    other = ledger.Ledger(log.parents[1] / "home")
    with other.changing(), pytest.raises(SourceError, match="held by another import"):
        _import(log)
    other.close()
    assert sources.LINE_AT_MOST == 32 * 1024 * 1024


def test_a_long_file_is_written_a_piece_at_a_time(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [_line(f"m{number}", 5) for number in range(4)]
    log.write_text("".join(lines))
    monkeypatch.setattr(reading, "CHUNK", len(lines[0]))
    monkeypatch.setattr(importing, "_AT_ONCE", 1)
    written: list[int] = []
    append_all = Spool.append_all

    def counted(self: Spool, lines: Iterable[bytes]) -> None:
        kept = list(lines)
        written.append(len(kept))
        append_all(self, kept)

    monkeypatch.setattr(Spool, "append_all", counted)

    assert _import(log).calls == 4
    assert max(written) == 2  # the turn and the first call; then each two calls


def test_a_disk_that_is_full_is_no_fault_of_the_file(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write_text(_line("m1", 5) + _line("m2", 5))
    monkeypatch.setattr(importing, "_AT_ONCE", 1)

    def full(_self: Spool, _lines: Iterable[bytes]) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "append_all", full)
        with pytest.raises(OSError, match="No space"):
            _import(log)

    assert _import(log).calls == 2


def test_a_piece_that_fails_is_read_again_with_the_state_of_the_one_before_it(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [_line("m1", 5), _line("m2", 5)]
    log.write_text("".join(lines))
    monkeypatch.setattr(reading, "CHUNK", len(lines[0]))

    class Counting(Plain):
        fails = True
        states: ClassVar[list[int]] = []

        def read(self, piece: Piece) -> Iterable[Record | Skipped]:
            self.states.append(piece.state.get("pieces", 0))
            piece.state["pieces"] = piece.state.get("pieces", 0) + 1
            yield from super().read(piece)
            if self.fails and not piece.is_first:
                raise ValueError

    source = Counting()
    assert import_logs(log.parents[1] / "home", source, [log]).unreadable == {
        log: "not as expected (ValueError)"
    }
    source.fails = False
    import_logs(log.parents[1] / "home", source, [log])

    assert source.states == [0, 1, 1]


def test_a_file_that_is_written_anew_in_place_is_read_from_its_beginning(log: Path) -> None:
    log.write_text(_line("m1", 5))
    _import(log)
    log.write_text(_line("m2", 5) + _line("m3", 5))  # the same file to the system, and longer

    assert _import(log).calls == 2


def test_what_is_known_of_a_call_later_is_told_of_the_same_span(log: Path) -> None:
    class Later(Plain):
        def read(self, piece: Piece) -> Iterable[Record | Skipped]:
            for one in super().read(piece):
                is_call = isinstance(one, Call)
                yield replace(one, start_ns=one.start_ns + 1, turn="2") if is_call else one

    log.write_text(_line("m1", 5))
    _import(log)
    log.write_text(_line("m1", 5) + _line("m1", 9))

    assert import_logs(log.parents[1] / "home", Later(), [log]).improved == 1
    assert _totals(log) == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 9}
