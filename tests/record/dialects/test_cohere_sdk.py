"""The meter under Cohere's SDK: each attempt once, and its tokens as the provider billed them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agenttrace.testing import Billed, Failure, ModelProvider, Reply

cohere = pytest.importorskip("cohere")

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

HELLO = [{"role": "user", "content": "word " * 3000}]
COUNTED = (
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "cache_read_tokens"),
)


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[Any]:
    with cohere.ClientV2(api_key="test", base_url=provider.cohere_base_url) as made:
        yield made


def counted(record: dict[str, Any]) -> dict[str, int]:
    return {name: record["attributes"].get(key, 0) for key, name in COUNTED}


def billed(entry: Billed) -> dict[str, int]:
    return {name: getattr(entry, name) for _, name in COUNTED}


def assert_equal_to_the_ledger(records: list[dict[str, Any]], provider: ModelProvider) -> None:
    assert [counted(record) for record in records] == [billed(entry) for entry in provider.ledger]
    assert {record["attributes"]["agenttrace.usage"] for record in records} == {"reported"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_is_counted_as_billed(
    client: Any, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    for _ in range(2):
        if stream:
            list(client.chat_stream(model="command-a", messages=HELLO))
        else:
            client.chat(model="command-a", messages=HELLO)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert counted(records[1])["cache_read_tokens"] > 0
    attributes = records[0]["attributes"]
    assert attributes["gen_ai.provider.name"] == "cohere"
    assert attributes["gen_ai.request.model"] == "command-a"
    assert attributes["gen_ai.response.id"] == provider.ledger[0].response_id


@pytest.mark.parametrize("stream", [False, True])
def test_version_1_is_counted_as_billed(
    provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    with cohere.Client(api_key="test", base_url=provider.cohere_base_url) as client:
        if stream:
            list(client.chat_stream(model="command-r", message="Hello"))
        else:
            client.chat(model="command-r", message="Hello")
    assert_equal_to_the_ledger(spooled(), provider)
    assert spooled()[0]["attributes"].get("gen_ai.request.stream", False) is stream


def test_embeddings_are_counted_and_rankings_are_seen(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    client.embed(
        model="embed-v4.0",
        input_type="search_document",
        embedding_types=["float"],
        texts=["one", "two"],
    )
    client.rerank(model="rerank-v3.5", query="one", documents=["one", "two"])
    embedded, ranked = spooled()
    assert counted(embedded) == billed(provider.ledger[0])
    assert embedded["attributes"]["agenttrace.role"] == "embedding"
    assert ranked["attributes"]["agenttrace.role"] == "rerank"
    assert ranked["attributes"]["gen_ai.operation.name"] == "rerank"
    assert ranked["attributes"]["agenttrace.usage"] == "missing"


def test_a_failure_in_a_stream_is_kept_without_its_text(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(500, after=1, work="One two.", message="secret"))
    list(client.chat_stream(model="command-a", messages=HELLO))
    (record,) = spooled()
    assert record["attributes"]["error.type"] == "ERROR"
    assert "secret" not in str(record)


def test_attempts_follow_one_another(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(503, work="Never delivered."), Reply("Hi"))
    client.chat(model="command-a", messages=HELLO)
    first, second = (record["attributes"] for record in spooled())
    assert first["error.type"] == "503"
    assert first["agenttrace.operation.id"] == second["agenttrace.operation.id"]
    assert second["agenttrace.attempt"] == 2
