"""The real SDKs against the local provider: what is recorded has to be what was billed."""

from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from agenttrace.testing import Billed, ModelProvider

COUNTED = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "cache_write_1h_tokens": "agenttrace.usage.cache_write_1h.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "input_audio_tokens": "gen_ai.usage.audio.input_tokens",
    "output_audio_tokens": "gen_ai.usage.audio.output_tokens",
    "input_image_tokens": "gen_ai.usage.image.input_tokens",
    "output_image_tokens": "gen_ai.usage.image.output_tokens",
}


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


@pytest.fixture
def claude(provider: ModelProvider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.anthropic_base_url, api_key="test") as made:
        yield made


@pytest.fixture
def assert_as_billed(
    provider: ModelProvider, spooled: Callable[[], list[dict[str, Any]]]
) -> Callable[[], list[dict[str, Any]]]:
    """Compare the records, in any order, with the ledger; returns the records."""

    def compare() -> list[dict[str, Any]]:
        records = spooled()
        assert sorted(map(_recorded, records)) == sorted(map(_billed, provider.ledger))
        return records

    return compare


def _recorded(record: dict[str, Any]) -> list[Any]:
    said = record["attributes"]
    model = said.get("gen_ai.response.model") or said.get("gen_ai.request.model")
    counts = [said.get(key, 0) for key in COUNTED.values()]
    return [model, said["agenttrace.usage"], *counts]


def _billed(line: Billed) -> list[Any]:
    """What was not told cannot be known."""
    told = line.usage == "reported"
    counts = [getattr(line, name) if told else 0 for name in COUNTED]
    return [line.model, line.usage, *counts]
