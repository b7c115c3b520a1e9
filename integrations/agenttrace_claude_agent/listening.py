"""Where the SDK passes on a message: each function wraps one of the SDK's own."""

import functools
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

import agenttrace
from agenttrace.integration import guarded
from agenttrace_claude_agent.conversation import Conversation

_guarded: Final = guarded("a client of Claude Code")

# Client -> what its child process is doing.
_conversations: Final[WeakKeyDictionary[Any, Conversation]] = WeakKeyDictionary()


def queried(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Follow a conversation of ``query``, which is one asynchronous generator."""

    @functools.wraps(original)
    async def process_query(*args: Any, **options: Any) -> AsyncGenerator[Any]:
        messages = original(*args, **options)
        if not wanted():
            try:
                async for message in messages:
                    yield message
            finally:
                await messages.aclose()
            return
        conversation = Conversation()
        conversation.begin(agenttrace.current())
        error: BaseException | None = None
        try:
            while True:
                try:
                    # Current only while the SDK works: its tasks begin here, the consumer does not.
                    with conversation.current():
                        message = await anext(messages)
                except StopAsyncIteration:
                    return
                conversation.hear(message)
                yield message
        except Exception as raised:
            error = raised
            raise
        finally:
            try:
                await messages.aclose()
            finally:
                conversation.close(error)

    return process_query


def connected(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Begin the conversation of a client."""

    @functools.wraps(original)
    async def connect(self: Any, *args: Any, **options: Any) -> Any:
        if wanted():
            _meet(self)
        return await original(self, *args, **options)

    return connect


def asked(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Begin a turn when a client asks something."""

    @functools.wraps(original)
    async def query(self: Any, *args: Any, **options: Any) -> Any:
        conversation = _known(self) if wanted() else None
        if conversation is not None:
            conversation.begin(agenttrace.current())
        return await original(self, *args, **options)

    return query


def received(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Hear the messages that a client receives."""

    @functools.wraps(original)
    async def receive_messages(self: Any, *args: Any, **options: Any) -> AsyncGenerator[Any]:
        messages = original(self, *args, **options)
        try:
            async for message in messages:
                conversation = _known(self) if wanted() else None
                if conversation is not None:
                    conversation.hear(message)
                yield message
        finally:
            await messages.aclose()

    return receive_messages


def left(original: Callable[..., Any], _: Callable[[], bool]) -> Any:
    """End what is still under way when a client leaves."""

    @functools.wraps(original)
    async def disconnect(self: Any, *args: Any, **options: Any) -> Any:
        try:
            return await original(self, *args, **options)
        finally:
            conversation = _part(self)
            if conversation is not None:
                conversation.close(None)

    return disconnect


@_guarded
def _meet(client: Any) -> None:
    # What it is asked as it connects is asked here.
    _conversations[client] = Conversation(agenttrace.current())


@_guarded
def _known(client: Any) -> Conversation | None:
    return _conversations.get(client)


@_guarded
def _part(client: Any) -> Conversation | None:
    return _conversations.pop(client, None)


def tool_used(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    """Let calls that a tool of this process makes have the tool's role.

    The child says that it uses the tool, and that is its frame; here it is only run.
    """

    @functools.wraps(original)
    async def handle(*args: Any, **options: Any) -> Any:
        if not wanted():
            return await original(*args, **options)
        with agenttrace.role("tool"):
            return await original(*args, **options)

    return handle
