"""What the protocols of local servers say of a call, on bodies of the shape that they have."""

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
from agenttrace.record.wire.dialect import Asked, Reply
from agenttrace.record.wire.dialects import huggingface, llama_cpp, ollama

CHAT = ollama.Chat()
COMPLETION = llama_cpp.Completion()
GENERATE = huggingface.Generate()
LAST = {
    "model": "qwen3:8b",
    "message": {"role": "assistant", "content": ""},
    "done": True,
    "done_reason": "stop",
    "total_duration": 4_883_583_458,
    "load_duration": 1_334_875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342_546_000,
    "eval_count": 282,
    "eval_duration": 4_535_599_000,
}
COUNTS = {"prompt_eval_count": 26, "eval_count": 282}


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def lines(*payloads: Any) -> bytes:
    return b"".join(encoded(one) + b"\n" for one in payloads)


def events(*payloads: Any) -> bytes:
    return b"".join(b"data:" + encoded(one) + b"\n\n" for one in payloads)


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/api/chat", b'{"model": "qwen3", "messages": [{"role": "user"}]}', ollama.Chat),
        ("/api/generate", b'{"model": "qwen3", "prompt": "Hi"}', ollama.Generate),
        ("/api/generate", b'{"model": "x", "prompt": "", "images": ["a"]}', ollama.Generate),
        ("/api/embed", b'{"model": "nomic", "input": "Hi"}', ollama.Embeddings),
        ("/api/embeddings", b'{"model": "nomic", "prompt": "Hi"}', ollama.Embeddings),
        ("/completion", b'{"prompt": "Hi"}', llama_cpp.Completion),
        ("/infill", b'{"input_prefix": "Hi"}', llama_cpp.Completion),
        ("/generate", b'{"inputs": "Hi"}', huggingface.Generate),
        ("/generate_stream", b'{"inputs": "Hi"}', huggingface.Generate),
        ("/embed", b'{"inputs": "Hi"}', huggingface.Embeddings),
    ],
)
def test_a_call_is_known_by_its_path_and_its_body(path: str, body: bytes, kind: type) -> None:
    found = dialects.of("POST", path)
    assert type(found) is kind
    assert found.is_call(path, body)
    assert not found.is_call(path, b'{"text": "of another service"}')
    assert not found.is_call(path, None)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "qwen3"}',
        b'{"model": "qwen3", "messages": []}',
        b'{"model": "qwen3", "prompt": "", "keep_alive": 0}',
    ],
)
def test_loading_a_model_is_no_call(body: bytes) -> None:
    assert not CHAT.is_call("/api/chat", body)


def test_a_stream_is_what_is_asked_for_where_nothing_is_said() -> None:
    assert CHAT.asked("/api/chat", b'{"model": "qwen3"}') == Asked("qwen3", stream=True)
    whole = b'{"model": "qwen3", "stream": false}'
    assert CHAT.asked("/api/chat", whole) == Asked("qwen3")
    assert ollama.Embeddings().asked("/api/embed", b'{"model": "nomic"}') == Asked("nomic")


