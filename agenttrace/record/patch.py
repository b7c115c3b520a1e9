"""Replace a function of somebody else's, and put it back without undoing what others put on top."""

import contextlib
from collections.abc import Callable, Generator
from typing import Any

Wrap = Callable[[Callable[..., Any], Callable[[], bool]], Callable[..., Any]]


@contextlib.contextmanager
def replaced(owner: Any, name: str, wrap: Wrap) -> Generator[None]:
    """Replace ``owner.name`` while the block runs.

    Args:
        owner: A class or a module.
        name: The attribute that holds the function.
        wrap: Makes the replacement from the original and from a function that says whether it is
            still wanted. Where somebody else has wrapped the replacement it has to stay in place,
            and then does nothing of its own.
    """
    original = getattr(owner, name)
    wanted = True
    replacement = wrap(original, lambda: wanted)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        wanted = False
        if getattr(owner, name) is replacement:
            setattr(owner, name, original)
