"""The meter at urllib3, and so under requests and botocore."""

import gc
import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import agenttrace
from agenttrace.testing import Failure, ModelProvider, Reply
from tests.record.transports.server import ASKED, CHAT, EVENTS, PATH, STREAM, Answer, Server

urllib3 = pytest.importorskip("urllib3")

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

JSON = {"Content-Type": "application/json"}
SSE = {"Content-Type": "text/event-stream"}


@pytest.fixture
def pool() -> Iterator[Any]:
    with urllib3.PoolManager() as made:
        yield made


def usage(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    attributes = record["attributes"]
    return (
        attributes["agenttrace.usage"],
        attributes.get("gen_ai.usage.input_tokens"),
        attributes.get("gen_ai.usage.output_tokens"),
    )


def outcome(record: dict[str, Any]) -> str:
    return record["attributes"]["agenttrace.outcome"]


def streamed(pool: Any, server: Server, **more: Any) -> Any:
    return pool.request(
        "POST", server.url + PATH, body=ASKED, headers=JSON, preload_content=False, **more
    )


READS: dict[str, Callable[[Any], bytes]] = {
    "data": lambda r: r.data,
    "read": lambda r: r.read(),
    "one byte at a time": lambda r: b"".join(iter(lambda: r.read(1), b"")),
    "some bytes at a time": lambda r: b"".join(iter(lambda: r.read(50), b"")),
    "stream": lambda r: b"".join(r.stream(decode_content=True)),
    "stream of few": lambda r: b"".join(r.stream(3, decode_content=True)),
    "lines": lambda r: b"".join(iter(r.readline, b"")),
}


PIECEMEAL = ("one byte at a time", "some bytes at a time", "lines")


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
def test_a_stream_is_counted_however_it_is_read(
    pool: Any, server: Server, spooled: Spooled, *, read: Any, framing: Any, coded: bool
) -> None:
    if coded and urllib3.__version__ < "2" and read in (READS[name] for name in PIECEMEAL):
        pytest.skip("urllib3 1 says it has come to the end when a decoder has nothing yet")
    body = gzip.compress(EVENTS) if coded else EVENTS
    headers = {**SSE, "Content-Encoding": "gzip"} if coded else SSE
    server.answer(Answer((body[:7], body[7:40], body[40:]), 200, headers, framing))
    response = streamed(pool, server)
    assert type(response) is urllib3.response.HTTPResponse
    assert read(response) == EVENTS
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
    assert outcome(record) == "complete"
    assert record["attributes"]["gen_ai.request.stream"] is True


@pytest.mark.skipif(urllib3.__version__ < "2", reason="urllib3 1 has no read1")
def test_a_stream_is_counted_when_it_is_read_as_it_comes(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(STREAM)
    response = streamed(pool, server)
    assert b"".join(iter(response.read1, b"")) == EVENTS
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_a_stream_read_into_a_buffer_is_counted(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((EVENTS,), headers=SSE))
    response = streamed(pool, server)
    buffer = bytearray(len(EVENTS) + 1)
    size = 0
    while count := response.readinto(memoryview(buffer)[size : size + 20]):
        size += count
    assert bytes(buffer[:size]) == EVENTS
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_a_stream_is_counted_when_it_is_iterated_over(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(STREAM)
    assert b"".join(streamed(pool, server)) == EVENTS
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_raw_bytes_stay_as_they_were_sent(pool: Any, server: Server, spooled: Spooled) -> None:
    sent = gzip.compress(CHAT)
    server.answer(Answer((sent,), headers={**JSON, "Content-Encoding": "gzip"}))
    response = streamed(pool, server, decode_content=False)
    assert b"".join(response.stream(10)) == sent
    preloaded = pool.request("POST", server.url + PATH, body=ASKED, decode_content=False)
    assert preloaded.data == sent
    assert [usage(record) for record in spooled()] == [("reported", 3, 2)] * 2


@pytest.mark.parametrize("status", [200, 404])
def test_a_preloaded_response_is_counted_at_once(
    pool: Any, server: Server, spooled: Spooled, status: int
) -> None:
    server.answer(Answer(status=status))
    response = pool.request("POST", server.url + PATH, body=ASKED, headers=JSON)
    (record,) = spooled()
    assert response.data == CHAT
    assert usage(record)[0] == ("reported" if status == 200 else "missing")
    assert record["attributes"]["http.response.status_code"] == status


def test_each_retry_of_urllib3_is_an_attempt(pool: Any, server: Server, spooled: Spooled) -> None:
    server.answer(Answer((b"busy",), 503), Answer((b"busy",), 503), Answer())
    retries = urllib3.Retry(3, status_forcelist=[503], allowed_methods=None)
    assert pool.request("POST", server.url + PATH, body=ASKED, retries=retries).status == 200
    tries = [record["attributes"] for record in spooled()]
    assert [a["agenttrace.attempt"] for a in tries] == [1, 2, 3]
    assert [a["http.response.status_code"] for a in tries] == [503, 503, 200]
    assert len({a["agenttrace.operation.id"] for a in tries}) == 1


def test_a_redirect_is_no_call_and_where_it_leads_is_one(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((b"",), 307, {"Location": PATH + "?again"}), Answer())
    assert pool.request("POST", server.url + PATH, body=ASKED).data == CHAT
    (record,) = spooled()
    assert record["attributes"]["http.response.status_code"] == 200


def test_a_refused_connection_is_an_attempt(pool: Any, spooled: Spooled) -> None:
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        pool.request("POST", "http://127.0.0.1:9" + PATH, body=ASKED, retries=1)
    assert [r["attributes"]["error.type"] for r in spooled()] == ["NewConnectionError"] * 2


def test_an_attempt_that_timed_out_is_one(pool: Any, server: Server, spooled: Spooled) -> None:
    server.answer(None, Answer())
    retries = urllib3.Retry(1, allowed_methods=None)
    pool.request("POST", server.url + PATH, body=ASKED, timeout=0.2, retries=retries)
    late, fine = spooled()
    assert late["attributes"]["error.type"] == "ReadTimeoutError"
    assert usage(late)[0] == "missing"
    assert fine["attributes"]["agenttrace.attempt"] == 2
    assert fine["attributes"]["agenttrace.operation.id"] == late["span_id"]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_stream_that_breaks_raises_as_before_and_is_recorded(
    pool: Any, server: Server, spooled: Spooled, framing: Any
) -> None:
    server.answer(Answer((EVENTS[:100], EVENTS[100:]), 200, SSE, framing, cut=40))
    response = streamed(pool, server, enforce_content_length=True)
    with pytest.raises(urllib3.exceptions.ProtocolError) as caught:
        list(response.stream(64))
    (record,) = spooled()
    assert record["attributes"]["error.type"] == type(caught.value).__name__
    assert outcome(record) == "incomplete"


def test_broken_compressed_data_is_the_programs_error_and_is_not_read(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    body = gzip.compress(EVENTS)[:20] + b"no gzip at all" * 5
    server.answer(Answer((body,), headers={**SSE, "Content-Encoding": "gzip"}))
    response = streamed(pool, server)
    with pytest.raises(urllib3.exceptions.DecodeError):
        response.read()
    response.close()
    assert usage(spooled()[0])[0] == "estimated"


def test_closing_early_leaves_the_stream(pool: Any, server: Server, spooled: Spooled) -> None:
    server.answer(STREAM)
    response = streamed(pool, server)
    assert response.read(10) == EVENTS[:10]
    response.close()
    (record,) = spooled()
    assert outcome(record) == "abandoned"
    assert usage(record)[0] == "estimated"


def test_a_generator_that_is_not_exhausted_leaves_the_stream(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer(tuple(EVENTS[i : i + 9] for i in range(0, 90, 9)), 200, SSE, "chunked"))
    for _ in streamed(pool, server).stream():
        break
    gc.collect()
    assert outcome(spooled()[0]) == "abandoned"


def test_a_response_that_nobody_closes_ends_when_it_is_forgotten(
    server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((EVENTS,), headers=SSE))
    pool = urllib3.PoolManager()
    response = streamed(pool, server)
    response.read(10)
    del response
    pool.clear()
    gc.collect()
    assert outcome(spooled()[0]) == "abandoned"


def test_a_drained_connection_goes_back_to_the_pool_and_the_call_is_whole(
    server: Server, spooled: Spooled
) -> None:
    server.answer(STREAM)
    with urllib3.HTTPConnectionPool("127.0.0.1", server.port, maxsize=1) as pool:
        for _ in range(2):
            response = pool.urlopen("POST", PATH, body=ASKED, preload_content=False)
            response.drain_conn()
            response.release_conn()
        assert pool.num_connections == 1
    assert [usage(record) for record in spooled()] == [("reported", 3, 2)] * 2


def test_what_is_sent_from_a_stream_is_not_touched(
    pool: Any, server: Server, spooled: Spooled
) -> None:
    pieces = [ASKED[:10], ASKED[10:]]
    pool.request("POST", server.url + PATH, body=iter(pieces))
    (head, body) = server.asked[0]
    assert body == ASKED
    assert b"chunked" in head.lower()
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_other_requests_are_left_alone(pool: Any, server: Server, spooled: Spooled) -> None:
    response = pool.request("GET", server.url + "/v1/models", preload_content=False)
    assert "_agenttrace_body" not in vars(response)
    response.drain_conn()
    assert spooled() == []


def test_shutdown_takes_the_hooks_out(pool: Any, server: Server, spooled: Spooled) -> None:
    server.answer(STREAM)
    open_one = streamed(pool, server)
    agenttrace.shutdown()
    assert open_one.read() == EVENTS
    pool.request("POST", server.url + PATH, body=ASKED)
    assert len(spooled()) == 1
    assert not hasattr(urllib3.HTTPConnectionPool._make_request, "__wrapped__")
    assert not hasattr(urllib3.response.HTTPResponse.close, "__wrapped__")


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_hook_that_another_tracer_keeps_in_place_does_nothing_any_more(
    pool: Any, server: Server, spooled: Spooled, traced_by_another: Any, framing: Any
) -> None:
    hook = "_handle_chunk" if framing == "chunked" else "_fp_read"
    traced_by_another(urllib3.response.HTTPResponse, hook)
    server.answer(Answer((CHAT,), 200, JSON, framing))
    assert b"".join(streamed(pool, server).stream()) == CHAT
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
    assert outcome(record) == "complete"


def test_the_task_is_not_sent_along(pool: Any, server: Server) -> None:
    headers = {"Baggage": "task.id=t-1, other=2", "X": "y"}
    with agenttrace.task("t", id="t-1"):
        pool.request("POST", server.url + PATH, body=ASKED, headers=headers)
    assert b"task.id" not in server.asked[0][0]
    assert b"other=2" in server.asked[0][0]
    assert headers["Baggage"] == "task.id=t-1, other=2"


def test_requests_is_counted_as_billed(spooled: Spooled) -> None:
    requests = pytest.importorskip("requests")
    asked = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
    with ModelProvider() as provider, requests.Session() as session:
        url = f"{provider.openai_base_url}/chat/completions"
        whole = session.post(url, json=asked).json()
        wanted = {**asked, "stream": True, "stream_options": {"include_usage": True}}
        with session.post(url, json=wanted, stream=True) as response:
            lines = list(response.iter_lines(chunk_size=1))
        billed = [(b.input_tokens, b.output_tokens) for b in provider.ledger]
    assert whole["usage"]["prompt_tokens"] == billed[0][0]
    assert lines[-2] == b"data: [DONE]"
    assert [usage(record)[1:] for record in spooled()] == billed


def test_requests_retries_are_attempts_of_one_operation(spooled: Spooled) -> None:
    requests = pytest.importorskip("requests")
    adapters = pytest.importorskip("requests.adapters")
    asked = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
    retries = urllib3.Retry(
        2, status_forcelist=[500], allowed_methods=None, respect_retry_after_header=False
    )
    with ModelProvider() as provider, requests.Session() as session:
        session.mount("http://", adapters.HTTPAdapter(max_retries=retries))
        provider.script(Failure(500), Failure(500, work="lost"), Reply("fine"))
        response = session.post(f"{provider.openai_base_url}/chat/completions", json=asked)
    assert json.loads(response.content)["choices"][0]["message"]["content"] == "fine"
    tries = [record["attributes"] for record in spooled()]
    assert [a["agenttrace.attempt"] for a in tries] == [1, 2, 3]
    assert len({a["agenttrace.operation.id"] for a in tries}) == 1
