"""What the provider says to the programs that use a framework."""

from agenttrace.testing import ModelProvider, Reply, ToolCall


def _asks_first(provider: ModelProvider, who: str, tool: str, **arguments: object) -> None:
    """Script who has *who* in the prompt: a tool call, and then an answer."""
    provider.script(
        Reply(tool_calls=[ToolCall(tool, arguments)]),
        "There you are.",
        when=lambda request: who in request.prompt,
    )


def openai_agents(provider: ModelProvider) -> None:
    _asks_first(provider, "You lend.", "find", input="a book on tides")
    _asks_first(provider, "You find.", "shelf", title="Tides")


def openai_agents_handoff(provider: ModelProvider) -> None:
    _asks_first(provider, "You ask.", "transfer_to_expert")


def pydantic_ai(provider: ModelProvider) -> None:
    _asks_first(provider, "You write.", "research", question="tides")


def crewai(provider: ModelProvider) -> None:
    provider.script("Thought: I now know.\nFinal Answer: A line.", times=None)


def llamaindex(provider: ModelProvider) -> None:
    _asks_first(provider, "You write.", "look_up", question="the sky")


def smolagents(provider: ModelProvider) -> None:
    provider.script(
        Reply(tool_calls=[ToolCall("scout", {"task": "Look north."})]),
        Reply(tool_calls=[ToolCall("final_answer", {"answer": "In the north."})]),
        when=lambda request: "You are boss." in request.prompt,
    )
    provider.script(
        Reply(tool_calls=[ToolCall("final_answer", {"answer": "There it is."})]),
        when=lambda request: "You are scout." in request.prompt,
    )


def adk(provider: ModelProvider) -> None:
    _asks_first(provider, "You are captain.", "pilot", request="Which course?")


def strands(provider: ModelProvider) -> None:
    _asks_first(provider, "You are chef.", "taste", dish="soup")


def dspy(provider: ModelProvider) -> None:
    provider.script("[[ ## answer ## ]]\nA hill of sand.\n\n[[ ## completed ## ]]", times=None)
