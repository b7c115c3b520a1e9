"""Write what was received, many requests at once: each is acknowledged when the disk has it.

To wait for the disk takes milliseconds, however little is written. So one thread writes whatever
has come in since it began to wait the last time, waits once, and tells all who wait for it.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from agenttrace.errors import SpoolError
from agenttrace.record.spool import Spool
from agenttrace.server.refusals import DISK, FAILED, SPOOL_FULL, STOPPING, RefusedError, Why
from agenttrace.sources.otlp import Signal

logger: Final = logging.getLogger("agenttrace")


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it was sent, to be passed on.

    Attributes:
        signal: ``traces``, ``logs`` or ``metrics``.
        content_type: Of the body.
        encoding: Of the body: gzip, deflate, or empty.
        body: Its bytes, unchanged.
    """

    signal: Signal
    content_type: str
    encoding: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Waiting:
    lines: Sequence[bytes]
    message: Message
    kept: Future[None] = field(default_factory=Future[None])


Also = Callable[[Sequence[Message]], None]
"""Takes what is kept, before it is acknowledged; it must not fail."""


class Keeper:
    """The one thread that writes."""

    def __init__(self, spool: Spool, also: Also | None = None) -> None:
        """Start it.

        Args:
            spool: Where records go; nobody else uses it.
            also: Gets every request that is kept.
        """
        self._spool = spool
        self._also = also
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_closing = False
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="agenttrace-keeper", daemon=True)
        self._thread.start()

    def keep(self, lines: Sequence[bytes], message: Message) -> Future[None]:
        """Keep records of the spool; the future is done when the disk has them.

        Its exception is a :class:`RefusedError`; some of the records may be there then.
        """
        waiting = _Waiting(lines, message)
        # Who waits may give up and cancel; the thread that writes must not fail at that.
        waiting.kept.set_running_or_notify_cancel()
        if not lines and self._also is None:
            waiting.kept.set_result(None)
            return waiting.kept
        with self._lock:
            if self._is_closing:
                waiting.kept.set_exception(RefusedError(STOPPING))
            else:
                self._queue.put(waiting)
        return waiting.kept

    def close(self) -> None:
        """Write what waits, and finish the spool."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
            self._queue.put(None)
        self._thread.join()
        self._spool.close()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            batch, goes_on = self._next()
            refused = self._refusal(batch)
            for waiting in batch:
                if refused is None:
                    waiting.kept.set_result(None)
                else:
                    waiting.kept.set_exception(RefusedError(refused))

    def _next(self) -> tuple[list[_Waiting], bool]:
        """Wait for something, and return all there is; False if nothing comes any more."""
        batch: list[_Waiting] = []
        one = self._queue.get()
        while one is not None:
            batch.append(one)
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _refusal(self, batch: Sequence[_Waiting]) -> Why | None:
        """Write a batch; return why that was refused, None if it is on the disk."""
        refused: Why | None = None
        try:
            self._spool.append_all(chain.from_iterable(one.lines for one in batch))
            if self._also is not None:
                self._also([one.message for one in batch])
        except SpoolError:
            refused = SPOOL_FULL
        except OSError:
            refused = DISK
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            logger.warning("agenttrace could not keep what it received: %s", type(error).__name__)
            refused = FAILED
        self.trouble = refused.reason if refused else None
        return refused
