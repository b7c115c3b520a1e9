"""Append-only segment files: one writer per process, a new file after a fork.

A segment is a preallocated, memory-mapped file of newline-terminated JSON objects; what is not yet
used is NUL. A record becomes visible by its first byte, ``{``, which is stored last, so a writer
that is killed at any moment leaves whole records and a tail that is recognised as unfinished. The
pages belong to the kernel: they outlive the process, ``kill -9`` included.

The writer holds a lock (``flock``) on its ``.open`` segment as long as it lives. A finished segment
is cut to its length and renamed to ``.seg``. The first line of a segment describes it.
"""

import collections
import contextlib
import errno
import fcntl
import json
import mmap
import os
import socket
import threading
import time
import weakref
from pathlib import Path
from typing import Final

from agenttrace import __version__
from agenttrace.record import trouble

SPOOL_FORMAT: Final = 1
OPEN_SUFFIX: Final = ".open"
SEGMENT_SUFFIX: Final = ".seg"
NEW_SUFFIX: Final = ".new"  # being made: not yet locked, nothing in it
LOST_NAME: Final = "lost"
SEGMENT_BYTES: Final = 4 * 1024 * 1024
PENDING_RECORDS: Final = 10_000  # kept in memory while the disk refuses
RETRY_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 1.0  # that closing waits for another thread to finish writing

_OPENING: Final = ord("{")


def committed(data: bytes | mmap.mmap, start: int = 0) -> int:
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
    """One memory-mapped file, open for appending by this process."""

    def __init__(self, folder: Path, name: str, header: bytes, size: int) -> None:
        """Make the file, lock it, and write its header; an OSError leaves nothing behind."""
        making = folder / (name + NEW_SUFFIX)
        self._path = folder / (name + OPEN_SUFFIX)
        self._descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # A spool that nobody closes must not keep the fold from its last segment.
        self._let_go = weakref.finalize(self, os.close, self._descriptor)
        self._let_go.atexit = False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _preallocate(self._descriptor, size)
            self._map = mmap.mmap(self._descriptor, size)
            self._used = 0
            self.append(header)
            self._header_end = self._used
            making.rename(self._path)
        except BaseException:
            self._let_go()
            making.unlink(missing_ok=True)
            raise

    def fits(self, line: bytes) -> bool:
        """Whether there is room for *line*."""
        return self._used + len(line) <= len(self._map)

    def append(self, line: bytes) -> None:
        """Append one newline-terminated record; it is visible when its first byte is stored."""
        start, end = self._used, self._used + len(line)
        self._map[start + 1 : end] = line[1:]
        self._map[start] = _OPENING
        self._used = end

    def close(self) -> None:
        """Cut the file to its length and hand it over to the fold."""
        self._map.close()
        try:
            if self._used == self._header_end:
                self._path.unlink(missing_ok=True)
            else:
                os.ftruncate(self._descriptor, self._used)
                self._path.rename(self._path.with_suffix(SEGMENT_SUFFIX))
        finally:
            self._let_go()

    @property
    def is_gone(self) -> bool:
        """Somebody has deleted the file, so what is written to it is nowhere."""
        return os.fstat(self._descriptor).st_nlink == 0

    def abandon(self) -> None:
        """Let go of a segment that belongs to the parent of this forked process."""
        self._map.close()
        self._let_go()


