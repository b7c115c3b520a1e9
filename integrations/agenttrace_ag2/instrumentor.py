"""Frame the turns of AG2's agents, and add a middleware to them for their tools.

AG2's middleware is given to an agent when it is made, and is not told whose it is. So the place
where a turn is prepared is wrapped: there the agent is known, and a middleware can still be added.
AG2 has a middleware that makes OpenTelemetry spans, but it has to be told the agent's name, and it
repeats the calls.
"""

import contextlib
import functools
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, ClassVar, Final

import agenttrace
from agenttrace import Invocation
from agenttrace.integration import Instrumentor, replaced

Run = Callable[[], Awaitable[Any]]

_SUBTASK: Final = re.compile(r"subtask-[0-9a-f]{8}")  # AG2's name of an agent for one sub-task


class Ag2Instrumentor(Instrumentor):
    """Wraps the turn of an agent, and the strategies that sum up what was said."""

    distribution: ClassVar = "ag2"
    module: ClassVar = "ag2"
    hook: ClassVar = "wrapped turn, and middleware"
    tested: ClassVar = ("1.0", "1.2")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record the turns that begin; those under way are recorded to their end."""
        from ag2 import Agent
        from ag2.aggregate import ConversationSummaryAggregate, WorkingMemoryAggregate
        from ag2.compact import SummarizeCompact

        # The meter has to be in place before the first request.
        agenttrace.configure()
        with contextlib.ExitStack() as hooks:
            hooks.enter_context(replaced(Agent, "_turn_scope", _framed))
            for owner, name, role in (
                (SummarizeCompact, "compact", "compaction"),
                (ConversationSummaryAggregate, "aggregate", "summary"),
                (WorkingMemoryAggregate, "aggregate", "summary"),
            ):
                hooks.enter_context(replaced(owner, name, functools.partial(_in_role, role)))
            yield


def _framed(scope: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    from agenttrace_ag2.middleware import AgentTraceMiddleware

    @functools.wraps(scope)
    def scope_in_frame(
        self: Any, *args: Any, additional_middleware: Any = (), **kwargs: Any
    ) -> Any:
        given = tuple(additional_middleware)
        if not wanted():
            return scope(self, *args, additional_middleware=given, **kwargs)
        turn = _Turn(self, kwargs.get("context"), is_traced=_is_traced(self, given))
        added = functools.partial(AgentTraceMiddleware, turn=turn.inside)
        return turn.scope(scope(self, *args, additional_middleware=(*given, added), **kwargs))

    return scope_in_frame


class _Turn:
    """One turn of an agent, framed once: around all middleware, or as AG2's own span has it."""

    def __init__(self, agent: Any, context: Any, *, is_traced: bool) -> None:
        self._agent = agent
        self._context = context
        self._is_traced = is_traced
        self._around: Invocation | None = None

    @contextlib.asynccontextmanager
    async def scope(self, scope: Any) -> AsyncGenerator[Run]:
        """Give out what drives the turn; the scope itself is open while others work."""
        async with scope as drive:

            async def drive_in_frame() -> Any:
                self._around = agenttrace.current()
                return await (drive() if self._is_traced else self._framed(drive))

            yield drive_in_frame

    async def inside(self, run: Run) -> Any:
        """Run what is inside of all middleware; of AG2's own a span may be the frame."""
        here = agenttrace.current()
        is_framed = here is not self._around and here is not None and here.kind == "agent"
        return await (run() if is_framed else self._framed(run))

    async def _framed(self, run: Run) -> Any:
        name, session = _said(self._agent, self._context)
        with agenttrace.agent(name, session=session):
            return await run()


def _is_traced(agent: Any, given: tuple[Any, ...]) -> bool:
    """Whether AG2 makes spans of the turns of *agent*."""
    return any(map(_makes_spans, (*getattr(agent, "_middleware", ()), *given)))


def _makes_spans(middleware: Any) -> bool:
    # By name, for its module needs more of OpenTelemetry than AG2 itself does.
    return any(kind.__name__ == "TelemetryMiddleware" for kind in type(middleware).__mro__)


def _said(agent: Any, context: Any) -> tuple[str, str | None]:
    """Return the name of *agent*, and the conversation where nothing around says another."""
    name = str(getattr(agent, "name", "agent"))
    stream_id = getattr(getattr(context, "stream", None), "id", None)
    around = agenttrace.current()
    is_said = stream_id is None or (around is not None and around.session_id is not None)
    return "subtask" if _SUBTASK.fullmatch(name) else name, None if is_said else str(stream_id)


def _in_role(
    role: str, strategy: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(strategy)
    async def strategy_in_role(*args: Any, **kwargs: Any) -> Any:
        if not wanted():
            return await strategy(*args, **kwargs)
        with agenttrace.role(role):
            return await strategy(*args, **kwargs)

    return strategy_in_role
