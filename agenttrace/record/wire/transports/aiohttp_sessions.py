"""The meter's hook at aiohttp's client: each request on a connection, redirects and retries too.

It begins where a connection is asked for, so that one that fails is an attempt. The response and
its stream stay those that aiohttp made; what the parser puts into the stream is seen there, so it
does not matter how the program reads, or whether it reads to the end.
"""

import contextlib
import functools
import re
import weakref
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any, Final

from agenttrace.record import trouble
from agenttrace.record.patch import replaced
from agenttrace.record.wire.exchange import Exchange
from agenttrace.record.wire.transports import attempt, talk
from agenttrace.record.wire.transports.attempt import Body, Follow

_KEY: Final = "_agenttrace_body"
_TALK: Final = "_agenttrace_talk"
_NAME: Final = re.compile(r'\bname="([^"]*)"')
_Wanted = Callable[[], bool]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the client sessions of *module* (``aiohttp``).

    Args:
        module: The imported module.
        follow: Told of each exchange whose body has not ended yet.
    """
    meter = _Meter(module, follow)
    reader = module.StreamReader
    with contextlib.ExitStack() as hooks:
        for owner, name, wrap in (
            (module.BaseConnector, "connect", meter.connecting),
            (module.ClientRequest, "send", meter.sending),
            (module.ClientResponse, "start", meter.starting),
            (module.ClientResponse, "close", meter.leaving),
            (module.ClientResponse, "release", meter.leaving),
            (reader, "feed_data", meter.feeding),
            (reader, "feed_eof", meter.ending),
            (reader, "set_exception", meter.breaking),
            (reader, "_wait", meter.waiting),
            (module.ClientWebSocketResponse, "__init__", meter.opening),
            (module.ClientWebSocketResponse, "send_str", meter.saying),
            (module.ClientWebSocketResponse, "send_bytes", meter.saying),
            (module.ClientWebSocketResponse, "receive", meter.hearing),
            (module.ClientWebSocketResponse, "close", meter.parting),
        ):
            if hasattr(owner, name):  # not every version has all of a websocket's
                hooks.enter_context(replaced(owner, name, wrap))
        yield


class _Meter:
    """The hooks, and the streams that are being fed.

    A stream has no room for an attribute, so its body is found by its identity, for as long as the
    response lives.
    """

    def __init__(self, module: ModuleType, follow: Follow) -> None:
        self._follow = follow
        self._bytes_payload: type[Any] = module.payload.BytesPayload
        self._fed: weakref.WeakValueDictionary[int, Body] = weakref.WeakValueDictionary()

    def connecting(self, connect: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(connect)
        async def wrapper(connector: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = self._begin(req) if wanted() else None
            if exchange is None:
                return await connect(connector, req, *args, **kwargs)
            try:
                connection = await connect(connector, req, *args, **kwargs)
            except BaseException as error:
                exchange.end(error)
                raise
            req.__dict__[_KEY] = Body(exchange)
            return connection

        return wrapper

    def sending(self, send: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(send)
        async def wrapper(request: Any, *args: Any, **kwargs: Any) -> Any:
            body = request.__dict__.pop(_KEY, None) if wanted() else None
            if body is None:
                return await send(request, *args, **kwargs)
            try:
                response = await send(request, *args, **kwargs)
            except BaseException as error:
                body.exchange.end(error)
                raise
            response.__dict__[_KEY] = body
            return response

        return wrapper

    def starting(self, start: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(start)
        async def wrapper(response: Any, *args: Any, **kwargs: Any) -> Any:
            body = response.__dict__.get(_KEY) if wanted() else None
            if body is None:
                return await start(response, *args, **kwargs)
            session = response._session  # noqa: SLF001 - a response that has ended lets go of it
            try:
                started = await start(response, *args, **kwargs)
            except BaseException as error:
                body.exchange.end(error)
                raise
            self._take(body, response, is_decoded=getattr(session, "auto_decompress", True))
            return started

        return wrapper

    def leaving(self, leave: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(leave)
        def wrapper(response: Any) -> Any:
            body = response.__dict__.get(_KEY) if wanted() else None
            if body is not None:
                body.exchange.end(left=True)
            return leave(response)

        return wrapper

    def feeding(self, feed: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        fed = self._fed

        @functools.wraps(feed)
        def wrapper(stream: Any, data: bytes, *args: Any, **kwargs: Any) -> Any:
            if fed and data and wanted():
                body = fed.get(id(stream))
                if body is not None:
                    body.take(data)
            return feed(stream, data, *args, **kwargs)

        return wrapper

    def ending(self, feed: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
        @functools.wraps(feed)
        def wrapper(stream: Any) -> None:
            body = self._fed.pop(id(stream), None) if wanted() else None
            if body is not None:
                body.exchange.end()
            feed(stream)

        return wrapper

    def breaking(self, set_exception: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
        @functools.wraps(set_exception)
        def wrapper(stream: Any, exc: BaseException, *args: Any, **kwargs: Any) -> None:
            body = self._fed.pop(id(stream), None) if wanted() else None
            if body is not None:
                body.exchange.end(exc)
            set_exception(stream, exc, *args, **kwargs)

        return wrapper

    def waiting(self, wait: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(wait)
        async def wrapper(stream: Any, *args: Any, **kwargs: Any) -> None:
            try:
                await wait(stream, *args, **kwargs)
            except TimeoutError as error:
                # The time for the whole request is over; the stream itself is not told.
                body = self._fed.pop(id(stream), None) if wanted() else None
                if body is not None:
                    body.exchange.end(error)
                raise

        return wrapper

    def opening(self, init: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
        @functools.wraps(init)
        def wrapper(socket: Any, *args: Any, **kwargs: Any) -> None:
            init(socket, *args, **kwargs)
            if wanted():
                with trouble.Guard("a conversation"):
                    url = socket._response.url  # noqa: SLF001
                    begun = talk.begun(url.host, url.raw_path, url.raw_query_string)
                    if begun is not None:
                        socket.__dict__[_TALK] = begun
                        self._follow(begun)

        return wrapper

    def saying(self, send: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(send)
        async def wrapper(socket: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
            begun = socket.__dict__.get(_TALK) if wanted() else None
            if begun is not None and isinstance(data, str | bytes):
                begun.sent(data)
            return await send(socket, data, *args, **kwargs)

        return wrapper

    def hearing(self, receive: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(receive)
        async def wrapper(socket: Any, *args: Any, **kwargs: Any) -> Any:
            message = await receive(socket, *args, **kwargs)
            begun = socket.__dict__.get(_TALK) if wanted() else None
            if begun is not None:
                if isinstance(message.data, str | bytes):
                    begun.received(message.data)
                if socket.closed:
                    begun.end(socket.exception())
            return message

        return wrapper

    def parting(self, close: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(close)
        async def wrapper(socket: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return await close(socket, *args, **kwargs)
            finally:
                begun = socket.__dict__.get(_TALK) if wanted() else None
                if begun is not None:
                    begun.end(socket.exception())

        return wrapper

    def _begin(self, request: Any) -> Exchange | None:
        with trouble.Guard("the meter"):
            url = request.url
            path = url.raw_path
            if not attempt.is_known(request.method, path):
                return None
            header = request.headers.get
            baggage = attempt.baggage_without_task(header)
            if baggage is not None:
                attempt.set_header(request.headers, "baggage", baggage)
            return attempt.begin(request.method, url.host, path, self._content(request), header)
        return None

    def _content(self, request: Any) -> object:
        """Return the request's body; what is a stream stays as it is."""
        body = request.body
        if isinstance(body, self._bytes_payload):
            return getattr(body, "_value", body)
        return _Form(self._bytes_payload, body) if hasattr(body, "_parts") else body

    def _take(self, body: Body, response: Any, *, is_decoded: bool) -> None:
        """Let the stream be seen, and what of it has come with the head."""
        exchange = body.exchange
        try:
            stream = response.content
            if hasattr(stream, "total_compressed_bytes"):  # a request can refuse it for itself
                is_decoded = stream.total_compressed_bytes is not None
            exchange.respond(response.status, response.headers.get, is_decoded=is_decoded)
            for piece in list(getattr(stream, "_buffer", ())):
                body.take(piece)
            if stream.is_eof():
                exchange.end()
                return
            if stream.exception() is not None:
                exchange.end(stream.exception())
                return
            self._fed[id(stream)] = body
            self._follow(exchange)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("the meter", error)
            exchange.end()


class _Form:
    """The text fields of a form, as httpx has them."""

    def __init__(self, bytes_payload: type[Any], body: Any) -> None:
        parts = (part for part, *_ in body._parts if isinstance(part, bytes_payload))  # noqa: SLF001
        self.fields = [_Field(part) for part in parts]


class _Field:
    def __init__(self, part: Any) -> None:
        named = _NAME.search(part.headers.get("content-disposition", ""))
        self.name = named.group(1) if named else ""
        self.value = part.decode() if self.name in ("model", "stream") else ""
