"""A real model client of AG2 against a local provider."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ag2")

import openai
from ag2.config import OpenAIConfig

from agenttrace.testing import ModelProvider
from agenttrace_ag2 import Ag2Instrumentor


@pytest.fixture
async def gpt(provider: ModelProvider) -> AsyncIterator[Any]:
    # Of the HTTP library that this version of the SDK uses.
    async with openai.DefaultAsyncHttpxClient() as client:
        yield OpenAIConfig(
            "gpt-4o", base_url=provider.openai_base_url, api_key="test", http_client=client
        )


@pytest.fixture(autouse=True)
def instrumented(recording: Path) -> Iterator[Ag2Instrumentor]:
    instrumentor = Ag2Instrumentor()
    instrumentor.instrument()
    yield instrumentor
    instrumentor.uninstrument()
