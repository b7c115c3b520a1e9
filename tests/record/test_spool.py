"""The spool keeps what was appended, whatever happens to the process."""

import errno
import fcntl
import gc
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.record import files, losses, syncing
from agenttrace.record import spool as spools
from agenttrace.record.files import Medium
from agenttrace.record.folder import bytes_in
from agenttrace.record.spool import Spool, committed

WRITTEN = Medium("written", "for a test")


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


def modes(folder: Path) -> dict[str, str]:
    return {path.suffix or path.name: oct(path.stat().st_mode)[-3:] for path in folder.iterdir()}


def test_everything_is_private_to_its_user_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        spool = Spool(tmp_path / "home" / "spool", "test")
        slot = spool.begin(line(1))
        spool.append(line(1))
        spool.lose()
        spool.close()
        spool.append(line(2), slot)
    finally:
        os.umask(before)
    assert modes(tmp_path / "home" / "spool") == {
        ".flight": "600",
        ".open": "600",
        ".seg": "600",
        "lost": "600",
    }
    assert modes(tmp_path / "home") == {"spool": "700"}
    assert modes(tmp_path) == {"home": "700"}
    spool.close()


def test_a_spool_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "spool"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    (folder / "lost").touch(mode=0o644)
    spool = Spool(folder, "test")
    spool.append(line(1))
    spool.lose()
    spool.close()
    assert modes(folder) == {".seg": "600", "lost": "600"}
    # The home is the user's own, and may be for others too.
    assert (modes(folder.parent), modes(tmp_path)) == ({"spool": "700"}, {"home": "755"})


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


def said_lost(folder: Path) -> dict[str, int]:
    """How many records the file of losses speaks of, by reason."""
    found: dict[str, int] = {}
    for text in (folder / "lost").read_text().splitlines():
        said = json.loads(text)
        found[said["reason"]] = found.get(said["reason"], 0) + said["records"]
    return found


def test_a_segment_that_is_old_is_finished_at_the_next_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    spool = Spool(tmp_path, "test", segment_seconds=0.05)
    spool.append(line(1))
    spool.append(line(2))
    assert list(tmp_path.glob("*.seg")) == []
    time.sleep(0.06)
    spool.append(line(3))
    assert (len(list(tmp_path.glob("*.seg"))), len(list(tmp_path.glob("*.open")))) == (1, 1)
    assert numbers(tmp_path) == [1, 2, 3]
    spool.close()


