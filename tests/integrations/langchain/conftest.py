"""Real models against a local provider, and what was recorded of them as an outline."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

pytest.importorskip("langgraph.graph", reason="langgraph is not installed")

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI

from agenttrace.testing import ModelProvider
from agenttrace_langchain.runs import RUNS


class Models:
    """Models and clients that talk to the provider; closed in the event loop that used them."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self._made: list[Any] = []

    def gpt(self, **options: Any) -> ChatOpenAI:
        model = ChatOpenAI(
            model="gpt-5",
            base_url=self.provider.openai_base_url,
            api_key="test",
            stream_usage=True,
            **options,
        )
        self._made.append(model)
        return model

    def claude(self, **options: Any) -> ChatAnthropic:
        model = ChatAnthropic(
            model_name="claude-haiku-4-5",
            base_url=self.provider.anthropic_base_url,
            api_key="test",
            **options,
        )
        self._made.append(model)
        return model

    def anthropic(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(base_url=self.provider.anthropic_base_url, api_key="test")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, and close what it used."""

        async def closing() -> Any:
            try:
                return await coroutine
            finally:
                # LangChain keeps its clients for ever; this one's event loop ends here.
                for model in self._made:
                    await (getattr(model, "root_async_client", None) or model._async_client).close()

        return asyncio.run(closing())

    def drive(self, how: str, runnable: Any, given: Any, config: Any = None) -> Any:
        """Run *runnable* by one of its four methods."""
        if how == "invoke":
            return runnable.invoke(given, config)
        if how == "stream":
            return list(runnable.stream(given, config))
        if how == "ainvoke":
            return self.run(runnable.ainvoke(given, config))

        async def consume() -> list[Any]:
            return [item async for item in runnable.astream(given, config)]

        return self.run(consume())


@pytest.fixture
def models(provider: ModelProvider) -> Models:
    return Models(provider)


@pytest.fixture
def outline(recording: Any, outline: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """What was recorded, as a tree; whoever asks for it records."""
    return outline


@pytest.fixture(autouse=True)
def nothing_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every run that begins is ended, so nothing is kept of it; trouble is said in each test."""
    yield
    left = RUNS.values()
    RUNS.clear()
    assert not left
