"""Record AutoGen: teams, agents and tools.

For every run of the process:

    agenttrace.instrument("autogen")
"""

from agenttrace_autogen.instrumentor import AutoGenInstrumentor

__all__ = ["AutoGenInstrumentor"]
