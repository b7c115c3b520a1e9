"""Record CrewAI: crews, flows, agents, tools and what crews do beside them.

    agenttrace.instrument("crewai")
"""

from agenttrace_crewai.instrumentor import CrewAIInstrumentor

__all__ = ["CrewAIInstrumentor"]
