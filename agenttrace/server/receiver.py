"""What both protocols do with a request: unpack, decode, read, keep, and only then say so."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agenttrace.server import bodies
from agenttrace.server.counts import Counts
from agenttrace.server.keeping import Keeper, Message
from agenttrace.server.limits import Limits
from agenttrace.server.refusals import MALFORMED, RefusedError, too_large
from agenttrace.server.room import Room, Taken
from agenttrace.sources.otlp import MalformedError, Read, Signal, decode, read

if TYPE_CHECKING:
    from agenttrace.record.spool import Spool
    from agenttrace.server.forwarding import Forwarding

SIGNALS: Final[tuple[Signal, ...]] = ("traces", "logs", "metrics")


@dataclass(frozen=True, slots=True)
class Taking:
    """A request on its way to the disk.

    Attributes:
        read: What came of it.
        kept: Done when the disk has it, or has refused it.
    """

    read: Read
    kept: Future[None]


class Receiver:
    """What is behind the ports: the spool, the room in front of it, and what is passed on.

    Attributes:
        home: Folder of the data.
        limits: What a request may be.
        counts: What was received.
        room: What is waiting.
    """

    def __init__(
        self,
        home: Path,
        spool: "Spool",
        limits: Limits,
        forwarding: "Forwarding | None" = None,
    ) -> None:
        self.home = home
        self.limits = limits
        self.counts = Counts()
        self.room = Room(limits)
        self.forwarding = forwarding
        self._spool = spool
        self._keeper = Keeper(spool, forwarding.add if forwarding else None)
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._last_received = 0.0

    @property
    def last_received(self) -> float:
        """When something was kept last, as ``time.monotonic`` has it; 0 if nothing was."""
        return self._last_received

    @property
    def trouble(self) -> str | None:
        """Why the last records were refused by the disk; None if they were not."""
        return self._keeper.trouble

    def take(self, signal: Signal, message: Message, taken: Taken) -> Taking:
        """Read a request and have it kept.

        Args:
            signal: Which of the three it is.
            message: What was sent; its content type and encoding are known ones.
            taken: The room it takes, with that of its body.

        Raises:
            RefusedError: It is no such request, or too large.
        """
        body = message.body
        if message.encoding:
            body = bodies.unpacked(body, message.encoding, self.limits.unpacked_bytes)
            taken.grow(len(body))
        elif len(body) > self.limits.body_bytes:
            raise RefusedError(too_large(self.limits.body_bytes))
        try:
            found = read(signal, decode(signal, body, message.content_type))
        except (MalformedError, RecursionError) as error:
            raise RefusedError(MALFORMED) from error
        return Taking(found, self._keeper.keep(found.lines, message))

    def acknowledged(self, signal: Signal, transport: str, message: Message, found: Read) -> None:
        """Count a request that is on the disk."""
        self._last_received = time.monotonic()
        self.counts.accepted(signal, transport, len(message.body), found.accepted, found.rejected)

    def close(self) -> None:
        """Write what waits, and finish the spool."""
        self._keeper.close()

    def health(self) -> dict[str, Any]:
        """Return how it is: counts, names and sizes."""
        requests = self.counts.requests
        rejected = self.counts.rejected
        received = {
            signal: {
                "requests": sum(
                    n for key, n in requests.items() if key[::2] == (signal, "accepted")
                ),
                "records": self.counts.records[(signal,)],
                "rejected": {key[1]: n for key, n in rejected.items() if key[0] == signal},
            }
            for signal in SIGNALS
        }
        refused: dict[str, int] = {}
        for (_, _, what), number in requests.items():
            if what != "accepted":
                refused[what] = refused.get(what, 0) + number
        return {
            "uptime_s": round(time.monotonic() - self._began),
            "pid": os.getpid(),
            "spool": spool_size(self._spool.folder),
            "received": received,
            "refused": refused,
            "waiting": {"requests": self.room.requests, "bytes": self.room.bytes},
            "forward": self.forwarding.health() if self.forwarding else None,
        }


def spool_size(folder: Path) -> dict[str, int]:
    """Return how many files and bytes the spool has."""
    files = size = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                files += 1
                try:
                    size += entry.stat().st_size
                except OSError:  # folded since
                    continue
    except OSError:
        pass  # Nothing has been recorded yet.
    return {"files": files, "bytes": size}


OnMetrics = Callable[[], tuple[bytes, str]]
"""Returns the metrics for Prometheus, and their content type."""
