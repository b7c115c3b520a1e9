"""The spool keeps what was appended, whatever happens to the process."""

import errno
import fcntl
import gc
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.record import spool as spools
from agenttrace.record.spool import Spool, committed


def line(number: int, padding: int = 0) -> bytes:
    return json.dumps({"n": number, "pad": "x" * padding}).encode() + b"\n"


def numbers(folder: Path) -> list[int]:
    """Every committed number in the folder's segments, header lines left out."""
    found: list[int] = []
    for path in sorted(folder.glob("*-*")):
        data = path.read_bytes()
        records = [json.loads(text) for text in data[: committed(data)].splitlines()]
        assert records[0]["agenttrace_spool"] == 1
        found += [record["n"] for record in records[1:]]
    return found


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path, "test", segment_bytes=4096)
    yield made
    made.close()


def test_an_appended_record_is_in_the_file_before_append_returns(spool: Spool) -> None:
    spool.append(line(1))
    assert numbers(spool.folder) == [1]


def test_a_full_segment_is_cut_renamed_and_followed_by_another(spool: Spool) -> None:
    for number in range(100):
        spool.append(line(number, padding=200))
    assert numbers(spool.folder) == list(range(100))
    finished = list(spool.folder.glob("*.seg"))
    assert finished
    assert all(b"\0" not in path.read_bytes() for path in finished)
    assert len(list(spool.folder.glob("*.open"))) == 1


def test_a_record_larger_than_a_segment_gets_a_segment_of_its_size(spool: Spool) -> None:
    spool.append(line(1, padding=10_000))
    spool.append(line(2))
    assert sorted(numbers(spool.folder)) == [1, 2]


def test_a_spool_that_recorded_nothing_leaves_nothing(tmp_path: Path) -> None:
    Spool(tmp_path / "spool", "test").close()
    assert list(tmp_path.iterdir()) == []


def test_segments_are_private_to_their_user(spool: Spool) -> None:
    spool.append(line(1))
    (path,) = spool.folder.glob("*.open")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_writer_holds_a_lock_on_its_open_segment(spool: Spool) -> None:
    spool.append(line(1))
    (path,) = spool.folder.glob("*.open")
    with path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@given(st.lists(st.integers(0, 300), max_size=8), st.data())
def test_a_segment_cut_anywhere_yields_the_whole_records_before_the_cut(
    paddings: list[int], data: st.DataObject
) -> None:
    lines = [line(number, padding) for number, padding in enumerate(paddings)]
    content = b"".join(lines)
    cut = data.draw(st.integers(0, len(content)))
    whole = committed(content[:cut] + bytes(64))
    expected = 0
    while expected < len(lines) and len(b"".join(lines[: expected + 1])) <= cut:
        expected += 1
    assert content[:whole] == b"".join(lines[:expected])


def test_a_record_whose_first_byte_is_not_stored_is_not_committed() -> None:
    first, second = line(1), line(2)
    assert committed(first + b"\0" + second[1:]) == len(first)


