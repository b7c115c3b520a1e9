"""Where a path and a body leave it open who is asked, the answer tells."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import agenttrace
from tests.record.transports.server import Answer, Server

Spooled = Callable[[], list[dict[str, Any]]]
pytestmark = pytest.mark.usefixtures("recording")

JSON = {"Content-Type": "application/json"}


def post(server: Server, path: str, body: Any, answer: Answer) -> httpx.Response:
    server.answer(answer)
    with httpx.Client(trust_env=False) as client:
        return client.post(server.url + path, json=body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/generate", {"inputs": "an invoice"}),
        ("/embed", {"inputs": "a video"}),
        ("/completion", {"prompt": "pyth"}),
    ],
)
@pytest.mark.parametrize("said", [b'{"ok": true}', b'["python"]', b"<html>", b""])
def test_an_answer_without_counts_is_another_services(
    server: Server, spooled: Spooled, path: str, body: Any, said: bytes
) -> None:
    with agenttrace.task("paying"):
        post(server, path, body, Answer((said,), headers=JSON))
    assert [record["name"] for record in spooled()] == ["paying"]


def test_an_answer_with_counts_is_a_models(server: Server, spooled: Spooled) -> None:
    counted = {**JSON, "x-prompt-tokens": "9", "x-generated-tokens": "4"}
    post(server, "/generate", {"inputs": "Hi"}, Answer((b'{"generated_text": "x"}',), 200, counted))
    told = b'{"content": "x", "stop": true, "tokens_evaluated": 9, "tokens_predicted": 4}'
    post(server, "/completion", {"prompt": "Hi"}, Answer((told,), headers=JSON))
    for record in spooled():
        assert record["attributes"]["gen_ai.usage.input_tokens"] == 9
        assert record["attributes"]["gen_ai.usage.output_tokens"] == 4
    assert len(spooled()) == 2


def test_an_answer_that_is_not_awaited_may_have_been_a_models(
    server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((b'{"content": ', b'"x"}'), headers=JSON, framing="slow"))
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", server.url + "/completion", json={"prompt": "Hi"}) as response,
    ):
        next(response.iter_raw())
    [record] = spooled()
    assert record["attributes"]["agenttrace.outcome"] == "abandoned"
    assert record["attributes"]["agenttrace.usage"] == "missing"


@pytest.mark.parametrize("parts", [1, 30])
def test_a_stream_without_usage_is_counted_by_its_text(
    server: Server, spooled: Spooled, parts: int
) -> None:
    # A long stream is read in parts of a megabyte; no word of it is lost or counted twice.
    event = b'data: {"id":"c","model":"gpt-5","choices":[{"delta":{"content":" word"}}]}\n\n'
    piece = event * 1000
    answer = Answer((piece,) * parts, headers={"Content-Type": "text/event-stream"})
    body = {"model": "gpt-5", "messages": [], "stream": True}
    post(server, "/v1/chat/completions", body, answer)
    [record] = spooled()
    assert record["attributes"]["agenttrace.usage"] == "estimated"
    assert record["attributes"]["gen_ai.usage.output_tokens"] == pytest.approx(
        1000 * parts, rel=0.001
    )


def test_a_stream_that_breaks_has_made_at_least_what_it_last_said(
    server: Server, spooled: Spooled
) -> None:
    counts = (
        b'"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":1,"thoughtsTokenCount":70}'
    )
    event = b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}],%b}\n\n' % counts
    server.answer(
        Answer((event, event), 200, {"Content-Type": "text/event-stream"}, "chunked", cut=30)
    )
    url = f"{server.url}/v1beta/models/gemini-3:streamGenerateContent?alt=sse"
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", url, json={"contents": []}) as response,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        response.read()
    said = spooled()[0]["attributes"]
    assert said["agenttrace.usage"] == "estimated"
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (9, 71)
    assert said["gen_ai.usage.reasoning.output_tokens"] == 70
