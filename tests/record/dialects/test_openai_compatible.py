"""Servers that speak OpenAI's protocols, and how each of them spells what it counts."""

import json
from typing import Any

import pytest

from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialect, dialects
from agenttrace.record.wire.dialect import Dialect, Reply

CHAT = "/v1/chat/completions"


def spoken(path: str, method: str = "POST") -> Dialect:
    found = dialects.of(method, path)
    assert found is not None
    return found


def read(path: str, body: Any, method: str = "POST") -> tuple[Reply, TokenUsage]:
    dialect = spoken(path, method)
    reply = dialect.read_json(json.dumps(body).encode())
    return reply, dialect.usage(reply.counts)


def chunks(*payloads: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in payloads) + (
        b"data: [DONE]\n\n"
    )


def counts(given: int, output: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    total = given + output if total is None else total
    return {
        "prompt_tokens": given, "completion_tokens": output, "total_tokens": total, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("server", "usage", "expected"),
    [
        ("vLLM", counts(20, 5, prompt_tokens_details=None), TokenUsage(20, 5)),
        (
            "vLLM",
            counts(20, 5, prompt_tokens_details={"cached_tokens": 16}),
            TokenUsage(20, 5, cache_read_tokens=16),
        ),
        (
            "DeepSeek",
            counts(
                20, 9,
                prompt_cache_hit_tokens=16,
                prompt_cache_miss_tokens=4,
                completion_tokens_details={"reasoning_tokens": 6},
            ),
            TokenUsage(20, 9, cache_read_tokens=16, reasoning_tokens=6),
        ),
        ("Moonshot", counts(20, 5, cached_tokens=16), TokenUsage(20, 5, cache_read_tokens=16)),
        (
            "Qwen",
            counts(
                20, 5,
                prompt_tokens_details={"cached_tokens": 8, "cache_creation_input_tokens": 4},
            ),
            TokenUsage(20, 5, cache_read_tokens=8, cache_write_tokens=4),
        ),
        (
            "xAI",
            counts(
                10120, 1499, 14428,
                prompt_tokens_details={"cached_tokens": 128, "text_tokens": 10120},
                completion_tokens_details={"reasoning_tokens": 2809},
            ),
            TokenUsage(10120, 4308, cache_read_tokens=128, reasoning_tokens=2809),
        ),
        (
            "Perplexity",
            counts(33, 7163, reasoning_tokens=73997, citation_tokens=20016),
            TokenUsage(33, 81160, reasoning_tokens=73997),
        ),
        (
            "a gateway to Anthropic that counts the cache inside",
            counts(30, 5, cache_read_input_tokens=20, cache_creation_input_tokens=4),
            TokenUsage(30, 5, cache_read_tokens=20, cache_write_tokens=4),
        ),
        (
            "a gateway to Anthropic that counts the cache beside",
            counts(6, 5, cache_read_input_tokens=20, cache_creation_input_tokens=4),
            TokenUsage(30, 5, cache_read_tokens=20, cache_write_tokens=4),
        ),
        (
            "a gateway that tells by its total that it counts the cache beside",
            counts(30, 5, 55, prompt_tokens_details={"cached_tokens": 20}),
            TokenUsage(50, 5, cache_read_tokens=20),
        ),
        (
            "a gateway that counts reasoning and cache beside",
            counts(
                30, 5, 30 + 5 + 20 + 7,
                prompt_tokens_details={"cached_tokens": 20},
                completion_tokens_details={"reasoning_tokens": 7},
            ),
            TokenUsage(50, 12, cache_read_tokens=20, reasoning_tokens=7),
        ),
        (
            "a gateway whose reasoning is beside, and happens to be as much as its cache",
            counts(
                30, 25, 30 + 25 + 20,
                prompt_tokens_details={"cached_tokens": 20},
                completion_tokens_details={"reasoning_tokens": 20},
            ),
            TokenUsage(30, 45, cache_read_tokens=20, reasoning_tokens=20),
        ),
        (
            "a gateway that shows both to be beside, without a total",
            {
                "prompt_tokens": 6, "completion_tokens": 5, "cache_read_input_tokens": 20,
                "completion_tokens_details": {"reasoning_tokens": 9},
            },
            TokenUsage(26, 14, cache_read_tokens=20, reasoning_tokens=9),
        ),
        ("SambaNova", counts(20, 5, total_latency=0.2, time_to_first_token=0.1), TokenUsage(20, 5)),
        ("a server without output", {"prompt_tokens": 20, "total_tokens": 25}, TokenUsage(20, 5)),
        ("a server that counts in floats", counts(20.0, 5.0), TokenUsage(20, 5)),  # type: ignore[arg-type]
        (
            "Perplexity's responses",
            {
                "input_tokens": 20, "output_tokens": 5, "total_tokens": 25,
                "input_tokens_details": {
                    "cache_read_input_tokens": 8, "cache_creation_input_tokens": 4,
                },
            },
            TokenUsage(20, 5, cache_read_tokens=8, cache_write_tokens=4),
        ),
    ],
)  # fmt: skip
def test_every_spelling_is_read(server: str, usage: dict[str, Any], expected: TokenUsage) -> None:
    found = spoken(CHAT).usage(usage)
    assert (found, found.state) == (
        TokenUsage(
            expected.input_tokens,
            expected.output_tokens,
            expected.cache_read_tokens,
            expected.cache_write_tokens,
            None,
            expected.reasoning_tokens,
            "reported",
        ),
        "reported",
    ), server


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (counts(2, 1, cost=0.00014), 0.00014),  # OpenRouter
        (counts(2, 1, cost={"total_cost": 0.006, "currency": "USD"}), 0.006),  # Perplexity
        (counts(2, 1, cost_in_usd_ticks=232_856_000), 0.0232856),  # xAI
        (counts(2, 1, cost=0), 0.0),
        (counts(2, 1, cost=-1), None),
        (counts(2, 1, cost="free"), None),
        (counts(2, 1, cost=True), None),
        (counts(2, 1), None),
    ],
)
def test_what_the_provider_charged_is_said(usage: dict[str, Any], cost: float | None) -> None:
    reply, _ = read(CHAT, {"id": "gen-1", "model": "m", "usage": usage})
    assert reply.said.get("agenttrace.cost_usd") == (cost and pytest.approx(cost))


