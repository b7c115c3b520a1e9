"""Record Haystack: pipelines, components, agents and tools, through its own tracing.

agenttrace.instrument("haystack")
"""

from agenttrace_haystack.instrumentor import HaystackInstrumentor

__all__ = ["HaystackInstrumentor"]
