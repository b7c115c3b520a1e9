"""Record Google's ADK: agents, tools and sessions, through the spans that it makes itself.

agenttrace.instrument("adk")
"""

from agenttrace_adk.instrumentor import AdkInstrumentor

__all__ = ["AdkInstrumentor"]
