"""What OpenAI's protocols say, in the shapes in which the provider documents them."""

import json
from typing import Any

import pytest

from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Asked, Dialect, Reply


def spoken(path: str, method: str = "POST") -> Dialect:
    found = dialects.of(method, path)
    assert found is not None
    return found


def read(path: str, body: Any, method: str = "POST") -> tuple[Reply, TokenUsage]:
    dialect = spoken(path, method)
    reply = dialect.read_json(json.dumps(body).encode())
    return reply, dialect.usage(reply.counts)


def streamed(path: str, *events: Any, method: str = "POST") -> tuple[Reply, TokenUsage]:
    dialect = spoken(path, method)
    reply = dialect.read_events(b"".join(b"data: %b\n\n" % json.dumps(e).encode() for e in events))
    return reply, dialect.usage(reply.counts)


CHAT = "/v1/chat/completions"
CHAT_USAGE = {
    "prompt_tokens": 1117,
    "completion_tokens": 46,
    "total_tokens": 1163,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 13, "image_tokens": 21},
    "completion_tokens_details": {
        "reasoning_tokens": 20,
        "audio_tokens": 9,
        "accepted_prediction_tokens": 4,
        "rejected_prediction_tokens": 5,
    },
}


def test_a_chat_with_all_its_details() -> None:
    body = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5-2026-01-01"}
    reply, usage = read(CHAT, {**body, "choices": [], "usage": CHAT_USAGE})
    assert reply == Reply(
        response_id="chatcmpl-1",
        model="gpt-5-2026-01-01",
        counts=CHAT_USAGE,
        finished=True,
        said={
            "gen_ai.usage.audio.input_tokens": 13,
            "gen_ai.usage.image.input_tokens": 21,
            "gen_ai.usage.audio.output_tokens": 9,
        },
    )
    # Predictions that were rejected are billed, and are in the output already.
    assert usage == TokenUsage(1117, 46, 1024, None, None, 20, "reported")


def test_a_stream_that_azure_begins_with_its_filters() -> None:
    reply, usage = streamed(
        "/openai/deployments/router/chat/completions",
        {"id": "", "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
        {"id": "chatcmpl-2", "model": "gpt-5-mini-2026-01-01", "choices": [{"delta": {}}]},
    )
    # A model router says only in the answer which model it chose.
    assert (reply.response_id, reply.model) == ("chatcmpl-2", "gpt-5-mini-2026-01-01")
    assert usage.state == "missing"


def test_a_deployment_stands_for_the_model_that_the_body_does_not_name() -> None:
    path = "/openai/deployments/my-gpt/chat/completions"
    assert spoken(path).is_call(path, b'{"messages": []}')
    assert spoken(path).asked(path, b'{"stream": true}') == Asked("my-gpt", stream=True)
    assert spoken(path).asked(path, b'{"model": "gpt-5"}') == Asked("gpt-5")
    path = "/serving-endpoints/llama/invocations"
    assert spoken(path).asked(path, b"{}") == Asked("llama")
    assert not spoken(CHAT).is_call(CHAT, b'{"messages": []}')


def test_completions_are_counted_as_chats_are() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    body = {"id": "cmpl-1", "model": "gpt-3.5-turbo-instruct", "choices": [{"text": "x"}]}
    reply, found = read("/v1/completions", {**body, "usage": usage})
    assert (reply.response_id, found) == ("cmpl-1", TokenUsage(5, 7, state="reported"))
    dialect = spoken("/v1/completions")
    assert dialect.operation == "text_completion"
    piece = b'data: {"choices": [{"text": "four"}, {"text": "more"}]}\n\n'
    assert dialect.text(piece) == "fourmore"
    assert not dialect.is_call("/v1/completions", b'{"model": "m", "messages": []}')


RESPONSE_USAGE = {
    "input_tokens": 328,
    "input_tokens_details": {"cached_tokens": 128, "cache_write_tokens": 64},
    "output_tokens": 52,
    "output_tokens_details": {"reasoning_tokens": 32},
    "total_tokens": 380,
}


def response(status: str = "completed", **more: Any) -> dict[str, Any]:
    body = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": status}
    return {**body, "error": None, "usage": RESPONSE_USAGE, **more}


def test_a_response_with_all_its_details() -> None:
    reply, usage = read("/v1/responses", response())
    assert reply == Reply("resp_1", "gpt-5", RESPONSE_USAGE, finished=True)
    assert usage == TokenUsage(328, 52, 128, 64, None, 32, "reported")


def test_a_response_in_the_background_is_not_over() -> None:
    reply, usage = read("/v1/responses", response("queued", usage=None))
    assert reply == Reply("resp_1", "gpt-5")
    assert usage.state == "missing"


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_response_that_failed_says_why(wrapped: bool) -> None:
    failed = response("failed", error={"code": "server_error", "message": "Sorry."})
    if wrapped:
        event = {"type": "response.failed", "response": failed}
        reply, usage = streamed("/v1/responses", event)
    else:
        reply, usage = read("/v1/responses", failed)
    assert (reply.error, reply.finished, usage.state) == ("server_error", True, "reported")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/responses/resp_1"),
        ("POST", "/v1/responses/resp_1/cancel"),
    ],
)
def test_a_response_that_is_fetched_tells_of_a_call_and_is_none(method: str, path: str) -> None:
    dialect = spoken(path, method)
    assert dialect.operation == "fetch_response"
    assert dialect.is_call(path, b"")
    reply, usage = read(path, response(), method)
    assert (reply.response_id, usage.state) == ("resp_1", "reported")
    reply, usage = streamed(
        path, {"type": "response.completed", "response": response()}, method=method
    )
    assert (reply.response_id, usage.output_tokens) == ("resp_1", 52)


