import json
from typing import Any

import anthropic
import pytest

from agenttrace.testing import Failure, ModelProvider, Reply, ToolCall, count_tokens

boto3 = pytest.importorskip("boto3")
from botocore.config import Config  # noqa: E402
from botocore.exceptions import ClientError, EventStreamError  # noqa: E402

CLAUDE = "us.anthropic.claude-sonnet-5-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello there"}]}]
INPUT = count_tokens("user: Hello there\n")
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def client(provider: ModelProvider):
    made = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=provider.bedrock_endpoint_url,
        config=Config(retries={"total_max_attempts": 1}),
        **CREDENTIALS,
    )
    yield made
    made.close()


def test_a_conversation_is_counted_and_billed_as_it_is_reported(provider, client):
    call = ToolCall("search", {"q": "x"})
    provider.script(Reply("Good morning.", thinking="Hm, hm.", tool_calls=[call]))
    spec = {"name": "search", "inputSchema": {"json": {"type": "object"}}}
    answer = client.converse(
        modelId=CLAUDE,
        messages=HELLO,
        system=[{"text": "Be terse."}],
        toolConfig={"tools": [{"toolSpec": spec}]},
    )
    thought, text, use = answer["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == "Hm, hm."
    assert text["text"] == "Good morning."
    assert use["toolUse"]["input"] == {"q": "x"}
    assert answer["stopReason"] == "tool_use"
    (billed,) = provider.ledger
    assert (billed.provider, billed.model) == ("aws.bedrock", CLAUDE)
    assert answer["usage"]["inputTokens"] == billed.input_tokens
    assert answer["usage"]["outputTokens"] == billed.output_tokens
    assert provider.requests[0].system == "Be terse."
    assert provider.requests[0].tools == {"search": {"type": "object"}}


def test_a_stream_ends_with_its_usage(provider, client):
    provider.script(Reply("One two.", tool_calls=[ToolCall("search", {"q": "x"})]))
    events = list(client.converse_stream(modelId=CLAUDE, messages=HELLO)["stream"])
    deltas = [one["contentBlockDelta"]["delta"] for one in events if "contentBlockDelta" in one]
    assert "".join(delta.get("text", "") for delta in deltas) == "One two."
    assert json.loads("".join(one["toolUse"]["input"] for one in deltas if "toolUse" in one)) == {
        "q": "x"
    }
    assert events[-1]["metadata"]["usage"]["inputTokens"] == INPUT
    assert events[-1]["metadata"]["usage"]["outputTokens"] == provider.ledger[0].output_tokens


def test_what_is_marked_is_cached(provider, client):
    system: list[Any] = [{"text": "x" * 6000}, {"cachePoint": {"type": "default", "ttl": "1h"}}]
    first, second = (
        client.converse(modelId=CLAUDE, messages=HELLO, system=system)["usage"] for _ in range(2)
    )
    kept = count_tokens("system: " + "x" * 6000 + "\n")
    assert (first["cacheWriteInputTokens"], first["cacheReadInputTokens"]) == (kept, 0)
    assert first["cacheDetails"] == [{"ttl": "1h", "inputTokens": kept}]
    assert (second["cacheWriteInputTokens"], second["cacheReadInputTokens"]) == (0, kept)
    whole = count_tokens("system: " + "x" * 6000 + "\nuser: Hello there\n")
    assert first["inputTokens"] == second["inputTokens"] == whole - kept


def test_each_vendors_model_speaks_its_own_protocol(provider, client):
    provider.script("One two.", times=4)
    messages = {"anthropic_version": "x", "max_tokens": 9, "messages": HELLO_CLAUDE}
    claude = client.invoke_model(modelId=CLAUDE, body=json.dumps(messages))
    assert json.loads(claude["body"].read())["content"] == [{"type": "text", "text": "One two."}]
    told = claude["ResponseMetadata"]["HTTPHeaders"]
    assert told["x-amzn-bedrock-input-token-count"] == str(INPUT)
    streamed = client.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(messages))
    chunks = [json.loads(one["chunk"]["bytes"]) for one in streamed["body"]]
    assert [one["type"] for one in chunks][-2:] == ["message_delta", "message_stop"]
    assert chunks[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] == 2
    prompt = json.dumps({"prompt": "Hello there"})
    llama = client.invoke_model(modelId="meta.llama4-v1:0", body=prompt)
    assert json.loads(llama["body"].read())["prompt_token_count"] == 3
    streamed = client.invoke_model_with_response_stream(modelId="meta.llama4-v1:0", body=prompt)
    pieces = [json.loads(one["chunk"]["bytes"])["generation"] for one in streamed["body"]]
    assert pieces == ["One ", "two.", ""]
    text = json.dumps({"inputText": "Hello there"})
    titan = client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=text)
    assert json.loads(titan["body"].read())["inputTextTokenCount"] == 3


