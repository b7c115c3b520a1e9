"""Folders of programs that keep more in them than their sessions."""

from pathlib import Path

from agenttrace.sources.source import Unreadable


def names(folder: Path, unreadable: Unreadable) -> list[str]:
    """Return what is in *folder*, in order; nothing, and *unreadable* is told, if that fails."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        unreadable(folder, error.strerror or str(error))
        return []