def test_what_only_looks_at_responses_is_nothing() -> None:
    assert dialects.of("GET", "/v1/responses/resp_1/input_items") is None
    assert dialects.of("POST", "/v1/responses/input_tokens") is None
    assert dialects.of("POST", "/v1/conversations/conv_1/items") is None


def test_a_stored_prompt_may_bring_its_model_along() -> None:
    assert spoken("/v1/responses").is_call("/v1/responses", b'{"prompt": {"id": "pmpt_1"}}')


def test_summing_up_a_conversation_is_a_call_that_compacts() -> None:
    body = {"id": "resp_2", "object": "response.compaction", "usage": RESPONSE_USAGE}
    reply, usage = read("/v1/responses/compact", body)
    assert (reply.role, reply.response_id, usage.input_tokens) == ("compaction", "resp_2", 328)


def test_decisions_are_counted() -> None:
    body = {"answers": [], "model": "gpt-6-luna", "usage": RESPONSE_USAGE}
    reply, usage = read("/v1/decisions", body)
    assert (reply.model, usage.output_tokens) == ("gpt-6-luna", 52)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({"prompt_tokens": 8, "total_tokens": 8}, TokenUsage(8, 0, state="reported")),
        ({"total_tokens": 8}, TokenUsage(8, 0, state="reported")),
        ({}, TokenUsage()),
    ],
)
def test_embeddings_have_input_only(counts: dict[str, int], usage: TokenUsage) -> None:
    body = {"object": "list", "model": "text-embedding-3-small", "usage": counts}
    assert read("/v1/embeddings", body)[1] == usage


IMAGE_USAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 1056,
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 1056},
    "total_tokens": 1106,
}
IMAGES_SAID = {"gen_ai.usage.image.input_tokens": 40, "gen_ai.usage.image.output_tokens": 1056}


@pytest.mark.parametrize("kind", ["generations", "edits", "variations"])
def test_pictures_say_how_many_of_the_tokens_are_pictures(kind: str) -> None:
    reply, usage = read(f"/v1/images/{kind}", {"created": 1, "data": [{}], "usage": IMAGE_USAGE})
    assert reply == Reply(counts=IMAGE_USAGE, finished=True, said=IMAGES_SAID)
    assert usage == TokenUsage(50, 1056, state="reported")
    older, usage = read(f"/v1/images/{kind}", {"created": 1, "data": [{"url": "https://x"}]})
    assert (older.finished, usage.state) == (True, "missing")


