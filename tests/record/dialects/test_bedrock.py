"""What Bedrock's protocols say of a call, on bodies of the shape that they have."""

import base64
import contextlib
import json
import struct
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialect, dialects
from agenttrace.record.wire.dialect import Asked, Reply
from agenttrace.record.wire.dialects import bedrock, eventstream
from agenttrace.testing.eventstream import event, exception, frame

CONVERSE = bedrock.Converse()
INVOKE = bedrock.Invoke()
CLAUDE = "us.anthropic.claude-sonnet-5-v1:0"
USAGE = {
    "inputTokens": 10,
    "outputTokens": 7,
    "totalTokens": 157,
    "cacheReadInputTokens": 100,
    "cacheWriteInputTokens": 40,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 10}, {"ttl": "1h", "inputTokens": 30}],
}
COUNTED = TokenUsage(
    input_tokens=150,
    output_tokens=7,
    cache_read_tokens=100,
    cache_write_tokens=40,
    cache_write_1h_tokens=30,
    state="reported",
)


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def conversation(*events: tuple[str, Any]) -> bytes:
    return b"".join(event(name, encoded(payload)) for name, payload in events)


def chunks(*payloads: Any) -> bytes:
    """A stream of what a vendor's model says."""
    return b"".join(
        event("chunk", encoded({"bytes": base64.b64encode(encoded(one)).decode(), "p": "abc"}))
        for one in payloads
    )


ARN = "arn:aws:bedrock:us-east-1:123456789012:"


@pytest.mark.parametrize(
    ("path", "kind", "asked"),
    [
        (f"/model/{CLAUDE}/converse", bedrock.Converse, Asked(CLAUDE)),
        (
            "/model/us.anthropic.claude-sonnet-5-v1%3A0/converse-stream",
            bedrock.Converse,
            Asked(CLAUDE, stream=True),
        ),
        (f"/model/{CLAUDE}/invoke", bedrock.Invoke, Asked(CLAUDE)),
        (
            f"/model/{CLAUDE}/invoke-with-response-stream",
            bedrock.Invoke,
            Asked(CLAUDE, stream=True),
        ),
        (
            f"/model/{ARN}inference-profile%2F{CLAUDE}/invoke",
            bedrock.Invoke,
            Asked(CLAUDE),
        ),
        (
            f"/model/{ARN.replace(':', '%3A')}provisioned-model%2Fabc/converse",
            bedrock.Converse,
            Asked("provisioned-model/abc"),
        ),
        (
            "/model/amazon.titan-embed-text-v2%3A0/invoke",
            bedrock.Embeddings,
            Asked("amazon.titan-embed-text-v2:0"),
        ),
        (
            "/model/cohere.rerank-v3-5:0/invoke",
            bedrock.Rerank,
            Asked("cohere.rerank-v3-5:0"),
        ),
        (
            "/model/amazon.nova-canvas-v1:0/invoke",
            bedrock.GenerateImages,
            Asked("amazon.nova-canvas-v1:0"),
        ),
    ],
)
def test_the_path_names_the_model_and_no_account(path: str, kind: type, asked: Asked) -> None:
    found = dialects.of("POST", path)
    assert type(found) is kind
    assert found.asked(path, b"{}") == asked
    assert found.is_call(path, b"{}")


@pytest.mark.parametrize(
    "path", [f"/model/{CLAUDE}/count-tokens", "/guardrail/g/version/1/apply", "/async-invoke"]
)
def test_what_no_model_works_on_is_no_call(path: str) -> None:
    assert dialects.of("POST", path) is None


@pytest.mark.parametrize(
    "host",
    ["bedrock-runtime.us-gov-west-1.amazonaws.com", "bedrock-mantle.us-gov-west-1.api.aws"],
)
def test_amazons_hosts_are_known(host: str) -> None:
    assert dialect.provider_of(host, "otherwise") == "aws.bedrock"
    assert dialect.region_of(host) == "us-gov-west-1"


def test_the_cache_is_counted_beside_the_input() -> None:
    body = {"output": {"message": {}}, "stopReason": "end_turn", "usage": USAGE}
    reply = CONVERSE.read_json(encoded(body))
    assert reply == Reply(counts=USAGE, finished=True)
    assert CONVERSE.usage(reply.counts) == COUNTED


def test_a_router_of_prompts_tells_which_model_it_has_asked() -> None:
    chosen = f"{ARN}inference-profile/{CLAUDE}"
    body = {"usage": USAGE, "trace": {"promptRouter": {"invokedModelId": chosen}}}
    assert CONVERSE.read_json(encoded(body)).model == CLAUDE


