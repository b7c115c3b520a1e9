"""The frames that users put around their code: ``task``, ``agent`` and ``tool``.

Each works as a decorator (bare, called or named; on functions, coroutines, generators, async
generators and methods) and as a context manager (``with`` and ``async with``).
"""

import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast, overload

from opentelemetry import context

from agenttrace.model import Kind, Workload
from agenttrace.record import setup
from agenttrace.record.invocation import Invocation, Mark, set_mark

P = ParamSpec("P")
R = TypeVar("R")


class Frame:
    """A named frame that is not yet entered: call it on a function, or use it in ``with``."""

    def __init__(self, kind: Kind, name: str | None, options: dict[str, Any]) -> None:
        self._kind: Kind = kind
        self._name = name
        self._options = options
        self._entered: list[Invocation] = []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate *function*: every call of it is an invocation."""
        if isinstance(function, staticmethod | classmethod):
            # Keeps the order of the two decorators from mattering.
            wrapped = cast("Any", function)
            return cast("Callable[P, R]", type(wrapped)(self(wrapped.__func__)))
        name = self._name or getattr(function, "__name__", type(function).__name__)
        begin = functools.partial(setup.start, self._kind, name, **self._options)
        return cast("Callable[P, R]", _wrapper_for(function)(function, begin))

    def __enter__(self) -> Invocation:
        invocation = setup.start(self._kind, self._name or self._kind, **self._options)
        invocation.attach()
        self._entered.append(invocation)
        return invocation

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        invocation = self._entered.pop()
        invocation.detach()
        _end(invocation, error)

    async def __aenter__(self) -> Invocation:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


class TaskFrame:
    """``agenttrace.task``: one piece of work that a person or a schedule asked for."""

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(
        self,
        name: str | None = None,
        /,
        *,
        id: str | None = None,
        session: str | None = None,
        workload: Workload | None = None,
        headless: bool | None = None,
    ) -> Frame: ...
    def __call__(
        self,
        target: Callable[..., Any] | str | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002 - the word that users know
        session: str | None = None,
        workload: Workload | None = None,
        headless: bool | None = None,
    ) -> Any:
        """Frame a task.

        Args:
            target: The function, when used bare; otherwise the task's name (default: the
                function's).
            id: Id of the task, for example a ticket number; default a new one each time.
            session: The conversation that the task belongs to.
            workload: ``agentic`` (default) or ``user-facing``.
            headless: Nobody reads the answer, so every call in it is hidden.
        """
        options = {
            "task_id": id,
            "session_id": session,
            "workload": workload,
            "headless": headless,
        }
        return _frame("task", target, options)


class PartFrame:
    """``agenttrace.agent`` and ``agenttrace.tool``: who works inside a task, and with what."""

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(self, name: str | None = None, /, *, session: str | None = None) -> Frame: ...
    def __call__(
        self, target: Callable[..., Any] | str | None = None, /, *, session: str | None = None
    ) -> Any:
        """Frame an agent or a tool.

        Args:
            target: The function, when used bare; otherwise the name (default: the function's).
            session: The conversation that it belongs to.
        """
        return _frame(self._kind, target, {"session_id": session})


task: Final = TaskFrame()
agent: Final = PartFrame("agent")
tool: Final = PartFrame("tool")


@contextlib.contextmanager
def role(name: str | None = None, *, visible: bool | None = None) -> Generator[None]:
    """Give the model calls inside a role, or say whether a person reads their output.

    Args:
        name: One of the roles in ``agenttrace.model.Role``, for example ``summary``.
        visible: True for the call whose output a person reads as the answer.
    """
    previous = set_mark(Mark(name, visible=visible))
    try:
        yield
    finally:
        context.attach(previous)


def _frame(kind: Kind, target: Callable[..., Any] | str | None, options: dict[str, Any]) -> Any:
    if target is None or isinstance(target, str):
        return Frame(kind, target, options)
    return Frame(kind, None, options)(target)


def _end(invocation: Invocation, error: BaseException | None) -> None:
    # Leaving a generator early is not a failure of what it did.
    if error is None or isinstance(error, GeneratorExit):
        invocation.stop()
    else:
        invocation.fail(error)


_Begin = Callable[[], Invocation]


def _wrapper_for(function: Callable[..., Any]) -> Callable[[Any, _Begin], Any]:
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine
    if inspect.isgeneratorfunction(function):
        return _wrap_generator
    return _wrap_function


def _wrap_function(function: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        invocation = begin()
        invocation.attach()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            invocation.detach()
            _end(invocation, error)
            raise
        invocation.detach()
        invocation.stop()
        return result

    return wrapper


def _wrap_coroutine(function: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        invocation = begin()
        invocation.attach()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            invocation.detach()
            _end(invocation, error)
            raise
        invocation.detach()
        invocation.stop()
        return result

    return wrapper


def _wrap_generator(function: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        invocation = begin()
        inner: Generator[Any, Any, Any] = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, inner)
        try:
            while True:
                # Current only while the generator runs: between two values the consumer does.
                invocation.attach()
                try:
                    value = resume()
                finally:
                    invocation.detach()
                try:
                    sent = yield value
                    resume = functools.partial(inner.send, sent)
                except GeneratorExit:
                    _close(inner, invocation)
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    resume = functools.partial(inner.throw, thrown)
        except StopIteration as end:
            invocation.stop()
            return end.value
        except BaseException as error:
            _end(invocation, error)
            raise

    return wrapper


def _close(inner: Generator[Any, Any, Any], invocation: Invocation) -> None:
    invocation.attach()
    try:
        inner.close()
    finally:
        invocation.detach()


def _wrap_async_generator(function: Callable[..., Any], begin: _Begin) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        invocation = begin()
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        resume: Callable[[], Any] = inner.__anext__
        try:
            while True:
                invocation.attach()
                try:
                    value = await resume()
                finally:
                    invocation.detach()
                try:
                    sent = yield value
                    resume = functools.partial(inner.asend, sent)
                except GeneratorExit:
                    await _aclose(inner, invocation)
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    resume = functools.partial(inner.athrow, thrown)
        except StopAsyncIteration:
            invocation.stop()
        except BaseException as error:
            _end(invocation, error)
            raise

    return wrapper


async def _aclose(inner: AsyncGenerator[Any, Any], invocation: Invocation) -> None:
    invocation.attach()
    try:
        await inner.aclose()
    finally:
        invocation.detach()
