"""Record AutoGen: teams, agents and tools.

    agenttrace.instrument("autogen")
"""

from agenttrace_autogen.instrumentor import AutoGenInstrumentor

__all__ = ["AutoGenInstrumentor"]
