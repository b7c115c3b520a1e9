"""What installed packages bring to agenttrace, named by their entry points."""

import importlib.metadata
import os
import sys
from functools import lru_cache
from importlib.metadata import EntryPoints


def entry_points(group: str) -> EntryPoints:
    """Return the entry points of *group*, of every package that is installed now.

    Installing and removing a package changes the folder that it is in, and is seen; to look into
    every package again (4 ms among 160) is not needed before that.
    """
    return _found(group, tuple((folder, _changed_ns(folder)) for folder in sys.path))


# Keeps what was found last: the path seldom changes back.
@lru_cache(maxsize=8)
def _found(group: str, path: tuple[tuple[str, int], ...]) -> EntryPoints:  # noqa: ARG001 - kept by it
    return importlib.metadata.entry_points(group=group)


def _changed_ns(folder: str) -> int:
    try:
        return os.stat(folder or ".").st_mtime_ns  # noqa: PTH116 - a path here may be no Path
    except OSError:
        return 0
