"""What a request is, where it goes, and what its size says."""

import json
from typing import Any

import pytest

from agenttrace.record.wire import dialect, dialects, estimate
from agenttrace.record.wire.dialects.anthropic import Messages
from agenttrace.record.wire.dialects.openai import Chat, Embeddings, Responses


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"),
        ("us-east5-aiplatform.googleapis.com", "us-east5"),
        ("westeurope.api.cognitive.microsoft.com", "westeurope"),
        ("mine.swedencentral.inference.ml.azure.com", "swedencentral"),
        ("mine.openai.azure.com", None),
        ("europe.example", None),
        ("api.openai.com", None),
    ],
)
def test_a_region_is_known_where_the_host_tells(host: str, region: str | None) -> None:
    assert dialect.region_of(host) == region


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("eu.api.openai.com", "openai"),
        ("mine.openai.azure.com", "azure.ai.openai"),
        ("api.anthropic.com", "anthropic"),
        ("notapi.openai.com", "of the protocol"),
        ("127.0.0.1", "of the protocol"),
    ],
)
def test_the_provider_is_that_of_the_host_else_of_the_protocol(host: str, provider: str) -> None:
    assert dialect.provider_of(host, "of the protocol") == provider


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/chat/completions", Chat),
        ("/openai/deployments/mine/chat/completions", Chat),
        ("/v1/chat/completions/", Chat),
        ("/v1/responses", Responses),
        ("/v1/embeddings", Embeddings),
        ("/v1/messages", Messages),
        ("/v1/messages/count_tokens", None),
        ("/v1/files", None),
    ],
)
def test_the_protocol_is_known_by_the_end_of_the_path(path: str, kind: type | None) -> None:
    found = dialects.of("POST", path)
    assert found is None if kind is None else type(found) is kind
    assert dialects.of("DELETE", path) is None


def test_a_body_that_is_not_a_model_calls_is_not_taken_for_one() -> None:
    assert not Messages().is_call("/threads/1/messages", b'{"model": "x"}')
    assert not Chat().is_call("/chat/completions", b'{"text": "x"}')
    assert Chat().is_call("/deployments/d/chat/completions", b"{}")


def test_one_side_of_the_usage_alone_is_partial() -> None:
    assert Chat().usage({"prompt_tokens": 3}).state == "partial"
    assert Responses().usage({"output_tokens": 3}).state == "partial"
    assert Messages().usage({}).state == "missing"


def test_cache_writes_that_are_kept_for_an_hour_are_told_apart() -> None:
    usage = Messages().usage(
        {
            "input_tokens": 1,
            "output_tokens": 2,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_1h_input_tokens": 20},
        }
    )
    assert (usage.input_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens) == (
        31, 30, 20,
    )  # fmt: skip


def events(*payloads: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(payload).encode() + b"\n\n" for payload in payloads)


def test_an_estimate_counts_text_reasoning_and_the_arguments_of_tools() -> None:
    call = {"function": {"name": "find", "arguments": "{}"}}
    chat = events(
        {"choices": [{"delta": {"content": "four", "reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"tool_calls": [call]}}]},
    )
    assert Chat().text(chat) == "fourhmfind{}"
    messages = events(
        {"delta": {"text": "four"}},
        {"delta": {"thinking": "hm"}},
        {"delta": {"partial_json": "{}"}},
    )
    assert Messages().text(messages) == "fourhm{}"
    assert Responses().text(events({"delta": "four"}, {"delta": {"odd": 1}})) == "four"


def test_an_estimate_of_the_input_leaves_out_pictures() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1000}}
    inline = {"type": "image", "source": {"type": "base64", "data": "A" * 1000}}
    text = {"type": "text", "text": "ten words " * 5}

    def estimated(*content: Any) -> int | None:
        body = {"model": "gpt-5", "messages": [{"role": "user", "content": content}]}
        return estimate.input_tokens(json.dumps(body).encode())

    assert estimated(text, picture, inline) == estimated(text) == pytest.approx(10, abs=2)
    assert estimate.input_tokens(b"no JSON") is None
