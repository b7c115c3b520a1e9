"""Go on until Ctrl+C or SIGTERM."""

import signal
from queue import SimpleQueue
from types import FrameType


def told_to_stop() -> SimpleQueue[int]:
    """Return where SIGINT and SIGTERM are put from now on, for a command to wait at.

    The lock of an Event would be held for ever where a second signal comes while the first is
    handled; a SimpleQueue may be put into at any moment.
    """
    told: SimpleQueue[int] = SimpleQueue()

    def stop(number: int, _frame: FrameType | None) -> None:
        told.put(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return told
