"""What the provider says to the programs that have no SDK."""

from agenttrace.testing import ModelProvider

STORY = "It floats, it carries, it turns with the tide, and it is tied to the quay at night."


def httpx_stream(provider: ModelProvider) -> None:
    provider.script(STORY)


requests_stream = aiohttp_stream = httpx_stream
