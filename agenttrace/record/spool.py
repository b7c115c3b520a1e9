"""Append-only segment files: one writer per process, a new file after a fork.

A segment is a preallocated, memory-mapped file of newline-terminated JSON objects; what is not yet
used is NUL. A record becomes visible by its first byte, ``{``, which is stored last, so a writer
that is killed at any moment leaves whole records and a tail that is recognised as unfinished. The
pages belong to the kernel: they outlive the process, ``kill -9`` included.

The writer holds a lock (``flock``) on its ``.open`` segment as long as it lives. A finished segment
is cut to its length and renamed to ``.seg``. The first line of a segment describes it. Where files
cannot be mapped (see ``files``) whole lines are written to a segment that grows.
"""

import collections
import contextlib
import errno
import os
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agenttrace.config import Durability
from agenttrace.errors import SpoolError
from agenttrace.record import files, losses, trouble
from agenttrace.record.files import (
    FLIGHT_SUFFIX,
    NEW_SUFFIX,
    OPEN_SUFFIX,
    SEGMENT_SUFFIX,
    Medium,
    SpoolFile,
)
from agenttrace.record.flight import Flight, Slot
from agenttrace.record.folder import SPOOL_FORMAT, SpoolFolder
from agenttrace.record.losses import LOST_NAME, Losses
from agenttrace.record.syncing import Syncing, sync_folder

if TYPE_CHECKING:
    import mmap

__all__ = [
    "FLIGHT_SUFFIX",
    "LOST_NAME",
    "NEW_SUFFIX",
    "OPEN_SUFFIX",
    "SEGMENT_SUFFIX",
    "SPOOL_FORMAT",
    "Segment",
    "Spool",
    "committed",
]

SEGMENT_BYTES: Final = 4 * 1024 * 1024
SEGMENT_SECONDS: Final = 900.0  # after which a segment is finished, for the fold to remove
SEGMENT_SHARE: Final = 16  # the part of a limited spool that one segment may take
PENDING_RECORDS: Final = 10_000  # kept in memory while the disk refuses
RETRY_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 1.0  # that closing waits for another thread to finish writing

_OPENING: Final = ord("{")


def committed(data: "bytes | mmap.mmap", start: int = 0) -> int:
    """Find where the committed records of a segment end.

    Args:
        data: The segment's bytes.
        start: Offset of the first byte of a record.

    Returns:
        The offset just past the last committed record; *start* if there is none.
    """
    position, size = start, len(data)
    while position < size and data[position] == _OPENING:
        end = data.find(b"\n", position)
        if end < 0:
            break
        position = end + 1
    return position


class Segment:
    """One file, open for appending by this process.

    Attributes:
        records: How many it holds, the header aside.
        room: How many more bytes fit.
        begun: When it was begun, as ``time.monotonic`` has it.
        is_mapped: To append to it cannot fail.
    """

    __slots__ = (
        "_file",
        "_header_end",
        "_map",
        "_synced",
        "_used",
        "begun",
        "is_mapped",
        "records",
        "room",
    )

    def __init__(self, file: SpoolFile, header: bytes) -> None:
        """Write *header* into a new *file* and give it its name."""
        self._file = file
        self._map = file.memory
        self.room = len(file.memory)
        self.is_mapped = file.medium.kind == files.MAPPED
        self._used = self._synced = 0
        self.records = 0
        self.begun = time.monotonic()
        try:
            self.append(header)
            file.begin()
        except BaseException:
            file.discard()
            raise
        self._header_end = self._used
        self.records = 0

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._file.path

    def append(self, line: bytes) -> None:
        """Append one newline-terminated record; it is visible when its first byte is stored.

        Raises:
            OSError: It had to be written, and the disk refused; nothing is visible of it.
        """
        size = len(line)
        start = self._used
        end = start + size
        if self.is_mapped:
            self._map[start + 1 : end] = line[1:]
            self._map[start] = _OPENING
        else:
            # Without its newline it does not count, and the next one goes over it.
            files.write_whole(self._file.descriptor, line, start)
        self._used = end
        self.room -= size
        self.records += 1

    def sync(self) -> None:
        """Wait until it is on the disk."""
        if self._synced != self._used:
            used = self._used
            files.sync(self._file.descriptor)
            self._synced = used

    def close(self) -> None:
        """Cut the file to its length and hand it over to the fold."""
        if self._used == self._header_end:
            self._file.memory.close()
            self._file.discard()
        else:
            self._file.finish(self._used, SEGMENT_SUFFIX)

    @property
    def is_gone(self) -> bool:
        """Somebody has deleted the file, so what is written to it is nowhere."""
        return self._file.is_gone

    def abandon(self) -> None:
        """Let go of a segment that belongs to the parent of this forked process, or is gone."""
        self._file.abandon()


