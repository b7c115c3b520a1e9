"""Record LangChain and LangGraph: agents, nodes, tools and model calls, through callbacks.

    from agenttrace_langchain import AgentTraceCallbackHandler

    graph.invoke(question, config={"callbacks": [AgentTraceCallbackHandler()]})

or, for every run of the process, ``agenttrace.instrument("langchain")``.
"""

from typing import TYPE_CHECKING

from agenttrace_langchain.instrumentor import LangChainInstrumentor

if TYPE_CHECKING:
    from agenttrace_langchain.handler import AgentTraceCallbackHandler

__all__ = ["AgentTraceCallbackHandler", "LangChainInstrumentor"]


def __getattr__(name: str) -> object:
    """Import LangChain only where its handler is asked for."""
    if name != "AgentTraceCallbackHandler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agenttrace_langchain.handler import AgentTraceCallbackHandler

    return AgentTraceCallbackHandler
