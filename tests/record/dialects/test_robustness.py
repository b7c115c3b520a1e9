"""Whatever a server sends, a dialect reads what is sound in it and nothing absurd."""

import contextlib
import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Dialect, Reply
from agenttrace.record.wire.dialects.anthropic import Messages
from agenttrace.record.wire.dialects.openai import Chat, Responses

ALL = tuple({type(route.dialect): route.dialect for route in dialects._ROUTES}.values())
MOST = 10**13  # tokens; a count, and the parts that some servers put beside it

NAMES = (
    "id", "model", "usage", "response", "message", "choices", "delta", "error", "data", "status",
    "prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens",
    "prompt_tokens_details", "completion_tokens_details", "input_tokens_details",
    "output_tokens_details", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
    "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
    "cache_creation", "ephemeral_1h_input_tokens", "thinking_tokens", "iterations", "type",
    "custom_id", "body", "result", "cost", "provider", "x_groq", "svg_usage", "usageMetadata",
    "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount",
    "prompt_eval_count", "eval_count", "meta", "tokens", "billed_units",
)  # fmt: skip

odd_numbers = st.one_of(
    st.integers(-5, 5000),
    st.sampled_from([2**63, 10**30, -(2**63), 0.5, 12.0, -1.0, 1e300, True, False, "12", "", None]),
)
odd = st.recursive(
    st.one_of(odd_numbers, st.text(max_size=5), st.sampled_from(["compaction", "message_start"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    ),
    max_leaves=20,
)


def is_sane(usage: TokenUsage) -> bool:
    counts = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.cache_write_1h_tokens,
        usage.reasoning_tokens,
    )
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    return (
        all(count is None or (type(count) is int and 0 <= count < MOST) for count in counts)
        and (usage.input_tokens is None or cached <= usage.input_tokens)
        and (usage.output_tokens is None or (usage.reasoning_tokens or 0) <= usage.output_tokens)
    )


def assert_sane(dialect: Dialect, reply: Reply) -> None:
    for one in (reply, *dialect.beside(reply)):
        assert one.response_id is None or isinstance(one.response_id, str)
        assert one.model is None or isinstance(one.model, str)
        assert is_sane(dialect.usage(one.counts)), one.counts
        assert all(isinstance(value, str | int | float | bool) for value in one.said.values())


def read_all(dialect: Dialect, data: bytes) -> None:
    try:
        assert_sane(dialect, dialect.read_json(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        """It is none of this protocol."""
    assert_sane(dialect, dialect.read_events(data[: dialect.whole(data)]))
    assert isinstance(dialect.text(data), str)
    dialect.is_call("/v1/x", data)
    dialect.asked("/v1/x", data)
    dialect.begins_stream(data)


@pytest.mark.parametrize("dialect", ALL, ids=lambda one: type(one).__qualname__)
@settings(max_examples=40, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_upset_a_dialect(dialect: Dialect, data: bytes) -> None:
    read_all(dialect, data)
    read_all(dialect, b"data: " + data + b'"usage"' + data + b"\n\n")


@pytest.mark.parametrize("dialect", ALL, ids=lambda one: type(one).__qualname__)
@settings(max_examples=40, deadline=None)
@given(body=odd, envelope=st.booleans())
def test_no_values_are_taken_for_counts_that_cannot_be_some(
    dialect: Dialect, body: Any, envelope: bool
) -> None:
    whole = {"id": "r", "model": "m", "usage": body, "response": {"usage": body}}
    data = json.dumps(whole if envelope else body).encode()
    read_all(dialect, data)
    read_all(dialect, b"event: message_delta\ndata: " + data + b"\n\n")
    read_all(dialect, data + b"\n")


def test_json_that_is_nested_beyond_reason_does_no_harm() -> None:
    deep = b'{"usage": ' * 5000 + b"1" + b"}" * 5000
    for dialect in ALL:
        read_all(dialect, deep)
        read_all(dialect, b"data: " + deep + b"\n\n")


CHUNKS = [
    {"id": "c1", "model": "m", "choices": [{"delta": {"content": "Grüße 👋"}}], "usage": None},
    {
        "id": "c1",
        "model": "m",
        "choices": [],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    },
]


def chat(data: bytes) -> tuple[Reply, TokenUsage]:
    reply = Chat().read_events(data)
    return reply, Chat().usage(reply.counts)


def pieces(form: str, end: str = "\n\n") -> bytes:
    return "".join(
        form.format(json.dumps(chunk, ensure_ascii=False)) + end for chunk in CHUNKS
    ).encode()


@pytest.mark.parametrize(
    "data",
    [
        pieces("data: {}"),
        pieces("data:{}"),
        pieces("data: {}", "\r\n\r\n"),
        b": comment\n\n" + pieces(": ping\ndata: {}\nid: 7\nretry: 5"),
        b"\xef\xbb\xbf" + b": the mark of UTF-8\n\n" + pieces("data: {}"),
        pieces("data: {}").replace(b", ", b",\ndata: "),
        pieces("data: {}", "\r\n\r\n").replace(b", ", b",\r\ndata:"),
        pieces("data: {}").replace(b'"usage": ', b'"usage" :  '),
    ],
    ids=["usual", "no-space", "crlf", "comments", "mark", "lines", "lines-crlf", "spaces"],
)
def test_every_way_to_write_events_is_read(data: bytes) -> None:
    reply, usage = chat(data + b"data: [DONE]\n\n")
    assert (reply.response_id, reply.model, reply.finished) == ("c1", "m", True)
    assert usage == TokenUsage(3, 4, state="reported")
    assert Chat().text(data) == "Grüße 👋"


def test_a_stream_that_is_cut_anywhere_says_what_came_before() -> None:
    data = pieces("data: {}")
    for at in range(len(data)):
        head = data[: Chat().whole(data[:at])]
        reply, usage = chat(head)
        assert reply.response_id in (None, "c1")
        assert usage.state in ("missing", "reported")


def test_a_word_of_the_answer_is_not_taken_for_a_usage() -> None:
    told = {"choices": [{"delta": {"content": '"usage": {"prompt_tokens": 9}'}}]}
    whole = {"choices": [{"delta": {"content": "usage"}}]}
    data = b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in (told, whole))
    assert chat(data)[1].state == "missing"


@pytest.mark.parametrize("usage", [None, 7, "none", [], [1], {}, {"prompt_tokens": "12"}, True])
@pytest.mark.parametrize("dialect", [Chat(), Responses(), Messages()])
def test_a_usage_that_is_none_is_missing(dialect: Dialect, usage: Any) -> None:
    reply = dialect.read_json(json.dumps({"id": "r", "usage": usage}).encode())
    assert reply.response_id == "r"
    assert dialect.usage(reply.counts) == TokenUsage()


def test_only_the_chunk_with_a_usage_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from agenttrace.record.wire.dialects import openai

    decoded: list[bytes] = []

    def spy(decoder: Any, payload: bytes) -> Any:
        decoded.append(payload)
        return original(decoder, payload)

    original = openai.decoded
    monkeypatch.setattr(openai, "decoded", spy)
    data = b"".join(b"data: %b\n\n" % json.dumps(CHUNKS[0]).encode() for _ in range(500))
    chat(data + b"data: %b\n\ndata: [DONE]\n\n" % json.dumps(CHUNKS[1]).encode())
    assert len(decoded) == 2  # The first chunk, and the one with the usage.


def test_odd_streams_cost_no_more_than_their_size() -> None:
    usage = b'"usage":null,'
    told = b'{"usage":{"x":1},"error":{},"usageMetadata":{},"done":0,"responseId":0}'
    streams = (
        b'data: {"a":[' + usage * 30_000 + b"1]}\n\n",  # one long line
        b"data: " + usage + b"\n" + (b"data: " + told[1:] + b"\n") * 3_000,  # one broken event
        (b'data: "usage":{},\r\ndata:"error":{}\r\n\r\n') * 5_000,
        (told + b"\n") * 3_000,  # lines where events are expected
        b"data: x\n" * 30_000,
        b'{"usage"' * 30_000,
    )
    for dialect in ALL:
        for data in streams:
            started = time.perf_counter()
            dialect.read_events(data[: dialect.whole(data)])
            # Some 10 ms for each of these; minutes, where it grows with the square of the size.
            assert time.perf_counter() - started < 1, (dialect, data[:40])


SECRET = "My password is 1234."


@pytest.mark.parametrize("secret", [SECRET, {"message": SECRET}, [SECRET], "x" * 2000])
def test_an_error_is_told_by_a_word_and_never_by_a_text(secret: Any) -> None:
    error = {"type": secret, "code": secret, "status": secret, "message": SECRET}
    body = {"error": error, "error_type": secret, "status": "failed", "code": secret}
    failed = {"finish_reason": f"ERROR {secret}"}
    body |= {"type": "message-end", "delta": failed, "is_finished": True, **failed}
    body |= {"response": dict(body)}
    for dialect in ALL:
        whole = json.dumps(body).encode()
        found = [dialect.read_events(whole + b"\n"), dialect.read_events(b"data: " + whole + b"\n")]
        with contextlib.suppress(msgspec.MsgspecError):
            found.append(dialect.read_json(whole))
        errors = {one.error for reply in found for one in (reply, *dialect.beside(reply))}
        assert errors <= {None, "error", "failed"}, dialect
