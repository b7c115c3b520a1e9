"""How responses go wrong on the wire, and what is billed then."""

import contextlib
import json
import socket
import struct
import threading
import time
from typing import Any

import anthropic
import httpx
import openai
import pytest

from agenttrace.testing import Failure, ModelProvider, Reply

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
TEN = "one two three four five six seven eight nine ten"


@pytest.fixture
def client(provider: ModelProvider):
    with openai.OpenAI(
        base_url=provider.openai_base_url, api_key="test", max_retries=0, timeout=5
    ) as made:
        yield made


def ends(provider: ModelProvider) -> list[tuple[str, str, int]]:
    return [(one.outcome, one.usage, one.output_tokens) for one in provider.ledger]


def stream(client: openai.OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="m", messages=HELLO, stream=True, **more)


def test_a_stream_the_client_leaves_is_billed_for_what_it_had_generated(provider, client):
    provider.script(Reply(TEN, stall_after=4))
    with stream(client, stream_options={"include_usage": True}) as chunks:
        pieces = [next(chunks).choices[0].delta.content for _ in range(5)]
    assert pieces == ["", "one ", "two ", "three ", "four "]
    assert ends(provider) == [("abandoned", "missing", 5)]  # "one two three four "


def test_a_slow_stream_notices_that_the_client_has_left(provider, client):
    provider.script(Reply(TEN, chunk_delay_s=0.2))
    with stream(client) as chunks:
        next(chunks)
        next(chunks)
    [(outcome, _, output_tokens)] = ends(provider)
    assert outcome == "abandoned"
    assert 1 <= output_tokens < 12


def test_an_anthropic_stream_that_is_left_had_reported_its_input(provider):
    provider.script(Reply(TEN, stall_after=2))
    with (
        anthropic.Anthropic(base_url=provider.anthropic_base_url, api_key="test") as client,
        client.messages.stream(model="claude", max_tokens=99, messages=HELLO) as events,
    ):
        assert [next(events.text_stream) for _ in range(2)] == ["one ", "two "]
        assert events.current_message_snapshot.usage.input_tokens == 5
    assert ends(provider) == [("abandoned", "partial", 2)]


@pytest.mark.parametrize(("pieces", "output_tokens"), [(0, 0), (3, 4), (10, 12)])
def test_a_stream_cut_by_the_provider_is_billed_up_to_there(
    provider, client, pieces, output_tokens
):
    provider.script(Reply(TEN, cut_after=pieces))
    seen = []
    with pytest.raises(openai.APIConnectionError):
        seen.extend(chunk.choices[0].delta.content for chunk in stream(client))
    assert "".join(seen).split() == TEN.split()[:pieces]
    assert ends(provider) == [("cut", "missing", output_tokens)]


def test_a_response_cut_in_the_middle_is_billed_all_of_it(provider, client):
    provider.script(Reply(TEN, cut_after=0))
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="m", messages=HELLO)
    assert ends(provider) == [("cut", "missing", 12)]


def test_a_response_that_is_no_json_is_billed(provider, client):
    provider.script(Reply(TEN, body="<html>Bad gateway</html>"))
    raw = client.chat.completions.with_raw_response.create(model="m", messages=HELLO)
    assert raw.text == "<html>Bad gateway</html>"
    assert ends(provider) == [("complete", "missing", 12)]


@pytest.mark.parametrize("reply", [Reply(TEN, delay_s=5), Reply(TEN, stall_after=0)])
def test_a_client_that_does_not_wait_is_billed_all_the_same(provider, client, reply):
    provider.script(reply)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.1).chat.completions.create(model="m", messages=HELLO)
    assert ends(provider) == [("abandoned", "missing", 12)]


def test_a_client_that_leaves_before_the_first_word_is_billed_no_output(provider, client):
    provider.script(Reply(TEN, delay_s=5))
    with pytest.raises(openai.APITimeoutError):
        stream(client.with_options(timeout=0.1))
    assert ends(provider) == [("abandoned", "missing", 0)]


def test_a_client_that_leaves_in_the_middle_of_a_response_is_billed_all_of_it(provider):
    provider.script("x" * 50_000_000)  # More than any socket's buffers hold.
    url = f"{provider.openai_base_url}/chat/completions"
    body = {"model": "m", "messages": HELLO}
    with httpx.Client() as client, client.stream("POST", url, json=body) as response:
        assert response.status_code == 200
    assert ends(provider) == [("abandoned", "reported", 12_500_000)]


def test_a_failure_bills_the_reply_it_had_worked_on(provider, client):
    provider.script(Failure(500, work=Reply(TEN, thinking="x" * 40)))
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="m", messages=HELLO)
    assert ends(provider) == [("failed", "missing", 22)]


