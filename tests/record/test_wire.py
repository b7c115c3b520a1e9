"""The meter under the real SDKs: each attempt once, its tokens, and nothing else changed."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

import agenttrace
from agenttrace.testing import Billed, Failure, ModelProvider, Reply, Tokens, ToolCall

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

COUNTED = (
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "cache_read_tokens"),
    ("gen_ai.usage.cache_write.input_tokens", "cache_write_tokens"),
    ("gen_ai.usage.reasoning.output_tokens", "reasoning_tokens"),
)


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with ModelProvider() as running:
        yield running


@pytest.fixture
def client(provider: ModelProvider) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as made:
        yield made


@pytest.fixture
def claude(provider: ModelProvider) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=provider.anthropic_base_url, api_key="test") as made:
        yield made


def said(client: openai.OpenAI, text: str = "hello", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-5", messages=messages, **more)


def asked(claude: anthropic.Anthropic, text: str = "hello", **more: Any) -> Any:
    messages: Any = [{"role": "user", "content": text}]
    return claude.messages.create(
        model="claude-sonnet-5", max_tokens=1000, messages=messages, **more
    )


def counted(record: dict[str, Any]) -> dict[str, int]:
    return {name: record["attributes"].get(key, 0) for key, name in COUNTED}


def billed(entry: Billed) -> dict[str, int]:
    return {name: getattr(entry, name) for _, name in COUNTED}


def assert_equal_to_the_ledger(records: list[dict[str, Any]], provider: ModelProvider) -> None:
    assert [counted(record) for record in records] == [billed(entry) for entry in provider.ledger]
    assert {record["attributes"]["agenttrace.usage"] for record in records} == {"reported"}


THINKING = Reply("It is seven.", thinking="Let me count to seven. " * 20)


@pytest.mark.parametrize("stream", [False, True])
def test_openai_chat_is_counted_as_billed(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    provider.script(THINKING, Reply(tool_calls=[ToolCall("search", {"q": "x"})]))
    for _ in range(2):
        if stream:
            list(said(client, "word " * 3000, stream=True, stream_options={"include_usage": True}))
        else:
            said(client, "word " * 3000)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert records[1]["attributes"]["gen_ai.usage.cache_read.input_tokens"] > 0
    assert records[0]["attributes"]["gen_ai.usage.reasoning.output_tokens"] > 0


@pytest.mark.parametrize("stream", [False, True])
def test_openai_responses_are_counted_as_billed(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    provider.script(THINKING)
    made: Any = client.responses.create(model="gpt-5", input="hello", stream=stream)
    if stream:
        list(made)
    assert_equal_to_the_ledger(spooled(), provider)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_messages_are_counted_as_billed(
    claude: anthropic.Anthropic, provider: ModelProvider, spooled: Spooled, stream: bool
) -> None:
    provider.script(THINKING, Reply(tool_calls=[ToolCall("search", {"q": "x"})]))
    cached: Any = [{"type": "text", "text": "rule " * 3000, "cache_control": {"type": "ephemeral"}}]
    for _ in range(2):
        answer = asked(claude, system=cached, stream=stream)
        if stream:
            list(answer)
    records = spooled()
    assert_equal_to_the_ledger(records, provider)
    assert records[0]["attributes"]["gen_ai.usage.cache_write.input_tokens"] > 0
    assert records[1]["attributes"]["gen_ai.usage.cache_read.input_tokens"] > 0


def test_embeddings_are_counted_as_billed(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    client.embeddings.create(model="text-embedding-3-small", input=["hello", "world"])
    (record,) = spooled()
    assert_equal_to_the_ledger([record], provider)
    assert record["attributes"]["agenttrace.role"] == "embedding"
    assert record["attributes"]["gen_ai.operation.name"] == "embeddings"


async def test_async_clients_are_counted_as_billed(
    provider: ModelProvider, spooled: Spooled
) -> None:
    async with openai.AsyncOpenAI(base_url=provider.openai_base_url, api_key="test") as client:
        messages: Any = [{"role": "user", "content": "hello"}]
        await asyncio.gather(
            *(client.chat.completions.create(model="gpt-5", messages=messages) for _ in range(3))
        )
        stream = await client.chat.completions.create(
            model="gpt-5", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        assert [chunk async for chunk in stream]
    assert sorted(map(repr, map(counted, spooled()))) == sorted(
        map(repr, map(billed, provider.ledger))
    )


def test_a_retry_is_a_further_attempt_at_the_same_operation(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(429), Failure(500, work="lost"), "hello")
    assert said(client).choices[0].message.content == "hello"
    said(client)
    tries = [record["attributes"] for record in spooled()]
    assert [a["agenttrace.attempt"] for a in tries] == [1, 2, 3, 1]
    assert [a["http.response.status_code"] for a in tries] == [429, 500, 200, 200]
    operations = [a["agenttrace.operation.id"] for a in tries]
    assert operations[0] == operations[1] == operations[2] != operations[3]
    assert [a["agenttrace.usage"] for a in tries] == ["missing", "missing", "reported", "reported"]
    assert tries[0]["error.type"] == "429"
    assert tries[0]["gen_ai.request.model"] == "gpt-5"


def test_a_stream_without_usage_is_estimated_and_says_so(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("one two three four " * 50, usage="missing"))
    list(said(client, "word " * 100, stream=True))
    (record,) = spooled()
    (entry,) = provider.ledger
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert record["attributes"]["agenttrace.outcome"] == "complete"
    assert counted(record)["output_tokens"] == pytest.approx(entry.output_tokens, rel=0.3)
    assert counted(record)["input_tokens"] == pytest.approx(entry.input_tokens, rel=0.3)


def test_a_stream_that_the_client_leaves_is_recorded_as_abandoned(
    claude: anthropic.Anthropic, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("word " * 2000, chunk_delay_s=0.002))
    stream = asked(claude, stream=True)
    for count, _ in enumerate(stream):
        if count == 10:
            break
    stream.close()
    (record,) = spooled()
    assert record["attributes"]["agenttrace.outcome"] == "abandoned"
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert record["attributes"]["gen_ai.usage.input_tokens"] == provider.ledger[0].input_tokens
    assert 0 < record["attributes"]["gen_ai.usage.output_tokens"] < 2000


def test_a_stream_that_breaks_raises_as_before_and_is_recorded(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("word " * 100, cut_after=5))
    with pytest.raises(openai.APIConnectionError) as caught:
        list(said(client, stream=True))
    assert isinstance(caught.value.__cause__, httpx2.RemoteProtocolError)
    (record,) = spooled()
    assert record["attributes"]["agenttrace.outcome"] == "incomplete"
    assert record["attributes"]["error.type"] == "RemoteProtocolError"
    assert record["attributes"]["agenttrace.usage"] == "estimated"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body="<html>no JSON</html>"),
        Reply(body="[1, 2]"),
        Reply(body='{"usage": {"prompt_tokens": "many", "completion_tokens": -3}}'),
        Reply(body='{"usage": null}'),
        Reply("fine", usage="missing"),
        Reply("fine", usage="null"),
    ],
    ids=lambda reply: reply.body or reply.usage,
)
def test_a_response_without_readable_usage_is_counted_and_marked_missing(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled, reply: Reply
) -> None:
    provider.script(reply)
    said_raw = client.chat.completions.with_raw_response
    said_raw.create(model="gpt-5", messages=[{"role": "user", "content": "x"}])
    (record,) = spooled()
    assert record["attributes"]["agenttrace.usage"] == "missing"
    assert "gen_ai.usage.input_tokens" not in record["attributes"]


def test_time_to_first_token_is_that_of_the_stream(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("a b c d e f g h", delay_s=0.05, chunk_delay_s=0.02), "now")
    list(said(client, stream=True))
    said(client)
    streamed, whole = spooled()
    waited = streamed["attributes"]["gen_ai.response.time_to_first_chunk"]
    assert 0.05 <= waited < (streamed["end_ns"] - streamed["start_ns"]) / 1e9
    assert "gen_ai.response.time_to_first_chunk" not in whole["attributes"]


def test_a_connection_that_fails_is_an_attempt_without_a_status(spooled: Spooled) -> None:
    client = openai.OpenAI(base_url="http://127.0.0.1:9", api_key="x", max_retries=1)
    with client, pytest.raises(openai.APIConnectionError):
        said(client)
    tries = spooled()
    assert [t["attributes"]["error.type"] for t in tries] == ["ConnectError"] * 2
    assert len({t["attributes"]["agenttrace.operation.id"] for t in tries}) == 1


def test_no_text_of_the_conversation_reaches_the_disk(
    claude: anthropic.Anthropic, client: openai.OpenAI, provider: ModelProvider, home: Any
) -> None:
    provider.script(Reply("kumquat", thinking="rambutan"), Reply("kumquat"), Failure(400))
    asked(claude, "durian", system="lychee")
    list(said(client, "durian", stream=True))
    with pytest.raises(openai.BadRequestError):
        said(client, "durian")
    kept = b"".join(path.read_bytes() for path in (home / "spool").iterdir())
    assert kept
    for word in (b"kumquat", b"rambutan", b"durian", b"lychee"):
        assert word not in kept


def test_other_requests_of_the_same_client_are_left_alone(
    provider: ModelProvider, spooled: Spooled
) -> None:
    with httpx2.Client() as client:
        client.get(f"{provider.openai_base_url}/models")
        client.post(f"{provider.url}/v1/messages/count_tokens", json={"model": "m", "messages": []})
    with httpx2.Client(
        transport=httpx2.MockTransport(lambda request: httpx2.Response(200, json={}))
    ) as client:
        client.post("http://chat.example/api/messages", json={"text": "hello"})
        client.post("http://chat.example/v1/models", json={"model": "m"})
    assert spooled() == []


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_a_raw_client_of_either_httpx_is_metered_even_if_it_is_older_than_the_meter(
    module: Any, home: Any, provider: ModelProvider, spooled: Spooled
) -> None:
    agenttrace.shutdown()
    with module.Client() as client:
        agenttrace.configure(home)
        body = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
        response = client.post(f"{provider.openai_base_url}/chat/completions", json=body)
    assert response.json()["usage"]["prompt_tokens"] == counted(spooled()[0])["input_tokens"]


def test_shutdown_takes_the_hooks_out(home: Any, provider: ModelProvider, spooled: Spooled) -> None:
    agenttrace.shutdown()
    with openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client:
        said(client)
    assert spooled() == []
    assert httpx2.Client.send.__module__.startswith("httpx2")


EVENTS = (
    b'data: {"id":"c-1","choices":[{"delta":{"content":"h\xc3\xa4"}}],"usage":null}\n\n'
    b'data: {"id":"c-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n'
    b"data: [DONE]\n\n"
)


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("compressed", [False, True])
def test_chunks_pass_unchanged_however_they_are_cut(
    size: int, compressed: bool, spooled: Spooled
) -> None:
    sent = gzip.compress(EVENTS) if compressed else EVENTS
    pieces = [sent[i : i + size] for i in range(0, len(sent), size)]
    headers = {"content-type": "text/event-stream"}
    if compressed:
        headers["content-encoding"] = "gzip"

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=headers, content=iter(pieces))

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    with client.stream("POST", "http://x/v1/chat/completions", json={"model": "gpt-5"}) as got:
        assert list(got.iter_raw()) == pieces
    (record,) = spooled()
    assert (counted(record)["input_tokens"], counted(record)["output_tokens"]) == (3, 2)
    assert record["attributes"]["gen_ai.response.id"] == "c-1"


def test_a_long_stream_is_read_in_pieces_and_counted_the_same(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled, monkeypatch: Any
) -> None:
    from agenttrace.record.wire.transports import httpx_clients

    monkeypatch.setattr(httpx_clients, "CONDENSE_BYTES", 500)
    provider.script(Reply("word " * 500), Reply("word " * 500, usage="missing"))
    for _ in range(2):
        list(said(client, stream=True, stream_options={"include_usage": True}))
    exact, estimated = spooled()
    assert counted(exact) == billed(provider.ledger[0])
    wanted = provider.ledger[1].output_tokens
    assert counted(estimated)["output_tokens"] == pytest.approx(wanted, rel=0.3)


def test_a_broken_meter_changes_nothing_for_the_program(
    client: openai.OpenAI, provider: ModelProvider, monkeypatch: Any, trouble: list[str]
) -> None:
    from agenttrace.record import recorder
    from agenttrace.record.wire import exchange
    from agenttrace.record.wire.dialects import openai as dialect

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken on purpose")

    for owner, name in (
        (exchange, "begin"),
        (exchange.Exchange, "respond"),
        (exchange.Exchange, "_read"),
        (dialect.Chat, "read_json"),
        (dialect.Chat, "read_events"),
        (recorder.Spool, "append"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, broken)
            assert said(client, "fine").choices[0].message.content == "You said: fine"
            text = [c.choices[0].delta.content or "" for c in said(client, "fine", stream=True)]
            assert "".join(text) == "You said: fine"
    assert trouble
    assert not any("on purpose" in message for message in trouble)


def test_the_ledger_and_the_usage_the_client_sees_agree(
    client: openai.OpenAI, provider: ModelProvider
) -> None:
    provider.script(Reply("x", tokens=Tokens(input_tokens=1000, output_tokens=7)))
    usage = said(client).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (1000, 7)


def streamed(events: bytes, *, content_type: str = "text/event-stream") -> list[bytes]:
    """Send one streaming chat through an in-process transport that answers with *events*."""
    headers = {"content-type": content_type} if content_type else {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=headers, content=iter([events]))

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with client.stream("POST", "http://x/v1/chat/completions", json=body) as got:
        return list(got.iter_raw())


USAGE = b'{"id":"c-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":200}}'


@pytest.mark.parametrize(
    "events",
    [
        b"data: " + USAGE + b"\n\n",
        b"data: " + USAGE,
        b"data: " + USAGE + b"\r\n\r\ndata: [DONE]",
        b"data: " + USAGE + b"\n\ndata: [DONE]\n\n" + b": keep-alive\n\n" * 20,
        b'data: {"usage": broken\n\ndata: ' + USAGE + b"\n\n",
        b'data: {"choices":[{"delta":"odd"}]}\n\ndata: ' + USAGE + b"\n\n",
        b"data: \xff\xfe\n\ndata: " + USAGE + b"\n\n",
        b"data: " + b"[" * 5000 + b"\n\ndata: " + USAGE + b"\n\n",
    ],
)
@pytest.mark.parametrize("content_type", ["text/event-stream", ""])
def test_reported_usage_is_kept_however_the_stream_ends_and_whatever_is_beside_it(
    events: bytes, content_type: str, spooled: Spooled
) -> None:
    assert streamed(events, content_type=content_type) == [events]
    (record,) = spooled()
    assert counted(record)["output_tokens"] == 200
    assert record["attributes"]["agenttrace.usage"] == "reported"
    assert record["attributes"]["gen_ai.request.model"] == "gpt-5"


@pytest.mark.parametrize(
    "delta",
    ['"text"', '{"tool_calls": 7}', '{"content": "\\ud800 abc"}', "null", '{"content": "abcd"}'],
)
def test_odd_deltas_do_not_lose_the_call(delta: str, spooled: Spooled) -> None:
    streamed(f'data: {{"choices":[{{"delta":{delta}}}]}}\n\ndata: [DONE]\n\n'.encode())
    (record,) = spooled()
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert record["attributes"]["http.response.status_code"] == 200


def test_an_error_inside_a_stream_is_recorded_as_one(
    claude: anthropic.Anthropic, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Failure(529, work="word " * 50, after=6))
    with pytest.raises(anthropic.APIStatusError):
        list(asked(claude, stream=True))
    (record,) = spooled()
    assert record["status"] == "error"
    assert record["attributes"]["error.type"] == "overloaded_error"
    assert record["attributes"]["agenttrace.outcome"] == "incomplete"


def test_reasoning_that_a_provider_counts_beside_the_completion_is_added_to_it(
    spooled: Spooled,
) -> None:
    usage = b'{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,'
    usage += b'"completion_tokens_details":{"reasoning_tokens":94}}'
    streamed(b'data: {"choices":[],"usage":' + usage + b"}\n\n")
    assert counted(spooled()[0])["output_tokens"] == 103


def test_a_redirect_that_is_not_followed_is_no_call(spooled: Spooled) -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(307, headers={"location": "/"}))
    with httpx2.Client(transport=transport) as client:
        client.post("http://x/v1/chat/completions", json={"model": "m", "messages": []})
    assert spooled() == []


def test_a_body_that_cannot_be_seen_is_a_call_all_the_same(spooled: Spooled) -> None:
    transport = httpx2.MockTransport(
        lambda _: httpx2.Response(200, json={"model": "gpt-5", "usage": {"prompt_tokens": 3}})
    )
    with httpx2.Client(transport=transport) as client:
        client.post("http://x/v1/chat/completions", content=iter([b'{"model":"gpt-5"}']))
    (record,) = spooled()
    assert record["attributes"]["gen_ai.response.model"] == "gpt-5"
    assert record["attributes"]["agenttrace.usage"] == "partial"


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_the_time_that_a_stream_took_can_be_asked_as_before(
    module: Any, provider: ModelProvider
) -> None:
    body = {"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    address = f"{provider.openai_base_url}/chat/completions"
    with module.Client() as client, client.stream("POST", address, json=body) as response:
        response.read()
    assert response.elapsed.total_seconds() > 0


class _Source(httpx2.SyncByteStream):
    """A stream that says whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield EVENTS

    def close(self) -> None:
        self.closed += 1


