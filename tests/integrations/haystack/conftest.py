"""Pipelines and agents that talk to the provider, with the integration on."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

# Read when Haystack is imported: tests send nothing to anybody but the local provider.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

haystack = pytest.importorskip("haystack")

from haystack.components.agents import Agent  # noqa: E402
from haystack.components.generators.chat import OpenAIChatGenerator  # noqa: E402
from haystack.dataclasses import ChatMessage  # noqa: E402
from haystack.utils import Secret  # noqa: E402

from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_haystack import HaystackInstrumentor  # noqa: E402


@pytest.fixture
def instrumented(recording: Path) -> Iterator[None]:
    HaystackInstrumentor().instrument()
    yield
    HaystackInstrumentor().uninstrument()


class Made:
    """Makes components that talk to the provider, and closes what they used."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self._generators: list[Any] = []

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, in an event loop of its own."""

        async def closing() -> Any:
            try:
                return await coroutine
            finally:
                for generator in self._generators:
                    await generator.close_async()

        return asyncio.run(closing())

    def close(self) -> None:
        for generator in self._generators:
            generator.close()

    def generator(self, **options: Any) -> OpenAIChatGenerator:
        generator = OpenAIChatGenerator(
            model="gpt-4o",
            api_base_url=self.provider.openai_base_url,
            api_key=Secret.from_token("test"),
            **options,
        )
        self._generators.append(generator)
        return generator

    def agent(self, name: str, **options: Any) -> Agent:
        return Agent(chat_generator=self.generator(), system_prompt=f"You are {name}.", **options)

    def pipeline(self, **components: Any) -> Any:
        """A pipeline of components that do not depend on one another."""
        pipeline = haystack.Pipeline(metadata={"name": "reports"})
        for name, component in components.items():
            pipeline.add_component(name, component)
        return pipeline


def said(text: str) -> dict[str, list[ChatMessage]]:
    return {"messages": [ChatMessage.from_user(text)]}


@pytest.fixture
def made(provider: ModelProvider) -> Iterator[Made]:
    made = Made(provider)
    yield made
    made.close()


@pytest.fixture
def asked() -> Any:
    return said
