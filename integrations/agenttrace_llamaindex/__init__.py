"""Record LlamaIndex: workflows, agents, tools, query engines and rerankers.

For every run of the process:

    agenttrace.instrument("llamaindex")
"""

from agenttrace_llamaindex.instrumentor import LlamaIndexInstrumentor

__all__ = ["LlamaIndexInstrumentor"]
