"""The real library against a local provider, and what was recorded of it as an outline."""

import inspect
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask the network for prices otherwise
pytest.importorskip("litellm", reason="litellm is not installed")

import litellm
from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

from agenttrace_litellm import LiteLLMInstrumentor
from agenttrace_litellm.frames import _under_way
from agenttrace_litellm.streams import STREAMS


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        monkeypatch.setenv("OPENAI_API_BASE", running.openai_base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "test")
        monkeypatch.setenv("ANTHROPIC_API_BASE", running.anthropic_base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", "test")
        yield running


@pytest.fixture(autouse=True)
def instrumented(recording: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(litellm, "callbacks", [])
    monkeypatch.setattr(litellm, "suppress_debug_info", True)
    LiteLLMInstrumentor().instrument()
    yield
    LiteLLMInstrumentor().uninstrument()
    assert not _under_way
    assert len(STREAMS) == 0


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    """Close the clients that LiteLLM keeps: they belong to the event loop of this test."""
    yield
    cache = litellm.in_memory_llm_clients_cache
    kept = list(cache.cache_dict.values())
    await close_litellm_async_clients()
    for one in kept:
        client = getattr(one, "client", one)
        leave = getattr(client, "close", None) or getattr(client, "aclose", None)
        if callable(leave):
            done = leave()
            if inspect.isawaitable(done):
                await done
    cache.flush_cache()
