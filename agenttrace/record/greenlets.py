"""Carry the current task into gevent's greenlets and native threads.

A greenlet has context variables of its own, which begin empty.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any

from opentelemetry import context

from agenttrace.record import trouble
from agenttrace.record.invocation import innermost
from agenttrace.record.patch import each_replaced, when_imported
from agenttrace.record.threads import run_in


@contextlib.contextmanager
def carried() -> Generator[None]:
    """Carry the OpenTelemetry context into greenlets, and into the work of their thread pools."""
    pool = each_replaced({"spawn": _carrying_spawn}, of="ThreadPool")
    with when_imported("gevent.greenlet", _hooked), when_imported("gevent.threadpool", pool):
        yield


@contextlib.contextmanager
def _hooked(module: ModuleType) -> Generator[None]:
    module.Greenlet.add_spawn_callback(_give_context)
    try:
        yield
    finally:
        module.Greenlet.remove_spawn_callback(_give_context)


def _give_context(greenlet: Any) -> None:
    if innermost() is None:
        return
    with trouble.Guard("carrying a task into a greenlet"):
        if greenlet.gr_context is None:  # otherwise the program has given it one
            own = contextvars.Context()
            own.run(context.attach, context.get_current())
            greenlet.gr_context = own


def _carrying_spawn(spawn: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(spawn)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and wanted() and innermost() is not None:
            args = (functools.partial(run_in, context.get_current(), args[0]), *args[1:])
        return spawn(self, *args, **kwargs)

    return wrapper
