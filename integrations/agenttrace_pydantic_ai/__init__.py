"""Record Pydantic AI: agents, tools and conversations, through the spans that it makes itself.

agenttrace.instrument("pydantic_ai")
"""

from agenttrace_pydantic_ai.instrumentor import PydanticAIInstrumentor

__all__ = ["PydanticAIInstrumentor"]