def test_the_last_line_has_the_counts() -> None:
    said = Reply(model="qwen3:8b", counts=COUNTS, finished=True)
    assert CHAT.read_json(encoded(LAST)) == said
    begun = {"model": "qwen3:8b", "message": {"content": "„four“", "thinking": "Hm"}, "done": False}
    called = {"message": {"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}}
    stream = lines(begun, called, LAST)
    assert CHAT.begins_stream(stream)
    assert CHAT.read_events(stream) == said
    assert CHAT.usage(COUNTS) == TokenUsage(26, 282, state="reported")
    assert CHAT.text(stream) == '„four“Hm{"name":"f","arguments":{}}'
    assert CHAT.read_events(lines(begun)) == Reply(model="qwen3:8b")


def test_a_prompt_that_was_in_memory_is_unknown_and_not_empty() -> None:
    last = {name: value for name, value in LAST.items() if name != "prompt_eval_count"}
    assert CHAT.usage(CHAT.read_json(encoded(last)).counts) == TokenUsage(
        None, 282, state="partial"
    )


def test_an_error_in_a_stream_has_no_type_and_its_text_is_not_kept() -> None:
    stream = lines({"model": "qwen3:8b", "done": False}, {"error": "secret"})
    assert CHAT.read_events(stream) == Reply(model="qwen3:8b", error="error")


def test_embeddings_have_no_output() -> None:
    embed = ollama.Embeddings()
    reply = embed.read_json(encoded({"model": "nomic", "embeddings": [], "prompt_eval_count": 8}))
    assert embed.usage(reply.counts) == TokenUsage(8, 0, state="reported")
    assert embed.usage(embed.read_json(b'{"embedding": [0.1]}').counts) == TokenUsage()


FINAL = {
    "content": "",
    "stop": True,
    "model": "/home/me/models/qwen3-8b.gguf",
    "tokens_evaluated": 30,
    "tokens_predicted": 12,
    "tokens_cached": 41,
    "timings": {"prompt_n": 10, "cache_n": 20, "predicted_n": 12},
}


def test_llama_cpp_counts_the_prompt_with_what_it_had_kept() -> None:
    whole = COMPLETION.read_json(encoded(FINAL))
    assert whole.model == "qwen3-8b.gguf"
    assert COMPLETION.usage(whole.counts) == TokenUsage(
        30, 12, cache_read_tokens=20, state="reported"
    )
    begun = {"content": "„four“", "stop": False, "tokens_evaluated": 30, "tokens_predicted": 3}
    assert COMPLETION.read_events(events(begun, FINAL)) == whole
    assert COMPLETION.text(events(begun, FINAL)) == "„four“"
    unfinished = COMPLETION.read_events(events(begun))
    assert (unfinished.counts["tokens_predicted"], unfinished.finished) == (3, False)
    failed = events(begun, {"error": {"code": 500, "type": "server_error", "message": "secret"}})
    assert COMPLETION.read_events(failed).error == "server_error"


def test_hugging_faces_server_counts_in_headers_and_in_the_last_event() -> None:
    headers = {"x-prompt-tokens": "9", "x-generated-tokens": "4"}
    told = GENERATE.read_headers(headers).then(GENERATE.read_json(b'{"generated_text": "Hi"}'))
    assert GENERATE.usage(told.counts) == TokenUsage(9, 4, state="reported")
    details = {"finish_reason": "length", "generated_tokens": 4, "input_length": 9}
    stream = events(
        {"index": 1, "token": {"text": "„Hi“"}, "generated_text": None, "details": None},
        {"index": 2, "token": {"text": "!"}, "generated_text": "„Hi“!", "details": details},
    )
    assert GENERATE.read_events(stream) == Reply(counts=details, finished=True)
    assert GENERATE.text(stream) == "„Hi“!"
    failed = events({"error": "secret", "error_type": "overloaded"})
    assert GENERATE.read_events(failed) == Reply(error="overloaded")


def test_hugging_faces_embeddings_count_in_a_header() -> None:
    embed = huggingface.Embeddings()
    assert embed.operation == semconv.EMBEDDINGS
    told = embed.read_headers({"x-compute-tokens": "9"}).then(embed.read_json(b"[[0.1]]"))
    assert embed.usage(told.counts) == TokenUsage(9, 0, state="reported")
    assert embed.usage(embed.read_headers({"x-compute-tokens": "?"}).counts) == TokenUsage()


READERS = (CHAT, ollama.Embeddings(), COMPLETION, GENERATE)


def assert_plausible(usage: TokenUsage) -> None:
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    assert all(count is None or 0 <= count < 10**13 for count in counts)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 900))
def test_no_bytes_make_it_fail_or_count_what_cannot_be(noise: bytes, cut: int) -> None:
    stream = lines({"message": {"content": "„Hi“"}}, LAST) + events(FINAL, {"details": COUNTS})
    for data in (noise, stream[:cut], stream[:cut] + noise, stream[cut:]):
        for reader in READERS:
            assert 0 <= reader.whole(data) <= len(data)
            assert_plausible(reader.usage(reader.read_events(data).counts))
            assert isinstance(reader.text(data), str)
            with contextlib.suppress(msgspec.MsgspecError, UnicodeError):
                assert_plausible(reader.usage(reader.read_json(data).counts))


ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
NAMES = [*COUNTS, "tokens_evaluated", "tokens_predicted", "timings", "input_length"]


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), ODD))
def test_no_odd_value_makes_it_count_what_cannot_be(counts: dict[str, Any]) -> None:
    for reader in READERS:
        assert_plausible(reader.usage(counts))
