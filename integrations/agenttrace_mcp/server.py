"""What a server does: work for the task that a request names."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

import agenttrace
from agenttrace.integration import guarded
from agenttrace_mcp.client import asked_from, ended

_CALL: Final = "tools/call"


def made(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Add the middleware to a server that is being made."""

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **options: Any) -> None:  # noqa: N807 - it replaces one
        original(self, *args, **options)
        if wanted():
            _join(self, wanted)

    return __init__


@guarded("a server of MCP")
def _join(server: Any, wanted: Callable[[], bool]) -> None:
    server.middleware.append(_Joining(wanted))


class _Joining:
    """Runs a request in the task of who sent it; a tool that nobody has framed begins one."""

    def __init__(self, wanted: Callable[[], bool]) -> None:
        self._wanted = wanted
        # The meter has to be in place before the first request.
        agenttrace.configure()

    async def __call__(self, ctx: Any, call_next: Callable[[Any], Any]) -> Any:
        if not self._wanted():
            return await call_next(ctx)
        around = asked_from(ctx)
        if around is None or _is_inside(around):
            return await _framed(ctx, call_next)
        around.attach()
        try:
            if around.task_id is None:
                return await _framed(ctx, call_next)
            return await call_next(ctx)
        finally:
            around.detach()


async def _framed(ctx: Any, call_next: Callable[[Any], Any]) -> Any:
    """Make a tool of a request to call one, if it is in no task."""
    name = _tool(ctx)
    if name is None or _in_task(agenttrace.current()):
        return await call_next(ctx)
    with agenttrace.tool(name) as invocation:
        result = await call_next(ctx)
        ended(invocation, result)
        return result


def _tool(ctx: Any) -> str | None:
    """Return the name of the tool that a request calls, if it does."""
    asked = ctx.params if ctx.method == _CALL else None
    name = asked.get("name") if isinstance(asked, Mapping) else None  # pyright: ignore[reportUnknownMemberType] - of any shape
    return name if isinstance(name, str) else None


def _is_inside(around: agenttrace.Invocation) -> bool:
    """Whether a tool of that task is current: the client's, in one process, or the SDK's span."""
    here = agenttrace.current()
    return here is not None and here.kind == "tool" and here.task_id == around.task_id


def _in_task(here: agenttrace.Invocation | None) -> bool:
    return here is not None and here.task_id is not None
