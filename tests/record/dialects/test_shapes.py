"""A request of another service is not taken for a model call because its path ends like one."""

import json
import timeit
from typing import Any

import pytest

from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Dialect

TURNS = [{"role": "user", "content": "Hi"}]


def is_call(path: str, body: Any) -> bool:
    found = dialects.of("POST", path)
    return found is not None and found.is_call(path, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        # Messages, chats and threads of people.
        ("/threads/7/messages", {"text": "Hi", "model": "x"}),
        ("/api/messages", {"messages": ["Hi"], "model": "x"}),
        ("/api/messages", {"messages": TURNS, "settings": {"model": "x"}}),
        ("/v1/chat", {"message": "Hi", "room": 7}),
        ("/v2/chat", {"messages": [{"from": "me"}], "model": "support"}),
        ("/api/chat", {"messages": [{"text": "Hi"}], "model": "x"}),
        ("/inbox/conversations", {"inputs": {"subject": "Hi"}, "model": "x"}),
        ("/inbox/conversations", {"inputs": "Hi"}),
        ("/inbox/conversations/7", {"inputs": "Hi"}),
        # Surveys and forms.
        ("/surveys/7/responses", {"model": "golf", "answers": [1, 2]}),
        ("/surveys/7/responses", {"prompt": "How are you?", "input": "fine"}),
        ("/surveys/7/decisions", {"questions": 7, "model": "x"}),
        # Pictures, sound, documents.
        ("/gallery/images/generations", {"model": "camera", "size": 7}),
        ("/gallery/images/edits", {"prompt": "crop", "model": "x"}),
        ("/player/audio/speech", {"model": "x", "file": 7}),
        ("/scanner/ocr", {"document": "a.pdf", "model": "x"}),
        # Generators, classifiers, predictors and searches of other kinds.
        ("/generate", {"inputs": {"width": 7}}),
        ("/generate", {"template": "invoice", "prompt": "x"}),
        ("/api/generate", {"model": "invoice", "prompt": 7}),
        ("/v1/generate", {"prompt": ["a"], "model": "x"}),
        ("/completion", {"query": "pyth", "prompt": None}),
        ("/completions", {"prefix": "pyth", "model": "x"}),
        ("/v1/classify", {"inputs": ["a"]}),
        ("/v1/classify", {"inputs": [7], "model": "x"}),
        ("/classifications", {"input": 7, "model": "x"}),
        ("/models/churn:predict", {"instances": [{"model": "x"}]}),
        ("/predict", {"instances": [1], "model": "x"}),
        ("/search/rerank", {"query": "x", "items": []}),
        ("/search/rerank", {"documents": "all", "query": "x"}),
        ("/embed", {"url": "https://example.org/video", "inputs": None}),
        ("/v2/embed", {"url": "https://example.org/video", "model": "player"}),
        ("/api/embed", {"model": "player", "input": {"url": "x"}}),
        ("/widgets/embeddings", {"model": "player", "url": "x"}),
        ("/moderations", {"input": {"comment": 7}}),
        ("/interactions", {"input": "click", "user": 7}),
        ("/drug/interactions", {"model": "mouse", "inputs": ["a", "b"]}),
    ],
)
def test_a_body_of_another_service_is_not_a_call(path: str, body: Any) -> None:
    assert not is_call(path, body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "m", "messages": TURNS}),
        ("/v2/chat", {"model": "m", "messages": TURNS}),
        ("/v1/chat", {"model": "m", "message": "Hi"}),
        ("/v1/responses", {"model": "m", "input": "Hi"}),
        ("/v1/responses", {"model": "m", "input": TURNS}),
        ("/v1/responses", {"model": "m", "previous_response_id": "resp_1"}),
        ("/v1/responses", {"model": "m", "conversation": {"id": "conv_1"}}),
        ("/v1/responses", {"prompt": {"id": "pmpt_1"}}),
        ("/v1/images/generations", {"prompt": "a cat"}),  # The model may be left out.
        ("/v1/images/edits", {"prompt": "a dog", "model": "m"}),
        ("/openai/deployments/m/images/edits", {"model": "m"}),  # of a form
        ("/v1/embeddings", {"model": "m", "input": [[1, 2]]}),
        ("/v1/embeddings", {"model": "m", "messages": TURNS}),
        ("/openai/deployments/m/embeddings", {"input": "Hi"}),
        ("/v1/completions", {"model": "m", "prompt": [1, 2]}),
        ("/v1/conversations", {"agent_id": "a", "inputs": "Hi"}),
        ("/v1/conversations", {"model": "m", "inputs": [{"role": "user"}]}),
        ("/v1/conversations/c1", {"inputs": "Hi"}),
        ("/v1/ocr", {"model": "m", "document": {"type": "document_url"}}),
        ("/v1/rerank", {"model": "m", "query": "q", "documents": ["a", {"text": "b"}]}),
        ("/v2/embed", {"model": "m", "images": ["data:"]}),
        ("/v2/embed", {"model": "m", "inputs": [{"content": []}]}),
        ("/v1/classify", {"inputs": ["a"], "examples": [{"text": "b", "label": "c"}]}),
        ("/v1beta/interactions", {"agent": "deep-research", "input": "Hi"}),
        ("/completion", {"prompt": [1, 2]}),
        ("/completion", {"prompt": {"prompt_string": "Hi"}}),
        ("/embed", {"inputs": ["a"]}),
    ],
)
def test_every_documented_form_of_a_call_is_one(path: str, body: Any) -> None:
    assert is_call(path, body)


