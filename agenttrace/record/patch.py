"""Replace a function of somebody else's, and put it back without undoing what others put on top."""

import contextlib
import functools
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, Final, cast

import wrapt  # pyright: ignore[reportMissingTypeStubs] - it has none

from agenttrace.record import trouble

Wrap = Callable[[Callable[..., Any], Callable[[], bool]], Callable[..., Any]]

_after_import: Final = cast(
    "Callable[[Callable[[ModuleType], None], str], None]",
    wrapt.register_post_import_hook,  # pyright: ignore[reportUnknownMemberType] - no stubs
)


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
    inherited = name not in vars(owner)
    wanted = True
    replacement = wrap(original, lambda: wanted)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        wanted = False
        if getattr(owner, name) is replacement:
            if inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, original)


@contextlib.contextmanager
def when_imported(
    name: str, hooked: Callable[[ModuleType], AbstractContextManager[None]]
) -> Generator[None]:
    """Hold ``hooked(module)`` while the block runs, from when the program imports the module on.

    Args:
        name: The module, which is not imported for this.
        hooked: Puts the hook in, and takes it out when it is left.
    """
    with contextlib.ExitStack() as hooks:
        # What waits for an import cannot be taken back, so in the end it waits for nothing.
        waiting = [hooked]

        def enter(module: ModuleType) -> None:
            with trouble.Guard(f"hooking into {name}"):
                for hook in waiting:
                    hooks.enter_context(hook(module))

        _after_import(enter, name)
        try:
            yield
        finally:
            waiting.clear()


def each_replaced(
    names: dict[str, Wrap], of: str | None = None
) -> Callable[[ModuleType], AbstractContextManager[None]]:
    """Return what ``when_imported`` wants: replaces the named functions of a module or its class.

    Args:
        names: Attribute -> how to wrap it; what a version does not have is left out.
        of: The class in the module; default the module itself.
    """
    return functools.partial(_each_replaced, names, of)


@contextlib.contextmanager
def _each_replaced(names: dict[str, Wrap], of: str | None, module: ModuleType) -> Generator[None]:
    owner = module if of is None else getattr(module, of)
    with contextlib.ExitStack() as hooks:
        for name, wrap in names.items():
            if hasattr(owner, name):
                hooks.enter_context(replaced(owner, name, wrap))
        yield
