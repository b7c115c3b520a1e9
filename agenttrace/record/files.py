"""Files of the spool: private, preallocated and mapped; written where a file cannot be mapped.

A mapped file takes a record without a system call, and its pages outlive the process. On a network
or in user space (NFS, SMB, FUSE) pages and locks promise less, and some platforms have neither
``flock`` nor ``mmap``: there a record is written by a system call, into files of the same format.
"""

import contextlib
import errno
import importlib
import os
import re
import stat
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol, cast

OPEN_SUFFIX: Final = ".open"
SEGMENT_SUFFIX: Final = ".seg"
FLIGHT_SUFFIX: Final = ".flight"
NEW_SUFFIX: Final = ".new"  # being made: not yet locked, nothing in it

MAPPED: Final = "mapped"
WRITTEN: Final = "written"

_MOUNTS: Final = Path("/proc/self/mountinfo")
# What the kernel calls file systems that other machines, or programs, change as well.
_SHARED: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "drvfs", "glusterfs", "gpfs", "lustre"}
    | {"ncpfs", "nfs", "nfs4", "orangefs", "prl_fs", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
# What a file system answers that cannot reserve, map or lock. EINVAL: musl, and mmap of some.
_CANNOT: Final = frozenset(
    {errno.EINVAL, errno.ENODEV, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True)
class Medium:
    """How records get into the files of a folder.

    Attributes:
        kind: ``mapped``, or ``written`` by a system call for each record.
        reason: Why, in a few words.
    """

    kind: Literal["mapped", "written"]
    reason: str


class Memory(Protocol):
    """What a file takes bytes through: ``mmap.mmap``, or what stands in for it."""

    def __len__(self) -> int:
        """Return how many bytes fit."""
        ...

    def __setitem__(self, where: slice | int, content: bytes | int, /) -> None:
        """Store bytes, or one."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class SpoolFile:
    """A file of this process alone: locked where that can be, reserved, and private.

    Attributes:
        descriptor: The open file; it holds the lock.
        medium: How bytes get into it.
        memory: What takes the bytes.
        path: Where it is.
    """

    def __init__(self, folder: Path, name: str, size: int, medium: Medium) -> None:
        """Make ``name`` with ``.new`` behind it; an OSError leaves nothing behind.

        Args:
            folder: Where.
            name: What ``begin`` will call it.
            size: In bytes. A mapped file is reserved whole, so that a full disk is an error now
                and no bus error later; a written one grows to it.
            medium: How bytes get into it.
        """
        self.path = folder / (name + NEW_SUFFIX)
        self.medium = medium
        self._name = name
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY
        self.descriptor = os.open(self.path, flags, 0o600)
        # A spool that nobody closes must not keep the fold from its files.
        self._let_go = weakref.finalize(self, os.close, self.descriptor)
        self._let_go.atexit = False
        try:
            self.memory: Memory = _memory(self.descriptor, size, medium)
        except BaseException:
            self.discard()
            raise

    def begin(self) -> None:
        """Give it its name, now that what is in it is whole."""
        self.path = self.path.rename(self.path.with_name(self._name))

    def discard(self) -> None:
        """Let go of it and remove it."""
        self._let_go()
        self.path.unlink(missing_ok=True)

    def finish(self, length: int, suffix: str) -> None:
        """Cut it to *length* bytes and hand it over under another *suffix*."""
        self.memory.close()
        try:
            os.ftruncate(self.descriptor, length)
            self.path = self.path.rename(self.path.with_suffix(suffix))
        finally:
            self._let_go()

    def abandon(self) -> None:
        """Let go of it as it is: it belongs to the parent of this forked process, or is gone."""
        self.memory.close()
        self._let_go()

    @property
    def is_gone(self) -> bool:
        """Somebody has deleted it, so what is put into it is nowhere."""
        try:
            return os.fstat(self.descriptor).st_nlink == 0
        except OSError:
            return True  # as NFS says of a file that another machine has deleted


class _WrittenMemory:
    """Takes bytes as a map does, each time by a system call."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __setitem__(self, where: slice | int, content: bytes | int) -> None:
        start = where if isinstance(where, int) else where.start
        data = bytes((content,)) if isinstance(content, int) else content
        write_whole(self._descriptor, data, start)

    def close(self) -> None:
        self._descriptor = -1  # the number may soon be another file's


def write_whole(descriptor: int, data: bytes, offset: int) -> None:
    """Write *data* at *offset*, all of it.

    Raises:
        OSError: Only a part could be written, or nothing.
    """
    written = 0
    while written < len(data):
        written += _pwrite(descriptor, data[written:], offset + written)


def _pwrite(descriptor: int, data: bytes, offset: int) -> int:
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, data, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.write(descriptor, data)


def _memory(descriptor: int, size: int, medium: Medium) -> Memory:
    if medium.kind == WRITTEN:
        # Other machines may not see this lock: a reader asks more of such a file.
        with contextlib.suppress(OSError, ImportError):
            _lock(descriptor)
        return _WrittenMemory(descriptor, size)
    import mmap

    _lock(descriptor)
    _reserve(descriptor, size)
    return cast("Memory", mmap.mmap(descriptor, size))


def _lock(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    zeros = bytes(1024 * 1024)
    for offset in range(0, size, len(zeros)):
        write_whole(descriptor, zeros[: size - offset], offset)


def kind_of(folder: Path) -> Medium:
    """Say how records get into the files of *folder*, which need not be there yet."""
    missing = _missing_here()
    if missing:
        return Medium(WRITTEN, f"this platform has no {missing}")
    filesystem = _filesystem(folder)
    if filesystem is None:
        return Medium(MAPPED, "the file system is not known to be shared")
    if filesystem in _SHARED or filesystem.startswith("fuse"):
        return Medium(WRITTEN, f"{filesystem} may be shared with other machines")
    return Medium(MAPPED, f"{filesystem} is local")


def is_unable(error: OSError) -> bool:
    """Whether *error* says that the file system cannot reserve, map or lock, and never will."""
    return error.errno in _CANNOT


def _missing_here() -> str:
    for needed in ("fcntl", "mmap"):
        try:
            importlib.import_module(needed)
        except ImportError:
            return needed
    return ""


def _filesystem(folder: Path) -> str | None:
    """Return the type of the file system that *folder* is on, where the kernel tells."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return filesystem_among(mounts, os.path.realpath(folder))


def filesystem_among(mounts: Iterable[str], path: str) -> str | None:
    """Return the type of the file system that *path* is on.

    Args:
        mounts: Lines as in ``/proc/self/mountinfo``.
        path: Absolute, without links.
    """
    found, longest = None, -1
    for line in mounts:
        said, _, rest = line.partition(" - ")
        fields = said.split(" ")
        if len(fields) < 5 or not rest:  # noqa: PLR2004 - the mount point is the fifth
            continue
        point = _unescaped(fields[4]).rstrip("/")
        # Of two mounts at one point the later one is seen.
        if len(point) >= longest and (path == point or path.startswith(point + "/")):
            found, longest = rest.split(" ")[0], len(point)
    return found


def _unescaped(said: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), said)


def make_private(folder: Path) -> None:
    """Make *folder*, which names of tasks and agents will be in; nobody else may look into it.

    The folder above is made private, too, where there is none; one that is there is the user's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    _tighten(folder, 0o700)


def append_private(path: Path, line: str) -> None:
    """Append *line* and a newline to the file *path*, which nobody else may read."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _BINARY
    descriptor = os.open(path, flags, 0o600)
    try:
        _tighten(path, 0o600)
        os.write(descriptor, line.encode() + b"\n")
    finally:
        os.close(descriptor)


def _tighten(path: Path, mode: int) -> None:
    """Take from others what an earlier umask, or a copy, has given them."""
    if os.name != "posix":
        return
    found = path.stat()
    if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
        with contextlib.suppress(OSError):
            path.chmod(mode)


def sync(descriptor: int) -> None:
    """Wait until what is in the file is on the disk, also what came through a map of it."""
    if sys.platform == "linux":
        # It tracks the pages that a map has changed, so this writes them too.
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)
