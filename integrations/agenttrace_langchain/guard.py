"""Keep what goes wrong in a callback out of the user's program."""

import functools
import logging
from collections.abc import Callable
from typing import Final, ParamSpec

P = ParamSpec("P")

_logger: Final = logging.getLogger("agenttrace")
_said: Final[set[tuple[str, str]]] = set()


def guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """Swallow what *callback* raises, and say once what type it was.

    LangChain would log the error itself, with its text, and the text may quote a prompt.
    """

    @functools.wraps(callback)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            _say(callback.__name__, type(error).__name__)

    return wrapper


def _say(callback: str, kind: str) -> None:
    if (callback, kind) in _said:
        return
    _said.add((callback, kind))
    _logger.warning(
        "agenttrace could not record LangChain's %s (%s); your program is not affected. Said once.",
        callback,
        kind,
    )
