"""Record LiteLLM: what a call is for, which attempt it is, and the calls that no meter sees.

    agenttrace.instrument("litellm")

or, in the configuration of LiteLLM's proxy:

    litellm_settings:
      callbacks: agenttrace_litellm.proxy_handler
"""

from typing import TYPE_CHECKING

from agenttrace_litellm.instrumentor import LiteLLMInstrumentor

if TYPE_CHECKING:
    from agenttrace_litellm.handler import AgentTraceLogger

    proxy_handler: AgentTraceLogger

__all__ = ["LiteLLMInstrumentor", "proxy_handler"]


def __getattr__(name: str) -> object:
    """Switch recording on where the proxy asks for its callback."""
    if name != "proxy_handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agenttrace_litellm.handler import HANDLER

    LiteLLMInstrumentor().instrument()
    return HANDLER
