"""Carry the current task into threads and thread pools, which do not inherit it by themselves.

opentelemetry-instrumentation-threading does the same, but each of its releases pins one exact
release of the SDK, so depending on it would decide which OpenTelemetry a user may have.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from opentelemetry import context
from opentelemetry.context import Context

from agenttrace.record import trouble
from agenttrace.record.invocation import innermost
from agenttrace.record.patch import replaced


@contextlib.contextmanager
def carried() -> Generator[None]:
    """Carry the OpenTelemetry context into new threads and into the work given to thread pools."""
    with (
        replaced(threading.Thread, "start", _carrying_start),
        replaced(ThreadPoolExecutor, "submit", _carrying_submit),
    ):
        yield


def _carrying_start(start: Callable[..., None], wanted: Callable[[], bool]) -> Callable[..., None]:
    @functools.wraps(start)
    def wrapper(self: threading.Thread) -> None:
        if wanted() and innermost() is not None:
            with trouble.Guard("carrying a task into a thread"):
                run = functools.partial(_run_thread, self, context.get_current(), self.run)
                # On the instance, so that a subclass with a run of its own is carried too.
                self.run = run
        start(self)

    return wrapper


def _carrying_submit(
    submit: Callable[..., Future[Any]], wanted: Callable[[], bool]
) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def wrapper(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        if not wanted() or innermost() is None:
            return submit(self, fn, *args, **kwargs)
        here = context.get_current()
        # A worker thread outlives the task that happened to need it first, so it inherits nothing.
        context.attach(Context())
        try:
            return submit(self, functools.partial(_run_in, here, fn), *args, **kwargs)
        finally:
            context.attach(here)

    return wrapper


def _run_thread(thread: threading.Thread, carried: Context, run: Callable[[], None]) -> None:
    try:
        _run_in(carried, run)
    finally:
        # It refers to the thread, which would otherwise wait for the garbage collector.
        with contextlib.suppress(AttributeError):
            del thread.run


def _run_in(carried: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    before = context.get_current()
    context.attach(carried)
    try:
        return function(*args, **kwargs)
    finally:
        context.attach(before)
