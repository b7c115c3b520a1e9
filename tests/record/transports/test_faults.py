"""Whatever fails inside of the meter, the program sees what it would have seen without it."""

import asyncio
import functools
import gzip
import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from agenttrace.record import invocation, recorder
from agenttrace.record.wire import coding, dialect, dialects, estimate, events, excerpt, exchange
from agenttrace.record.wire.dialects import openai
from agenttrace.record.wire.transports import attempt
from tests.record.transports.server import ASKED, CHAT, EVENTS, PATH, Answer, Server

pytestmark = pytest.mark.usefixtures("recording")

# What the adapters lean on: these say of themselves that they do not raise.
NEVER_RAISE = {
    "Exchange": {"respond", "begin_body", "condense", "whole", "end", "detach", "_lose"},
    "Body": {"__init__", "take", "_make_room", "__del__"},
}
MODULES = (exchange, attempt, coding, excerpt, dialects, dialect, estimate, events, openai)
CLASSES = (invocation.Invocation, recorder.Recorder, recorder.Spool)


def functions_of(owner: Any) -> list[tuple[Any, str]]:
    found = []
    for name, value in vars(owner).items():
        if inspect.isclass(value) and value.__module__ == getattr(owner, "__name__", ""):
            if not issubclass(value, BaseException):
                found += functions_of(value)
        elif name not in NEVER_RAISE.get(getattr(owner, "__name__", ""), ()) and (
            inspect.isfunction(value) or isinstance(value, functools._lru_cache_wrapper)
        ):
            found.append((owner, name))
    return found


INTERNAL = [
    (owner, name)
    for source in (*MODULES, *CLASSES)
    for owner, name in functions_of(source)
    if name not in ("__getattr__", "__setattr__", "__repr__", "__hash__", "__eq__")
]


def with_httpx(module: Any, url: str) -> bytes:
    with (
        module.Client(verify=False) as client,
        client.stream("POST", url, content=ASKED) as response,
    ):
        return b"".join(response.iter_bytes())


def with_httpx_async(module: Any, url: str) -> bytes:
    async def program() -> bytes:
        async with module.AsyncClient(verify=False) as client:
            return (await client.post(url, content=ASKED)).content

    return asyncio.run(program())


def with_urllib3(module: Any, url: str) -> bytes:
    with module.PoolManager() as pool:
        response = pool.request("POST", url, body=ASKED, preload_content=False)
        return b"".join(response.stream(decode_content=True))


def with_aiohttp(module: Any, url: str) -> bytes:
    async def program() -> bytes:
        async with module.ClientSession() as session, session.post(url, data=ASKED) as response:
            return await response.read()

    return asyncio.run(program())


CLIENTS: dict[str, tuple[str, Callable[[ModuleType, str], bytes]]] = {
    "httpx": ("httpx", with_httpx),
    "httpx2, async": ("httpx2", with_httpx_async),
    "urllib3": ("urllib3", with_urllib3),
    "aiohttp": ("aiohttp", with_aiohttp),
}


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("broken on purpose")


@pytest.mark.parametrize("client", CLIENTS)
def test_a_broken_meter_changes_nothing_for_the_program(
    client: str, server: Server, monkeypatch: Any, trouble: list[str]
) -> None:
    name, program = CLIENTS[client]
    pytest.importorskip(name)
    module = importlib.import_module(name)
    monkeypatch.setattr(exchange, "CONDENSE_BYTES", 100)
    monkeypatch.setattr(attempt, "CONDENSE_BYTES", 100)
    sent = gzip.compress(EVENTS)
    coded = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
    answers = {
        CHAT: Answer(),
        EVENTS: Answer((sent[:9], sent[9:]), headers=coded, framing="chunked"),
        b"busy": Answer((b"busy",), 500),
    }
    for owner, function in INTERNAL:
        with monkeypatch.context() as patch:
            patch.setattr(owner, function, broken)
            for body, answer in answers.items():
                server.answer(answer)
                assert program(module, server.url + PATH) == body, (owner, function)
    assert trouble
    assert not any("on purpose" in message for message in trouble)
    assert len(INTERNAL) > 60
