"""The meter's hook at httpx and httpx2: every request that any client sends, sync or async.

It is put on the ``send`` of the client classes, which is what each attempt of an SDK goes through,
so clients that exist already and transports of the user's own are seen as well. The response object
stays the one that httpx made; of a stream, only the source of its bytes is wrapped.
"""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import ModuleType
from typing import Any, Final

from agenttrace import semconv
from agenttrace.record import trouble
from agenttrace.record.invocation import innermost
from agenttrace.record.patch import replaced
from agenttrace.record.wire import dialects
from agenttrace.record.wire import exchange as exchanges
from agenttrace.record.wire.exchange import Exchange

_RETRY_HEADER: Final = "x-stainless-retry-count"
_JSON_BEGINS: Final = (b"{", b" ", b"\n", b"\r", b"\t", b"")
CONDENSE_BYTES: Final = 1024 * 1024  # a longer stream is read in pieces of about this size

Follow = Callable[[Exchange], None]
_Take = Callable[[Exchange, Any], None]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the clients of *module* (``httpx`` or ``httpx2``).

    Args:
        module: The imported module.
        follow: Told of each exchange whose body has not ended yet.
    """
    take = functools.partial(_take, module, follow, _stream_class(module))
    take_async = functools.partial(_take, module, follow, _async_stream_class(module))
    with (
        replaced(module.Client, "send", functools.partial(_metered, take)),
        replaced(module.AsyncClient, "send", functools.partial(_metered_async, take_async)),
    ):
        yield


def _metered(
    take: _Take, send: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(send)
    def wrapper(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request) if wanted() else None
        if exchange is None:
            return send(self, request, *args, **kwargs)
        try:
            response = send(self, request, *args, **kwargs)
        except BaseException as error:
            exchange.end(error)
            raise
        take(exchange, response)
        return response

    return wrapper


def _metered_async(
    take: _Take, send: Callable[..., Any], wanted: Callable[[], bool]
) -> Callable[..., Any]:
    @functools.wraps(send)
    async def wrapper(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(request) if wanted() else None
        if exchange is None:
            return await send(self, request, *args, **kwargs)
        try:
            response = await send(self, request, *args, **kwargs)
        except BaseException as error:
            exchange.end(error)
            raise
        take(exchange, response)
        return response

    return wrapper


def _begin(request: Any) -> Exchange | None:
    with trouble.Guard("the meter"):
        url = request.url
        path = url.raw_path.partition(b"?")[0].decode("ascii")
        if dialects.of(request.method, path) is None:
            return None
        headers = request.headers
        if innermost() is not None and "baggage" in headers:
            _keep_task_to_ourselves(headers)
        return exchanges.begin(
            request.method,
            host=url.host,
            path=path,
            body=_content(request),
            retry_count=headers.get(_RETRY_HEADER),
        )
    return None


def _keep_task_to_ourselves(headers: Any) -> None:
    """Take our member out of the baggage that a client sends along to the model provider."""
    members = [member.strip() for member in headers["baggage"].split(",")]
    others = [member for member in members if not member.startswith(semconv.TASK_ID + "=")]
    if others:
        headers["baggage"] = ",".join(others)
    else:
        del headers["baggage"]


def _content(request: Any) -> bytes | None:
    """Return the request's body; None if it is a stream that was not read, or compressed."""
    try:
        body: bytes = request.content
    except Exception:  # noqa: BLE001 - httpx and httpx2 have each their own RequestNotRead
        return None
    return body if body[:1] in _JSON_BEGINS else None


def _take(
    module: ModuleType, follow: Follow, stream_class: type[Any], exchange: Exchange, response: Any
) -> None:
    """Read a response that is whole, or wrap the source of one that is yet to come."""
    try:
        if response.is_closed:
            exchange.respond(response.status_code)
            exchange.whole(response.content)
            return
        headers = response.headers
        content_type = headers.get("content-type", "")
        coding = headers.get("content-encoding")
        decode = functools.partial(_decoded, module, coding) if coding else None
        exchange.respond(response.status_code, content_type, decode)
        response.stream = stream_class(response.stream, exchange)
        follow(exchange)
    except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
        trouble.say("the meter", error)
        exchange.end()


def _decoded(module: ModuleType, coding: str, body: bytes) -> bytes:
    """Undo the content coding with the library's own decoders."""
    return module.Response(200, headers={"content-encoding": coding}, content=body).content


class _Metered:
    """What both streams have: the source, whose further attributes are theirs too."""

    def __init__(self, source: Any, exchange: Exchange) -> None:
        self._source = source
        self._exchange = exchange

    def __getattr__(self, name: str) -> Any:
        # httpx2 asks the stream how long it took.
        return getattr(self._source, name)

    def __del__(self) -> None:
        self._exchange.end(left=True)


def _stream_class(module: ModuleType) -> type[Any]:
    base: Any = module.SyncByteStream

    class MeteredStream(_Metered, base):
        """Passes on exactly the bytes, and shows them to the exchange."""

        def __iter__(self) -> Iterator[bytes]:
            # What runs for each piece of a stream is written out here, for it is most of the cost.
            room = CONDENSE_BYTES
            append = self._exchange.chunks.append
            source = iter(self._source)
            try:
                for chunk in source:
                    self._exchange.begin_body()
                    append(chunk)
                    yield chunk
                    break
                for chunk in source:
                    append(chunk)
                    room -= len(chunk)
                    if room < 0:
                        self._exchange.condense()
                        room = CONDENSE_BYTES
                    yield chunk
            except GeneratorExit:
                self._exchange.end(left=True)
                raise
            except BaseException as error:
                self._exchange.end(error)
                raise
            self._exchange.end()

        def close(self) -> None:
            try:
                self._source.close()
            finally:
                self._exchange.end(left=True)

    return MeteredStream


def _async_stream_class(module: ModuleType) -> type[Any]:
    base: Any = module.AsyncByteStream

    class MeteredAsyncStream(_Metered, base):
        """Passes on exactly the bytes, and shows them to the exchange."""

        async def __aiter__(self) -> AsyncIterator[bytes]:
            # What runs for each piece of a stream is written out here, for it is most of the cost.
            room = CONDENSE_BYTES
            append = self._exchange.chunks.append
            source = aiter(self._source)
            try:
                async for chunk in source:
                    self._exchange.begin_body()
                    append(chunk)
                    yield chunk
                    break
                async for chunk in source:
                    append(chunk)
                    room -= len(chunk)
                    if room < 0:
                        self._exchange.condense()
                        room = CONDENSE_BYTES
                    yield chunk
            except GeneratorExit:
                self._exchange.end(left=True)
                raise
            except BaseException as error:
                self._exchange.end(error)
                raise
            self._exchange.end()

        async def aclose(self) -> None:
            try:
                await self._source.aclose()
            finally:
                self._exchange.end(left=True)

    return MeteredAsyncStream
