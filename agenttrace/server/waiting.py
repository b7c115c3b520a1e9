"""A queue of messages in memory: bounded, and gone with its process.

What agents send may hold more than agenttrace ever stores, so it is written nowhere.
"""

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

from agenttrace.server.keeping import Message

_HEAD_BYTES: Final = 200  # of a message without a body


class Waiting:
    """The queue; any thread puts, one takes.

    Attributes:
        dropped: Messages that found no room, or lost it to newer ones.
        bytes: What it holds, about.
    """

    def __init__(self, most: int) -> None:
        """Begin with nothing.

        Args:
            most: Bytes that it may hold.
        """
        self._most = most
        self._changed = threading.Condition()
        self._messages: deque[Message] = deque()
        self._taken: Message | None = None
        self._is_closed = False
        self.dropped = 0
        self.bytes = 0

    def put(self, messages: Sequence[Message]) -> None:
        """Put messages behind the others; the oldest go where there is no room."""
        with self._changed:
            self._messages.extend(messages)
            self.bytes += sum(map(_size, messages))
            while self.bytes > self._most:
                self._remove_oldest()
                self.dropped += 1
            self._changed.notify_all()

    def next(self) -> Message | None:
        """Wait for the oldest message and return it; None once this is closed.

        It is the oldest until :meth:`done` says that it was sent.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._messages or self._is_closed)
            self._taken = None if self._is_closed else self._messages[0]
            return self._taken

    def done(self) -> None:
        """Let go of the message that :meth:`next` returned last."""
        with self._changed:
            # It may have been dropped meanwhile.
            if self._messages and self._messages[0] is self._taken:
                self._remove_oldest()
            self._changed.notify_all()

    def wait_empty(self, seconds: float) -> None:
        """Wait until everything was sent, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._messages, seconds)

    def close(self) -> None:
        """Let who waits in :meth:`next` go."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _remove_oldest(self) -> None:
        self.bytes -= _size(self._messages.popleft())


def _size(message: Message) -> int:
    return _HEAD_BYTES + len(message.body)
