"""Fold now and then, so that a receiver that runs for weeks leaves no spool that only grows."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

EVERY_SECONDS: Final = 600.0
STOP_SECONDS: Final = 5.0
_NICE: Final = 10


class Folding:
    """Folds in a process of its own, which keeps its memory and its time to itself."""

    def __init__(
        self, home: Path, last_received: Callable[[], float], every_s: float = EVERY_SECONDS
    ) -> None:
        """Begin to look now and then.

        Args:
            home: Folder of the data.
            last_received: Tells when something came last; the same as before means nothing did.
            every_s: Seconds between two folds.
        """
        self._home = home
        self._last_received = last_received
        self._every_s = every_s
        self._folded_at = 0.0
        self._stop = threading.Event()
        self._running: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="agenttrace-fold", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Fold no more; a fold that is stopped has changed nothing, or all."""
        self._stop.set()
        running = self._running
        if running is not None:
            with contextlib.suppress(OSError):
                running.terminate()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            last = self._last_received()
            if last != self._folded_at:
                self._folded_at = last
                with contextlib.suppress(OSError):
                    self._fold()

    def _fold(self) -> None:
        command = [sys.executable, "-m", "agenttrace", "--store", str(self._home), "store", "fold"]
        self._running = subprocess.Popen(  # noqa: S603 - ourselves
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl+C is for the receiver.
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self._running.pid, _NICE)
        self._running.wait()
        self._running = None
