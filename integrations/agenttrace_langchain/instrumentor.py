"""Add the callback handler to every run of the process, through LangChain's own hook."""

import functools
from contextvars import ContextVar

from langchain_core.tracers.context import register_configure_hook

from agenttrace_langchain.handler import AgentTraceCallbackHandler


class LangChainInstrumentor:
    """Adds the handler wherever LangChain configures callbacks and no handler of ours is there."""

    def instrument(self) -> None:
        """Record every run that begins from now on; a second time does nothing."""
        _everywhere().switch(on=True)

    def uninstrument(self) -> None:
        """Record no further runs; those under way are recorded to their end."""
        _everywhere().switch(on=False)


class _Everywhere(AgentTraceCallbackHandler):
    """The handler of the hook, with a switch: LangChain has no way of taking out a hook."""

    def __init__(self) -> None:
        super().__init__()
        self._on = False

    @property
    def is_on(self) -> bool:
        return self._on

    def switch(self, *, on: bool) -> None:
        """Set whether runs that begin from now on are recorded."""
        self._on = on


@functools.cache
def _everywhere() -> _Everywhere:
    handler = _Everywhere()
    # A default is seen in every thread and context.
    variable: ContextVar[AgentTraceCallbackHandler | None] = ContextVar(
        "agenttrace_langchain", default=handler
    )
    register_configure_hook(variable, inheritable=True, handle_class=AgentTraceCallbackHandler)
    return handler