class Spool:
    """The writer of this process: ``append`` never blocks on another thread and never raises."""

    def __init__(self, folder: Path, service_name: str, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder = folder
        self._service_name = service_name
        self._segment_bytes = segment_bytes
        self._start_afresh()
        _spools.add(self)

    @property
    def folder(self) -> Path:
        """Where the segments are."""
        return self._folder

    @property
    def lost(self) -> int:
        """Records that could not be kept."""
        return self._lost

    def append(self, line: bytes) -> None:
        """Keep one record.

        Whoever gets the lock writes what all threads have put down; nobody waits for it, and a
        signal handler or a finalizer that records while its own thread is writing is safe.

        Args:
            line: A JSON object in one line, ``{`` first and a newline last.
        """
        if len(self._pending) < PENDING_RECORDS:
            self._pending.append(line)
        else:
            self._lost += 1
        self._write()

    def close(self) -> None:
        """Finish the open segment; recording may go on and then opens another."""
        if not self._lock.acquire(timeout=CLOSE_SECONDS):
            return  # A signal handler closes while its own thread is writing; nothing is lost.
        try:
            self._retry_at = 0.0
            refused = not self._drain()
            if self._segment is not None:
                segment, self._segment = self._segment, None
                try:
                    segment.close()
                except OSError as error:
                    trouble.say("closing a spool segment", error)
            while refused and self._pending:
                self._pending.popleft()
                self._lost += 1
            self._report_lost()
        finally:
            self._lock.release()
        # What other threads have put down meanwhile goes into the next segment.
        self._write()

    def after_fork(self) -> None:
        """Start afresh in a forked child: the segment, the lock and what waits are the parent's."""
        if self._segment is not None:
            with contextlib.suppress(OSError):
                self._segment.abandon()
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pending: collections.deque[bytes] = collections.deque()
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        self._made = 0
        self._lost = 0
        self._lost_reported = 0
        self._retry_at = 0.0
        self._look_at = 0.0
        self._in_segment = 0

    def _write(self) -> None:
        """Write what waits, unless somebody else does."""
        while self._pending and self._lock.acquire(blocking=False):
            try:
                if not self._drain():
                    return
            finally:
                self._lock.release()

    def _drain(self) -> bool:
        """Write what waits; False when the disk refuses, and it is kept for later."""
        while self._pending:
            line = self._pending[0]
            self._look_after()
            if self._segment is None or not self._segment.fits(line):
                try:
                    self._roll(len(line))
                except OSError as error:
                    self._retry_at = time.monotonic() + RETRY_SECONDS
                    trouble.say(f"writing to {self._folder}", error)
                    return False
                if self._segment is None:
                    return False
            self._segment.append(self._pending.popleft())
            self._in_segment += 1
        return True

    def _look_after(self) -> None:
        """Now and then, see whether the segment is still there."""
        now = time.monotonic()
        if self._segment is None or now < self._look_at:
            return
        self._look_at = now + RETRY_SECONDS
        if self._segment.is_gone:
            gone, self._segment = self._segment, None
            gone.abandon()
            self._lost += self._in_segment
            trouble.say("a spool segment", FileNotFoundError(errno.ENOENT, "It was deleted"))

    def _roll(self, needed: int) -> None:
        if time.monotonic() < self._retry_at:
            return
        if self._segment is not None:
            full, self._segment = self._segment, None
            full.close()
        for folder in (self._folder.parent, self._folder):
            # Names of tasks and agents are nobody else's business.
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._made += 1
        now = time.time_ns()
        header = self._header(now)
        size = max(self._segment_bytes, len(header) + needed)
        self._in_segment = 0
        self._segment = Segment(self._folder, f"{now}-{os.getpid()}-{self._made}", header, size)
        self._report_lost()

    def _header(self, now_ns: int) -> bytes:
        header = {
            "agenttrace_spool": SPOOL_FORMAT,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "service_name": self._service_name,
            "version": __version__,
            "started_ns": now_ns,
        }
        return json.dumps(header, separators=(",", ":")).encode() + b"\n"

    def _report_lost(self) -> None:
        """Leave a line about records that were lost, so that reports can say so."""
        unreported = self._lost - self._lost_reported
        if not unreported:
            return
        line = {"at_ns": time.time_ns(), "pid": os.getpid(), "records": unreported}
        with contextlib.suppress(OSError), (self._folder / LOST_NAME).open("a") as file:
            file.write(json.dumps(line) + "\n")
            self._lost_reported = self._lost


def _preallocate(descriptor: int, size: int) -> None:
    """Reserve the blocks now: a full disk is an OSError here and would be a bus error later."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    zeros = bytes(1024 * 1024)
    for offset in range(0, size, len(zeros)):
        os.pwrite(descriptor, zeros[: size - offset], offset)


_spools: Final[weakref.WeakSet[Spool]] = weakref.WeakSet()


def _after_fork() -> None:
    for spool in list(_spools):
        spool.after_fork()


os.register_at_fork(after_in_child=_after_fork)