HELLO_CLAUDE: Any = [{"role": "user", "content": "Hello there"}]


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_client_for_bedrock_is_answered(provider, stream):
    provider.script("One two.")
    with anthropic.AnthropicBedrock(
        base_url=provider.bedrock_endpoint_url,
        aws_access_key="test",
        aws_secret_key="test",
        aws_region="us-east-1",
    ) as client:
        answer = client.messages.create(
            model=CLAUDE, max_tokens=9, messages=HELLO_CLAUDE, stream=stream
        )
        if stream:
            assert [event.type for event in answer][-1] == "message_stop"
        else:
            assert answer.content[0].text == "One two."
    assert provider.ledger[0].output_tokens == 2


def test_counting_tokens_is_no_work(provider, client):
    counted = client.count_tokens(modelId=CLAUDE, input={"converse": {"messages": HELLO}})
    assert counted["inputTokens"] == INPUT
    assert provider.ledger == ()


def test_failures_are_spelt_as_bedrock_does(provider, client):
    provider.script(Failure(429), Failure(503, after=1, work="One two."))
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=CLAUDE, messages=HELLO)
    stream = client.converse_stream(modelId=CLAUDE, messages=HELLO)["stream"]
    with pytest.raises(EventStreamError) as broken:
        list(stream)
    assert broken.value.response["Error"]["Code"] == "serviceUnavailableException"
    stream.close()
    with pytest.raises(ClientError) as refused:
        client.converse(modelId=CLAUDE, messages=[])
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert [billed.outcome for billed in provider.ledger] == ["failed"]


def test_a_tool_that_must_be_called_is_called_and_its_result_read(provider, client):
    spec = {"name": "search", "inputSchema": {"json": {"type": "object"}}}
    tools = {"tools": [{"toolSpec": spec}]}
    for choice in ({"any": {}}, {"tool": {"name": "search"}}):
        answer = client.converse(
            modelId=CLAUDE, messages=HELLO, toolConfig={**tools, "toolChoice": choice}
        )
        use = answer["output"]["message"]["content"][0]["toolUse"]
        assert use["name"] == "search"
    result = {"toolUseId": use["toolUseId"], "content": [{"text": "found"}, {"json": {"n": 1}}]}
    said = {"role": "assistant", "content": [{"text": "I look."}, {"toolUse": use}]}
    told = {"role": "user", "content": [{"toolResult": result}]}
    picture = {"image": {"format": "png", "source": {"bytes": b"x"}}}
    client.converse(
        modelId=CLAUDE,
        messages=[{"role": "user", "content": [{"text": "Go"}, picture]}, said, told],
        toolConfig=tools,
        inferenceConfig={"maxTokens": 5},
    )
    asked = provider.requests[-1]
    assert asked.tool_results == ('found\n{"json":{"n":1}}',)
    assert [(one.role, one.text) for one in asked.messages[:4]] == [
        ("user", "Go"),
        ("user", "[image]"),
        ("assistant", "I look."),
        ("assistant", "search({})"),
    ]
