"""Put frames around AutoGen's agents, tools and teams, where it makes no spans of them itself.

AutoGen traces its agents and tools with the global OpenTelemetry provider and takes no other one
for them. Where the program has one, those spans are the frames. Where it has none, or a sampler
drops them, the same blocks are framed by us. A provider of our own would not do: AutoGen sends the
current span along with each message, so an agent would stand inside the one that spoke before it.
"""

import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, ClassVar

import agenttrace
from agenttrace.integration import Instrumentor, Wrap, replaced


class AutoGenInstrumentor(Instrumentor):
    """Wraps the methods that run an agent or a team, and the blocks that AutoGen traces."""

    distribution: ClassVar = "autogen-agentchat"
    module: ClassVar = "autogen_agentchat.agents"
    hook: ClassVar = "wrapped methods, and AutoGen's own spans"
    tested: ClassVar = ("0.7.1", "0.7.5")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record what begins; runs that are under way are recorded to their end."""
        from autogen_agentchat.agents import (
            BaseChatAgent,
            _base_chat_agent,  # pyright: ignore[reportPrivateUsage] - it has no public name
        )
        from autogen_agentchat.teams import BaseGroupChat
        from autogen_agentchat.teams._group_chat import (
            _chat_agent_container,  # pyright: ignore[reportPrivateUsage] - it has no public name
            _selector_group_chat,  # pyright: ignore[reportPrivateUsage] - it has no public name
        )
        from autogen_core.tools import _base  # pyright: ignore[reportPrivateUsage] - as above

        # The meter has to be in place before the first request.
        agenttrace.configure()
        with contextlib.ExitStack() as hooks:
            for owner, name, wrap in (
                (BaseChatAgent, "run_stream", _apart),
                (BaseGroupChat, "run_stream", _team),
                (_selector_group_chat.SelectorGroupChatManager, "select_speaker", _router),
                (_base_chat_agent, "trace_invoke_agent_span", _block("agent_name")),
                (_chat_agent_container, "trace_invoke_agent_span", _block("agent_name")),
                (_base, "trace_tool_span", _block("tool_name")),
            ):
                hooks.enter_context(replaced(owner, name, wrap))
            yield


# Both stay asynchronous generator functions: that is what others may ask of what they decorate.


def _apart(run_stream: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    """The block of an agent is open while it gives way to the consumer, who is not the agent."""

    @functools.wraps(run_stream)
    async def run_apart(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        stream = run_stream(*args, **kwargs)
        inside = None
        while True:
            around = agenttrace.current()
            if inside is not None:
                inside.resume()
            try:
                item = await anext(stream)
            except StopAsyncIteration:
                return
            finally:
                here = agenttrace.current()
                inside = here if wanted() and here is not around else None
                if inside is not None:
                    inside.suspend()
            try:
                yield item
            except BaseException:
                if inside is not None:
                    inside.resume()
                await stream.aclose()
                raise

    return run_apart


def _team(run_stream: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    """A team that nobody put into a task is one; inside of a task its agents stand for it."""

    @functools.wraps(run_stream)
    async def run_as_task(self: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        around = agenttrace.current()
        begin = run_stream
        if wanted() and (around is None or around.task_id is None):
            begin = agenttrace.task(str(self.name))(run_stream)
        stream = begin(self, *args, **kwargs)
        try:
            async for item in stream:
                yield item
        finally:
            await stream.aclose()

    return run_as_task


def _router(select: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(select)
    async def select_as_router(*args: Any, **kwargs: Any) -> Any:
        if not wanted():
            return await select(*args, **kwargs)
        with agenttrace.role("router"):
            return await select(*args, **kwargs)

    return select_as_router


def _block(argument: str) -> Wrap:
    """Frame a block that AutoGen traces; *argument* has the name of the agent or the tool."""
    frame: Any = agenttrace.agent if argument == "agent_name" else agenttrace.tool

    def wrap(traced: Callable[..., Any], wanted: Callable[[], bool]) -> Callable[..., Any]:
        @functools.wraps(traced)
        @contextlib.contextmanager
        def traced_and_framed(*args: Any, **kwargs: Any) -> Generator[Any]:
            with traced(*args, **kwargs) as span:
                if not wanted() or _is_frame(span):
                    yield span
                    return
                name = kwargs.get(argument) or next(iter(args), argument)
                with frame(str(name)):
                    yield span

        return traced_and_framed

    return wrap


def _is_frame(span: Any) -> bool:
    """Whether AutoGen's own *span* has come to agenttrace, and is what is current."""
    here = agenttrace.current()
    ours = here.span_context if here is not None else None
    return ours is not None and ours.span_id == span.get_span_context().span_id
