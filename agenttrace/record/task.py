"""The frames that users put around their code: ``task``, ``agent``, ``tool`` and ``role``.

Each works as a decorator (bare, called or named; on functions, coroutines, generators, async
generators and methods) and as a context manager (``with`` and ``async with``).
"""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast, overload

from agenttrace.model import Kind, Outcome, Workload
from agenttrace.record import setup, telling
from agenttrace.record.invocation import Invocation
from agenttrace.record.mark import Mark

P = ParamSpec("P")
R = TypeVar("R")
S_co = TypeVar("S_co", bound="Scope", covariant=True)


class Scope(Protocol):
    """What holds while a block or a function runs: an invocation, or a mark."""

    def attach(self) -> None:
        """Make it current."""
        ...

    def detach(self) -> None:
        """Restore what was current before."""
        ...

    def suspend(self) -> None:
        """Restore what was current before, until ``resume``: a generator yields."""
        ...

    def resume(self) -> None:
        """Make current what was current inside when it was suspended."""
        ...

    def is_current(self) -> bool:
        """Whether it is current here."""
        ...

    def stop(self) -> None:
        """End it: it went well."""
        ...

    def fail(self, error: BaseException | str) -> None:
        """End it: it failed."""
        ...


class Begin(Protocol[S_co]):
    """Begins a scope; *name* is that of the decorated function."""

    def __call__(self, name: str | None, /) -> S_co:
        """Begin."""
        ...


class Frame(Protocol[S_co]):
    """What a named frame is: call it on a function, or use it in ``with``."""

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """Decorate *function*: every call of it is framed."""
        ...

    def __enter__(self) -> S_co: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    async def __aenter__(self) -> S_co: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class _Frame:
    """A frame that is not yet entered."""

    def __init__(self, begin: Begin[Scope]) -> None:
        self._begin = begin
        self._entered: list[Scope] = []

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        if isinstance(function, staticmethod | classmethod):
            # Keeps the order of the two decorators from mattering.
            wrapped = cast("Any", function)
            return cast("Callable[P, R]", type(wrapped)(self(wrapped.__func__)))
        name = getattr(function, "__name__", type(function).__name__)
        begin = functools.partial(self._begin, name)
        return cast("Callable[P, R]", _wrapper_for(function)(function, begin))

    def __enter__(self) -> Any:
        scope = self._begin(None)
        scope.attach()
        self._entered.append(scope)
        return scope

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Several coroutines may be inside the same frame object.
        mine = next((scope for scope in self._entered if scope.is_current()), self._entered[-1])
        self._entered.remove(mine)
        mine.detach()
        _end(mine, error)

    async def __aenter__(self) -> Any:
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
        project: str | None = None,
        user: str | None = None,
    ) -> Frame[Invocation]: ...
    def __call__(
        self,
        target: Callable[..., Any] | str | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002 - the word that users know
        session: str | None = None,
        workload: Workload | None = None,
        headless: bool | None = None,
        project: str | None = None,
        user: str | None = None,
    ) -> Any:
        """Frame a task.

        Args:
            target: The function, when used bare; otherwise the task's name (default: the
                function's).
            id: Id of the task, for example a ticket number; default a new one each time.
            session: The conversation that the task belongs to.
            workload: ``agentic`` or ``user-facing``; default what the process, the project or the
                service is said to do, else ``agentic``.
            headless: Nobody reads the answer, so every call in it is hidden.
            project: What it is work on; default the project of the process, else its service.
            user: Who prompted, anything that is one user's alone; only a keyed hash is written.
        """
        options = {
            "task_id": id,
            "session_id": session,
            "workload": workload,
            "headless": headless,
            "project": project,
            "user": user,
        }
        return _framed("task", target, options)

    def outcome(self, what: Outcome, reference: str | None = None) -> None:
        """Tell what became of the current task. Never raises.

        Args:
            what: ``success``, ``failure`` or ``abandoned``; what is told last counts.
            reference: What it can be looked up by, such as a ticket; 200 characters are kept.
        """
        telling.outcome(_current(), what, reference)

    def user_turn(self, count: int = 1) -> None:
        """Tell of *count* prompts by a person in the current task. Never raises."""
        telling.user_turn(_current(), count)

    def user(self, id: str) -> None:  # noqa: A002 - the word that users know
        """Tell who prompted in the current task. Never raises.

        Args:
            id: Anything that is one user's alone; only a keyed hash of it is written.
        """
        telling.user(_current(), id)


