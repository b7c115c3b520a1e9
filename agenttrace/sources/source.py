"""What a source of logs is, and what it is given to read."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from agenttrace.sources.told import Record

Form = Literal["lines", "document", "database"]
"""How a file is read: only its new whole lines; all of it when it has changed; or by the source."""

LINE_AT_MOST: Final = 32 * 1024 * 1024
"""Bytes of a line that is read; a longer one is skipped by name."""

DOCUMENT_AT_MOST: Final = 256 * 1024 * 1024
"""Bytes of a document that is read; a larger one is left alone by name."""


WAITING: Final = "waiting"
"""Key of a state: if it is there and not empty, a file of lines is read again, be it unchanged."""


@dataclass(frozen=True, slots=True)
class User:
    """Whose files are looked for.

    Attributes:
        home: Their home folder.
        variables: Their environment.
        platform: ``linux``, ``darwin`` or ``win32``, as ``sys.platform`` has it.
    """

    home: Path
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    platform: str = "linux"

    def folder(self, variable: str, *default: str) -> Path:
        """Return the folder that *variable* names, else *default* in the home folder."""
        said = self.variables.get(variable)
        return Path(said).expanduser() if said else self.home.joinpath(*default)

    @property
    def data(self) -> Path:
        """Where programs keep their data: ``XDG_DATA_HOME``, else ``~/.local/share``."""
        return self.folder("XDG_DATA_HOME", ".local", "share")

    @property
    def config(self) -> Path:
        """Where programs keep their settings: ``XDG_CONFIG_HOME``, else ``~/.config``."""
        return self.folder("XDG_CONFIG_HOME", ".config")


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in a file that is not read.

    Attributes:
        reason: What it is, in a few words that say nothing of its content: ``record type 'x'``.
        number: How many of it.
    """

    reason: str
    number: int = 1


@dataclass(slots=True)
class Piece:
    """What there is to read of a file.

    Attributes:
        path: The file.
        text: Its new whole lines, each with its newline, or the whole document; empty for a
            database, which the source opens itself (``databases.opened``).
        is_first: It is read from its beginning.
        state: What the source left when it last read this file, and may change: JSON values. Empty
            if the file is read from its beginning. What waits in it under :data:`WAITING` has the
            file read again, with no text where nothing is new.
    """

    path: Path
    text: bytes
    is_first: bool
    state: dict[str, Any]

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, without their newlines, the empty ones left out."""
        return (line for line in self.text.split(b"\n") if line)


class Source(Protocol):
    """Logs of one program.

    Attributes:
        name: As the command line has it, such as ``claude-code``; ``coding_agents`` knows it.
        form: How its files are read.
    """

    name: str
    form: Form

    def roots(self, user: User) -> Iterable[Path]:
        """Return the folders or files where *user* has such logs, whether they exist or not."""
        ...

    def find(self, root: Path, unreadable: "Unreadable") -> Iterable[Path]:
        """Return the files of this source in *root*, or *root* itself if it is one."""
        ...

    def read(self, piece: Piece) -> Iterable[Record | Skipped | bytes]:
        """Yield what *piece* tells, in any order; nothing of what was told before need be left out.

        Exports of traces yield whole spans: bytes are lines of the spool, as they are.

        Raises:
            UnreadableError: The file cannot be read now, or at all.
        """
        ...


def form_of(source: Source, path: Path) -> Form:
    """Return how *path* is read: as all files of *source*, unless its ``form_of(path)`` tells."""
    chosen: Callable[[Path], Form] | None = getattr(source, "form_of", None)
    return source.form if chosen is None else chosen(path)


class UnreadableError(Exception):
    """A file cannot be read; the message says why, for its reader."""


Unreadable = Callable[[Path, str], None]
"""Is told of a folder or file that cannot be looked into, and why."""


def walk(root: Path, matches: Callable[[str], bool], unreadable: Unreadable) -> Iterator[Path]:
    """Yield the files below *root*, in order, whose path from there *matches*; or *root* itself.

    Args:
        root: A folder, or a file that is taken as it is.
        matches: Is given the path with ``/`` between its parts.
        unreadable: Is told of folders without permission.
    """
    if root.is_file():
        yield root
        return

    def refused(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unreadable(Path(error.filename or root), error.strerror or str(error))

    start = len(os.fspath(root)) + 1
    for folder, folders, names in os.walk(root, onerror=refused):
        folders.sort()
        inside = folder[start:].replace(os.sep, "/")
        for name in sorted(names):
            if matches(f"{inside}/{name}" if inside else name):
                yield Path(folder, name)
