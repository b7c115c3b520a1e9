"""Records that could not be kept: counted by reason, and said to whoever reads the spool."""

import errno
import json
import os
import threading
import time
from pathlib import Path
from typing import Final

from agenttrace.record import files
from agenttrace.record.folder import SpoolFullError

LOST_NAME: Final = "lost"
REPORT_SECONDS: Final = 1.0  # that losses are gathered before a line is written

DISK_FULL: Final = "disk full"
SPOOL_FULL: Final = "spool full"
DELETED: Final = "deleted"
REFUSED: Final = "refused"
FAILED: Final = "failed"

_REASONS: Final = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EFBIG: DISK_FULL,
    errno.EACCES: REFUSED,
    errno.EPERM: REFUSED,
    errno.EROFS: REFUSED,
    errno.ENOENT: DELETED,
    errno.ESTALE: DELETED,
}


def reason_of(error: BaseException) -> str:
    """Return the reason that *error* is for a loss."""
    if isinstance(error, SpoolFullError):
        return SPOOL_FULL
    return _REASONS.get(getattr(error, "errno", None) or 0, FAILED)


class Losses:
    """What this process has lost so far.

    Attributes:
        total: How many records.
    """

    def __init__(self, folder: Path) -> None:
        self.total = 0
        self._folder = folder
        self._unreported: dict[str, int] = {}
        self._since = 0.0
        # A signal handler that loses a record as well may come while its own thread has it.
        self._lock = threading.RLock()

    @property
    def unreported(self) -> int:
        """Those that no line speaks of."""
        return sum(self._unreported.values())

    def count(self, records: int, reason: str) -> None:
        """Count *records* as lost; the next report says so."""
        if records < 1:
            return
        with self._lock:
            if not self._unreported:
                self._since = time.monotonic()
            self.total += records
            self._unreported[reason] = self._unreported.get(reason, 0) + records

    def report_now_and_then(self) -> None:
        """Write the lines that are due."""
        if self._unreported and time.monotonic() - self._since >= REPORT_SECONDS:
            self.report()

    def report(self) -> None:
        """Write a line for each reason; where that cannot be, they wait for the next time."""
        with self._lock:
            waiting, self._unreported = self._unreported, {}
            self._since = time.monotonic()
        for reason, records in waiting.items():
            said = {"at_ns": time.time_ns(), "pid": os.getpid(), "records": records}
            try:
                files.make_private(self._folder)
                files.append_private(
                    self._folder / LOST_NAME, json.dumps({**said, "reason": reason})
                )
            except OSError:
                with self._lock:
                    self._unreported[reason] = self._unreported.get(reason, 0) + records
