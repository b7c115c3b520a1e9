"""The middleware that is added to each turn of an agent."""

from collections.abc import Awaitable, Callable
from typing import Any

from ag2.events import ToolErrorEvent
from ag2.middleware import BaseMiddleware

import agenttrace

Turn = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]


class AgentTraceMiddleware(BaseMiddleware):
    """Frames each execution of a tool, and the turn where that is left to it.

    It is the innermost middleware of a turn, so what others have made of it is around.
    """

    def __init__(self, event: Any, context: Any, *, turn: Turn) -> None:
        super().__init__(event, context)
        self._turn = turn

    async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
        """Frame the turn, if it is not yet framed."""
        return await self._turn(lambda: call_next(event, context))

    async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
        """Frame a tool, whose error AG2 hands on as an event."""
        name = str(getattr(event, "name", "tool"))
        around = agenttrace.current()
        if around is not None and (around.kind, around.name) == ("tool", name):
            return await call_next(event, context)  # AG2's own span is the frame.
        with agenttrace.tool(name) as invocation:
            result = await call_next(event, context)
            if isinstance(result, ToolErrorEvent):
                invocation.fail(result.error)
            return result
