"""Record DSPy: modules, agents, tools and optimizers.

    agenttrace.instrument("dspy")
"""

from agenttrace_dspy.instrumentor import DSPyInstrumentor

__all__ = ["DSPyInstrumentor"]
