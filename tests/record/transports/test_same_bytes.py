"""A program sees the same with the meter as without: bytes, pieces, headers, types and errors."""

import asyncio
import gzip
import importlib
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agenttrace
from tests.record.transports.server import ASKED, CHAT, EVENTS, PATH, Answer, Server

READS = ("all", "pieces", "lines", "json", "raw", "nothing")
CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "identity": bytes,
}


class Case(NamedTuple):
    answer: Answer
    read: str
    size: int
    stop_after: int | None
    streams: bool


@st.composite
def cases(draw: Any) -> Case:
    body = draw(st.sampled_from([CHAT, EVENTS, EVENTS * 30, b"", b"\n"]) | st.binary(max_size=300))
    coding = draw(st.sampled_from(list(CODINGS)))
    sent = CODINGS[coding](body)
    if coding and draw(st.integers(0, 5)) == 0:
        sent = sent[: len(sent) // 2] + b"broken"
    cuts = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=5)))
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    headers = {
        "Content-Type": draw(
            st.sampled_from(["application/json", "text/event-stream", "audio/mpeg", "text/html"])
        )
    }
    if coding:
        headers["Content-Encoding"] = coding
    answer = Answer(
        tuple(pieces),
        draw(st.sampled_from([200, 200, 200, 204, 307, 404, 500])),
        headers,
        draw(st.sampled_from(["length", "chunked", "close"])),
        cut=draw(st.sampled_from([0, 0, 0, 1, 7])),
        pause_s=draw(st.sampled_from([0.0, 0.005])),
    )
    if answer.status == 204:
        answer = Answer((), 204)
    return Case(
        answer,
        draw(st.sampled_from(READS)),
        draw(st.sampled_from([1, 5, 64, 10_000])),
        draw(st.sampled_from([None, None, 1, 3])),
        draw(st.booleans()),
    )


Seen = list[Any]


def some(pieces: Any, case: Case) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        if case.stop_after is not None and number >= case.stop_after:
            return
        yield piece


def with_httpx(module: Any, url: str, case: Case, seen: Seen) -> None:
    with module.Client(verify=False) as client:  # which is faster
        request = client.build_request("POST", url, content=ASKED)
        response = client.send(request, stream=case.streams)
        try:
            seen += [type(response), response.status_code, list(response.headers.items())]
            seen.append(response.is_closed)
            if case.read == "all" or not case.streams:
                seen.append(response.read())
            elif case.read == "json":
                response.read()
                seen.append(response.json())
            elif case.read == "lines":
                seen.extend(some(response.iter_lines(), case))
            elif case.read == "raw":
                seen.extend(some(response.iter_raw(case.size), case))
            elif case.read == "pieces":
                seen.extend(some(response.iter_bytes(case.size), case))
            seen += [response.is_stream_consumed, response.num_bytes_downloaded >= 0]
        finally:
            response.close()
        seen.append(response.is_closed)


def with_httpx_async(module: Any, url: str, case: Case, seen: Seen) -> None:
    async def program() -> None:
        async with module.AsyncClient(verify=False) as client:
            request = client.build_request("POST", url, content=ASKED)
            response = await client.send(request, stream=case.streams)
            try:
                seen.extend((type(response), response.status_code))
                if case.read == "all" or not case.streams:
                    seen.append(await response.aread())
                elif case.read == "json":
                    await response.aread()
                    seen.append(response.json())
                else:
                    reads = {
                        "lines": response.aiter_lines,
                        "raw": lambda: response.aiter_raw(case.size),
                    }
                    pieces = reads.get(case.read, lambda: response.aiter_bytes(case.size))()
                    number = 0
                    async for piece in pieces:
                        if case.stop_after is not None and number >= case.stop_after:
                            break
                        seen.append(piece)
                        number += 1
                seen.append(response.is_stream_consumed)
            finally:
                await response.aclose()

    asyncio.run(program())


