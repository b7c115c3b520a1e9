"""What Cohere's protocols say of a call, on bodies of the shape that they have."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Reply
from agenttrace.record.wire.dialects import cohere

CHAT = cohere.Chat()
CHAT_V1 = cohere.ChatV1()
RERANK = cohere.Rerank()
USAGE = {
    "billed_units": {"input_tokens": 5, "output_tokens": 22},
    "tokens": {"input_tokens": 71.0, "output_tokens": 24.0},
    "cached_tokens": 16,
}
COUNTED = TokenUsage(71, 24, cache_read_tokens=16, state="reported")


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def events(*payloads: Any) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), encoded(one)) for one in payloads
    )


def lines(*payloads: Any) -> bytes:
    return b"".join(encoded(one) + b"\n" for one in payloads)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/v2/chat", b'{"model": "command-a", "messages": []}', cohere.Chat),
        ("/v1/chat", b'{"model": "command-r", "message": "Hi"}', cohere.ChatV1),
        ("/v1/generate", b'{"model": "command", "prompt": "Hi"}', cohere.Generate),
        ("/v2/embed", b'{"model": "embed-v4.0", "texts": []}', cohere.Embeddings),
        ("/v2/rerank", b'{"model": "r", "query": "q", "documents": []}', cohere.Rerank),
        ("/rerank", b'{"query": "q", "texts": []}', cohere.Rerank),
        ("/v1/classify", b'{"inputs": [], "examples": []}', cohere.Classify),
    ],
)
def test_a_call_is_known_by_its_path_and_its_body(path: str, body: bytes, kind: type) -> None:
    found = dialects.of("POST", path)
    assert type(found) is kind
    assert found.is_call(path, body)
    assert not found.is_call(path, b'{"model": "x", "text": "of another service"}') or (
        kind is cohere.Embeddings
    )
    assert not found.is_call(path, None)


@pytest.mark.parametrize("path", ["/v1/tokenize", "/v1/detokenize", "/v1/check-api-key"])
def test_what_no_model_works_on_is_no_call(path: str) -> None:
    assert dialects.of("POST", path) is None


def test_what_was_worked_on_counts_and_not_what_is_charged_for() -> None:
    reply = CHAT.read_json(encoded({"id": "c1", "finish_reason": "COMPLETE", "usage": USAGE}))
    assert reply == Reply("c1", counts=USAGE, finished=True)
    assert CHAT.usage(reply.counts) == COUNTED
    charged = {"billed_units": {"input_tokens": 5, "output_tokens": 22}}
    assert CHAT.usage(charged) == TokenUsage(5, 22, state="reported")


def test_a_stream_ends_with_its_counts() -> None:
    tool = {"function": {"name": "find", "arguments": "{}"}}
    stream = events(
        {"id": "c1", "type": "message-start", "delta": {"message": {"role": "assistant"}}},
        {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "Hm"}}},
        {"type": "content-delta", "delta": {"message": {"content": {"text": "four"}}}},
        {"type": "tool-call-start", "delta": {"message": {"tool_calls": tool}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": USAGE}},
    )
    assert CHAT.read_events(stream) == Reply("c1", counts=USAGE, finished=True)
    assert CHAT.text(stream) == "Hmfourfind{}"
    assert not CHAT.read_events(stream[:-20]).finished


def test_an_error_in_a_stream_is_known_by_its_reason() -> None:
    failed = events({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "secret"}})
    assert CHAT.read_events(failed).error == "ERROR"
    limit = lines({"is_finished": True, "finish_reason": "ERROR_LIMIT", "response": {}})
    assert CHAT_V1.read_events(limit).error == "ERROR_LIMIT"


def test_version_1_streams_lines_and_repeats_itself_in_the_last() -> None:
    answer = {"response_id": "r1", "generation_id": "g1", "text": "four", "meta": USAGE}
    said = Reply("r1", counts=USAGE, finished=True)
    assert CHAT_V1.read_json(encoded(answer)) == said
    pieces: list[Any] = [
        {"is_finished": False, "event_type": "stream-start", "generation_id": "g1"},
        {"is_finished": False, "event_type": "text-generation", "text": "four"},
        {"is_finished": True, "event_type": "stream-end", "response": answer},
    ]
    stream = lines(*pieces)
    assert CHAT_V1.begins_stream(stream)
    assert CHAT_V1.read_events(stream) == said
    assert CHAT_V1.text(stream) == "four"
    assert CHAT_V1.read_events(lines(*pieces[:2])) == Reply()
    sent_as_events = b"".join(b"data: " + encoded(one) + b"\n\n" for one in pieces)
    assert CHAT_V1.read_events(sent_as_events) == said


def test_embeddings_have_no_output() -> None:
    embed = cohere.Embeddings()
    reply = embed.read_json(encoded({"id": "e1", "meta": {"billed_units": {"input_tokens": 9}}}))
    assert reply.response_id == "e1"
    assert embed.usage(reply.counts) == TokenUsage(9, 0, state="reported")
    units = {"images": 1, "image_tokens": 700, "text_tokens": 0}
    pictures = embed.read_json(encoded({"meta": {"billed_units": units}}))
    assert embed.usage(pictures.counts) == TokenUsage(700, 0, state="reported")
    assert pictures.said == {semconv.INPUT_IMAGE_TOKENS: 700}
    nothing = {"billed_units": {"text_tokens": 0, "image_tokens": 0}}
    assert embed.usage(nothing) == TokenUsage(0, 0, state="reported")  # It was said.
    assert embed.usage({}) == TokenUsage()


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"id": "k1", "meta": {"billed_units": {"search_units": 1}}}, TokenUsage()),
        ({"model": "rerank-2", "usage": {"total_tokens": 26}}, TokenUsage(26, 0, state="reported")),
        (
            {"model": "jina-reranker-v2", "usage": {"prompt_tokens": 26, "total_tokens": 26}},
            TokenUsage(26, 0, state="reported"),
        ),
        ([{"index": 0, "score": 0.9}], None),
    ],
    ids=["cohere", "voyage", "jina", "text-embeddings-inference"],
)
def test_reranking_is_counted_by_those_who_count_it(body: Any, usage: TokenUsage | None) -> None:
    assert RERANK.operation == semconv.RERANK
    if usage is None:
        with pytest.raises(msgspec.MsgspecError):
            RERANK.read_json(encoded(body))
    else:
        assert RERANK.usage(RERANK.read_json(encoded(body)).counts) == usage


READERS = (CHAT, CHAT_V1, cohere.Embeddings(), RERANK)


def assert_plausible(usage: TokenUsage) -> None:
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    assert all(count is None or 0 <= count < 10**13 for count in counts)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 900))
def test_no_bytes_make_it_fail_or_count_what_cannot_be(noise: bytes, cut: int) -> None:
    end = {"finish_reason": "COMPLETE", "usage": USAGE}
    stream = events({"type": "content-delta"}, {"type": "message-end", "delta": end})
    stream += lines({"text": "„Hi“"}, {"is_finished": True, "response": {"meta": USAGE}})
    for data in (noise, stream[:cut], stream[:cut] + noise, stream[cut:]):
        for reader in READERS:
            assert 0 <= reader.whole(data) <= len(data)
            assert_plausible(reader.usage(reader.read_events(data).counts))
            assert isinstance(reader.text(data), str)
            with contextlib.suppress(msgspec.MsgspecError, UnicodeError):
                assert_plausible(reader.usage(reader.read_json(data).counts))


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
UNITS = st.dictionaries(st.sampled_from(["input_tokens", "output_tokens", "text_tokens"]), ODD)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["tokens", "billed_units", "total_tokens"]), UNITS | ODD))
def test_no_odd_value_makes_it_count_what_cannot_be(counts: dict[str, Any]) -> None:
    for reader in READERS:
        assert_plausible(reader.usage(counts))