class PartFrame:
    """``agenttrace.agent`` and ``agenttrace.tool``: who works inside a task, and with what."""

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind

    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def __call__(
        self, name: str | None = None, /, *, session: str | None = None
    ) -> Frame[Invocation]: ...
    def __call__(
        self, target: Callable[..., Any] | str | None = None, /, *, session: str | None = None
    ) -> Any:
        """Frame an agent or a tool.

        Args:
            target: The function, when used bare; otherwise the name (default: the function's).
            session: The conversation that it belongs to.
        """
        return _framed(self._kind, target, {"session_id": session})


task: Final = TaskFrame()
agent: Final = PartFrame("agent")
tool: Final = PartFrame("tool")


def role(name: str | None = None, *, visible: bool | None = None) -> Frame[Mark]:
    """Give the model calls inside a role, or say whether a person reads their output.

    Args:
        name: One of the roles in ``agenttrace.model.Role``, for example ``summary``; default that
            of a role around.
        visible: True for the call whose output a person reads as the answer.
    """
    return _Frame(lambda _: Mark(name, visible=visible))


def _current() -> Invocation | None:
    setup.begin()
    return setup.current()


def _framed(kind: Kind, target: Callable[..., Any] | str | None, options: dict[str, Any]) -> Any:
    given = target if isinstance(target, str) else None

    def begin(name: str | None) -> Invocation:
        return setup.start(kind, given or name or kind, **options)

    frame = _Frame(begin)
    return frame if target is None or isinstance(target, str) else frame(target)


def _end(scope: Scope, error: BaseException | None) -> None:
    # Leaving a generator early is not a failure of what it did.
    if error is None or isinstance(error, GeneratorExit):
        scope.stop()
    else:
        scope.fail(error)


_BeginNamed = Callable[[], Scope]


def _wrapper_for(function: Callable[..., Any]) -> Callable[[Any, _BeginNamed], Any]:
    if inspect.isasyncgenfunction(function):
        return _wrap_async_generator
    if inspect.iscoroutinefunction(function):
        return _wrap_coroutine
    if inspect.isgeneratorfunction(function):
        return _wrap_generator
    return _wrap_function


class _Running:
    """Holds a scope while a function or a coroutine runs."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> None:
        self._scope.attach()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._scope.detach()
        _end(self._scope, error)


def _wrap_function(function: Callable[..., Any], begin: _BeginNamed) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with _Running(begin()):
            return function(*args, **kwargs)

    return wrapper


def _wrap_coroutine(function: Callable[..., Any], begin: _BeginNamed) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with _Running(begin()):
            return await function(*args, **kwargs)

    return wrapper


class _Stepping:
    """Holds a scope while a generator runs from one ``yield`` to the next.

    Between two values the consumer runs, in whose context the scope has no place.
    """

    __slots__ = ("_begun", "_scope")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._begun = False

    def __enter__(self) -> None:
        if self._begun:
            self._scope.resume()
        else:
            self._begun = True
            self._scope.attach()

    def __exit__(self, *error: object) -> None:
        self._scope.suspend()


def _wrap_generator(function: Callable[..., Any], begin: _BeginNamed) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = begin()
        step = _Stepping(scope)
        inner: Generator[Any, Any, Any] = function(*args, **kwargs)
        resume: Callable[[], Any] = functools.partial(next, inner)
        try:
            while True:
                with step:
                    value = resume()
                try:
                    sent = yield value
                    resume = functools.partial(inner.send, sent)
                except GeneratorExit:
                    with step:
                        inner.close()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    resume = functools.partial(inner.throw, thrown)
        except StopIteration as end:
            scope.stop()
            return end.value
        except BaseException as error:
            _end(scope, error)
            raise

    return wrapper


def _wrap_async_generator(function: Callable[..., Any], begin: _BeginNamed) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = begin()
        step = _Stepping(scope)
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        resume: Callable[[], Any] = inner.__anext__
        try:
            while True:
                with step:
                    value = await resume()
                try:
                    sent = yield value
                    resume = functools.partial(inner.asend, sent)
                except GeneratorExit:
                    with step:
                        await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - it is the generator's to handle
                    resume = functools.partial(inner.athrow, thrown)
        except StopAsyncIteration:
            scope.stop()
        except BaseException as error:
            _end(scope, error)
            raise

    return wrapper
