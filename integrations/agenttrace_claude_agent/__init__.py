"""Record the Claude Agent SDK: what its child process did, from the messages that it sends.

    agenttrace.instrument("claude_agent")

The Claude Code program is no Python, so no meter sees its calls; its messages name each of them.
"""

from agenttrace_claude_agent.instrumentor import ClaudeAgentInstrumentor

__all__ = ["ClaudeAgentInstrumentor"]
