"""What a client does: call tools, send requests, and answer what a server asks of it."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import agenttrace
from agenttrace import Invocation
from agenttrace.integration import carried, extract, guarded

TOOL_ERROR = "tool_error"  # the convention's type for a result that says it is an error


def tool_called(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Make a tool of a ``call_tool``; calls of models inside, on either side, are the tool's."""

    @functools.wraps(original)
    async def call_tool(self: Any, name: str, *args: Any, **options: Any) -> Any:
        if not wanted() or _is_framed(name):
            return await original(self, name, *args, **options)
        with agenttrace.tool(str(name)) as invocation:
            result = await original(self, name, *args, **options)
            ended(invocation, result)
            return result

    return call_tool


def sent(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Have a request carry the task: the SDK puts OpenTelemetry's context into its ``_meta``."""

    @functools.wraps(original)
    async def send_raw_request(*args: Any, **options: Any) -> Any:
        if not wanted():
            return await original(*args, **options)
        with carried():
            return await original(*args, **options)

    return send_raw_request


def answered_for_the_server(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Answer what a server asks, such as to sample a model, in the place that it asks from."""

    @functools.wraps(original)
    async def dispatch_input_request(self: Any, ctx: Any, *args: Any, **options: Any) -> Any:
        around = asked_from(ctx) if wanted() else None
        if around is None:
            return await original(self, ctx, *args, **options)
        around.attach()
        try:
            return await original(self, ctx, *args, **options)
        finally:
            around.detach()

    return dispatch_input_request


def asked_from(ctx: Any) -> Invocation | None:
    """Return what the sender of a request was doing, if its ``_meta`` says so."""
    meta = getattr(ctx, "meta", None)
    return extract(meta) if isinstance(meta, Mapping) else None  # pyright: ignore[reportUnknownArgumentType] - of any shape


@guarded("a result of an MCP tool")
def ended(invocation: Invocation, result: Any) -> None:
    """End a tool by its result, which may say that it failed."""
    said = result.get("isError") if isinstance(result, dict) else getattr(result, "is_error", None)
    if said is True:
        invocation.fail(TOOL_ERROR)
    else:
        invocation.stop()


def _is_framed(name: str) -> bool:
    """Whether the tool is a frame already: a client calls its session, a framework the client."""
    here = agenttrace.current()
    return here is not None and here.kind == "tool" and here.name == name
