"""Record LangChain and LangGraph: agents, nodes, tools and model calls, through callbacks.

    from agenttrace_langchain import AgentTraceCallbackHandler

    graph.invoke(question, config={"callbacks": [AgentTraceCallbackHandler()]})

or, for every run of the process, ``agenttrace.instrument("langchain")``.
"""

from agenttrace_langchain.handler import AgentTraceCallbackHandler
from agenttrace_langchain.instrumentor import LangChainInstrumentor

__all__ = ["AgentTraceCallbackHandler", "LangChainInstrumentor"]
