"""Agents that talk to the provider, with the integration on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

smolagents = pytest.importorskip("smolagents")

from agenttrace.testing import ModelProvider  # noqa: E402
from agenttrace_smolagents import SmolagentsInstrumentor  # noqa: E402


@pytest.fixture
def instrumented(recording: Path) -> Iterator[None]:
    SmolagentsInstrumentor().instrument()
    yield
    SmolagentsInstrumentor().uninstrument()


class Team:
    """Makes agents that talk to the provider, and closes what they used."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider
        self._models: list[Any] = []

    def gpt(self) -> Any:
        model = smolagents.OpenAIServerModel(
            model_id="gpt-4o", api_base=self.provider.openai_base_url, api_key="test"
        )
        self._models.append(model)
        return model

    def agent(self, name: str | None, *, codes: bool = False, **options: Any) -> Any:
        """An agent that calls tools, or one that writes code."""
        kind = smolagents.CodeAgent if codes else smolagents.ToolCallingAgent
        options.setdefault("tools", [])
        return kind(
            model=self.gpt(),
            name=name,
            description=name,
            instructions=f"You are {name}.",
            verbosity_level=0,
            **options,
        )

    def close(self) -> None:
        for model in self._models:
            model.client.close()


@pytest.fixture
def team(provider: ModelProvider) -> Iterator[Team]:
    made = Team(provider)
    yield made
    made.close()
