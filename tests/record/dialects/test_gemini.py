"""What Google's protocols say of a call, on bodies of the shape that they have."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialect, dialects
from agenttrace.record.wire.dialect import Asked, Reply
from agenttrace.record.wire.dialects import gemini, gemini_interactions

CONTENT = gemini.GenerateContent()
AT_VERTEX = "/v1/projects/p/locations/us-central1/publishers"
USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 60,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 30,
    "toolUsePromptTokenCount": 5,
    "totalTokenCount": 155,
}


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def piece(text: str = "", usage: Any = None, *, finish: str | None = None, **more: Any) -> Any:
    candidate: Any = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        **({"usageMetadata": usage} if usage is not None else {}),
        "modelVersion": "gemini-2.5-flash",
        "responseId": "resp-1",
        **more,
    }


def events(*pieces: Any) -> bytes:
    return b"".join(b"data: " + encoded(one) + b"\r\n\r\n" for one in pieces)


def array(*pieces: Any) -> bytes:
    """The stream without ``alt=sse``: one array, indented, growing."""
    inside = b"\n,\r\n".join(json.dumps(one, indent=2).encode() for one in pieces)
    return b"[" + inside + b"\n]\n"


@pytest.mark.parametrize(
    ("path", "kind", "asked"),
    [
        (
            "/v1beta/models/gemini-2.5-flash:generateContent",
            gemini.GenerateContent,
            Asked("gemini-2.5-flash"),
        ),
        (
            "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
            gemini.GenerateContent,
            Asked("gemini-2.5-flash", stream=True),
        ),
        (
            "/v1beta/tunedModels/mine:generateContent",
            gemini.GenerateContent,
            Asked("tunedModels/mine"),
        ),
        (
            f"{AT_VERTEX}/google/models/gemini-2.5-pro:generateContent",
            gemini.GenerateContent,
            Asked(
                "gemini-2.5-pro",
                provider="gcp.vertex_ai",
                said={semconv.CLOUD_REGION: "us-central1"},
            ),
        ),
        (
            "/v1beta1/projects/p/locations/global/endpoints/123:streamGenerateContent",
            gemini.GenerateContent,
            Asked("endpoints/123", stream=True, provider="gcp.vertex_ai"),
        ),
        (
            "/v1beta1/publishers/google/models/gemini-2.5-pro:generateContent",
            gemini.GenerateContent,
            Asked("gemini-2.5-pro", provider="gcp.vertex_ai"),
        ),
        (
            "/v1beta/models/gemini-embedding-001:batchEmbedContents",
            gemini.Embeddings,
            Asked("gemini-embedding-001"),
        ),
        (
            f"{AT_VERTEX}/google/models/text-embedding-005:predict",
            gemini.Embeddings,
            Asked(
                "text-embedding-005",
                provider="gcp.vertex_ai",
                said={semconv.CLOUD_REGION: "us-central1"},
            ),
        ),
        (
            "/v1beta/models/imagen-4.0-generate-001:predict",
            gemini.GenerateImages,
            Asked("imagen-4.0-generate-001"),
        ),
        (
            f"{AT_VERTEX}/anthropic/models/claude-sonnet-5%4020270101:streamRawPredict",
            gemini.VertexMessages,
            Asked(
                "claude-sonnet-5@20270101",
                stream=True,
                provider="gcp.vertex_ai",
                said={semconv.CLOUD_REGION: "us-central1"},
            ),
        ),
        (
            f"{AT_VERTEX}/mistralai/models/mistral-medium-3:rawPredict",
            gemini.VertexChat,
            Asked(
                "mistral-medium-3",
                provider="gcp.vertex_ai",
                said={semconv.CLOUD_REGION: "us-central1"},
            ),
        ),
    ],
)
def test_the_path_says_what_is_asked_of_whom(path: str, kind: type, asked: Asked) -> None:
    found = dialects.of("POST", path)
    assert type(found) is kind
    assert found.asked(path, b"{}") == asked
    assert found.is_call(path, b'{"messages": []}')


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1beta/models/gemini-2.5-flash:countTokens"),
        ("POST", f"{AT_VERTEX}/google/models/gemini-2.5-flash:computeTokens"),
        ("POST", f"{AT_VERTEX}/anthropic/models/count-tokens:rawPredict"),
        ("POST", f"{AT_VERTEX}/google/models/some-classifier:predict"),
        ("POST", "/v1beta/models/gemini-2.5-flash:batchGenerateContent"),
        ("GET", "/v1beta/cachedContents"),
        ("PATCH", "/v1beta/cachedContents/x"),
        ("GET", "/v1beta/models/gemini-2.5-flash"),
    ],
)
def test_what_no_model_works_on_is_no_call(method: str, path: str) -> None:
    assert dialects.of(method, path) is None


@pytest.mark.parametrize(
    ("host", "provider", "region"),
    [
        ("generativelanguage.googleapis.com", "gcp.gemini", None),
        ("aiplatform.googleapis.com", "gcp.vertex_ai", None),
        ("europe-west4-aiplatform.googleapis.com", "gcp.vertex_ai", "europe-west4"),
        ("asia-northeast1-aiplatform.googleapis.com", "gcp.vertex_ai", "asia-northeast1"),
        ("southamerica-west1-aiplatform.googleapis.com", "gcp.vertex_ai", "southamerica-west1"),
    ],
)
def test_googles_hosts_are_known(host: str, provider: str, region: str | None) -> None:
    assert dialect.provider_of(host, "otherwise") == provider
    assert dialect.region_of(host) == region


def test_thoughts_and_what_tools_brought_are_counted_beside() -> None:
    reply = CONTENT.read_json(encoded(piece("Hi", USAGE, finish="STOP")))
    assert reply == Reply("resp-1", "gemini-2.5-flash", USAGE, finished=True)
    assert CONTENT.usage(reply.counts) == TokenUsage(
        input_tokens=105,
        output_tokens=50,
        cache_read_tokens=60,
        reasoning_tokens=30,
        state="reported",
    )


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"promptTokenCount": 7, "totalTokenCount": 7}, (7, 0, "reported")),
        ({"promptTokenCount": 7}, (7, None, "partial")),
        (
            {"promptTokenCount": 7, "thoughtsTokenCount": 4, "totalTokenCount": 11},
            (7, 4, "reported"),
        ),
        ({"promptTokenCount": 7, "thoughtsTokenCount": 4}, (7, None, "partial")),
        (  # There are servers that count thoughts among the candidates.
            {
                "promptTokenCount": 7,
                "candidatesTokenCount": 9,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 16,
            },
            (7, 9, "reported"),
        ),
        ({"candidatesTokenCount": 3}, (None, 3, "partial")),
        (
            {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 2},
            (7, 3, "reported"),
        ),
        ({"promptTokenCount": None, "candidatesTokenCount": "3"}, (None, None, "missing")),
        ({"promptTokenCount": -7, "totalTokenCount": True}, (None, None, "missing")),
        ({}, (None, None, "missing")),
    ],
)
def test_the_total_tells_what_is_left_out(counts: Any, expected: Any) -> None:
    usage = CONTENT.usage(counts)
    assert (usage.input_tokens, usage.output_tokens, usage.state) == expected


def test_sounds_and_pictures_are_told_apart() -> None:
    usage = {
        "promptTokenCount": 300,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 20},
            {"modality": "AUDIO", "tokenCount": 30},
            {"modality": "IMAGE", "tokenCount": 250},
        ],
        "toolUsePromptTokensDetails": [{"modality": "IMAGE", "tokenCount": 1}],
        "candidatesTokenCount": 1290,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}, None, {}],
    }
    assert CONTENT.read_json(encoded({"usageMetadata": usage})).said == {
        semconv.INPUT_AUDIO_TOKENS: 30,
        semconv.INPUT_IMAGE_TOKENS: 251,
        semconv.OUTPUT_IMAGE_TOKENS: 1290,
    }


@pytest.mark.parametrize("spell", [events, array])
def test_the_counts_of_a_stream_are_cumulative(spell: Any) -> None:
    first = {"promptTokenCount": 100, "candidatesTokenCount": 3, "totalTokenCount": 103}
    stream = spell(
        piece("One { \" ] ", first), piece("two", {"trafficType": "ON_DEMAND"}),
        piece("three", USAGE, finish="STOP"),
    )  # fmt: skip
    assert CONTENT.begins_stream(stream)
    assert CONTENT.whole(stream) >= len(stream) - 4
    assert CONTENT.read_events(stream) == Reply("resp-1", "gemini-2.5-flash", USAGE, finished=True)
    assert CONTENT.text(stream) == 'One { " ] twothree'


@pytest.mark.parametrize("spell", [events, array])
def test_a_stream_read_in_parts_says_the_same(spell: Any) -> None:
    stream = spell(*(piece(f"„{n}“", {**USAGE, "promptTokenCount": n}) for n in range(5)))
    for cut in range(0, len(stream), 7):
        head = stream[: CONTENT.whole(stream[:cut])]
        parts = CONTENT.read_events(head).then(CONTENT.read_events(stream[len(head) :]))
        assert parts == CONTENT.read_events(stream)
        rest = stream[len(head) :]
        assert CONTENT.text(head) + CONTENT.text(rest) == CONTENT.text(stream)


def test_a_stream_without_a_reason_to_finish_is_not_over() -> None:
    unfinished = CONTENT.read_events(events(piece("One", USAGE)))
    assert (unfinished.finished, unfinished.error) == (False, None)


def test_a_prompt_that_was_refused_is_over_at_once() -> None:
    usage = {"promptTokenCount": 8, "totalTokenCount": 8}
    refused = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    reply = CONTENT.read_events(events(refused))
    assert (reply.counts, reply.finished) == (usage, True)


def test_an_error_in_a_stream_is_known_by_its_status() -> None:
    error = {"error": {"code": 503, "message": "secret", "status": "UNAVAILABLE"}}
    begun = piece("One", {"promptTokenCount": 4})
    for stream in (
        events(begun, error),
        events(begun) + json.dumps(error, indent=2).encode(),
        array(begun, error),
    ):
        assert CONTENT.read_events(stream).error == "UNAVAILABLE"
    del error["error"]["status"]
    assert CONTENT.read_events(events(begun, error)).error == "503"


def test_the_arguments_of_functions_count_for_an_estimate() -> None:
    call = {"functionCall": {"name": "find", "args": {"q": "x"}}}
    stream = events(
        {"candidates": [{"content": {"parts": [call, {"thought": True, "text": "ab"}]}}]}
    )
    assert CONTENT.text(stream) == '{"name":"find","args":{"q":"x"}}ab'


def test_embeddings_have_no_output() -> None:
    embed = gemini.Embeddings()
    body = {"embeddings": [{"values": [0.1, 0.2]}], "usageMetadata": {"promptTokenCount": 12}}
    reply = embed.read_json(encoded(body))
    assert embed.usage(reply.counts) == TokenUsage(12, 0, state="reported")
    silent = embed.read_json(encoded({"embedding": {"values": [0.1]}}))
    assert embed.usage(silent.counts) == TokenUsage()


def test_vertex_counts_each_text_that_it_embeds() -> None:
    embed = gemini.Embeddings()

    def prediction(statistics: Any) -> Any:
        return {"embeddings": {"values": [0.1], "statistics": statistics}}

    texts = [prediction({"token_count": 4, "truncated": False}), prediction({"token_count": 5.0})]
    reply = embed.read_json(encoded({"predictions": texts}))
    assert embed.usage(reply.counts) == TokenUsage(9, 0, state="reported")
    one_unknown = embed.read_json(encoded({"predictions": [*texts, prediction({})]}))
    assert embed.usage(one_unknown.counts) == TokenUsage()


def test_making_a_cache_reads_the_prompt_once() -> None:
    create = dialects.of("POST", "/v1beta/cachedContents")
    assert isinstance(create, gemini.CreateCache)
    request = b'{"model": "models/gemini-2.5-flash", "contents": []}'
    assert create.is_call("/v1beta/cachedContents", request)
    assert not create.is_call("/v1beta/cachedContents", b"{}")
    assert create.asked("/v1beta/cachedContents", request) == Asked("gemini-2.5-flash")
    body = {"name": "cachedContents/x1", "usageMetadata": {"totalTokenCount": 4096}}
    reply = create.read_json(encoded(body))
    assert (reply.response_id, reply.role) == ("cachedContents/x1", "other")
    assert create.usage(reply.counts) == TokenUsage(
        input_tokens=4096, output_tokens=0, cache_write_tokens=4096, state="reported"
    )


def test_pictures_are_made_without_tokens() -> None:
    images = gemini.GenerateImages()
    assert images.operation == semconv.IMAGE_GENERATION
    reply = images.read_json(encoded({"predictions": [{"bytesBase64Encoded": "eA=="}]}))
    assert reply == Reply(finished=True)
    assert images.usage(reply.counts) == TokenUsage()


def test_other_publishers_at_vertex_say_what_they_say_elsewhere() -> None:
    chat = gemini.VertexChat()
    path = f"{AT_VERTEX}/mistralai/models/mistral-medium-3:rawPredict"
    assert chat.asked(path, b'{"messages": [], "stream": true}').stream
    assert not chat.is_call(path, b'{"input": "of another protocol"}')
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
    reply = chat.read_json(encoded({"id": "m1", "model": "mistral-medium", "usage": usage}))
    assert chat.usage(reply.counts) == TokenUsage(9, 4, state="reported")


def test_a_batch_tells_of_each_of_its_calls() -> None:
    batch = dialects.of("GET", "/v1beta/batches/b1")
    assert isinstance(batch, gemini.Batch)
    responses = [{"response": piece("Hi", USAGE)}, {"error": {"code": 3}}]
    body = {
        "name": "batches/b1",
        "done": True,
        "response": {"inlinedResponses": {"inlinedResponses": responses}},
    }
    reply = batch.read_json(encoded(body))
    assert reply == Reply(also=(Reply("resp-1", "gemini-2.5-flash", USAGE, finished=True),))
    running = {"metadata": {"state": "BATCH_STATE_SUCCEEDED", "output": body["response"]}}
    assert batch.read_json(encoded(running)) == reply
    assert batch.usage(reply.also[0].counts).output_tokens == 50
    assert batch.read_json(encoded({"name": "batches/b1", "done": False})) == Reply()
    assert batch.read_json(b'{"id": "batch_1", "usage": {"input_tokens": 3}}') == Reply()
    assert dialects.of("GET", "/v1/batches") is None


INTERACTION = {
    "id": "int-1",
    "model": "gemini-2.5-flash",
    "status": "completed",
    "usage": {
        "total_input_tokens": 100,
        "total_cached_tokens": 60,
        "total_output_tokens": 20,
        "total_thought_tokens": 30,
        "total_tool_use_tokens": 5,
        "total_tokens": 155,
        "input_tokens_by_modality": [{"modality": "audio", "tokens": 40}],
    },
}


def test_an_interaction_counts_the_same_in_other_words() -> None:
    spoken = dialects.of("POST", "/v1beta/interactions")
    assert isinstance(spoken, gemini_interactions.Interactions)
    request = b'{"model": "gemini-2.5-flash", "input": "Hi", "stream": true}'
    assert spoken.is_call("/v1beta/interactions", request)
    assert spoken.asked("/v1beta/interactions", request) == Asked("gemini-2.5-flash", stream=True)
    whole = spoken.read_json(encoded(INTERACTION))
    streamed = spoken.read_events(
        events(
            {"event_type": "interaction.created", "interaction": {"id": "int-1"}},
            {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hi"}},
            {"event_type": "interaction.completed", "interaction": INTERACTION},
        )
    )
    assert whole == streamed
    assert whole.said == {semconv.INPUT_AUDIO_TOKENS: 40}
    assert spoken.usage(whole.counts) == CONTENT.usage(USAGE)


def test_an_interaction_that_failed_is_known_by_its_code() -> None:
    spoken = gemini_interactions.Interactions()
    begun = {"event_type": "step.delta", "delta": {"type": "text", "text": "four"}}
    error = {"event_type": "error", "error": {"code": "503", "message": "secret"}}
    assert spoken.read_events(events(begun, error)) == Reply(error="503")
    assert len(spoken.text(events(begun, error))) == 4


def test_an_interaction_of_the_background_is_fetched_and_not_called() -> None:
    spoken = dialects.of("GET", "/v1beta/interactions/int-1")
    assert isinstance(spoken, gemini_interactions.Interaction)
    assert spoken.operation == semconv.FETCH_RESPONSE
    assert spoken.read_json(encoded({"id": "int-1", "status": "in_progress"})).counts == {}
    assert dialects.of("GET", "/interactions/int-1") is None


READERS = (
    CONTENT,
    gemini.Embeddings(),
    gemini.CreateCache(),
    gemini.Batch(),
    gemini_interactions.Interactions(),
)
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.none(), max_size=2),
    st.just({"modality": "AUDIO", "tokenCount": -1}),
)


def assert_plausible(usage: TokenUsage) -> None:
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens)
    assert all(count is None or 0 <= count < 10**13 for count in counts)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 2000))
def test_no_bytes_make_it_fail_or_count_what_cannot_be(noise: bytes, cut: int) -> None:
    stream = events(piece("„Hi“", USAGE), piece("you", USAGE, finish="STOP"))
    for data in (noise, stream[:cut], stream[:cut] + noise, array(piece("x", USAGE))[:cut] + noise):
        assert 0 <= CONTENT.whole(data) <= len(data)
        for reader in READERS:
            assert_plausible(reader.usage(reader.read_events(data).counts))
            assert isinstance(reader.text(data), str)
            with contextlib.suppress(msgspec.MsgspecError, UnicodeError):
                assert_plausible(reader.usage(reader.read_json(data).counts))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*USAGE, "promptTokensDetails"]), ODD))
def test_no_odd_value_makes_it_count_what_cannot_be(counts: dict[str, Any]) -> None:
    body = json.dumps({"usageMetadata": counts, "candidates": []}).encode()
    try:
        reply = CONTENT.read_json(body)
    except msgspec.MsgspecError:  # NaN and Infinity are no JSON.
        return
    assert all(tokens >= 0 for tokens in reply.said.values())
    assert_plausible(CONTENT.usage(reply.counts))