# A record that is to be written, where its start is noted, and where it stands until then.
_Waiting = tuple[bytes, Slot | None, Slot | None]


class Spool:
    """The writer of this process: ``append`` never blocks on another thread and never raises."""

    def __init__(
        self,
        folder: Path,
        service_name: str,
        segment_bytes: int = SEGMENT_BYTES,
        *,
        segment_seconds: float = SEGMENT_SECONDS,
        durability: Durability = "process",
        max_bytes: int | None = None,
        medium: Medium | None = None,
        is_retold: bool = False,
    ) -> None:
        """Nothing is made before the first record.

        Args:
            folder: Where the segments are.
            service_name: What the user calls this program.
            segment_bytes: Size of a segment.
            segment_seconds: After how long a segment is finished that is not full.
            durability: What records outlive: the ``process``, or a power failure, but for the last
                ``second`` or with every ``record``.
            max_bytes: What the folder may hold; None for no limit.
            medium: How records get into the files; default what suits the folder.
            is_retold: The records were made elsewhere and may be told again. They say themselves
                whose they are, and the fold lets go of those that it has.
        """
        self._path = folder
        self._service_name = service_name
        self._segment_bytes = segment_bytes
        if max_bytes is not None:
            self._segment_bytes = min(segment_bytes, max(max_bytes // SEGMENT_SHARE, 4096))
        self._segment_seconds = segment_seconds
        self._durability: Durability = durability
        self._is_synced_each = durability == "record"
        self._max_bytes = max_bytes
        self._given_medium = medium
        self._is_retold = is_retold
        self._start_afresh()
        _spools.add(self)

    @property
    def folder(self) -> Path:
        """Where the segments are."""
        return self._path

    @property
    def lost(self) -> int:
        """Records that could not be kept."""
        return self._losses.total

    @property
    def left_out(self) -> int:
        """Start records that found no place."""
        return self._left_out

    @property
    def medium(self) -> Medium:
        """How records get into the files."""
        return self._folder.medium or files.kind_of(self._path)

    def begin(self, line: bytes) -> Slot | None:
        """Note that something begins, by its start record; its slot goes to ``append``."""
        slot = self._flight.begin(line)
        if slot is None:
            self._left_out += 1
        return slot

    def append(self, line: bytes, slot: Slot | None = None) -> None:
        """Keep one record.

        Whoever gets the lock writes what all threads have put down; nobody waits for it, and a
        signal handler or a finalizer that records while its own thread is writing is safe. What
        has to wait stands in a slot meanwhile, for the process may be killed.

        Args:
            line: A JSON object in one line, ``{`` first and a newline last.
            slot: Where it was noted that this began; cleared once the record is in a segment.
        """
        if self._is_synced_each:
            self._put_down(line, slot, self._flight.begin(line) if self._retry_at else None)
            self._write_through()
        elif self._retry_at or not self._lock.acquire(False):  # noqa: FBT003 - each microsecond
            self._put_down(line, slot, self._flight.begin(line))
            self._write()
        else:
            try:
                segment = self._segment
                # What nearly every record meets, without a detour over the queue.
                if (
                    segment is not None
                    and segment.room >= len(line)
                    and segment.is_mapped
                    and not self._pending
                    and time.monotonic() < self._look_at
                ):
                    segment.append(line)
                    if slot is not None:
                        slot.clear()
                else:
                    self._put_down(line, slot, None)
                    self._drain()
            finally:
                self._lock.release()
            if self._pending:
                self._write()

    def append_all(self, lines: Iterable[bytes]) -> None:
        """Keep records and wait until the disk has them; for who can wait, and say no to others.

        Args:
            lines: As :meth:`append` takes them.

        Raises:
            OSError: The disk refuses. Some of the records may be there.
            SpoolError: The same, as the folder holds as much as it may.
        """
        with self._lock:
            self._look_after(time.monotonic())
            for line in lines:
                segment = self._segment
                if segment is None or segment.room < len(line):
                    if segment is not None:
                        segment.sync()
                    segment = self._rolled(len(line))
                segment.append(line)
            if self._segment is not None:
                self._segment.sync()

    def _put_down(self, line: bytes, slot: Slot | None, held: Slot | None) -> None:
        if len(self._pending) < PENDING_RECORDS:
            self._pending.append((line, slot, held))
        else:
            self._losses.count(1, self._reason)
            _clear(slot, held)

    def lose(self, slot: Slot | None = None) -> None:
        """Count a record that there will be no line of."""
        self._losses.count(1, losses.FAILED)
        _clear(slot)

    def close(self) -> None:
        """Finish the open segment; recording may go on and then opens another."""
        if not self._lock.acquire(timeout=CLOSE_SECONDS):
            return  # A signal handler closes while its own thread is writing; nothing is lost.
        try:
            self._retry_at = 0.0
            refused = not self._drain()
            segment, self._segment = self._segment, None
            if segment is not None:
                self._finish(segment)
            while refused and self._pending:
                _, slot, held = self._pending.popleft()
                # What stands in a slot is there for the fold.
                self._losses.count(held is None, self._reason)
                _clear(slot)
            self._report_losses()
            self._flight.close()
        finally:
            self._lock.release()
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            syncing.stop()
        # What other threads have put down meanwhile goes into the next segment.
        self._write()

    def after_fork(self) -> None:
        """Start afresh in a forked child: files, locks and what waits are the parent's."""
        if self._segment is not None:
            with contextlib.suppress(OSError):
                self._segment.abandon()
        self._flight.abandon()
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pending: collections.deque[_Waiting] = collections.deque()
        self._lock = threading.Lock()
        self._writing: set[int] = set()  # the threads that wait for the disk
        self._folder = SpoolFolder(
            self._path,
            self._service_name,
            max_bytes=self._max_bytes,
            medium=self._given_medium,
            is_retold=self._is_retold,
        )
        self._flight = Flight(self._folder)
        self._left_out = 0
        self._losses = Losses(self._path)
        self._reason = losses.FAILED  # of what is lost while the disk refuses
        self._syncing: Syncing | None = None
        self._finished: collections.deque[Path] = collections.deque()  # and not yet synced
        self._synced = (Path(), 0)
        self._segment: Segment | None = None
        self._made = 0
        self._retry_at = 0.0
        self._look_at = 0.0

    def _write(self) -> None:
        """Write what waits, unless somebody else does."""
        while self._pending and self._lock.acquire(False):  # noqa: FBT003 - each microsecond
            try:
                if not self._drain():
                    return
            finally:
                self._lock.release()

    def _write_through(self) -> None:
        """Write what waits and sync it, whoever has put it down; this waits for other threads."""
        me = threading.get_ident()
        goes_on = True
        # Not where a signal handler has interrupted this very thread, which takes its record along.
        while goes_on and me not in self._writing:
            self._writing.add(me)
            try:
                goes_on = self._lock.acquire(timeout=CLOSE_SECONDS)
                if goes_on:
                    try:
                        goes_on = self._drain() and self._is_on_disk()
                    finally:
                        self._lock.release()
            finally:
                self._writing.discard(me)
            goes_on = goes_on and bool(self._pending)

    def _is_on_disk(self) -> bool:
        try:
            if self._segment is not None:
                self._segment.sync()
        except OSError as error:
            trouble.say("syncing the spool to the disk", error)
            return False
        return True

    def _drain(self) -> bool:
        """Write what waits; False when the disk refuses, and it is kept for later."""
        pending = self._pending
        while pending:
            now = time.monotonic()
            if now < self._retry_at:
                return False
            if now >= self._look_at:
                self._look_after(now)
            # Taken out only when it is in: an exception of a signal handler may come anywhere.
            line, slot, held = pending[0]
            segment = self._segment
            try:
                if segment is None or segment.room < len(line):
                    segment = self._rolled(len(line))
                segment.append(line)
            except (OSError, SpoolError) as error:
                self._refuse(error)
                return False
            pending.popleft()
            if slot is not None:
                slot.clear()
            if held is not None:
                held.clear()
        self._retry_at = 0.0
        return True

    def _refuse(self, error: OSError | SpoolError) -> None:
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._reason = losses.reason_of(error)
        trouble.say(f"writing to {self._path}", error)
        self._losses.report_now_and_then()

    def _look_after(self, now: float) -> None:
        """Now and then, see whether the segment is still there, and not too old."""
        self._losses.report_now_and_then()
        segment = self._segment
        if segment is None:
            return
        self._look_at = now + RETRY_SECONDS
        if segment.is_gone:
            self._segment = None
            self._finish(segment)
            self._flight.leave_deleted()
        elif segment.records and now - segment.begun > self._segment_seconds:
            try:
                self._segment = self._new_segment(0)
            except (OSError, SpoolError):
                segment.begun = now  # There is room in it, which is more than the disk has.
            else:
                self._finish(segment)

    def _rolled(self, needed: int) -> Segment:
        """Finish the segment and begin another, with room for *needed* bytes."""
        full, self._segment = self._segment, None
        if full is not None:
            self._finish(full)
        self._segment = segment = self._new_segment(needed)
        self._losses.report()
        return segment

    def _new_segment(self, needed: int) -> Segment:
        self._made += 1
        now = time.time_ns()
        name = f"{now}-{os.getpid()}-{self._made}{OPEN_SUFFIX}"
        most = 2048 + len(self._service_name.encode()) * 6  # of a header
        file = self._folder.new_file(name, max(self._segment_bytes, most + needed))
        segment = Segment(file, self._folder.header(now))
        if self._is_synced_each:
            sync_folder(self._path)
        elif self._durability == "second" and self._syncing is None:
            self._start_syncing()
        return segment

    def _finish(self, segment: Segment) -> None:
        """Hand a segment over to the fold."""
        try:
            if segment.is_gone:
                segment.abandon()
                self._losses.count(segment.records, losses.DELETED)
                trouble.say("a spool segment", FileNotFoundError(errno.ENOENT, "It was deleted"))
                return
            if self._is_synced_each:
                segment.sync()
            segment.close()
        except OSError as error:
            trouble.say("closing a spool segment", error)
        if self._syncing is not None:
            self._finished.append(segment.path)

    def _start_syncing(self) -> None:
        mine = weakref.ref(self)

        def unsynced() -> list[Path] | None:
            spool = mine()
            return None if spool is None else spool._unsynced()  # noqa: SLF001 - same class

        try:
            self._syncing = Syncing(self._path, unsynced)
        except RuntimeError as error:
            trouble.say("syncing the spool to the disk", error)

    def _unsynced(self) -> list[Path]:
        """Return the files that have changed since this was asked last."""
        found: list[Path] = []
        while self._finished:
            found.append(self._finished.popleft())
        segment = self._segment
        if segment is not None and (segment.path, segment.records) != self._synced:
            self._synced = (segment.path, segment.records)
            found.append(segment.path)
        return [*found, *self._flight.paths] if found else []

    def _report_losses(self) -> None:
        """Leave lines about what was lost, so that reports can say so; else the log has it."""
        self._losses.report()
        if self._losses.unreported:
            trouble.logger.warning(
                "agenttrace lost %d records and cannot say so in %s; your program is not affected.",
                self._losses.unreported,
                self._path,
            )


def _clear(*slots: Slot | None) -> None:
    for slot in slots:
        if slot is not None:
            slot.clear()


_spools: Final[weakref.WeakSet[Spool]] = weakref.WeakSet()


def _after_fork() -> None:
    for spool in list(_spools):
        spool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
