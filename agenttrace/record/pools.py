"""Carry the current task with each piece of work that is given to a pool of ``multiprocessing``.

A worker, thread or process, outlives the task that happened to need it first, so workers inherit
nothing and each piece of work brings its own.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Generator, Iterable, Iterator
from types import ModuleType
from typing import Any, Final

from opentelemetry import context
from opentelemetry.context import Context

from agenttrace.record.invocation import innermost
from agenttrace.record.patch import Wrap, replaced, when_imported
from agenttrace.record.threads import run_in

Bind = Callable[[Callable[..., Any]], Callable[..., Any]]

_GIVING_WORK: Final = ("apply_async", "_map_async", "imap", "imap_unordered")
_CALLED_HERE: Final = ("callback", "error_callback")


@contextlib.contextmanager
def carried(bind: Bind | None) -> Generator[None]:
    """Carry the current task into the work of ``Pool`` and ``ThreadPool``.

    Args:
        bind: Makes of a function one that works for what is current now, in another process;
            None leaves the work of processes alone.
    """

    @contextlib.contextmanager
    def hooked(module: ModuleType) -> Generator[None]:
        with contextlib.ExitStack() as hooks:
            hooks.enter_context(replaced(module.Pool, "__init__", _inheriting_nothing))
            wrap: Wrap = functools.partial(_carrying, bind, module.ThreadPool)
            for name in _GIVING_WORK:
                hooks.enter_context(replaced(module.Pool, name, wrap))
            yield

    with when_imported("multiprocessing.pool", hooked):
        yield


def _inheriting_nothing(
    original: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    """Call *original*, which starts workers, where no task is current."""

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not wanted() or innermost() is None:
            return original(*args, **kwargs)
        return run_in(Context(), original, *args, **kwargs)

    return wrapper


def _bound_here(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return *function* as one that works for what is current now, in this process."""
    return functools.partial(run_in, context.get_current(), function)


def _carrying(
    bind: Bind | None, thread_pool: type, original: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not wanted() or innermost() is None:
            return original(self, *args, **kwargs)
        try:
            given = signature.bind(self, *args, **kwargs)
        except TypeError:
            return original(self, *args, **kwargs)
        said = given.arguments
        if isinstance(self, thread_pool):
            said["func"] = _bound_here(said["func"])
        elif bind is not None:
            said["func"] = bind(said["func"])
        for name in _CALLED_HERE:
            if said.get(name) is not None:
                said[name] = _bound_here(said[name])
        if original.__name__.startswith("imap"):
            # A thread of the pool draws from it.
            said["iterable"] = _drawn_here(context.get_current(), said["iterable"])
        return original(*given.args, **given.kwargs)

    return wrapper


def _drawn_here(carried: Context, iterable: Iterable[Any]) -> Iterator[Any]:
    end = object()
    draw = iter(iterable).__next__
    while (item := run_in(carried, _next, draw, end)) is not end:
        yield item


def _next(draw: Callable[[], Any], end: object) -> Any:
    try:
        return draw()
    except StopIteration:
        return end