def test_an_old_segment_goes_on_where_the_disk_has_no_room_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    spool = Spool(tmp_path, "test", segment_seconds=0.0)
    spool.append(line(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", _FullDisk())
        spool.append(line(2))
    assert numbers(tmp_path) == [1, 2]
    assert spool.lost == 0
    spool.close()


def test_a_spool_with_a_limit_stays_within_it_and_counts_what_it_loses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setattr(spools, "PENDING_RECORDS", 10)
    spool = Spool(tmp_path, "test", max_bytes=300_000)
    largest = 0
    for number in range(1000):
        spool.append(line(number, padding=800))
        largest = max(largest, bytes_in(tmp_path))
    assert 200_000 < largest <= 300_000
    kept = len(numbers(tmp_path))
    assert kept + spool.lost <= 1000
    spool.close()
    assert kept + spool.lost == 1000
    assert said_lost(tmp_path) == {"spool full": spool.lost}
    assert len(trouble) == 1
    assert "AGENTTRACE_MAX_SPOOL allows 300,000" in trouble[0]


def test_a_spool_with_a_limit_goes_on_when_it_is_folded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    spool = Spool(tmp_path, "test", max_bytes=100_000)
    for number in range(110):
        spool.append(line(number, padding=1000))
    before = len(numbers(tmp_path))
    assert before < 110
    for path in tmp_path.glob("*.seg"):
        path.unlink()
    spool.append(line(110, padding=1000))
    assert numbers(tmp_path)[-1] == 110
    assert spool.lost == 0
    assert trouble
    spool.close()


REFUSED = """
import os, resource, sys
from pathlib import Path
from agenttrace.record.files import Medium
from agenttrace.record.spool import Spool
medium = Medium("written", "for a test") if sys.argv[2] == "written" else None
spool = Spool(Path(sys.argv[1]), "test", medium=medium)
resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
for number in range(100):
    spool.append(b'{"n":%d}\\n' % number)
spool.close()
"""


@pytest.mark.parametrize("medium", ["mapped", "written"])
def test_a_file_that_may_not_grow_is_no_bus_error_and_no_silent_loss(
    tmp_path: Path, medium: str
) -> None:
    """The kernel itself refuses, as it does on a disk that is full."""
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, tmp_path, medium], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr.count("File too large") == 1
    kept = numbers(tmp_path)
    assert said_lost(tmp_path) == {"disk full": 100 - len(kept)}
    assert kept == list(range(len(kept)))
    assert (len(kept) > 0) == (medium == "written")


def test_what_may_not_be_written_is_counted_and_the_log_has_it_where_the_spool_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "make_private", refuse)
    spool = Spool(tmp_path / "spool", "test")
    for number in range(3):
        spool.append(line(number))
    spool.close()
    assert spool.lost == 3
    assert [text.partition(" (")[0] for text in trouble] == [
        f"agenttrace could not finish writing to {tmp_path / 'spool'}",
        f"agenttrace lost 3 records and cannot say so in {tmp_path / 'spool'}; your program is not "
        "affected.",
    ]