def test_an_argument_of_a_tool_does_not_make_a_chat_look_empty() -> None:
    call = {"function": {"name": "draw", "arguments": {"prompt": "", "messages": []}}}
    turns = [*TURNS, {"role": "assistant", "tool_calls": [call]}]
    assert is_call("/api/chat", {"model": "qwen3", "messages": turns})


@pytest.mark.parametrize("path", ["/gallery/images/edits", "/gallery/images/variations"])
def test_an_upload_of_another_service_is_not_a_call(path: str) -> None:
    assert dialects.of("POST", path) is None


@pytest.mark.parametrize("path", ["/v1/audio/transcriptions", "/v1/images/variations"])
def test_an_upload_that_cannot_be_seen_is_a_call(path: str) -> None:
    found = dialects.of("POST", path)
    assert found is not None
    assert found.is_call(path, None)


ALL = {type(route.dialect): route.dialect for route in dialects._ROUTES}.values()


@pytest.mark.parametrize("dialect", ALL, ids=lambda one: type(one).__qualname__)
@pytest.mark.parametrize(
    "body",
    [b"{" * 100_000, b"[" * 100_000, b'"' + b"x" * 1_000_000, b"", b"\xff\xfe", b"7", b"null"],
    ids=["deep", "list", "cut", "empty", "bytes", "number", "null"],
)
def test_an_odd_body_is_no_call_or_known_by_its_path(dialect: Dialect, body: bytes) -> None:
    assert dialect.is_call("/v1/x", body) == (not dialect.shapes)


ORDINARY = (
    "/api/v2/users/123/orders/456/items",
    "/static/js/app.min.js",
    "/" + "a" * 2000,
    "/a" * 1000,
)
ODD = (
    "/model/" * 500,
    "/model/stability." * 200,
    "/models/" + "embedding" * 200,
    "/publishers/anthropic/models/" * 60,
    "/v1/" * 500 + "interaction",
    "/model/" + "a" * 5000 + "/invoke",
)


@pytest.mark.parametrize(("paths", "limit_s"), [(ORDINARY, 1e-3), (ODD, 5e-3)])
def test_a_request_to_anything_else_costs_next_to_nothing(
    paths: tuple[str, ...], limit_s: float
) -> None:
    find = dialects.of.__wrapped__  # without the cache
    for path in paths:
        for method in ("GET", "POST"):
            assert find(method, path) is None
            # The limit is some ten times what it takes, for machines that are slow or busy.
            assert min(timeit.repeat(lambda: find(method, path), number=1, repeat=5)) < limit_s  # noqa: B023