def with_urllib3(module: Any, url: str, case: Case, seen: Seen) -> None:
    with module.PoolManager(retries=False) as pool:
        response = pool.request(
            "POST", url, body=ASKED, preload_content=not case.streams, decode_content=case.size != 5
        )
        try:
            seen += [type(response), response.status, list(response.headers.items())]
            if case.read == "all" or not case.streams:
                seen.append(response.data)
            elif case.read == "json":
                seen.append(response.json() if hasattr(response, "json") else response.data)
            elif case.read == "lines":
                seen.extend(some(iter(response.readline, b""), case))
            elif case.read == "raw":
                seen.extend(some(response.stream(case.size, decode_content=False), case))
            elif case.read == "pieces":
                seen.extend(some(iter(lambda: response.read(case.size), b""), case))
            seen += [response.tell(), response.closed, response.isclosed()]
        finally:
            response.close()
        seen += [response.closed, sorted(set(vars(response)) - {"_agenttrace_body"})]


def with_requests(module: Any, url: str, case: Case, seen: Seen) -> None:
    with module.Session() as session:
        response = session.post(url, data=ASKED, stream=case.streams, allow_redirects=False)
        try:
            seen += [type(response), response.status_code, list(response.headers.items())]
            if case.read == "all" or not case.streams:
                seen.append(response.content)
            elif case.read == "json":
                seen.append(response.json())
            elif case.read == "lines":
                seen.extend(some(response.iter_lines(case.size), case))
            elif case.read == "raw":
                seen.extend(some(iter(lambda: response.raw.read(case.size), b""), case))
            elif case.read == "pieces":
                seen.extend(some(response.iter_content(case.size), case))
        finally:
            response.close()


def with_aiohttp(module: Any, url: str, case: Case, seen: Seen) -> None:
    async def program() -> None:
        async with (
            module.ClientSession(auto_decompress=case.size != 5) as session,
            session.post(url, data=ASKED, allow_redirects=False) as response,
        ):
            seen.extend((type(response), type(response.content), response.status))
            seen.append(list(response.headers.items()))
            if case.read == "nothing":
                return
            if case.read == "json":
                seen.append(await response.json(content_type=None))
            elif case.read == "lines" and not case.answer.cut and case.stop_after is None:
                seen.extend([line async for line in response.content])
            elif case.read == "pieces" and not case.answer.cut:
                pieces = [piece async for piece in response.content.iter_chunked(case.size)]
                seen.append(b"".join(pieces))
            else:
                seen.append(await response.read())
            seen.extend((response.content.at_eof(), response.content.total_bytes))

    asyncio.run(program())


CLIENTS: dict[str, tuple[str, Callable[[Any, str, Case, Seen], None]]] = {
    "httpx": ("httpx", with_httpx),
    "httpx2": ("httpx2", with_httpx),
    "httpx, async": ("httpx", with_httpx_async),
    "httpx2, async": ("httpx2", with_httpx_async),
    "urllib3": ("urllib3", with_urllib3),
    "requests": ("requests", with_requests),
    "aiohttp": ("aiohttp", with_aiohttp),
}


@pytest.fixture(scope="module")
def lasting() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    yield running
    running.close()
    thread.join()


def seen_by(client: str, server: Server, case: Case) -> Seen:
    """Run the program; returns all that it saw, its error last, and what the server was asked."""
    name, program = CLIENTS[client]
    server.answer(case.answer)
    server.asked.clear()
    seen: Seen = []
    try:
        program(importlib.import_module(name), server.url + PATH, case, seen)
    except Exception as error:
        chain = [error, error.__cause__, error.__context__]
        seen += [(type(one), re.sub(r"0x[0-9a-f]+|:\d{4,}", "", str(one))) for one in chain]
    return [*seen, *server.asked]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("client", CLIENTS)
@settings(max_examples=25, deadline=None)
@given(case=cases())
def test_a_program_sees_the_same_with_the_meter_as_without(
    client: str, lasting: Server, tmp_path_factory: Any, case: Case
) -> None:
    pytest.importorskip(CLIENTS[client][0])
    agenttrace.shutdown()
    wanted = seen_by(client, lasting, case)
    home = tmp_path_factory.getbasetemp() / "same-bytes"
    agenttrace.configure(home)
    try:
        assert seen_by(client, lasting, case) == wanted
    finally:
        agenttrace.shutdown()
        for segment in Path(home / "spool").glob("*"):
            segment.unlink()
