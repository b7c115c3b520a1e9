"""Record smolagents: agents, managed agents, tools and planning.

agenttrace.instrument("smolagents")
"""

from agenttrace_smolagents.instrumentor import SmolagentsInstrumentor

__all__ = ["SmolagentsInstrumentor"]
