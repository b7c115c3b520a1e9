"""How much is being read or waits for the disk: what is beyond it is told to come again."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agenttrace.server.refusals import FULL, RefusedError

if TYPE_CHECKING:
    from collections.abc import Generator

    from agenttrace.server.limits import Limits


class Room:
    """What all requests together may hold."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes = 0

    @contextmanager
    def taken(self) -> Generator[Taken]:
        """Take the place of one request, which may grow.

        Raises:
            RefusedError: There is none.
        """
        with self._lock:
            if self.requests >= self._limits.waiting_requests:
                raise RefusedError(FULL)
            self.requests += 1
        taken = Taken(self)
        try:
            yield taken
        finally:
            with self._lock:
                self.requests -= 1
                self.bytes -= taken.bytes

    def grow(self, size: int) -> None:
        """Take room for *size* bytes.

        Raises:
            RefusedError: There is not so much.
        """
        with self._lock:
            if self.bytes + size > self._limits.waiting_bytes:
                raise RefusedError(FULL)
            self.bytes += size


class Taken:
    """The room of one request."""

    __slots__ = ("_room", "bytes")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def grow(self, size: int) -> None:
        """Take room for *size* bytes more.

        Raises:
            RefusedError: There is not so much.
        """
        self._room.grow(size)
        self.bytes += size
