"""Record CrewAI: crews, flows, agents, tools and what crews do beside them.

For every run of the process:

    agenttrace.instrument("crewai")
"""

from agenttrace_crewai.instrumentor import CrewAIInstrumentor

__all__ = ["CrewAIInstrumentor"]