def test_losses_are_said_while_the_process_goes_on(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", _FullDisk())
    monkeypatch.setattr(spools, "PENDING_RECORDS", 1)
    monkeypatch.setattr(spools, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(losses, "REPORT_SECONDS", 0.0)
    for number in range(5):
        spool.append(line(number))
    assert said_lost(spool.folder) == {"disk full": 4}
    assert trouble


def test_a_segment_deleted_before_the_close_is_counted_as_lost(
    spool: Spool, trouble: list[str]
) -> None:
    spool.append(line(1))
    spool.append(line(2))
    shutil.rmtree(spool.folder)
    spool.close()
    assert said_lost(spool.folder) == {"deleted": 2}
    assert "deleted" in trouble[0]


def test_a_segment_that_another_machine_deleted_is_counted_as_lost(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    def stale(_: int) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle")

    spool.append(line(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", stale)
        spool.append(line(2))
    assert spool.lost == 1
    assert trouble


@given(st.lists(st.integers(0, 6000), max_size=12))
def test_written_segments_hold_what_mapped_ones_hold(
    tmp_path_factory: pytest.TempPathFactory, paddings: list[int]
) -> None:
    found: list[list[bytes]] = []
    for medium in (None, WRITTEN):
        folder = tmp_path_factory.mktemp("spool")
        spool = Spool(folder, "test", segment_bytes=4096, medium=medium)
        for number, padding in enumerate(paddings):
            slot = spool.begin(line(-number))
            spool.append(line(number, padding), slot)
        live = [path.read_bytes() for path in sorted(folder.glob("*.open"))]
        assert [data[: committed(data)].count(b"\n") > 0 for data in live] == [True] * len(live)
        spool.close()
        contents = [path.read_bytes() for path in sorted(folder.iterdir())]
        found.append([data.partition(b"\n")[2] for data in contents])
    assert found[0] == found[1]


def test_a_file_system_that_cannot_map_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    spool = Spool(tmp_path, "test")
    spool.append(line(1))
    assert spool.medium == Medium("written", "mapping a file failed: Operation not supported")
    assert numbers(tmp_path) == [1]
    spool.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes of the files that were synced, in order."""
    found: list[int] = []
    real: Callable[[int], None] = files.sync

    def sync(descriptor: int) -> None:
        real(descriptor)
        found.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(files, "sync", sync)
    monkeypatch.setattr(syncing, "SYNC_SECONDS", 0.02)
    return found


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_by_default_nothing_is_synced(spool: Spool, synced: list[int]) -> None:
    spool.append(line(1))
    spool.close()
    assert synced == []


def test_with_durability_record_each_record_is_synced_before_append_returns(
    tmp_path: Path, synced: list[int]
) -> None:
    spool = Spool(tmp_path, "test", segment_bytes=4096, durability="record")
    for number in range(1, 6):
        spool.append(line(number))
        assert len(synced) == number
    spool.append(line(6, padding=4000))
    assert len(synced) == 6  # the full segment has been synced
    spool.close()
    assert numbers(tmp_path) == [1, 2, 3, 4, 5, 6]


def test_with_durability_record_threads_wait_for_the_disk_and_signals_do_not(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, "test", durability="record")
    before = signal.signal(signal.SIGALRM, lambda *_: spool.append(line(-1)))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        threads = [
            threading.Thread(target=lambda: [spool.append(line(n)) for n in range(20)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for number in range(20):
            spool.append(line(number))
        for thread in threads:
            thread.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert sorted(n for n in numbers(tmp_path) if n >= 0) == sorted(list(range(20)) * 5)
    spool.close()


def test_with_durability_second_a_thread_syncs_what_has_changed_and_only_that(
    tmp_path: Path, synced: list[int]
) -> None:
    spool = Spool(tmp_path, "test", durability="second")
    slot = spool.begin(line(1))
    spool.append(line(1))
    inodes = {path.stat().st_ino for path in tmp_path.iterdir()}
    until(lambda: len(synced) >= 2)
    time.sleep(0.1)
    assert (len(synced), set(synced)) == (2, inodes)
    spool.append(line(2), slot)
    until(lambda: len(synced) >= 4)
    spool.append(line(3))
    running = threading.active_count()
    spool.close()
    assert len(synced) >= 5  # the last sync is made as it closes
    before = len(synced)
    time.sleep(0.1)
    assert (len(synced), threading.active_count()) == (before, running)


def test_with_durability_second_a_finished_segment_is_synced_as_well(
    tmp_path: Path, synced: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "SYNC_SECONDS", 60.0)
    spool = Spool(tmp_path, "test", segment_bytes=4096, durability="second")
    for number in range(4):
        spool.append(line(number, padding=3500))
    spool.close()
    assert set(synced) == {path.stat().st_ino for path in tmp_path.iterdir()}


def _append_and_leave(spool: Spool, done: Any) -> None:
    spool.append(line(2))
    assert spool._syncing is not None
    spool.close()
    done.set()
    os._exit(0)


def test_with_durability_second_a_forked_child_syncs_for_itself(
    tmp_path: Path, synced: list[int]
) -> None:
    spool = Spool(tmp_path, "test", durability="second")
    spool.append(line(1))
    fork = multiprocessing.get_context("fork")
    done = fork.Event()
    child = fork.Process(target=_append_and_leave, args=(spool, done))
    child.start()
    child.join(30)
    assert done.is_set()
    spool.close()
    assert sorted(numbers(tmp_path)) == [1, 2]


def test_a_spool_that_is_collected_stops_its_thread(tmp_path: Path, synced: list[int]) -> None:
    spool = Spool(tmp_path, "test", durability="second")
    spool.append(line(1))
    thread = spool._syncing
    assert thread is not None
    del spool
    gc.collect()
    until(thread._stopped.is_set)


def test_a_sync_that_fails_is_said_once_and_recording_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: list[str]
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "sync", refuse)
    spool = Spool(tmp_path, "test", durability="record")
    spool.append(line(1))
    spool.append(line(2))
    assert numbers(tmp_path) == [1, 2]
    assert len(trouble) == 1
    assert "Input/output error" in trouble[0]
