"""Record tools of the Model Context Protocol, and join what servers do to the task of the client.

    agenttrace.instrument("mcp")

in the client's process, and in the server's before it makes its server.
"""

from agenttrace_mcp.instrumentor import MCPInstrumentor

__all__ = ["MCPInstrumentor"]
