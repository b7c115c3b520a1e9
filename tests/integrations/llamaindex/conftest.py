"""Real models of LlamaIndex against a local provider."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("llama_index.core")

from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

from agenttrace.testing import ModelProvider
from agenttrace_llamaindex import LlamaIndexInstrumentor

# LlamaIndex looks at all attributes of its agents, the deprecated ones of pydantic among them.
_THEIRS = (
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
    "ignore::pydantic.warnings.PydanticDeprecatedSince211",
    "ignore:is_running called from within a step:DeprecationWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for warning in _THEIRS:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture
async def gpt(provider: ModelProvider) -> AsyncIterator[Any]:
    with httpx.Client() as client:
        async with httpx.AsyncClient() as async_client:
            yield OpenAI(
                model="gpt-4o",
                api_base=provider.openai_base_url,
                api_key="test",
                http_client=client,
                async_http_client=async_client,
                additional_kwargs={"stream_options": {"include_usage": True}},
            )


@pytest.fixture
def embedding(provider: ModelProvider) -> Iterator[Any]:
    with httpx.Client() as client:
        yield OpenAIEmbedding(api_base=provider.openai_base_url, api_key="test", http_client=client)


@pytest.fixture(autouse=True)
def instrumented(recording: Path) -> Iterator[LlamaIndexInstrumentor]:
    """Every span that begins is ended, so nothing is kept of it."""
    from llama_index_instrumentation import get_dispatcher

    instrumentor = LlamaIndexInstrumentor()
    instrumentor.instrument()
    handler = get_dispatcher("root").span_handlers[-1]
    yield instrumentor
    left = len(handler._runs)
    instrumentor.uninstrument()
    assert not left
