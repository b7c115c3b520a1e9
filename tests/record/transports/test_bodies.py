"""Bodies of any size: read without being kept, and never altered."""

import gzip
import io
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from agenttrace.record.wire import exchange
from agenttrace.record.wire.dialects import openai as dialect
from tests.record.transports.server import ASKED, CHAT, EVENTS, PATH, Answer, Server

Spooled = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
MEGABYTE = 1024 * 1024


def usage(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    attributes = record["attributes"]
    return (
        attributes["agenttrace.usage"],
        attributes.get("gen_ai.usage.input_tokens"),
        attributes.get("gen_ai.usage.output_tokens"),
    )


def received(
    pieces: Iterator[bytes], headers: dict[str, str], path: str = PATH, body: bytes = ASKED
) -> tuple[int, int]:
    """Read a response of *pieces* that nobody keeps; returns its size and the memory taken."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=pieces))
    size = 0
    with httpx.Client(transport=transport) as client:
        tracemalloc.start()
        try:
            with client.stream("POST", "http://x" + path, content=body) as response:
                for piece in response.iter_raw():
                    size += len(piece)
            return size, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def long_json(megabytes: int, last: bytes = b'"usage":{"prompt_tokens":3}') -> Iterator[bytes]:
    yield b'{"id":"c-1","model":"gpt-5","data":[{"usage":{"prompt_tokens":7}}'
    for _ in range(megabytes * 16):
        yield b',"' + bytes(64 * 1024 - 3).replace(b"\0", b"x") + b'"'
    yield b"]," + last + b"}"


def test_of_long_json_the_beginning_and_the_end_are_kept(spooled: Spooled) -> None:
    size, memory = received(long_json(100), JSON)
    assert size > 100 * MEGABYTE
    assert memory < 12 * MEGABYTE
    (record,) = spooled()
    assert record["attributes"]["gen_ai.response.id"] == "c-1"
    assert usage(record) == ("partial", 3, None)


def test_usage_that_is_lost_in_the_middle_is_missing(spooled: Spooled) -> None:
    last = b'"more":"' + b"y" * MEGABYTE + b'"'
    received(long_json(6, last), JSON)
    assert usage(spooled()[0]) == ("missing", None, None)


def test_a_long_body_that_was_read_at_once_is_counted_too(spooled: Spooled) -> None:
    body = b"".join(long_json(6))
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=JSON, content=body))
    with httpx.Client(transport=transport) as client:
        assert client.post("http://x" + PATH, content=ASKED).content == body
    assert usage(spooled()[0]) == ("partial", 3, None)


@pytest.mark.parametrize("coded", [False, True], ids=["plain", "gzip"])
def test_a_long_stream_is_not_kept(spooled: Spooled, coded: bool) -> None:
    one = b'data: {"id":"c-1","choices":[{"delta":{"content":"' + b"word " * 2000 + b'"}}]}\n\n'

    def events() -> Iterator[bytes]:
        for _ in range(2000):
            yield one
        yield EVENTS

    def compressed() -> Iterator[bytes]:
        buffer = io.BytesIO()
        with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
            for event in events():
                file.write(event)
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue()

    headers = {**SSE, "content-encoding": "gzip"} if coded else SSE
    size, memory = received(compressed() if coded else events(), headers)
    assert size > (10_000 if coded else 19 * MEGABYTE)
    assert memory < 12 * MEGABYTE
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_a_stream_that_was_condensed_and_breaks_is_estimated_from_all_that_passed(
    spooled: Spooled, monkeypatch: Any
) -> None:
    monkeypatch.setattr(exchange, "CONDENSE_BYTES", 1000)
    one = b'data: {"id":"c-1","choices":[{"delta":{"content":"' + b"word" * 100 + b'"}}]}\n\n'
    body = gzip.compress(one * 50)[:-30]
    received(iter([body]), {**SSE, "content-encoding": "gzip"})
    (record,) = spooled()
    assert usage(record)[0] == "estimated"
    assert usage(record)[2] == pytest.approx(50 * 100, rel=0.4)


@pytest.mark.parametrize("coding", ["gzip", "compress"])
def test_a_body_that_cannot_be_decoded_is_counted_as_unread(spooled: Spooled, coding: str) -> None:
    for headers in (JSON, SSE):
        received(iter([b"not compressed at all"]), {**headers, "content-encoding": coding})
    whole, stream = spooled()
    assert usage(whole) == ("missing", None, None)
    assert usage(stream)[0] == "estimated"
    assert usage(stream)[1] > 0
    assert usage(stream)[2] is None


def test_an_event_that_never_ends_is_not_kept(spooled: Spooled) -> None:
    def events() -> Iterator[bytes]:
        yield b'data: {"id":"c-1","x":"'
        for _ in range(400):
            yield b"x" * 64 * 1024

    _, memory = received(events(), SSE)
    assert memory < 60 * MEGABYTE
    assert usage(spooled()[0])[0] == "estimated"
    assert usage(spooled()[0])[2] is None


@pytest.mark.parametrize("content_type", ["audio/mpeg", "IMAGE/png", "application/octet-stream"])
def test_files_are_not_collected(spooled: Spooled, content_type: str, monkeypatch: Any) -> None:
    if content_type.startswith("application"):
        monkeypatch.setattr(dialect.Chat, "reads_body", False)
    pieces = (b"\0" * 64 * 1024 for _ in range(160))
    _, memory = received(pieces, {"content-type": content_type})
    assert memory < MEGABYTE
    (record,) = spooled()
    assert usage(record)[0] == "missing"
    assert record["attributes"]["agenttrace.outcome"] == "complete"


def test_a_long_request_is_sent_as_it_is_and_its_model_read(
    server: Server, spooled: Spooled
) -> None:
    body = b'{"model":"gpt-5","messages":["' + b"x" * 20 * MEGABYTE + b'"]}'
    with httpx.Client(timeout=60) as client:
        client.post(server.url + PATH, content=body)
    assert server.asked[0][1] == body
    assert spooled()[0]["attributes"]["gen_ai.request.model"] == "gpt-5"


def test_uploads_are_not_consumed(server: Server, spooled: Spooled) -> None:
    file = io.BytesIO(b"RIFF" + bytes(1000))
    with httpx.Client() as client:
        client.post(
            server.url + PATH,
            data={"model": "whisper-1"},
            files={"file": ("a.wav", file)},
            headers={"content-type": "multipart/form-data; boundary=b"},
        )
        client.post(server.url + PATH, content=iter([ASKED[:5], ASKED[5:]]))
    (_, form), (_, sent) = server.asked
    assert form.count(b"--b") == 3
    assert bytes(1000) in form
    assert sent == ASKED
    models = [record["attributes"].get("gen_ai.request.model") for record in spooled()]
    assert models == ["whisper-1", None]


def test_the_model_of_a_form_is_never_taken_from_inside_a_file(
    server: Server, spooled: Spooled
) -> None:
    requests = pytest.importorskip("requests")
    inside = b'\r\ncontent-disposition: form-data; name="model"\r\n\r\nother\r\n--x'
    requests.post(
        server.url + PATH, data={"model": "whisper-1", "n": "1"}, files={"file": ("a", inside)}
    )
    assert inside in server.asked[0][1]
    assert spooled()[0]["attributes"]["gen_ai.request.model"] == "whisper-1"


async def test_an_async_upload_is_not_consumed(server: Server, spooled: Spooled) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield ASKED[:5]
        yield ASKED[5:]

    async with httpx.AsyncClient() as client:
        response = await client.post(server.url + PATH, content=pieces())
    assert response.content == CHAT
    assert server.asked[0][1] == ASKED
    assert usage(spooled()[0]) == ("reported", 3, 2)


def test_http2_is_metered_as_well(spooled: Spooled) -> None:
    pytest.importorskip("h2")
    from tests.record.transports.http2 import serving

    with (
        serving({JSON["content-type"]: CHAT, SSE["content-type"]: EVENTS}) as url,
        httpx.Client(http2=True, http1=False) as client,
    ):
        for accepted, body in ((JSON["content-type"], CHAT), (SSE["content-type"], EVENTS)):
            with client.stream(
                "POST", url + PATH, content=ASKED, headers={"accept": accepted}
            ) as response:
                assert response.http_version == "HTTP/2"
                assert b"".join(response.iter_raw()) == body
    assert [usage(record) for record in spooled()] == [("reported", 3, 2)] * 2


def test_the_answers_cut_at_any_byte_are_counted_the_same(spooled: Spooled) -> None:
    for size in (1, 2, 3, 64):
        pieces = [EVENTS[i : i + size] for i in range(0, len(EVENTS), size)]
        received(iter(pieces), SSE)
    assert {usage(record) for record in spooled()} == {("reported", 3, 2)}


def test_an_answer_without_length_is_counted(server: Server, spooled: Spooled) -> None:
    server.answer(Answer(framing="close"))
    with httpx.Client() as client:
        assert client.post(server.url + PATH, content=ASKED).content == CHAT
    assert usage(spooled()[0]) == ("reported", 3, 2)
