"""The meter under Google's SDK: each attempt once, and its tokens as the provider billed them."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import pytest

from agenttrace.testing import Failure, ModelProvider, Reply, Tokens, ToolCall

genai = pytest.importorskip("google.genai")
from google.genai import errors, types  # noqa: E402

Records = Callable[[], list[dict[str, Any]]]

pytestmark = [
    pytest.mark.usefixtures("recording"),
    # The SDK subclasses aiohttp's session where aiohttp is installed.
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
]

MODEL = "gemini-2.5-flash"
THINKING = Reply("It is seven.", thinking="Let me count to seven. " * 20)


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[Any]:
    options = types.HttpOptions(base_url=provider.gemini_base_url)
    with genai.Client(api_key="test", http_options=options) as made:
        yield made


@pytest.mark.parametrize("stream", [False, True])
def test_content_is_counted_as_billed(
    client: Any, provider: ModelProvider, assert_as_billed: Records, stream: bool
) -> None:
    provider.script(THINKING, Reply(tool_calls=[ToolCall("search", {"q": "x"})]))
    for _ in range(2):
        if stream:
            list(client.models.generate_content_stream(model=MODEL, contents="word " * 3000))
        else:
            client.models.generate_content(model=MODEL, contents="word " * 3000)
    records = assert_as_billed()
    assert records[1]["attributes"]["gen_ai.usage.cache_read.input_tokens"] > 0
    assert records[0]["attributes"]["gen_ai.usage.reasoning.output_tokens"] > 0
    for record, entry in zip(records, provider.ledger, strict=True):
        attributes = record["attributes"]
        assert attributes["gen_ai.operation.name"] == "generate_content"
        assert attributes["gen_ai.provider.name"] == "gcp.gemini"
        assert attributes["gen_ai.request.model"] == MODEL
        assert attributes["gen_ai.response.id"] == entry.response_id
        assert attributes["agenttrace.outcome"] == "complete"
        assert attributes.get("gen_ai.request.stream", False) is stream


@pytest.mark.parametrize("stream", [False, True])
def test_interactions_are_counted_as_billed(
    client: Any, provider: ModelProvider, assert_as_billed: Records, stream: bool
) -> None:
    provider.script(THINKING)
    for _ in range(2):
        made = client.interactions.create(model=MODEL, input="word " * 3000, stream=stream)
        if stream:
            list(made)
    records = assert_as_billed()
    assert records[1]["attributes"]["gen_ai.usage.cache_read.input_tokens"] > 0
    assert records[0]["attributes"]["gen_ai.response.id"] == provider.ledger[0].response_id


def test_async_content_is_counted_as_billed(
    client: Any, provider: ModelProvider, assert_as_billed: Records
) -> None:
    async def ask() -> None:
        await client.aio.models.generate_content(model=MODEL, contents="Hi")
        stream = await client.aio.models.generate_content_stream(model=MODEL, contents="Hi")
        assert [chunk async for chunk in stream]
        await client.aio.aclose()

    asyncio.run(ask())
    assert_as_billed()
    assert len(provider.ledger) == 2


def test_the_array_that_grows_is_counted_as_billed(
    provider: ModelProvider, assert_as_billed: Records
) -> None:
    provider.script(THINKING)
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    httpx.post(f"{provider.url}/v1/models/{MODEL}:streamGenerateContent", json=body)
    assert assert_as_billed()[0]["attributes"]["gen_ai.request.stream"] is True


def test_a_cache_is_counted_where_it_is_written_and_where_it_is_read(
    client: Any, provider: ModelProvider, assert_as_billed: Records
) -> None:
    kept = types.CreateCachedContentConfig(contents="word " * 3000)
    cache = client.caches.create(model=MODEL, config=kept)
    config = types.GenerateContentConfig(cached_content=cache.name)
    client.models.generate_content(model=MODEL, contents="Go", config=config)
    records = assert_as_billed()
    assert [record["attributes"]["gen_ai.operation.name"] for record in records] == [
        "create_cache",
        "generate_content",
    ]
    assert records[0]["attributes"]["agenttrace.role"] == "other"


def test_embeddings_are_counted_and_counting_is_no_call(
    client: Any, provider: ModelProvider, assert_as_billed: Records
) -> None:
    client.models.count_tokens(model=MODEL, contents="Hello")
    client.models.embed_content(model="gemini-embedding-001", contents=["one", "two"])
    assert assert_as_billed()[0]["attributes"]["agenttrace.role"] == "embedding"


def test_vertex_is_known_by_the_path_and_so_is_its_region(
    provider: ModelProvider, assert_as_billed: Records
) -> None:
    place = f"{provider.url}/v1/projects/p/locations/europe-west4/publishers/google/models"
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    httpx.post(f"{place}/gemini-2.5-pro:generateContent", json=body)
    instances = {"instances": [{"content": "one"}, {"content": "three words here"}]}
    httpx.post(f"{place}/text-embedding-005:predict", json=instances)
    records = assert_as_billed()
    for record in records:
        assert record["attributes"]["gen_ai.provider.name"] == "gcp.vertex_ai"
        assert record["attributes"]["cloud.region"] == "europe-west4"


@pytest.mark.parametrize("stream", [False, True])
def test_claude_at_vertex_is_counted_as_billed(
    provider: ModelProvider, assert_as_billed: Records, stream: bool
) -> None:
    provider.script(THINKING)
    with anthropic.AnthropicVertex(
        region="us-east5", project_id="p", access_token="test", base_url=f"{provider.url}/v1"
    ) as client:
        made: Any = client.messages.create(
            model="claude-sonnet-5@20270101",
            max_tokens=1000,
            messages=[{"role": "user", "content": "Hi"}],
            stream=stream,
        )
        if stream:
            list(made)
    records = assert_as_billed()
    assert records[0]["attributes"]["gen_ai.provider.name"] == "gcp.vertex_ai"
    assert records[0]["attributes"]["gen_ai.request.model"] == "claude-sonnet-5@20270101"
    assert records[0]["attributes"]["cloud.region"] == "us-east5"


def test_a_stream_that_is_left_is_estimated(
    client: Any, provider: ModelProvider, spooled: Records
) -> None:
    provider.script(Reply("word " * 50, stall_after=20))
    stream = client.models.generate_content_stream(model=MODEL, contents="Say it")
    for _, _ in zip(range(20), stream, strict=False):
        pass
    stream.close()
    (record,) = spooled()
    attributes = record["attributes"]
    assert attributes["agenttrace.usage"] == "estimated"
    assert attributes["agenttrace.outcome"] == "abandoned"
    assert attributes["gen_ai.usage.input_tokens"] == provider.ledger[0].input_tokens
    assert attributes["gen_ai.usage.output_tokens"] > 0


def test_attempts_and_failures_are_told_apart(
    client: Any, provider: ModelProvider, spooled: Records
) -> None:
    provider.script(Failure(503, work="Never delivered."), Failure(503, after=1, work="One two."))
    with pytest.raises(errors.ServerError):
        client.models.generate_content(model=MODEL, contents="Hi")
    with pytest.raises(errors.APIError):
        list(client.models.generate_content_stream(model=MODEL, contents="Hi"))
    first, second = spooled()
    assert first["attributes"]["error.type"] == "503"
    assert second["attributes"]["error.type"] == "UNAVAILABLE"
    assert second["attributes"]["agenttrace.outcome"] == "incomplete"


def test_what_is_not_said_is_not_made_up(
    client: Any, provider: ModelProvider, spooled: Records
) -> None:
    provider.script(Reply("Hi", usage="missing"), Reply("Hi", usage="null"))
    for _ in range(2):
        client.models.generate_content(model=MODEL, contents="Hi")
    for record in spooled():
        assert record["attributes"]["agenttrace.usage"] == "missing"
        assert "gen_ai.usage.input_tokens" not in record["attributes"]


def test_tokens_that_are_said_outright_arrive(
    client: Any, provider: ModelProvider, assert_as_billed: Records
) -> None:
    tokens = Tokens(input_tokens=90_000, output_tokens=70, reasoning_tokens=30)
    provider.script(Reply("Hi", tokens=tokens))
    client.models.generate_content(model=MODEL, contents="Hi")
    assert_as_billed()
