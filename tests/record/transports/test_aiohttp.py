"""The meter at aiohttp's client sessions."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import agenttrace
from tests.record.transports.server import ASKED, CHAT, EVENTS, PATH, STREAM, Answer, Server

aiohttp = pytest.importorskip("aiohttp")

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

JSON = {"Content-Type": "application/json"}
SSE = {"Content-Type": "text/event-stream"}


@pytest.fixture
async def session() -> AsyncIterator[Any]:
    async with aiohttp.ClientSession() as made:
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


async def _all(pieces: Any) -> bytes:
    return b"".join([piece async for piece in pieces])


async def _until_empty(read: Callable[[], Awaitable[bytes]]) -> bytes:
    found = b""
    while piece := await read():
        found += piece
    return found


READS: dict[str, Callable[[Any], Awaitable[bytes]]] = {
    "read": lambda r: r.read(),
    "text": lambda r: _encoded(r.text()),
    "content": lambda r: r.content.read(),
    "one byte at a time": lambda r: _all(r.content.iter_chunked(1)),
    "any": lambda r: _all(r.content.iter_any()),
    "readany": lambda r: _until_empty(r.content.readany),
    "lines": lambda r: _all(r.content),
    "readline": lambda r: _until_empty(r.content.readline),
    "chunks": lambda r: _all(_first(r.content.iter_chunks())),
    "exactly": lambda r: r.content.readexactly(len(EVENTS)),
}


async def _encoded(text: Awaitable[str]) -> bytes:
    return (await text).encode()


async def _first(pairs: Any) -> AsyncIterator[bytes]:
    async for piece, _ in pairs:
        yield piece


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_a_stream_is_counted_however_it_is_read(
    session: Any, server: Server, spooled: Spooled, *, read: Any, framing: Any, coding: str
) -> None:
    body = gzip.compress(EVENTS) if coding else EVENTS
    headers = {**SSE, "Content-Encoding": coding} if coding else SSE
    server.answer(Answer((body[:7], body[7:40], body[40:]), 200, headers, framing))
    async with session.post(server.url + PATH, data=ASKED) as response:
        assert type(response) is aiohttp.ClientResponse
        assert type(response.content) is aiohttp.StreamReader
        assert await read(response) == EVENTS
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
    assert outcome(record) == "complete"
    assert record["attributes"]["gen_ai.request.stream"] is True


async def test_json_is_counted(session: Any, server: Server, spooled: Spooled) -> None:
    async with session.post(server.url + PATH, json=json.loads(ASKED)) as response:
        assert (await response.json())["id"] == "c-1"
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
    assert record["attributes"]["gen_ai.request.model"] == "gpt-5"


@pytest.mark.parametrize("coded", [gzip.compress, zlib.compress])
async def test_raw_bytes_stay_as_they_were_sent(
    server: Server, spooled: Spooled, coded: Any
) -> None:
    coding = "gzip" if coded is gzip.compress else "deflate"
    server.answer(Answer((coded(CHAT),), headers={**JSON, "Content-Encoding": coding}))
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(server.url + PATH, data=ASKED) as response,
    ):
        assert await response.read() == coded(CHAT)
    assert usage(spooled()[0]) == ("reported", 3, 2)


BEGUN = Answer((EVENTS[:90],), headers={**SSE, "Content-Length": "5000"}, framing="hang")


async def test_a_block_that_is_left_early_leaves_the_stream(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(BEGUN)
    async with session.post(server.url + PATH, data=ASKED) as response:
        assert await response.content.readany()
    (record,) = spooled()
    assert outcome(record) == "abandoned"
    assert usage(record)[0] == "estimated"


async def test_a_response_that_nobody_closes_is_recorded_when_the_recording_ends(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(BEGUN)
    response = await session.post(server.url + PATH, data=ASKED)
    await response.content.read(10)
    assert spooled() == []
    agenttrace.shutdown()
    assert outcome(spooled()[0]) == "abandoned"
    response.release()


async def test_a_session_that_is_closed_in_the_middle_ends_the_stream(
    server: Server, spooled: Spooled
) -> None:
    server.answer(BEGUN)
    session = aiohttp.ClientSession()
    response = await session.post(server.url + PATH, data=ASKED)
    await response.content.read(10)
    await session.close()
    response.release()
    (record,) = spooled()
    assert outcome(record) in ("abandoned", "incomplete")


async def test_a_stream_that_breaks_raises_as_before_and_is_recorded(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((EVENTS,), 200, SSE, "chunked", cut=40))
    response = await session.post(server.url + PATH, data=ASKED)
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()
    (record,) = spooled()
    assert record["attributes"]["error.type"] == "ClientPayloadError"
    assert outcome(record) == "incomplete"


async def test_a_refused_connection_is_an_attempt(session: Any, spooled: Spooled) -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.post("http://127.0.0.1:9" + PATH, data=ASKED)
    assert spooled()[0]["attributes"]["error.type"] == "ClientConnectorError"


@pytest.mark.parametrize("limit", [{"total": 0.2}, {"sock_read": 0.2}], ids=str)
@pytest.mark.parametrize("when", ["before the head", "in the body"])
async def test_an_attempt_that_timed_out_is_one(
    session: Any, server: Server, spooled: Spooled, limit: dict[str, float], when: str
) -> None:
    late = Answer((EVENTS[:90],), 200, {**SSE, "Content-Length": "5000"}, "hang")
    server.answer(None if when == "before the head" else late)
    with pytest.raises(TimeoutError):
        async with session.post(
            server.url + PATH, data=ASKED, timeout=aiohttp.ClientTimeout(**limit)
        ) as response:
            await response.content.read()
    (record,) = spooled()
    assert record["status"] == "error"
    assert record["attributes"]["error.type"].endswith("TimeoutError")


async def test_a_reader_that_waits_in_turns_is_not_taken_for_a_timeout(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((EVENTS,), 200, SSE, "slow"))
    found = b""
    async with session.post(server.url + PATH, data=ASKED) as response:
        while not response.content.at_eof():
            try:
                found += await asyncio.wait_for(response.content.readany(), 0.05)
            except TimeoutError:
                continue
    assert found == EVENTS
    (record,) = spooled()
    assert (usage(record), outcome(record)) == (("reported", 3, 2), "complete")


async def test_a_redirect_is_no_call_and_where_it_leads_is_one(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((b"",), 307, {"Location": PATH + "?again"}), Answer())
    async with session.post(server.url + PATH, data=ASKED) as response:
        assert await response.read() == CHAT
    (record,) = spooled()
    assert record["attributes"]["http.response.status_code"] == 200


async def test_the_same_bytes_after_a_failure_are_a_further_attempt(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(Answer((b"busy",), 503), Answer())
    for _ in range(3):
        async with session.post(server.url + PATH, data=ASKED) as response:
            response.status  # noqa: B018 - the body of a failure is not always read
    tries = [record["attributes"] for record in spooled()]
    assert [a["agenttrace.attempt"] for a in tries] == [1, 2, 1]


async def test_what_is_sent_from_a_stream_is_not_touched(
    session: Any, server: Server, spooled: Spooled
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield ASKED[:10]
        yield ASKED[10:]

    async with session.post(server.url + PATH, data=pieces()) as response:
        await response.read()
    assert server.asked[0][1] == ASKED
    assert usage(spooled()[0]) == ("reported", 3, 2)


async def test_parallel_calls_are_all_counted(
    session: Any, server: Server, spooled: Spooled
) -> None:
    server.answer(STREAM)

    async def call() -> bytes:
        async with session.post(server.url + PATH, data=ASKED) as response:
            return await response.read()

    assert await asyncio.gather(*(call() for _ in range(8))) == [EVENTS] * 8
    records = spooled()
    assert [usage(record) for record in records] == [("reported", 3, 2)] * 8
    assert len({r["attributes"]["agenttrace.operation.id"] for r in records}) == 8


async def test_other_requests_are_left_alone(
    session: Any, server: Server, spooled: Spooled
) -> None:
    async with session.get(server.url + "/v1/models") as response:
        await response.read()
        assert "_agenttrace_body" not in vars(response)
    assert spooled() == []


async def test_shutdown_takes_the_hooks_out(session: Any, server: Server, spooled: Spooled) -> None:
    server.answer(STREAM)
    async with session.post(server.url + PATH, data=ASKED) as response:
        agenttrace.shutdown()
        assert await response.read() == EVENTS
    async with session.post(server.url + PATH, data=ASKED) as response:
        await response.read()
    assert len(spooled()) == 1
    assert not hasattr(aiohttp.StreamReader.feed_data, "__wrapped__")
    assert not hasattr(aiohttp.BaseConnector.connect, "__wrapped__")


async def test_the_task_is_not_sent_along(session: Any, server: Server) -> None:
    with agenttrace.task("t", id="t-1"):
        async with session.post(
            server.url + PATH, data=ASKED, headers={"Baggage": "task.id=t-1, other=2"}
        ):
            pass
    assert b"task.id" not in server.asked[0][0]
    assert b"other=2" in server.asked[0][0]


async def test_a_client_that_sends_by_way_of_aiohttp_is_counted_once(
    server: Server, spooled: Spooled
) -> None:
    openai = pytest.importorskip("openai")
    try:
        by_aiohttp = openai.DefaultAioHttpClient()
    except RuntimeError:
        pytest.skip("openai is installed without its aiohttp extra")
    server.answer(Answer((b"busy",), 503), Answer(), STREAM)
    async with openai.AsyncOpenAI(
        base_url=server.url + "/v1",
        api_key="x",
        http_client=by_aiohttp,
    ) as client:
        messages: Any = [{"role": "user", "content": "hello"}]
        answer = await client.chat.completions.create(model="gpt-5", messages=messages)
        assert answer.usage.completion_tokens == 2
        stream = await client.chat.completions.create(model="gpt-5", messages=messages, stream=True)
        assert [chunk.id async for chunk in stream] == ["c-1", "c-1"]
    records = spooled()
    assert [r["attributes"]["agenttrace.attempt"] for r in records] == [1, 2, 1]
    assert [usage(record)[0] for record in records] == ["missing", "reported", "reported"]


async def test_a_conversation_over_a_websocket_is_counted(spooled: Spooled) -> None:
    web = pytest.importorskip("aiohttp.web")
    heard: list[str] = []
    response = {"id": "resp-1", "usage": {"input_tokens": 3, "output_tokens": 2}}
    answers = [
        {"type": "response.created", "response": {"id": "resp-1"}},
        {"type": "response.done", "response": {**response, "status": "completed"}},
    ]

    async def talk(request: Any) -> Any:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            heard.append(message.data)
            for answer in answers:
                await socket.send_json(answer)
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", talk)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/v1/realtime?model=gpt-realtime") as socket,
        ):
            assert type(socket) is aiohttp.ClientWebSocketResponse
            await socket.send_json({"type": "response.create"})
            assert [await socket.receive_json() for _ in answers] == answers
            await socket.send_str('{"type": "response.create"}')
            await socket.receive()
    finally:
        await runner.cleanup()
    assert len(heard) == 2
    done, left = spooled()
    assert usage(done) == ("reported", 3, 2)
    assert done["attributes"]["gen_ai.request.model"] == "gpt-realtime"
    assert outcome(left) != "complete"


async def test_where_another_tracer_wraps_our_hook_each_piece_is_read_once(
    server: Server, spooled: Spooled, traced_by_another: Any
) -> None:
    traced_by_another(aiohttp.StreamReader, "feed_data")
    server.answer(Answer((CHAT,), 200, JSON))
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.url + PATH, data=ASKED, headers=JSON) as response,
    ):
        assert await response.read() == CHAT
    (record,) = spooled()
    assert usage(record) == ("reported", 3, 2)
