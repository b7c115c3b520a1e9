"""The meter's hook at httpx and httpx2: every request that any client sends, sync or async.

It is put on the ``send`` of the client classes, which is what each attempt of an SDK goes through,
so clients that exist already and transports of the user's own are seen as well. The response object
stays the one that httpx made; of a stream, only the source of its bytes is wrapped.
"""

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from types import ModuleType
from typing import Any

from agenttrace.record import trouble
from agenttrace.record.patch import replaced
from agenttrace.record.wire.exchange import CONDENSE_BYTES, Exchange
from agenttrace.record.wire.transports import attempt
from agenttrace.record.wire.transports.attempt import Follow

_Take = Callable[[Exchange, Any], None]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the clients of *module* (``httpx`` or ``httpx2``).

    Args:
        module: The imported module.
        follow: Told of each exchange whose body has not ended yet.
    """
    take = functools.partial(_take, follow, _stream_class(module))
    take_async = functools.partial(_take, follow, _async_stream_class(module))
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
        if not attempt.is_known(request.method, path):
            return None
        header = request.headers.get
        baggage = attempt.baggage_without_task(header)
        if baggage is not None:
            attempt.set_header(request.headers, "baggage", baggage)
        return attempt.begin(request.method, url.host, path, _content(request), header)
    return None


def _content(request: Any) -> object:
    """Return the request's body; what is a stream was not read and stays as it is."""
    try:
        return request.content
    except Exception:  # noqa: BLE001 - httpx and httpx2 have each their own RequestNotRead
        return request.stream


def _take(follow: Follow, stream_class: type[Any], exchange: Exchange, response: Any) -> None:
    """Read a response that is whole, or wrap the source of one that is yet to come."""
    try:
        is_whole = response.is_closed
        exchange.respond(response.status_code, response.headers.get, is_decoded=is_whole)
        if is_whole:
            exchange.whole(response.content)
            return
        response.stream = stream_class(response.stream, exchange)
        follow(exchange)
    except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
        trouble.say("the meter", error)
        exchange.end()


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
            append = self._exchange.keep
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
            append = self._exchange.keep
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
