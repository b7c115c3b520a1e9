"""Record DSPy: modules, agents, tools and optimizers.

For every run of the process:

    agenttrace.instrument("dspy")
"""

from agenttrace_dspy.instrumentor import DSPyInstrumentor

__all__ = ["DSPyInstrumentor"]