def test_closing_the_response_closes_the_connection() -> None:
    source = _Source()
    headers = {"content-type": "text/event-stream"}
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=source))
    client = httpx2.Client(transport=transport)
    with client.stream("POST", "http://x/v1/chat/completions", json={"model": "m"}):
        pass
    assert source.closed == 1


def test_the_task_is_not_sent_along_to_the_model_provider(
    claude: anthropic.Anthropic, provider: ModelProvider
) -> None:
    with agenttrace.task("t", id="customer 42"):
        asked(claude)
    headers = provider.requests[0].headers
    assert "traceparent" not in headers
    assert "baggage" not in headers


def test_what_others_put_on_top_of_the_hooks_stays_after_shutdown(
    client: openai.OpenAI, spooled: Spooled
) -> None:
    ours, seen = httpx2.Client.send, []

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(1)
        return ours(self, *args, **kwargs)

    httpx2.Client.send = theirs  # type: ignore[method-assign]
    try:
        agenttrace.shutdown()
        said(client)
        assert httpx2.Client.send is theirs
        assert seen == [1]
        assert spooled() == []
    finally:
        httpx2.Client.send = ours.__wrapped__  # type: ignore[attr-defined,method-assign]


def test_a_stream_still_open_at_shutdown_is_recorded_as_it_stands(
    client: openai.OpenAI, provider: ModelProvider, spooled: Spooled
) -> None:
    provider.script(Reply("word " * 100, chunk_delay_s=0.001))
    stream = said(client, stream=True)
    next(iter(stream))
    agenttrace.shutdown()
    (record,) = spooled()
    assert record["attributes"]["agenttrace.outcome"] == "abandoned"
    stream.close()
