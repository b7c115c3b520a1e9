"""The folder of the spool, as one process sees it: how it writes there, and how much."""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Final

from agenttrace import __version__
from agenttrace.errors import SpoolError
from agenttrace.record import files
from agenttrace.record.files import Medium, SpoolFile

SPOOL_FORMAT: Final = 1
_BLOCK_BYTES: Final = 512  # the unit of st_blocks, whatever the file system's own is


class SpoolFullError(SpoolError):
    """The folder holds as much as the user allows."""


class SpoolFolder:
    """Where this process makes its files.

    Attributes:
        path: The folder.
        service_name: What the user calls this program.
        max_bytes: What all files in it may take together; None for no limit.
        medium: How records get into the files; None until the first is made.
        is_retold: What is written was recorded elsewhere; its records say whose they are.
    """

    def __init__(
        self,
        path: Path,
        service_name: str,
        *,
        max_bytes: int | None = None,
        medium: Medium | None = None,
        is_retold: bool = False,
    ) -> None:
        self.path = path
        self.service_name = service_name
        self.max_bytes = max_bytes
        self.medium = medium
        self.is_retold = is_retold

    def new_file(self, name: str, size: int) -> SpoolFile:
        """Make a file of *size* bytes; ``begin`` gives it its *name*.

        Raises:
            OSError: The disk, or who owns the folder, refuses.
            SpoolFullError: It would hold more than is allowed.
        """
        files.make_private(self.path)
        self._refuse_beyond_limit(size)
        if self.medium is None:
            self.medium = files.kind_of(self.path)
        try:
            return SpoolFile(self.path, name, size, self.medium)
        except OSError as error:
            if self.medium.kind == files.WRITTEN or not files.is_unable(error):
                raise
            self.medium = Medium(files.WRITTEN, f"mapping a file failed: {error.strerror}")
            return SpoolFile(self.path, name, size, self.medium)

    def header(self, now_ns: int, **more: int) -> bytes:
        """Return the line that a file begins with: who writes it."""
        assert self.medium is not None
        said = {
            "agenttrace_spool": SPOOL_FORMAT,
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "service_name": self.service_name,
            "version": __version__,
            "started_ns": now_ns,
            "medium": self.medium.kind,
            **({"retold": True} if self.is_retold else {}),
            **more,
        }
        return json.dumps(said, separators=(",", ":")).encode() + b"\n"

    def _refuse_beyond_limit(self, size: int) -> None:
        if self.max_bytes is None:
            return
        held = bytes_in(self.path)
        if held + size > self.max_bytes:
            raise SpoolFullError(
                f"{self.path} holds {held:,} bytes, and AGENTTRACE_MAX_SPOOL allows "
                f"{self.max_bytes:,}: `agenttrace store fold` empties it"
            )


def bytes_in(folder: Path) -> int:
    """Return what the files in *folder* take on the disk, reserved space included."""
    held = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # folded meanwhile
            if stat.S_ISREG(found.st_mode):
                blocks = getattr(found, "st_blocks", None)
                held += found.st_size if blocks is None else blocks * _BLOCK_BYTES
    return held