SPOKEN = conversation(
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "„Hi“"}, "p": "ab"}),
    ("contentBlockDelta", {"delta": {"reasoningContent": {"text": "Hm"}}}),
    ("contentBlockDelta", {"delta": {"toolUse": {"input": '{"q":1}'}}}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 5}}),
)


def test_a_conversations_stream_ends_with_its_counts() -> None:
    assert CONVERSE.begins_stream(SPOKEN)
    assert CONVERSE.read_events(SPOKEN) == Reply(counts=USAGE, finished=True)
    assert CONVERSE.text(SPOKEN) == '„Hi“Hm{"q":1}'


def test_an_exception_in_a_stream_is_known_by_its_type() -> None:
    broken = conversation(("messageStart", {})) + exception(
        "modelStreamErrorException", b'{"message": "secret"}'
    )
    assert CONVERSE.read_events(broken) == Reply(error="modelStreamErrorException")
    error = frame({":message-type": "error", ":error-code": "InternalFailure"}, b"")
    assert CONVERSE.read_events(error).error == "InternalFailure"
    assert INVOKE.read_events(error).error == "InternalFailure"


MESSAGE_USAGE = {
    "input_tokens": 10,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 40,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 30},
    "output_tokens": 7,
}
METRICS = {
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 10,
        "outputTokenCount": 7,
        "cacheReadInputTokenCount": 100,
        "cacheWriteInputTokenCount": 40,
        "invocationLatency": 900,
        "firstByteLatency": 300,
    }
}
MESSAGE = {"id": "msg_bdrk_1", "model": "claude-sonnet-5", "usage": MESSAGE_USAGE}


def test_anthropics_models_say_what_they_say_elsewhere() -> None:
    whole = INVOKE.read_json(encoded(MESSAGE))
    assert whole == Reply("msg_bdrk_1", "claude-sonnet-5", MESSAGE_USAGE, finished=True)
    assert INVOKE.usage(whole.counts) == COUNTED
    start = {**MESSAGE, "usage": {**MESSAGE_USAGE, "output_tokens": 1}}
    stream = chunks(
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 7}},
        {"type": "message_stop", **METRICS},
    )
    streamed = INVOKE.read_events(stream)
    assert (streamed.response_id, streamed.model) == ("msg_bdrk_1", "claude-sonnet-5")
    assert streamed.finished
    assert INVOKE.usage(streamed.counts) == COUNTED
    assert INVOKE.text(stream) == "Hi"


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (
            {"generation": "Hi", "prompt_token_count": 9, "generation_token_count": 4},
            TokenUsage(9, 4, state="reported"),
        ),
        (
            {"inputTextTokenCount": 9, "results": [{"tokenCount": 3}, {"tokenCount": 1}]},
            TokenUsage(9, 4, state="reported"),
        ),
        ({"inputTextTokenCount": 9, "results": [{}]}, TokenUsage(9, state="partial")),
        (
            {
                "usage": {
                    "inputTokens": 2,
                    "outputTokens": 4,
                    "cacheReadInputTokenCount": 6,
                    "cacheWriteInputTokenCount": 1,
                }
            },
            TokenUsage(9, 4, 6, 1, state="reported"),
        ),
        (
            {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
            TokenUsage(9, 4, state="reported"),
        ),
        ({"outputs": [{"text": "Hi"}]}, TokenUsage()),
        ({"usage": None, "results": "x", "generation_token_count": -1}, TokenUsage()),
    ],
    ids=["llama", "titan", "titan-unsaid", "nova", "openai", "mistral", "odd"],
)
def test_each_vendor_counts_in_its_own_words(body: Any, usage: TokenUsage) -> None:
    assert INVOKE.usage(INVOKE.read_json(encoded(body)).counts) == usage


@pytest.mark.parametrize(
    "piece",
    [
        {"generation": "four"},
        {"outputText": "four", "index": 0},
        {"text": "four", "is_finished": False},
        {"outputs": [{"text": "four", "stop_reason": None}]},
        {"contentBlockDelta": {"delta": {"text": "four"}, "contentBlockIndex": 0}},
        {"choices": [{"delta": {"content": "four"}}]},
    ],
    ids=["llama", "titan", "cohere", "mistral", "nova", "openai"],
)
def test_a_stream_of_any_vendor_ends_with_bedrocks_counts(piece: Any) -> None:
    stream = chunks(piece, METRICS)
    reply = INVOKE.read_events(stream)
    assert reply.finished
    assert INVOKE.usage(reply.counts) == TokenUsage(150, 7, 100, 40, state="reported")
    assert INVOKE.text(stream) == "four"


