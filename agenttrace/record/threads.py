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
        replaced(Future, "add_done_callback", _carrying_callback),
    ):
        yield


def run_in(carried: Context, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call *function* where *carried* is the current OpenTelemetry context."""
    before = context.get_current()
    context.attach(carried)
    try:
        return function(*args, **kwargs)
    finally:
        context.attach(before)


def _carrying_start(start: Callable[..., None], wanted: Callable[[], bool]) -> Callable[..., None]:
    @functools.wraps(start)
    def wrapper(self: threading.Thread) -> None:
        if not wanted() or innermost() is None:
            start(self)
            return
        with trouble.Guard("carrying a task into a thread"):
            own = vars(self).get("run")
            run = functools.partial(_run_thread, self, own, context.get_current(), self.run)
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
        if not wanted() or innermost() is None or _has_interpreters(self):
            return submit(self, fn, *args, **kwargs)
        work = functools.partial(run_in, context.get_current(), fn)
        # A worker thread outlives the task that happened to need it first, so it inherits nothing.
        return run_in(Context(), submit, self, work, *args, **kwargs)

    return wrapper


def _carrying_callback(add: Callable[..., None], wanted: Callable[[], bool]) -> Callable[..., None]:
    @functools.wraps(add)
    def wrapper(self: Future[Any], fn: Callable[[Future[Any]], Any]) -> None:
        if wanted() and innermost() is not None:
            # It may be called by the thread that did the work, which is nobody's by then.
            fn = functools.partial(run_in, context.get_current(), fn)
        add(self, fn)

    return wrapper


def _has_interpreters(pool: ThreadPoolExecutor) -> bool:
    """Its work is pickled for another interpreter (Python 3.14), and a context cannot be."""
    return any(kind.__name__ == "InterpreterPoolExecutor" for kind in type(pool).__mro__)


def _run_thread(
    thread: threading.Thread,
    own: Callable[[], None] | None,
    carried: Context,
    run: Callable[[], None],
) -> None:
    try:
        run_in(carried, run)
    finally:
        # Ours refers to the thread, which would otherwise wait for the garbage collector.
        with contextlib.suppress(AttributeError):
            if own is None:
                del thread.run
            else:
                thread.run = own