def test_a_router_says_who_served() -> None:
    usage = counts(2, 1, cost=0.5)
    said = {"agenttrace.cost_usd": 0.5, "agenttrace.upstream_provider": "DeepInfra"}
    body = {"id": "gen-1", "model": "meta/llama", "provider": "DeepInfra", "usage": usage}
    assert read("/api/v1/chat/completions", body)[0].said == said
    streamed = spoken(CHAT).read_events(chunks({**body, "usage": None}, body))
    assert (streamed.response_id, streamed.said, streamed.finished) == ("gen-1", said, True)


def test_a_router_tells_later_what_a_call_has_used() -> None:
    data = {
        "id": "gen-1",
        "model": "meta/llama",
        "provider_name": "DeepInfra",
        "tokens_prompt": 30,
        "native_tokens_prompt": 27,
        "native_tokens_completion": 9,
        "native_tokens_reasoning": 4,
        "native_tokens_cached": 16,
        "total_cost": 0.5,
    }
    reply, usage = read("/api/v1/generation", {"data": data}, "GET")
    assert (reply.response_id, reply.model) == ("gen-1", "meta/llama")
    assert reply.said["agenttrace.cost_usd"] == 0.5
    assert usage == TokenUsage(27, 9, 16, None, None, 4, "reported")
    assert read("/api/v1/generation", {"data": {"id": "another"}}, "GET")[0] == Reply()


def test_groq_tells_the_usage_of_a_stream_in_a_member_of_its_own() -> None:
    begun = {"id": "chatcmpl-1", "model": "llama", "choices": [], "x_groq": {"id": "req_1"}}
    ended = {**begun, "x_groq": {"id": "req_1", "usage": counts(18, 556, queue_time=0.03)}}
    reply = spoken(CHAT).read_events(chunks(begun, ended))
    assert reply.response_id == "chatcmpl-1"
    assert spoken(CHAT).usage(reply.counts) == TokenUsage(18, 556, state="reported")


def test_the_last_of_several_usages_counts() -> None:
    begun = {"id": "c", "model": "sonar", "choices": []}
    data = chunks(*({**begun, "usage": counts(20, output)} for output in (1, 2, 3)))
    assert spoken(CHAT).usage(spoken(CHAT).read_events(data).counts).output_tokens == 3


def test_mistral_speaks_of_more_than_chats() -> None:
    usage = counts(20, 5, prompt_audio_seconds=None)
    fim, found = read("/v1/fim/completions", {"id": "f1", "model": "codestral", "usage": usage})
    assert (fim.response_id, found) == ("f1", TokenUsage(20, 5, state="reported"))
    agent = spoken("/v1/agents/completions")
    assert agent.is_call("/v1/agents/completions", b'{"agent_id": "ag_1", "messages": []}')
    assert agent.operation == "chat"
    ocr, found = read("/v1/ocr", {"model": "mistral-ocr", "usage_info": {"pages_processed": 3}})
    assert (ocr.model, found) == ("mistral-ocr", TokenUsage())
    classes, found = read("/v1/chat/moderations", {"id": "m1", "model": "mod", "usage": usage})
    assert (classes.response_id, found.input_tokens) == ("m1", 20)


@pytest.mark.parametrize("path", ["/v1/conversations", "/v1/conversations/c1", "/x/c1/restart"])
def test_a_conversation_at_mistral_is_told_with_its_usage(path: str) -> None:
    path = path.replace("/x/", "/v1/conversations/")
    conversation = spoken(path)
    assert conversation.is_call(path, b'{"agent_id": "ag_1", "inputs": "hi", "stream": true}')
    assert not conversation.is_call(path, b'{"metadata": {}}')
    usage = counts(20, 5, connector_tokens=3)
    assert read(path, {"conversation_id": "c1", "outputs": [], "usage": usage})[1] == TokenUsage(
        20, 5, state="reported"
    )
    streamed = chunks(
        {"type": "message.output.delta", "content": "Hello"},
        {"type": "conversation.response.done", "usage": usage},
    )
    reply = conversation.read_events(streamed)
    assert (reply.finished, conversation.usage(reply.counts).output_tokens) == (True, 5)
    assert conversation.text(streamed) == "Hello"


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.groq.com", "groq"),
        ("api.together.xyz", "together_ai"),
        ("api.fireworks.ai", "fireworks_ai"),
        ("api.x.ai", "x_ai"),
        ("eu-west-1.api.x.ai", "x_ai"),
        ("openrouter.ai", "openrouter"),
        ("codestral.mistral.ai", "mistral_ai"),
        ("dashscope-intl.aliyuncs.com", "alibaba_cloud"),
        ("mine.cognitiveservices.azure.com", "azure.ai.openai"),
        ("localhost", "openai"),
    ],
)
def test_a_known_host_says_who_answers(host: str, provider: str) -> None:
    assert dialect.provider_of(host, "openai") == provider


def test_the_table_of_hosts_is_in_the_order_of_the_alphabet() -> None:
    hosts = [host for host, _ in dialect._PROVIDERS]
    assert hosts == sorted(hosts)
