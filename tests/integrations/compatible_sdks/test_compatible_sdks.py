"""The SDKs of providers that speak OpenAI's protocols, those of them that are installed."""

from collections.abc import Callable
from typing import Any

import pytest

from agenttrace.testing import ModelProvider

Calls = Callable[[], list[str]]

pytestmark = pytest.mark.usefixtures("recording")

HELLO: Any = [{"role": "user", "content": "hello"}]
USAGE: Any = {"stream_options": {"include_usage": True}}


def groq(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("groq")
    with sdk.Groq(base_url=provider.url, api_key="test") as client:
        ask = client.chat.completions.create
        ask(model="llama", messages=HELLO)
        list(ask(model="llama", messages=HELLO, stream=True, extra_body=USAGE))
        client.embeddings.create(model="nomic", input="hello")


def together(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("together")
    with sdk.Together(base_url=provider.url, api_key="test") as client:
        ask = client.chat.completions.create
        ask(model="llama", messages=HELLO)
        list(ask(model="llama", messages=HELLO, stream=True, extra_body=USAGE))
        client.completions.create(model="llama", prompt="hello")


def fireworks(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("fireworks")
    with sdk.Fireworks(base_url=provider.url, api_key="test") as client:
        client.chat.completions.create(model="llama", messages=HELLO)
        client.completions.create(model="llama", prompt="hello")


def mistral(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("mistralai.client")
    with sdk.Mistral(server_url=provider.url, api_key="test") as client:
        client.chat.complete(model="mistral", messages=HELLO)


def openrouter(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("openrouter")
    with sdk.OpenRouter(server_url=provider.openai_base_url, api_key="test") as client:
        client.chat.send(model="llama", messages=HELLO)


def perplexity(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("perplexity")
    with sdk.Perplexity(base_url=provider.openai_base_url, api_key="test") as client:
        client.chat.completions.create(model="sonar", messages=HELLO)


def cerebras(provider: ModelProvider) -> None:
    sdk = pytest.importorskip("cerebras.cloud.sdk")
    quiet = {"warm_tcp_connection": False}
    with sdk.Cerebras(base_url=provider.url, api_key="test", **quiet) as client:
        client.chat.completions.create(model="llama", messages=HELLO)


@pytest.mark.parametrize(
    "use", [groq, together, fireworks, mistral, openrouter, perplexity, cerebras]
)
def test_what_another_sdk_asks_is_counted_as_billed(
    use: Callable[[ModelProvider], None], provider: ModelProvider, calls: Calls
) -> None:
    use(provider)
    assert len(calls()) == len(provider.ledger) > 0
