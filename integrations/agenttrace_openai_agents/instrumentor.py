"""Add the processor to the SDK's trace provider, and tell it of the session of each run."""

import contextlib
import functools
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, ClassVar, Final

from agenttrace.integration import Instrumentor, replaced

# The conversation of the run under way: the SDK's tracing knows only the group that a user names.
conversation: Final[ContextVar[str | None]] = ContextVar("conversation", default=None)


class OpenAIAgentsInstrumentor(Instrumentor):
    """Adds a trace processor, and reads the session that a run is given."""

    distribution: ClassVar = "openai-agents"
    module: ClassVar = "agents.run"
    hook: ClassVar = "trace processor"
    tested: ClassVar = ("0.6", "0.24")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record every run that begins; those under way at the end are recorded to theirs."""
        from agents.run import AgentRunner
        from agents.tracing import add_trace_processor

        from agenttrace_openai_agents.processor import AgentTraceProcessor

        processor = AgentTraceProcessor()
        add_trace_processor(processor)
        try:
            with (
                replaced(AgentRunner, "run", _in_conversation),
                replaced(AgentRunner, "run_streamed", _into_conversation),
            ):
                yield
        finally:
            # The SDK has no way to take one out of its list.
            processor.is_on = False


def _in_conversation(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    @functools.wraps(original)
    async def run(*args: Any, **options: Any) -> Any:
        with _of(options if wanted() else {}):
            return await original(*args, **options)

    return run


def _into_conversation(original: Callable[..., Any], wanted: Callable[[], bool]) -> Any:
    @functools.wraps(original)
    def run_streamed(*args: Any, **options: Any) -> Any:
        # It starts an asyncio task, which keeps the context of this moment.
        with _of(options if wanted() else {}):
            return original(*args, **options)

    return run_streamed


@contextlib.contextmanager
def _of(options: dict[str, Any]) -> Generator[None]:
    session = getattr(options.get("session"), "session_id", None)
    found = session or options.get("conversation_id")
    if not isinstance(found, str):
        yield
        return
    token = conversation.set(found)
    try:
        yield
    finally:
        # A coroutine that is given up may be closed in another context.
        with contextlib.suppress(ValueError):
            conversation.reset(token)
