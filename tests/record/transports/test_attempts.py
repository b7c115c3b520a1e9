"""Which attempts belong to one operation, with the clients that make them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import openai
import pytest

import agenttrace
from agenttrace.record.wire import exchange
from tests.record.transports.server import ASKED, PATH, Answer, Server

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

BUSY = Answer((b'{"message":"busy"}',), 503)
MESSAGES: Any = [{"role": "user", "content": "hello"}]


def attempts(records: list[dict[str, Any]]) -> list[int]:
    return [record["attributes"]["agenttrace.attempt"] for record in records]


def operations(records: list[dict[str, Any]]) -> int:
    return len({record["attributes"]["agenttrace.operation.id"] for record in records})


def posted(client: httpx.Client, server: Server, body: bytes = ASKED) -> httpx.Response:
    return client.post(server.url + PATH, content=body)


def test_the_same_bytes_after_a_success_are_asked_anew(server: Server, spooled: Spooled) -> None:
    with httpx.Client() as client:
        posted(client, server)
        posted(client, server)
    assert attempts(spooled()) == [1, 1]
    assert operations(spooled()) == 2


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_was_refused_for_good_is_asked_anew(
    server: Server, spooled: Spooled, status: int
) -> None:
    server.answer(Answer(status=status), Answer())
    with httpx.Client() as client:
        posted(client, server)
        posted(client, server)
    assert attempts(spooled()) == [1, 1]


def test_the_same_bytes_after_a_failure_are_tried_again(server: Server, spooled: Spooled) -> None:
    server.answer(BUSY, BUSY, Answer())
    with httpx.Client() as client:
        while posted(client, server).status_code != 200:
            pass
        posted(client, server)
    assert attempts(spooled()) == [1, 2, 3, 1]
    assert operations(spooled()) == 2


def test_other_bytes_after_a_failure_are_another_operation(
    server: Server, spooled: Spooled
) -> None:
    server.answer(BUSY, Answer())
    with httpx.Client() as client:
        posted(client, server)
        posted(client, server, ASKED.replace(b"hello", b"HELLO"))
    assert attempts(spooled()) == [1, 1]


def test_the_same_bytes_much_later_are_asked_anew(
    server: Server, spooled: Spooled, monkeypatch: Any
) -> None:
    monkeypatch.setattr(exchange, "_AGAIN_NS", 0)
    server.answer(BUSY, Answer())
    with httpx.Client() as client:
        posted(client, server)
        posted(client, server)
    assert attempts(spooled()) == [1, 1]


def test_an_attempt_in_another_task_is_another_operation(server: Server, spooled: Spooled) -> None:
    server.answer(BUSY, Answer())
    with httpx.Client() as client:
        for name in ("one", "two"):
            with agenttrace.task(name):
                posted(client, server)
    calls = [r for r in spooled() if r["attributes"]["agenttrace.kind"] == "inference"]
    assert attempts(calls) == [1, 1]


def test_an_attempt_after_one_that_timed_out_is_a_further_one(
    server: Server, spooled: Spooled
) -> None:
    server.answer(None, Answer())
    with httpx.Client(timeout=0.2) as client:
        with pytest.raises(httpx.ReadTimeout):
            posted(client, server)
        posted(client, server)
    late, fine = spooled()
    assert attempts([late, fine]) == [1, 2]
    assert late["attributes"]["error.type"] == "ReadTimeout"
    assert late["attributes"]["agenttrace.usage"] == "missing"


def test_an_attempt_after_a_stream_that_broke_is_a_further_one(
    server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((b"data: {}\n\n" * 9,), framing="chunked", cut=20), Answer())
    with httpx.Client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            posted(client, server)
        posted(client, server)
    assert attempts(spooled()) == [1, 2]


def test_openai_tells_its_attempts(server: Server, spooled: Spooled) -> None:
    server.answer(BUSY, BUSY, Answer())
    with openai.OpenAI(base_url=server.url + "/v1", api_key="x", max_retries=3) as client:
        client.chat.completions.create(model="gpt-5", messages=MESSAGES)
    assert attempts(spooled()) == [1, 2, 3]
    assert operations(spooled()) == 1


async def test_each_of_many_at_once_has_its_own_attempts(server: Server, spooled: Spooled) -> None:
    server.answer(*[BUSY] * 6, Answer())

    async def call(client: openai.AsyncOpenAI, number: int) -> None:
        messages: Any = [{"role": "user", "content": f"hello {number}"}]
        await client.chat.completions.create(model="gpt-5", messages=messages)

    async with openai.AsyncOpenAI(
        base_url=server.url + "/v1", api_key="x", max_retries=9
    ) as client:
        await asyncio.gather(*(call(client, number) for number in range(4)))
    records = spooled()
    assert len(records) == 10
    assert operations(records) == 4
    by_operation: dict[str, list[int]] = {}
    for record in records:
        attributes = record["attributes"]
        found = by_operation.setdefault(attributes["agenttrace.operation.id"], [])
        found.append(attributes["agenttrace.attempt"])
    assert all(found == [*range(1, len(found) + 1)] for found in by_operation.values())


async def test_a_loop_of_its_own_tries_again(server: Server, spooled: Spooled) -> None:
    server.answer(BUSY, BUSY, Answer())
    async with httpx.AsyncClient() as client:
        for _ in range(3):
            response = await client.post(server.url + PATH, content=ASKED)
            if response.status_code == 200:
                break
            await asyncio.sleep(0.01)
    assert attempts(spooled()) == [1, 2, 3]
    assert operations(spooled()) == 1


def test_cohere_tries_again(server: Server, spooled: Spooled, monkeypatch: Any) -> None:
    cohere = pytest.importorskip("cohere")
    monkeypatch.setattr("time.sleep", lambda _: None)
    body = json.dumps({"id": "c-1", "text": "x", "generations": [], "meta": {}}).encode()
    server.answer(BUSY, BUSY, Answer((body,)))
    with httpx.Client() as inner:
        client = cohere.Client("key", base_url=server.url, httpx_client=inner)
        client.chat(model="command-a", message="hello")
    records = spooled()
    assert attempts(records) == [1, 2, 3]
    assert operations(records) == 1


def test_botocore_tells_its_attempts(
    server: Server, spooled: Spooled, monkeypatch: Any, tmp_path: Any
) -> None:
    session_module = pytest.importorskip("botocore.session")
    config = pytest.importorskip("botocore.config")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    body = json.dumps(
        {
            "output": {"message": {"role": "assistant", "content": [{"text": "x"}]}},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        }
    ).encode()
    server.answer(BUSY, BUSY, Answer((body,)))
    client = session_module.Session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=config.Config(retries={"mode": "standard", "max_attempts": 3}),
    )
    monkeypatch.setattr("time.sleep", lambda _: None)
    answer = client.converse(
        modelId="amazon.nova-lite-v1:0", messages=[{"role": "user", "content": [{"text": "hi"}]}]
    )
    client.close()
    assert answer["usage"]["totalTokens"] == 5
    assert [b"attempt=%d" % n in head for n, (head, _) in enumerate(server.asked, 1)] == [True] * 3
    records = spooled()
    assert attempts(records) == [1, 2, 3]
    assert operations(records) == 1


def test_a_client_that_sends_by_way_of_another_is_counted_once(
    server: Server, spooled: Spooled
) -> None:
    requests = pytest.importorskip("requests")

    class ByRequests(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            got = session.post(str(request.url), data=request.read())
            return httpx.Response(got.status_code, content=got.content)

    server.answer(BUSY, Answer())
    with requests.Session() as session, httpx.Client(transport=ByRequests()) as client:
        for _ in range(2):
            posted(client, server)
        session.post(server.url + PATH, data=ASKED)
    assert len(server.asked) == 3
    assert attempts(spooled()) == [1, 2, 1]


def test_another_call_made_while_one_is_sent_is_a_call_of_its_own(
    server: Server, spooled: Spooled
) -> None:
    requests = pytest.importorskip("requests")
    guard = ASKED.replace(b"gpt-5", b"guard")

    class Guarded(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            requests.post(server.url + PATH, data=guard)
            return super().handle_request(request)

    with httpx.Client(transport=Guarded()) as client:
        posted(client, server)
    models = [record["attributes"]["gen_ai.request.model"] for record in spooled()]
    assert models == ["gpt-5", "guard"]
