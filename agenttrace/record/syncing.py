"""Sync the spool to the disk once a second, in the background: for when the power fails."""

import _thread
import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from agenttrace.record import files, trouble
from agenttrace.record.files import SEGMENT_SUFFIX

SYNC_SECONDS: Final = 1.0
STOP_SECONDS: Final = 1.0  # that stopping waits for the last sync


class Syncing:
    """A thread that syncs what has changed, for as long as there is somebody to ask.

    It opens the files anew: what it waits for is nobody's lock, and a file may be finished, or
    folded and gone, meanwhile.
    """

    def __init__(self, folder: Path, changed: Callable[[], Iterable[Path] | None]) -> None:
        """Start now.

        Args:
            folder: Synced as well, for the names of the files.
            changed: Returns the files that have changed since it was asked last; None ends it.

        Raises:
            RuntimeError: The interpreter starts no thread any more.
        """
        self._folder = folder
        self._changed = changed
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        # Not a threading.Thread: that would wait for its start, and join the current task.
        _thread.start_new_thread(self._run, ())

    def stop(self) -> None:
        """Sync once more and end; waits for it a second at most."""
        self._stopping.set()
        self._stopped.wait(STOP_SECONDS)

    def _run(self) -> None:
        try:
            goes_on = True
            while goes_on:
                is_last = self._stopping.wait(SYNC_SECONDS)
                with trouble.Guard("syncing the spool to the disk"):
                    goes_on = self._sync() and not is_last
        finally:
            self._stopped.set()

    def _sync(self) -> bool:
        paths = self._changed()
        if paths is None:
            return False
        synced = [_sync(path) for path in paths]
        if any(synced):
            sync_folder(self._folder)
        return True


def _sync(path: Path) -> bool:
    """Sync a file; False if it is gone, for the fold has it, and syncs what it makes of it."""
    for name in (path, path.with_suffix(SEGMENT_SUFFIX)):
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(name, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
            try:
                files.sync(descriptor)
            finally:
                os.close(descriptor)
            return True
    return False


def sync_folder(folder: Path) -> None:
    """Sync the names in *folder*; what cannot open a folder cannot sync it either."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
