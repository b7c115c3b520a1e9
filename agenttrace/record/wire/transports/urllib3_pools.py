"""The meter's hook at urllib3, 1.26 and 2: so at requests and botocore as well.

It is put where a pool makes one request on one connection, so that urllib3's own retries and
redirects are attempts of their own. The response object stays the one that urllib3 made; what it
reads from its connection is seen before its coding is undone, whichever way the program reads.
"""

import contextlib
import functools
from collections.abc import Callable, Generator
from types import ModuleType, TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from agenttrace.record import trouble
from agenttrace.record.patch import replaced
from agenttrace.record.wire.exchange import Exchange
from agenttrace.record.wire.transports import attempt
from agenttrace.record.wire.transports.attempt import Body, Follow

_KEY: Final = "_agenttrace_body"
_Wanted = Callable[[], bool]
_Take = Callable[[Body, Any], None]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the connection pools of *module* (``urllib3``).

    Args:
        module: The imported module.
        follow: Told of each exchange whose body has not ended yet.
    """
    take = functools.partial(_take, follow)
    response_class = module.response.HTTPResponse
    with contextlib.ExitStack() as hooks:
        for owner, name, wrap in (
            (module.HTTPConnectionPool, "_make_request", functools.partial(_metered, take)),
            (response_class, "_fp_read", _seen),
            (response_class, "_handle_chunk", _seen),
            (response_class, "_error_catcher", _caught),
            (response_class, "close", _closed),
        ):
            hooks.enter_context(replaced(owner, name, wrap))
        if hasattr(response_class, "from_httplib"):
            # 1.26 makes its response from that of http.client only afterwards.
            adopt = functools.partial(_adopting, take)
            hooks.enter_context(replaced(response_class, "__init__", adopt))
        yield


def _metered(take: _Take, send: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
    @functools.wraps(send)
    def wrapper(
        self: Any, connection: Any, method: str, url: str, *args: Any, **kwargs: Any
    ) -> Any:
        exchange = _begin(self, method, url, kwargs) if wanted() else None
        if exchange is None:
            return send(self, connection, method, url, *args, **kwargs)
        try:
            response = send(self, connection, method, url, *args, **kwargs)
        except BaseException as error:
            exchange.end(error)
            raise
        take(Body(exchange), response)
        return response

    return wrapper


def _begin(pool: Any, method: str, url: str, kwargs: dict[str, Any]) -> Exchange | None:
    with trouble.Guard("the meter"):
        host = pool.host
        if not url.startswith("/"):
            # To a proxy, the whole address is sent.
            parts = urlsplit(url)
            host, path = parts.hostname or host, parts.path
        else:
            path = url.partition("?")[0]
        if not attempt.is_known(method, path):
            return None
        headers: Any = kwargs.get("headers") or {}
        header = functools.partial(_header, headers)
        baggage = attempt.baggage_without_task(header)
        if baggage is not None:
            kwargs["headers"] = headers = headers.copy()
            name = next(each for each in list(headers) if _is(each, "baggage"))
            attempt.set_header(headers, name, baggage)
        return attempt.begin(method, host.strip("[]"), path, kwargs.get("body"), header)
    return None


def _header(headers: Any, name: str) -> str | None:
    """Return a header of a mapping that may be an ordinary dictionary, and hold bytes."""
    found = headers.get(name)
    if found is None:
        found = next((headers[each] for each in headers if _is(each, name)), None)
    return found.decode("latin-1") if isinstance(found, bytes) else found


def _is(header: str | bytes, name: str) -> bool:
    spelled = header.decode("latin-1") if isinstance(header, bytes) else header
    return spelled.lower() == name


def _take(follow: Follow, body: Body, response: Any) -> None:
    """Read a response that is whole, or let its body be seen as the program reads it."""
    exchange = body.exchange
    try:
        if not hasattr(response, "decode_content"):
            setattr(response, _KEY, body)  # http.client's own, in 1.26
            return
        read = getattr(response, "_body", None) if hasattr(response, "_fp") else response.data
        is_decoded = read is not None and response.decode_content
        exchange.respond(response.status, response.headers.get, is_decoded=is_decoded)
        if read is not None or response.isclosed():
            exchange.whole(read or b"")
            return
        setattr(response, _KEY, body)
        follow(exchange)
    except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
        trouble.say("the meter", error)
        exchange.end()


def _adopting(take: _Take, init: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapper(self: Any, body: Any = "", *args: Any, **kwargs: Any) -> None:
        seen = getattr(body, "__dict__", {}).pop(_KEY, None) if wanted() else None
        if seen is None:
            init(self, body, *args, **kwargs)
            return
        try:
            init(self, body, *args, **kwargs)
        except BaseException as error:
            seen.exchange.end(error)
            raise
        take(seen, self)

    return wrapper


def _seen(read: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
    @functools.wraps(read)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        data = read(self, *args, **kwargs)
        if data and wanted():
            body = self.__dict__.get(_KEY)
            if body is not None:
                body.take(data)
        return data

    return wrapper


def _closed(close: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
    @functools.wraps(close)
    def wrapper(self: Any) -> None:
        try:
            close(self)
        finally:
            body = self.__dict__.get(_KEY) if wanted() else None
            if body is not None:
                body.exchange.end(left=True)

    return wrapper


def _caught(catcher: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
    @functools.wraps(catcher)
    def wrapper(self: Any) -> Any:
        body = self.__dict__.get(_KEY) if wanted() else None
        return catcher(self) if body is None else _Reading(catcher(self), self._fp, body.exchange)

    return wrapper


class _Reading:
    """What urllib3 reads under: it sees the errors as the program does, and the end of the body."""

    __slots__ = ("_around", "_exchange", "_source")

    def __init__(self, around: Any, source: Any, exchange: Exchange) -> None:
        self._around = around
        self._source = source
        self._exchange = exchange

    def __enter__(self) -> Any:
        return self._around.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Any:
        try:
            handled = self._around.__exit__(kind, error, traceback)
        except BaseException as raised:
            self._exchange.end(raised)
            raise
        if isinstance(error, GeneratorExit):
            self._exchange.end(left=True)
        elif error is not None:
            self._exchange.end(error)
        elif getattr(self._source, "fp", self) is None:
            self._exchange.end()
        return handled
