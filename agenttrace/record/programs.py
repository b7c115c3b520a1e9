"""Carry the current task into the programs that this process starts, through their environment.

``subprocess.Popen`` is what ``subprocess.run``, ``os.popen`` and asyncio's subprocesses use (uvloop
has its own), and ``os.execve`` what the functions of ``os`` use that are given an environment.
``os.system`` and the others that are given none pass on the environment of this process as it is,
which is not changed.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

from agenttrace.record import trouble
from agenttrace.record.patch import Wrap, each_replaced, replaced, when_imported

EnvironmentFor = Callable[[Mapping[Any, Any] | None], Mapping[Any, Any] | None]

_ENV_OF_POPEN: Final = 11  # place of env among the arguments of Popen.__init__, self included
_ENV_OF_EXEC: Final = 2


@contextlib.contextmanager
def carried(environment_for: EnvironmentFor) -> Generator[None]:
    """Let the programs that are started join the current task.

    Args:
        environment_for: Returns what to start a program with, from what the user starts it with,
            which is returned itself where nothing is current.
    """
    in_popen = _with_environment(environment_for, _ENV_OF_POPEN)
    in_exec = _with_environment(environment_for, _ENV_OF_EXEC)
    by_name = _with_environment(environment_for, None)
    popen = each_replaced({"__init__": in_popen}, of="Popen")
    loop = each_replaced({"subprocess_exec": by_name, "subprocess_shell": by_name}, of="Loop")
    with contextlib.ExitStack() as hooks:
        for module in ("subprocess", "gevent.subprocess"):
            hooks.enter_context(when_imported(module, popen))
        hooks.enter_context(when_imported("uvloop", loop))
        for name in ("posix_spawn", "posix_spawnp", "execve"):
            if hasattr(os, name):
                hooks.enter_context(replaced(os, name, in_exec))
        yield


def _with_environment(environment_for: EnvironmentFor, place: int | None) -> Wrap:
    """Change the argument ``env``, which has this *place* where it is given without its name."""

    def wrap(original: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if wanted():
                with trouble.Guard("carrying a task into a program"):
                    args, kwargs = _changed(args, kwargs)
            return original(*args, **kwargs)

        return wrapper

    def _changed(
        args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if place is not None and len(args) > place:
            return (*args[:place], environment_for(args[place]), *args[place + 1 :]), kwargs
        given = kwargs.get("env")
        found = environment_for(given)
        return args, kwargs if found is given else {**kwargs, "env": found}

    return wrap
