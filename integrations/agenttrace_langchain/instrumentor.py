"""Add the callback handler to every run of the process, through LangChain's own hook."""

import contextlib
import functools
from collections.abc import Generator
from contextvars import ContextVar
from typing import TYPE_CHECKING, ClassVar

from agenttrace.integration import Instrumentor

if TYPE_CHECKING:
    from agenttrace_langchain.handler import SwitchedHandler


class LangChainInstrumentor(Instrumentor):
    """Adds the handler wherever LangChain configures callbacks and no handler of ours is there."""

    distribution: ClassVar = "langchain-core"
    module: ClassVar = "langchain_core.tracers.context"
    hook: ClassVar = "callback handler"
    tested: ClassVar = ("1.1", "1.7")

    @contextlib.contextmanager
    def hooked(self) -> Generator[None]:
        """Record every run that begins; those under way at the end are recorded to theirs."""
        handler = _everywhere()
        handler.is_on = True
        try:
            yield
        finally:
            handler.is_on = False


@functools.cache
def _everywhere() -> "SwitchedHandler":
    from langchain_core.tracers.context import register_configure_hook

    from agenttrace_langchain.handler import AgentTraceCallbackHandler, SwitchedHandler

    handler = SwitchedHandler()
    # A default is seen in every thread and context.
    variable: ContextVar[AgentTraceCallbackHandler | None] = ContextVar(
        "agenttrace_langchain", default=handler
    )
    register_configure_hook(variable, inheritable=True, handle_class=AgentTraceCallbackHandler)
    return handler
