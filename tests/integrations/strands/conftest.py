"""Agents that talk to the provider, with the integration on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("strands")

from strands import Agent
from strands.models.openai import OpenAIModel

from agenttrace.testing import ModelProvider
from agenttrace_strands import StrandsInstrumentor


@pytest.fixture
def instrumented(recording: Path) -> Iterator[None]:
    StrandsInstrumentor().instrument()
    yield
    StrandsInstrumentor().uninstrument()


class Team:
    """Makes agents that talk to the provider."""

    def __init__(self, provider: ModelProvider) -> None:
        self.provider = provider

    def agent(self, name: str, **options: Any) -> Any:
        model = OpenAIModel(
            client_args={"base_url": self.provider.openai_base_url, "api_key": "test"},
            model_id="gpt-4o",
        )
        return Agent(
            model=model,
            name=name,
            system_prompt=f"You are {name}.",
            callback_handler=None,
            **options,
        )


@pytest.fixture
def team(provider: ModelProvider) -> Team:
    return Team(provider)
