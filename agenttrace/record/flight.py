"""What is under way: a start record for each call, kept apart and struck out at its end.

A table of slots is a file beside the segments. The start record of an invocation goes into a free
slot, its first byte, ``{``, last. When its end record is in a segment, that byte becomes NUL and
the slot is free again, so that nothing grows with the number of calls. What still stands in the
table when its process has died was under way at that moment. An end record that has to wait, for
another thread or for a full disk, stands in a slot as well until it is written.

The writer holds a lock on the table as long as it lives, as on its segment.
"""

import collections
import contextlib
import itertools
import os
import time
from pathlib import Path
from typing import Final

from agenttrace.errors import SpoolError
from agenttrace.record import trouble
from agenttrace.record.files import FLIGHT_SUFFIX, Memory, SpoolFile
from agenttrace.record.folder import SpoolFolder

SLOT_BYTES: Final = 1024
SLOT_BYTES_AT_MOST: Final = 64 * 1024  # of a larger start record nothing is kept
FIRST_SLOTS: Final = 128  # of a table; each further one has twice as many
BYTES_AT_MOST: Final = 64 * 1024 * 1024  # of all tables of a process
RETRY_SECONDS: Final = 1.0

_OPENING: Final = ord("{")


Ids = tuple[str, str, str | None]


class Slot:
    """A place for one start record.

    Attributes:
        ids: Of trace, span and parent span, as the record in it spells them.
    """

    __slots__ = ("_free", "_memory", "_offset", "ids")

    def __init__(self, memory: Memory, offset: int, free: "collections.deque[Slot]") -> None:
        self._memory = memory
        self._offset = offset
        self._free = free
        self.ids: Ids = ("", "", None)

    def fill(self, line: bytes) -> None:
        """Put a start record into it, its first byte last."""
        offset = self._offset
        self._memory[offset + 1 : offset + len(line)] = line[1:]
        self._memory[offset] = _OPENING

    def clear(self) -> None:
        """Strike the record out: it has ended, and its end is known."""
        try:
            self._memory[self._offset] = 0
        except (ValueError, OSError):
            return  # of the parent of this forked process; or a disk that is gone
        self._free.append(self)


class Flight:
    """The tables of this process; nothing here blocks or raises."""

    def __init__(self, folder: SpoolFolder) -> None:
        self._folder = folder
        self._tables: list[SpoolFile] = []
        self._slots = 0
        self._bytes = 0
        self._retry_at = 0.0
        self._numbers = itertools.count(1)
        # Taken and given back without a lock; the one that was freed last is still in the cache.
        self._free: collections.deque[Slot] = collections.deque()
        self._larger: dict[int, collections.deque[Slot]] = {}

    def begin(self, line: bytes) -> Slot | None:
        """Note that something begins.

        Args:
            line: Its start record: a JSON object in one line, ``{`` first and a newline last.

        Returns:
            Its slot, to be cleared when it has ended; None if there was no place.
        """
        size = len(line)
        free = self._free if size <= SLOT_BYTES else self._for_larger(size)
        try:
            slot = free.pop()
        except IndexError:
            slot = self._grown(free, size)
        if slot is None:
            return None
        try:
            slot.fill(line)
        except (ValueError, OSError) as error:
            trouble.say(f"writing to {self._folder.path}", error)
            return None
        return slot

    def close(self) -> None:
        """Remove the tables, unless something is under way: its record may still come."""
        if sum(map(len, (self._free, *self._larger.values()))) == self._slots:
            self._leave(remove=True)

    def abandon(self) -> None:
        """Let go of the tables: they are those of the parent of this forked process."""
        self._leave(remove=False)

    def leave_deleted(self) -> None:
        """Begin anew if somebody has deleted a table."""
        if any(table.is_gone for table in self._tables):
            self._leave(remove=False)

    @property
    def paths(self) -> list[Path]:
        """Where the tables are."""
        return [table.path for table in self._tables]

    def _leave(self, *, remove: bool) -> None:
        tables, self._tables = self._tables, []
        self._free.clear()
        self._larger.clear()
        self._slots = self._bytes = 0
        for table in tables:
            with contextlib.suppress(OSError):
                if remove:
                    table.path.unlink(missing_ok=True)
                table.abandon()

    def _for_larger(self, size: int) -> "collections.deque[Slot]":
        return self._larger.setdefault(_slot_bytes(size), collections.deque())

    def _grown(self, free: "collections.deque[Slot]", size: int) -> Slot | None:
        """Make another table and return one of its slots."""
        slot_bytes = _slot_bytes(size)
        table_bytes = FIRST_SLOTS * SLOT_BYTES << len(self._tables)
        if slot_bytes > SLOT_BYTES_AT_MOST or self._bytes + table_bytes > BYTES_AT_MOST:
            return None
        if time.monotonic() < self._retry_at:
            return None
        # At once, so that of two threads the second makes a larger one.
        self._bytes += table_bytes
        try:
            return self._table(free, slot_bytes, table_bytes)
        except (OSError, SpoolError) as error:
            self._bytes -= table_bytes
            self._retry_at = time.monotonic() + RETRY_SECONDS
            trouble.say(f"writing to {self._folder.path}", error)
            return None

    def _table(self, free: "collections.deque[Slot]", slot_bytes: int, size: int) -> Slot:
        now = time.time_ns()
        name = f"{now}_{os.getpid()}_{next(self._numbers)}{FLIGHT_SUFFIX}"
        file = self._folder.new_file(name, size)
        try:
            header = self._folder.header(now, slot_bytes=slot_bytes)
            file.memory[0 : len(header)] = header
            file.begin()
        except BaseException:
            file.discard()
            raise
        offsets = range(first_slot(len(header), slot_bytes), size - slot_bytes + 1, slot_bytes)
        slots = [Slot(file.memory, offset, free) for offset in reversed(offsets)]
        self._tables.append(file)
        self._slots += len(slots)
        taken = slots.pop()
        free.extend(slots)
        return taken


def first_slot(header_bytes: int, slot_bytes: int) -> int:
    """Return the offset of the first slot of a table, behind its header and its newline."""
    return -(-header_bytes // slot_bytes) * slot_bytes


def _slot_bytes(size: int) -> int:
    """Return the size of the slots that a record of *size* bytes goes into."""
    return max(SLOT_BYTES, 1 << (size - 1).bit_length())
