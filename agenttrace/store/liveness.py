"""Whether the process that writes a file of the spool is still alive."""

import contextlib
import os
import socket
import time
from typing import Final

from agenttrace.record import files

# Of a writer that cannot be asked, a file that nobody has touched for so long.
_SILENT_SECONDS: Final = 24 * 3600.0


def is_abandoned(descriptor: int, *, host: str | None, pid: int | None, medium: str | None) -> bool:
    """Whether the writer of an open file is dead, or as good as.

    A writer holds a lock on its file as long as it lives, and the kernel takes it away. Where the
    file is on a network, a lock that another machine holds may not be seen here.

    Args:
        descriptor: The file.
        host: The machine of its writer, as its header says.
        pid: Its process there.
        medium: How it writes: ``mapped`` or ``written``.
    """
    if medium == files.WRITTEN and host != socket.gethostname():
        return _is_silent(descriptor)
    locked = _is_locked(descriptor)
    if locked is not None:
        return not locked
    if os.name == "posix" and pid is not None and host == socket.gethostname():
        return not _runs(pid)
    return _is_silent(descriptor)


def _is_locked(descriptor: int) -> bool | None:
    """Whether somebody holds the lock; None where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if files.is_unable(error):
            return None
        raise
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _runs(pid: int) -> bool:
    """Whether there is such a process; one that has its number since makes it live on."""
    if pid <= 0:
        return False
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
    return True


def _is_silent(descriptor: int) -> bool:
    return time.time() - os.fstat(descriptor).st_mtime > _SILENT_SECONDS