def test_delays_are_kept(provider, client):
    provider.script(
        Reply("a b", delay_s=0.05), Reply("a b", chunk_delay_s=0.05), Failure(400, delay_s=0.05)
    )

    def seconds(call: Any) -> float:
        began = time.perf_counter()
        with contextlib.suppress(openai.BadRequestError):
            call()
        return time.perf_counter() - began

    assert seconds(lambda: client.chat.completions.create(model="m", messages=HELLO)) >= 0.05
    assert seconds(lambda: list(stream(client))) >= 0.1
    assert seconds(lambda: list(stream(client))) >= 0.05


def test_the_time_to_retry_after_is_sent_unless_there_is_none(provider):
    provider.script(Failure(429, retry_after_s=1.5), Failure(429, retry_after_s=None))
    body = {"model": "m", "messages": HELLO}
    url = f"{provider.openai_base_url}/chat/completions"
    with httpx.Client() as client:
        said, silent = client.post(url, json=body), client.post(url, json=body)
    assert (said.headers["retry-after"], said.headers["retry-after-ms"]) == ("1.5", "1500")
    assert "retry-after" not in silent.headers


def test_headers_of_a_script_are_sent(provider):
    provider.script(Reply("a", headers={"openai-processing-ms": "7"}))
    with httpx.Client() as client:
        got = client.post(
            f"{provider.openai_base_url}/chat/completions", json={"model": "m", "messages": HELLO}
        )
    assert (got.headers["openai-processing-ms"], got.headers["x-request-id"]) == ("7", "req_000001")


def test_compressed_responses_read_the_same():
    with (
        ModelProvider(compress=True) as provider,
        openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client,
    ):
        raw = client.chat.completions.with_raw_response.create(model="m", messages=HELLO)
        assert raw.headers["content-encoding"] == "gzip"
        assert raw.parse().choices[0].message.content == "You said: Hello there"
        provider.script(Reply(TEN, stall_after=2))
        with stream(client) as chunks:  # Compressed, but not held back.
            assert [next(chunks).choices[0].delta.content for _ in range(3)] == ["", "one ", "two "]
        whole = "".join(chunk.choices[0].delta.content or "" for chunk in stream(client))
        assert whole == "You said: Hello there"


def test_a_connection_is_used_again_after_a_stream_too(provider):
    url = f"{provider.openai_base_url}/chat/completions"
    body = {"model": "m", "messages": HELLO}
    ports = set()
    with httpx.Client() as client:
        for streams in [True, False, True]:
            with client.stream("POST", url, json={**body, "stream": streams}) as response:
                response.read()
                ports.add(response.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1


def http(**more: Any) -> bytes:
    body = json.dumps({"model": "m", "messages": HELLO, **more}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connect(provider: ModelProvider) -> socket.socket:
    host, _, port = provider.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)))


def test_a_request_sent_ahead_is_not_taken_for_leaving(provider):
    provider.script(Reply("first", delay_s=0.2), "second")
    received = b""
    with connect(provider) as connection:
        connection.sendall(http())
        while not provider.requests:
            time.sleep(0.001)
        connection.sendall(http())
        while b"second" not in received:
            received += connection.recv(65536)
    assert received.index(b"first") < received.index(b"second")
    assert [one.outcome for one in provider.ledger] == ["complete", "complete"]


def test_a_client_that_resets_its_connection_has_left(provider):
    provider.script(Reply(TEN, stall_after=1))
    with connect(provider) as connection:
        connection.sendall(http(stream=True))
        while b"one" not in connection.recv(65536):
            pass
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ends(provider) == [("abandoned", "missing", 1)]


def test_an_attempt_in_flight_is_in_the_ledger_as_open():
    with (
        ModelProvider(settle_s=0.0) as provider,
        openai.OpenAI(base_url=provider.openai_base_url, api_key="test") as client,
    ):
        provider.script(Reply(TEN, stall_after=2))
        with stream(client) as chunks:
            pieces = [next(chunks).choices[0].delta.content for _ in range(3)]
            [billed] = provider.ledger
            assert pieces == ["", "one ", "two "]
            assert billed.outcome == "open"


def test_stopping_ends_what_is_in_flight():
    with ModelProvider() as provider:
        provider.script(Reply(TEN, stall_after=0))
        body = json.dumps({"model": "m", "messages": HELLO})
        failed: list[Exception] = []

        def ask() -> None:
            try:
                httpx.post(f"{provider.openai_base_url}/chat/completions", content=body)
            except httpx.HTTPError as error:
                failed.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        while not provider.requests:
            time.sleep(0.001)
    asking.join(5)
    assert len(failed) == 1
    assert provider.ledger[0].outcome == "abandoned"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("POST", "/v1/nothing")])
def test_an_unknown_path_is_not_found(provider, method, path):
    with httpx.Client() as client:
        response = client.request(method, provider.url + path, json={})
    assert response.status_code == 404
    assert path in response.json()["error"]["message"]