def test_a_stream_of_a_picture_says_its_usage_at_the_end() -> None:
    event = {"b64_json": "AAAA", "usage": None}
    reply, usage = streamed(
        "/v1/images/generations",
        {"type": "image_generation.partial_image", **event},
        {"type": "image_generation.completed", **event, "usage": IMAGE_USAGE},
    )
    assert reply == Reply(counts=IMAGE_USAGE, finished=True, said=IMAGES_SAID)
    assert usage.output_tokens == 1056


def test_a_drawing_is_the_work_of_two_models() -> None:
    svg = {"model": "gpt-6", "input_tokens": 9, "output_tokens": 90, "reasoning_tokens": 30}
    reply, usage = read("/v1/images/generations", {"usage": IMAGE_USAGE, "svg_usage": svg})
    [drawn] = reply.also
    assert (drawn.model, drawn.role) == ("gpt-6", "other")
    assert spoken("/v1/images/edits").usage(drawn.counts) == TokenUsage(
        9, 90, reasoning_tokens=30, state="reported"
    )
    assert usage.output_tokens == 1056


@pytest.mark.parametrize("kind", ["transcriptions", "translations"])
def test_a_transcription_is_billed_by_tokens_or_by_the_second(kind: str) -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 4},
        "output_tokens": 45,
        "total_tokens": 59,
    }
    path = f"/v1/audio/{kind}"
    assert spoken(path).is_call(path, None)  # It is an upload.
    reply, found = read(path, {"text": "Hi.", "usage": usage})
    assert reply.said == {"gen_ai.usage.audio.input_tokens": 4}
    assert found == TokenUsage(14, 45, state="reported")
    by_the_second = {"text": "Hi.", "usage": {"type": "duration", "seconds": 27}}
    assert read(path, by_the_second)[1] == TokenUsage()
    last = {"type": "transcript.text.done", "text": "Hi.", "usage": usage}
    assert streamed(path, {"type": "transcript.text.delta", "delta": "Hi."}, last)[1] == found


def test_speech_that_is_streamed_says_its_usage_at_the_end() -> None:
    usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    last = {"type": "speech.audio.done", "usage": usage}
    reply, found = streamed("/v1/audio/speech", {"type": "speech.audio.delta"}, last)
    assert (reply.finished, found) == (True, TokenUsage(14, 101, state="reported"))


def line(custom_id: str, body: Any, status: int = 200) -> bytes:
    inner = {"status_code": status, "request_id": "req_1", "body": body}
    whole = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": inner}
    return json.dumps({**whole, "error": None}).encode() + b"\n"


RESULTS = (
    line("a", {"id": "chatcmpl-1", "model": "gpt-5", "usage": CHAT_USAGE})
    + line("b", response())
    + line("c", {"object": "list", "model": "e", "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    + line("d", {"error": {"message": "no usage here", "code": "invalid"}}, 400)
    + b'{"id": "batch_req_e", "custom_id": "e", "response": null, "error": {"code": "expired"}}\n'
)


def test_the_results_of_a_batch_tell_of_a_call_for_each_line_that_was_answered() -> None:
    dialect = spoken("/v1/files/file-1/content", "GET")
    assert dialect.operation == "fetch_response"
    reply = dialect.read_events(RESULTS)
    assert reply.counts == {}  # Fetching is no call.
    found = [(one.response_id, one.model, dialect.usage(one.counts)) for one in reply.also]
    assert found == [
        ("chatcmpl-1", "gpt-5", TokenUsage(1117, 46, 1024, None, None, 20, "reported")),
        ("resp_1", "gpt-5", TokenUsage(328, 52, 128, 64, None, 32, "reported")),
        ("batch_req_c", "e", TokenUsage(3, 0, state="reported")),
    ]


def test_results_that_are_read_in_pieces_are_all_told() -> None:
    dialect = spoken("/v1/files/file-1/content", "GET")
    half = RESULTS.index(b"\n") + 1
    whole = dialect.read_events(RESULTS[:half]).then(dialect.read_events(RESULTS[half:]))
    assert whole == dialect.read_events(RESULTS)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b'{"messages": [], "usage": {}}\n'])
def test_another_file_tells_of_nothing(content: bytes) -> None:
    assert spoken("/v1/files/file-1/content", "GET").read_json(content).also == ()
