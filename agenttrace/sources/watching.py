"""See which logs change, for as long as somebody wants to know."""

import os
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

from agenttrace.errors import MissingDependencyError, SourceError
from agenttrace.sources.source import Source

_QUIET_MS: Final = 500  # after the last change of many
_AT_LAST_MS: Final = 5_000  # when there is no such quiet
_LOOK_MS: Final = 2_000  # between two looks for folders that come and go, and at single files
_BESIDE: Final = ("-wal", "-shm", "-journal")  # what SQLite writes beside a database

_MODIFIED: Final = 2
_DELETED: Final = 3

Changes = Set[tuple[int, str]]
"""What watchfiles says: 1 added, 2 modified, 3 deleted; and the path."""

_Place = tuple[int, ...]


@dataclass(slots=True)
class Watched:
    """A source, and where its logs are or may come to be.

    Attributes:
        source: What reads them.
        roots: Folders and files, whether they exist or not.
    """

    source: Source
    roots: tuple[Path, ...]
    _files: dict[str, Path] = field(default_factory=dict[str, Path], init=False)

    def look(self) -> None:
        """List the files anew."""
        # Told by where they really are, and named as an import names them.
        self._files = {
            os.path.realpath(path): path
            for root in self.roots
            if _place(root) is not None
            for path in self.source.find(root, lambda _path, _why: None)
        }

    def folders(self) -> list[Path]:
        """Return those of the roots that are folders."""
        return [root for root in self.roots if root.is_dir()]

    def changed(self, changes: Changes) -> list[Path]:
        """Return the files of this source among what has *changes*, in order."""
        if any(kind != _MODIFIED for kind, _ in changes):
            self.look()
        paths = {os.path.realpath(_database(path)) for kind, path in changes if kind != _DELETED}
        return [self._files[path] for path in sorted(paths & self._files.keys())]


def changes(
    watched: list[Watched], stop: Event, *, look_ms: int = _LOOK_MS
) -> Iterator[tuple[Watched, list[Path]]]:
    """Yield which files of which source have changed, until *stop* is set or Ctrl-C is pressed.

    Many changes in short succession are one. Folders that do not exist yet are found within two
    seconds of their coming.

    Raises:
        MissingDependencyError: watchfiles is not installed.
        SourceError: The system refuses to watch as many folders.
    """
    _require()
    before = _looked_at(watched)
    for one in watched:
        one.look()
    while not stop.is_set():
        yield from _until_a_root_changes(watched, before, stop, look_ms)
        now = _looked_at(watched)
        for one in watched:
            moved = [root for root in one.roots if before[root] != now[root] and now[root]]
            if moved:
                one.look()
                yield one, moved
        before = now


def _until_a_root_changes(
    watched: list[Watched],
    before: dict[Path, _Place | None],
    stop: Event,
    look_ms: int,
) -> Iterator[tuple[Watched, list[Path]]]:
    folders = [str(root) for one in watched for root in one.folders()]
    if not folders:
        # There is nothing that could be watched.
        stop.wait(look_ms / 1000)
        return
    is_first = True
    for found in _watch(folders, stop, look_ms):
        for one in watched if found or is_first else ():
            # What changed before the watch began is told by nobody.
            files = one.folders() if is_first else one.changed(found)
            if files:
                yield one, files
        is_first = False
        if _looked_at(watched) != before:
            return


def _watch(folders: list[str], stop: Event, look_ms: int) -> Iterator[Changes]:
    from watchfiles import watch

    found = watch(
        *folders,
        watch_filter=None,  # no log is left out for its name
        step=min(_QUIET_MS, look_ms),
        debounce=_AT_LAST_MS,
        stop_event=stop,
        rust_timeout=look_ms,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    try:
        yield from found
    except FileNotFoundError:
        return  # a folder went before it was watched
    except OSError as error:
        raise SourceError(
            f"the folders cannot be watched: {error.strerror or error}. Name one source, as in "
            "`agenttrace import codex --watch`, or raise fs.inotify.max_user_watches."
        ) from error


def _require() -> None:
    # Of the extra `serve`, and needed by nobody who does not watch.
    try:
        import watchfiles  # noqa: F401 - to see whether it is there # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise MissingDependencyError(
            "--watch needs watchfiles. Install it from a checkout of agenttrace with "
            '`pip install "/path/to/this/checkout[serve]"`, or import again now and then.'
        ) from error


def _looked_at(watched: list[Watched]) -> dict[Path, _Place | None]:
    return {root: _place(root) for one in watched for root in one.roots}


def _place(root: Path) -> _Place | None:
    """Return what tells whether a folder is another one, or a file has changed; None if it is not.

    A single file is looked at: whoever replaces it would take a watch on it away.
    """
    try:
        found = root.stat()
        if root.is_dir():
            return (found.st_dev, found.st_ino)
    except OSError:
        return None
    journal = root.with_name(root.name + _BESIDE[0])
    try:
        beside = journal.stat()
    except OSError:
        return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, beside.st_mtime_ns)


def _database(path: str) -> str:
    """Return the database that a file is written beside, else the file itself."""
    return next((path.removesuffix(end) for end in _BESIDE if path.endswith(end)), path)
