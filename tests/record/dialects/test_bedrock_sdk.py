"""The meter under boto3 and Anthropic's client for Bedrock: each attempt once, as it was billed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest

from agenttrace.testing import Billed, Failure, ModelProvider, Reply, ToolCall

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError, EventStreamError  # noqa: E402

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

CLAUDE = "us.anthropic.claude-sonnet-5-v1:0"
THINKING = Reply("It is seven.", thinking="Let me count to seven. " * 20)
COUNTED = (
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "cache_read_tokens"),
    ("gen_ai.usage.cache_write.input_tokens", "cache_write_tokens"),
    ("agenttrace.usage.cache_write_1h.input_tokens", "cache_write_1h_tokens"),
)


@pytest.fixture
def connect(provider: ModelProvider) -> Iterator[Callable[..., Any]]:
    """Return what makes clients of boto3."""
    made: list[Any] = []

    def connected(attempts: int = 1) -> Any:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=provider.bedrock_endpoint_url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )
        made.append(client)
        return client

    yield connected
    for client in made:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Any]) -> Any:
    return connect()


def counted(record: dict[str, Any]) -> dict[str, int]:
    return {name: record["attributes"].get(key, 0) for key, name in COUNTED}


def billed(entry: Billed) -> dict[str, int]:
    return {name: getattr(entry, name) for _, name in COUNTED}


def assert_equal_to_the_ledger(records: list[dict[str, Any]], provider: ModelProvider) -> None:
    assert [counted(record) for record in records] == [billed(entry) for entry in provider.ledger]
    assert {record["attributes"]["agenttrace.usage"] for record in records} == {"reported"}


HELLO: Any = [{"role": "user", "content": [{"text": "Hello there"}]}]
MARKED: Any = [{"text": "rule " * 3000}, {"cachePoint": {"type": "default", "ttl": "1h"}}]


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_is_counted_as_billed(
    client: Any, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    provider.script(THINKING, Reply(tool_calls=[ToolCall("search", {"q": "x"})]))
    for _ in range(2):
        if stream:
            list(client.converse_stream(modelId=CLAUDE, messages=HELLO, system=MARKED)["stream"])
        else:
            client.converse(modelId=CLAUDE, messages=HELLO, system=MARKED)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert counted(records[0])["cache_write_1h_tokens"] > 0
    assert counted(records[1])["cache_read_tokens"] > 0
    for number, record in enumerate(records, 1):
        attributes = record["attributes"]
        assert attributes["gen_ai.provider.name"] == "aws.bedrock"
        assert attributes["gen_ai.request.model"] == CLAUDE
        assert attributes["gen_ai.response.id"] == f"req_{number:06d}"
        assert attributes["agenttrace.outcome"] == "complete"
        assert attributes.get("gen_ai.request.stream", False) is stream


def test_each_vendors_model_is_counted_as_billed(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    messages = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello there"}],
    }
    for model, body in ((CLAUDE, messages), ("meta.llama4-v1:0", {"prompt": "Hello there"})):
        asked = {"modelId": model, "body": json.dumps(body)}
        client.invoke_model(**asked)["body"].read()
        list(client.invoke_model_with_response_stream(**asked)["body"])
    text = json.dumps({"inputText": "Hello there"})
    client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=text)["body"].read()
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert [record["attributes"]["gen_ai.operation.name"] for record in records] == [
        *["chat"] * 4,
        "embeddings",
    ]


def test_what_only_the_headers_tell_is_counted(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    told = {"x-amzn-bedrock-input-token-count": "9", "x-amzn-bedrock-output-token-count": "4"}
    provider.script(Reply(body='{"outputs": [{"text": "Hi"}]}', headers=told))
    body = json.dumps({"prompt": "Hello there"})
    client.invoke_model(modelId="mistral.mistral-7b", body=body)["body"].read()
    (record,) = spooled()
    assert record["attributes"]["agenttrace.usage"] == "reported"
    assert (counted(record)["input_tokens"], counted(record)["output_tokens"]) == (9, 4)


def test_counting_tokens_is_no_call(client: Any, provider: ModelProvider, spooled: Spooled) -> None:
    client.count_tokens(modelId=CLAUDE, input={"converse": {"messages": HELLO}})
    assert spooled() == []


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_client_is_counted_as_billed(
    provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    provider.script(THINKING, Reply(tool_calls=[ToolCall("search", {"q": "x"})]))
    cached: Any = [{"type": "text", "text": "rule " * 3000, "cache_control": {"type": "ephemeral"}}]
    with anthropic.AnthropicBedrock(
        base_url=provider.bedrock_endpoint_url,
        aws_access_key="test",
        aws_secret_key="test",
        aws_region="us-east-1",
    ) as client:
        for _ in range(2):
            made: Any = client.messages.create(
                model=f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{CLAUDE}",
                max_tokens=1000,
                system=cached,
                messages=[{"role": "user", "content": "Hi"}],
                stream=stream,
            )
            if stream:
                list(made)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert counted(records[0])["cache_write_tokens"] > 0
    assert counted(records[1])["cache_read_tokens"] > 0
    for record, entry in zip(records, provider.ledger, strict=True):
        assert record["attributes"]["gen_ai.provider.name"] == "aws.bedrock"
        assert record["attributes"]["gen_ai.request.model"] == CLAUDE
        assert record["attributes"]["gen_ai.response.id"] == entry.response_id
        assert "123456789012" not in str(record["attributes"]["gen_ai.request.model"])


def test_attempts_of_boto_follow_one_another(
    connect: Callable[..., Any], provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(503, work="Never delivered."), Reply("Hi"))
    connect(attempts=2).converse(modelId=CLAUDE, messages=HELLO)
    first, second = (record["attributes"] for record in spooled())
    assert first["error.type"] == "503"
    assert first["agenttrace.operation.id"] == second["agenttrace.operation.id"]
    assert (first["agenttrace.attempt"], second["agenttrace.attempt"]) == (1, 2)


def test_a_failure_in_a_stream_is_known_by_its_type(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(503, after=1, work="One two.", message="secret"), Failure(429))
    stream = client.converse_stream(modelId=CLAUDE, messages=HELLO)["stream"]
    with pytest.raises(EventStreamError):
        list(stream)
    stream.close()
    with pytest.raises(ClientError):
        client.converse(modelId=CLAUDE, messages=HELLO)
    broken, refused = spooled()
    assert broken["attributes"]["error.type"] == "serviceUnavailableException"
    assert broken["attributes"]["agenttrace.usage"] == "estimated"
    assert refused["attributes"]["error.type"] == "429"
    assert "secret" not in str(broken)


def test_a_stream_that_is_left_is_estimated(
    client: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("word " * 50, stall_after=20))
    stream = client.converse_stream(modelId=CLAUDE, messages=HELLO)["stream"]
    for _, _ in zip(range(21), stream, strict=False):
        pass
    stream.close()
    (record,) = spooled()
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert record["attributes"]["agenttrace.outcome"] == "abandoned"
    assert record["attributes"]["gen_ai.usage.output_tokens"] > 0
