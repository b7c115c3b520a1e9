"""Say once what recording could not do, and never raise it into the user's program."""

import logging
import traceback
from types import TracebackType
from typing import Final

from agenttrace.errors import AgentTraceError

logger: Final = logging.getLogger("agenttrace")
_said: Final[set[tuple[str, str]]] = set()


def say(doing: str, error: BaseException) -> None:
    """Log *error* once for each kind of trouble; its text stays out, for it may quote a prompt."""
    kind = type(error).__name__
    if (doing, kind) in _said:
        return
    _said.add((doing, kind))
    reason = None
    if isinstance(error, OSError):
        reason = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, AgentTraceError):
        reason = str(error)
    logger.warning(
        "agenttrace could not finish %s (%s%s); your program is not affected. Said once.",
        doing,
        kind,
        f": {reason}" if reason else "",
    )
    # The lines of the source are left out as well: they may hold what was said.
    frames = traceback.extract_tb(error.__traceback__)
    where = "\n".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    logger.debug("agenttrace: it happened here, innermost last:\n%s", where)


def forget() -> None:
    """Let everything be said again, for a newly configured recorder."""
    _said.clear()


class Guard:
    """A ``with`` block whose ``Exception`` is said and swallowed: ``with Guard("the meter"):``."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        say(self._doing, error)
        return True