def test_novas_own_counts_come_before_bedrocks() -> None:
    usage = {"inputTokens": 9, "outputTokens": 4}
    reply = INVOKE.read_events(chunks({"metadata": {"usage": usage}}))
    assert (reply.counts, reply.finished) == (usage, False)


def test_the_headers_count_what_the_body_does_not() -> None:
    headers = {
        "x-amzn-requestid": "req-1",
        "x-amzn-bedrock-input-token-count": "9",
        "x-amzn-bedrock-output-token-count": "4",
        "x-amzn-bedrock-cache-read-input-token-count": "many",
    }
    assert set(headers) < set(INVOKE.headers)
    reply = INVOKE.read_headers(headers).then(INVOKE.read_json(b'{"outputs": []}'))
    assert reply.response_id == "req-1"
    assert INVOKE.usage(reply.counts) == TokenUsage(9, 4, state="reported")
    told = INVOKE.read_headers(headers).then(INVOKE.read_json(encoded(MESSAGE)))
    assert told.response_id == "msg_bdrk_1"
    assert INVOKE.usage(told.counts) == COUNTED


def test_embeddings_have_no_output() -> None:
    embed = bedrock.Embeddings()
    assert embed.operation == semconv.EMBEDDINGS
    titan = embed.read_json(encoded({"embedding": [0.1], "inputTextTokenCount": 9}))
    assert embed.usage(titan.counts) == TokenUsage(9, 0, state="reported")
    assert embed.usage({}) == TokenUsage()


def test_frames_are_read_as_far_as_they_go() -> None:
    for cut in range(len(SPOKEN)):
        whole = eventstream.whole(SPOKEN[:cut])
        assert whole <= cut
        parts = CONVERSE.read_events(SPOKEN[:whole]).then(CONVERSE.read_events(SPOKEN[whole:]))
        assert parts.counts == USAGE
        said = CONVERSE.text(SPOKEN[:whole]) + CONVERSE.text(SPOKEN[whole:])
        assert said == CONVERSE.text(SPOKEN)


def test_a_harmed_frame_is_left_out_and_a_harmed_length_ends_the_reading() -> None:
    first, second = event("a", b"1"), event("b", b"2")
    harmed = first[:-5] + b"9" + first[-4:]
    assert [one.payload for one in eventstream.frames(harmed + second)] == [b"2"]
    lengthened = b"\1" + first[1:]
    assert list(eventstream.frames(lengthened + second)) == []
    assert eventstream.whole(lengthened + second) == len(lengthened + second)
    assert not eventstream.begins(lengthened)


def framed(block: bytes, payload: bytes = b"") -> bytes:
    """A frame with *block* where its headers should be."""
    lengths = struct.pack(">II", len(block) + len(payload) + 16, len(block))
    message = lengths + struct.pack(">I", zlib.crc32(lengths)) + block + payload
    return message + struct.pack(">I", zlib.crc32(message))


def test_headers_of_every_type_are_passed_over() -> None:
    sizes = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    block = b"".join(b"\1x" + bytes([kind]) + b"\0" * size for kind, size in sizes.items())
    block += b"\1b" + b"\6" + struct.pack(">H", 3) + b"\xff\xff\xff"
    block += b"\1t" + b"\7" + struct.pack(">H", 2) + b"ok"
    assert list(eventstream.frames(framed(block))) == [eventstream.Frame({"t": "ok"}, b"")]


READERS = (CONVERSE, INVOKE, bedrock.Embeddings())


def assert_plausible(usage: TokenUsage) -> None:
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_write_1h_tokens)
    assert all(count is None or 0 <= count < 10**13 for count in counts)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_no_bytes_make_it_fail_or_count_what_cannot_be(noise: bytes, cut: int) -> None:
    stream = SPOKEN + chunks(MESSAGE, METRICS)
    odd = framed(noise) + event("chunk", noise) + event("metadata", noise)
    for data in (noise, stream[:cut], stream[:cut] + noise, odd, stream[cut:]):
        assert 0 <= eventstream.whole(data) <= len(data)
        for reader in READERS:
            assert_plausible(reader.usage(reader.read_events(data).counts))
            assert isinstance(reader.text(data), str)
            with contextlib.suppress(msgspec.MsgspecError, UnicodeError):
                assert_plausible(reader.usage(reader.read_json(data).counts))


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*USAGE, *MESSAGE_USAGE, "prompt_tokens"]), ODD))
def test_no_odd_value_makes_it_count_what_cannot_be(counts: dict[str, Any]) -> None:
    for reader in READERS:
        assert_plausible(reader.usage(counts))
