"""What the provider says to the programs that use other providers' clients."""

from agenttrace.testing import ModelProvider, Reply

STORY = "Rain sinks into warm rock, comes up again as steam, and leaves a ring of white behind."


def gemini(provider: ModelProvider) -> None:
    provider.script(Reply("A spring that boils over.", thinking="Water, heat, pressure, a vent."))


def gemini_stream(provider: ModelProvider) -> None:
    provider.script(Reply(STORY, thinking="Rain first, then heat."))


def bedrock_stream(provider: ModelProvider) -> None:
    provider.script(STORY)


ollama_stream = bedrock_stream
