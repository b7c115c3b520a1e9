"""The real SDK against a local provider, and what was recorded of it as an outline."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

pytest.importorskip("agents.run", reason="openai-agents is not installed")

from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.tracing import set_trace_processors
from openai import AsyncOpenAI

from agenttrace_openai_agents import OpenAIAgentsInstrumentor
from agenttrace_openai_agents.runs import RUNS

APIS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


@pytest.fixture(autouse=True)
def instrumented(recording: Any) -> Iterator[None]:
    set_trace_processors([])  # the SDK's own would send the traces to its maker
    OpenAIAgentsInstrumentor().instrument()
    yield
    OpenAIAgentsInstrumentor().uninstrument()
    assert len(RUNS) == 0  # every run that began has ended


@pytest.fixture
async def model(provider: ModelProvider) -> AsyncIterator[Callable[..., Any]]:
    """Make a model: ``model("gpt-5")``, with the chat or the responses API."""
    async with AsyncOpenAI(
        base_url=provider.openai_base_url, api_key="test", max_retries=1
    ) as client:
        yield lambda name="gpt-5", api="chat": APIS[api](model=name, openai_client=client)