def test_threads_append_without_losing_or_mixing_records(spool: Spool) -> None:
    def append(start: int) -> None:
        for number in range(start, start + 200):
            spool.append(line(number))

    threads = [threading.Thread(target=append, args=(n * 200,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(spool.folder)) == list(range(1600))


def test_a_signal_handler_may_record_while_its_thread_is_recording(spool: Spool) -> None:
    def handle(*_: object) -> None:
        spool.append(line(-1))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for number in range(20_000):
            spool.append(line(number))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    found = numbers(spool.folder)
    assert [n for n in found if n >= 0] == list(range(20_000))
    assert -1 in found


def _append_in_child(spool: Spool) -> None:
    spool.append(line(2))
    os._exit(0)  # as multiprocessing does: no atexit, nothing flushed


def test_a_forked_child_writes_a_segment_of_its_own(spool: Spool) -> None:
    spool.append(line(1))
    child = multiprocessing.get_context("fork").Process(target=_append_in_child, args=(spool,))
    child.start()
    child.join()
    spool.append(line(3))
    assert sorted(numbers(spool.folder)) == [1, 2, 3]
    assert len(list(spool.folder.glob("*-*"))) == 2


def _append_until_killed(folder: Path, said: int) -> None:
    spool = Spool(folder, "test")
    number = 0
    while True:
        spool.append(line(number))
        os.write(said, b".")
        number += 1


def test_what_was_appended_before_kill_9_is_there(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = multiprocessing.get_context("fork").Process(
        target=_append_until_killed, args=(tmp_path, writing)
    )
    child.start()
    os.close(writing)
    said = len(os.read(reading, 5000))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    while more := len(os.read(reading, 65536)):
        said += more
    os.close(reading)
    found = numbers(tmp_path)
    assert found == list(range(len(found)))
    assert said <= len(found) <= said + 1


def test_what_another_thread_appends_while_a_segment_is_closed_is_kept(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = spools.Segment.close

    def append_and_close(segment: spools.Segment) -> None:
        thread = threading.Thread(target=spool.append, args=(line(2),))
        thread.start()
        thread.join()
        close(segment)

    spool.append(line(1))
    with monkeypatch.context() as patch:
        patch.setattr(spools.Segment, "close", append_and_close)
        spool.close()
    assert numbers(spool.folder) == [1, 2]
    assert spool.lost == 0


def test_a_spool_that_is_collected_lets_go_of_its_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "test")
    spool.close()
    spool.append(line(1))
    del spool
    gc.collect()
    (path,) = tmp_path.glob("*.open")
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert numbers(tmp_path) == [1]


class _FullDisk:
    """Stands for ``posix_fallocate`` on a disk that is full for a while."""

    def __init__(self) -> None:
        self.full = True
        self._allocate = os.posix_fallocate

    def __call__(self, descriptor: int, offset: int, size: int) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._allocate(descriptor, offset, size)


def test_records_wait_while_the_disk_is_full_and_are_written_when_it_is_not(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    disk = _FullDisk()
    monkeypatch.setattr(os, "posix_fallocate", disk)
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    spool.append(line(1))
    spool.append(line(2))
    assert numbers(spool.folder) == []
    disk.full = False
    spool.append(line(3))
    assert numbers(spool.folder) == [1, 2, 3]
    assert len(trouble) == 1
    assert "No space left on device" in trouble[0]


def test_records_lost_to_a_full_disk_are_counted_for_the_report(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", _FullDisk())
    monkeypatch.setattr(spools, "PENDING_RECORDS", 2)
    for number in range(5):
        spool.append(line(number))
    assert spool.lost == 3
    spool.close()
    assert json.loads((spool.folder / "lost").read_text())["records"] == 5
    assert trouble


def test_after_records_were_lost_recording_goes_on_when_there_is_room_again(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    disk = _FullDisk()
    monkeypatch.setattr(os, "posix_fallocate", disk)
    monkeypatch.setattr(spools, "PENDING_RECORDS", 2)
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    for number in range(4):
        spool.append(line(number))
    disk.full = False
    spool.append(line(4))
    spool.append(line(5))
    assert numbers(spool.folder) == [0, 1, 5]
    assert spool.lost == 3
    assert trouble


class _Bytes(bytearray):
    """A map that notes in which order it is written."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.writes: list[tuple[int, int]] = []

    def __setitem__(self, where: Any, value: Any) -> None:
        start, stop = (where.start, where.stop) if isinstance(where, slice) else (where, where + 1)
        self.writes.append((start, stop))
        super().__setitem__(where, value)


def test_the_first_byte_of_a_record_is_stored_last(spool: Spool) -> None:
    spool.append(line(1))
    segment: Any = spool._segment
    real, segment._map = segment._map, _Bytes(4096)
    start = segment._used
    segment.append(line(2))
    assert segment._map.writes == [(start + 1, start + len(line(2))), (start, start + 1)]
    segment._map = real
