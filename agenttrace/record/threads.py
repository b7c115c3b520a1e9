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

from agenttrace.record.invocation import innermost


@contextlib.contextmanager
def carried() -> Generator[None]:
    """Carry the OpenTelemetry context into new threads and into the work given to thread pools."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    threading.Thread.start = _carrying_start(start)
    ThreadPoolExecutor.submit = _carrying_submit(submit)
    try:
        yield
    finally:
        threading.Thread.start = start
        ThreadPoolExecutor.submit = submit


def _carrying_start(start: Callable[[threading.Thread], None]) -> Callable[..., None]:
    @functools.wraps(start)
    def wrapper(self: threading.Thread) -> None:
        if innermost() is not None:
            run = self.run
            # On the instance, so that a subclass with a run of its own is carried too.
            self.run = functools.partial(_run_in, context.get_current(), run)
        start(self)

    return wrapper


def _carrying_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def wrapper(
        self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        here = context.get_current()
        work = fn if innermost() is None else functools.partial(_run_in, here, fn)
        # A worker thread outlives the task that happened to need it first, so it inherits nothing.
        context.attach(Context())
        try:
            return submit(self, work, *args, **kwargs)
        finally:
            context.attach(here)

    return wrapper


def _run_in(
    carried_context: Context, function: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    before = context.get_current()
    context.attach(carried_context)
    try:
        return function(*args, **kwargs)
    finally:
        context.attach(before)
