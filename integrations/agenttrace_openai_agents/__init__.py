"""Record the OpenAI Agents SDK: agents, handoffs, tools and guardrails, through its tracing.

    agenttrace.instrument("openai_agents")

or, where the program sets its own list of trace processors, as one of them:

    from agenttrace_openai_agents import AgentTraceProcessor

    agents.set_trace_processors([AgentTraceProcessor()])
"""

from typing import TYPE_CHECKING

from agenttrace_openai_agents.instrumentor import OpenAIAgentsInstrumentor

if TYPE_CHECKING:
    from agenttrace_openai_agents.processor import AgentTraceProcessor

__all__ = ["AgentTraceProcessor", "OpenAIAgentsInstrumentor"]


def __getattr__(name: str) -> object:
    """Import the SDK only where its processor is asked for."""
    if name != "AgentTraceProcessor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agenttrace_openai_agents.processor import AgentTraceProcessor

    return AgentTraceProcessor
