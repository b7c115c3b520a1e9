"""Record Strands Agents: agents, tools, graphs and swarms, through the spans that it makes itself.

agenttrace.instrument("strands")
"""

from agenttrace_strands.instrumentor import StrandsInstrumentor

__all__ = ["StrandsInstrumentor"]
