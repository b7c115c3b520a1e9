"""A real model client of AutoGen against a local provider."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("autogen_agentchat")

from autogen_ext.models.openai import OpenAIChatCompletionClient

from agenttrace.testing import ModelProvider
from agenttrace_autogen import AutoGenInstrumentor


@pytest.fixture
async def gpt(provider: ModelProvider) -> AsyncIterator[Any]:
    client = OpenAIChatCompletionClient(
        model="gpt-4o-2024-08-06", base_url=provider.openai_base_url, api_key="test"
    )
    yield client
    await client.close()


@pytest.fixture(autouse=True)
def instrumented(recording: Path) -> Iterator[AutoGenInstrumentor]:
    instrumentor = AutoGenInstrumentor()
    instrumentor.instrument()
    yield instrumentor
    instrumentor.uninstrument()
