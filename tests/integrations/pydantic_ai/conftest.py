"""Agents that talk to the provider, with the integration on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pydantic_ai = pytest.importorskip("pydantic_ai")

from anthropic import AsyncAnthropic  # noqa: E402
from openai import AsyncOpenAI  # noqa: E402
from pydantic_ai.models.anthropic import AnthropicModel  # noqa: E402
from pydantic_ai.models.openai import OpenAIChatModel  # noqa: E402
from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: E402
from pydantic_ai.providers.openai import OpenAIProvider  # noqa: E402

from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_pydantic_ai import PydanticAIInstrumentor  # noqa: E402


@pytest.fixture
def instrumented(recording: Path) -> Iterator[None]:
    PydanticAIInstrumentor().instrument()
    yield
    PydanticAIInstrumentor().uninstrument()


class Models:
    """Models that talk to the provider; closed in the event loop that used them."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self._clients: list[Any] = []

    def gpt(self) -> OpenAIChatModel:
        client = AsyncOpenAI(base_url=self.provider.openai_base_url, api_key="test", max_retries=2)
        self._clients.append(client)
        return OpenAIChatModel("gpt-5", provider=OpenAIProvider(openai_client=client))

    def claude(self) -> AnthropicModel:
        client = AsyncAnthropic(base_url=self.provider.anthropic_base_url, api_key="test")
        self._clients.append(client)
        return AnthropicModel(
            "claude-haiku-4-5", provider=AnthropicProvider(anthropic_client=client)
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@pytest.fixture
def models(provider: ModelProvider) -> Iterator[Models]:
    made = Models(provider)
    # The loop that ``run_sync`` uses, so that its connections can be closed.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield made
    loop.run_until_complete(made.close())
    loop.close()
    asyncio.set_event_loop(None)
