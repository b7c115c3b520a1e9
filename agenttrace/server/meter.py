"""Pass requests on to model providers, byte for byte, and keep what they used.

A client is given ``http://127.0.0.1:4319/openai/v1`` for its base URL, and what it sends goes to
the provider of that name as it came: headers, body, stream. The usage is read by the meter that
recording puts into httpx, so nothing is read twice; no header and no body is kept.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, cast

import httpx

from agenttrace.errors import ConfigError
from agenttrace.record.wire.transports import attempt
from agenttrace.server.guard import Guard
from agenttrace.server.meter_sessions import Sessions

UPSTREAMS: Final[Mapping[str, str]] = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "mistral": "https://api.mistral.ai",
    "cohere": "https://api.cohere.com",
    "deepseek": "https://api.deepseek.com",
    "groq": "https://api.groq.com/openai",
    "openrouter": "https://openrouter.ai/api",
    "together": "https://api.together.xyz",
    "xai": "https://api.x.ai",
    "ollama": "http://127.0.0.1:11434",
}
"""Name, the first part of the path -> where its requests go."""

CONNECT_SECONDS: Final = 30.0
BODY_AT_MOST: Final = 512 * 1024 * 1024
"""Bytes of a request that asks a model; other requests, such as uploads, are not held."""

# RFC 9110, section 7.6.1; the proxy headers are between the client and us as well.
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

_OF_BODIES: Final = (b"content-length", b"transfer-encoding")  # a request without has none

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_Headers = list[tuple[bytes, bytes]]


class _GoneError(Exception):
    """The client has gone."""


class Meter:
    """The ASGI application."""

    def __init__(self, upstreams: Mapping[str, str] = UPSTREAMS) -> None:
        """Know where to pass on to.

        Args:
            upstreams: URL by name.

        Raises:
            ConfigError: One of them is no URL.
        """
        self._upstreams = {name: _url(name, url) for name, url in upstreams.items()}
        self._guard = Guard(None, None)
        self._sessions = Sessions()
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1011})
            return
        why = self._guard.refusal(_header(scope["headers"], b"host"), None)
        found = self._request(scope, receive)
        if why is not None:
            await _refuse(send, 403, why.message)
        elif found is None:
            known = ", ".join(f"/{name}" for name in self._upstreams)
            await _refuse(send, 404, f"The path begins with the name of a provider: {known}.")
        else:
            await self._pass_on(found, scope, receive, send)

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.aclose()

    def _request(self, scope: Scope, receive: Receive) -> httpx.Request | None:
        """Return what is sent on; its body is yet to come. None where no provider is named."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        name, _, rest = raw.lstrip(b"/").partition(b"/")
        upstream = self._upstreams.get(name.decode("ascii", "replace"))
        if upstream is None:
            return None
        path = upstream.raw_path.rstrip(b"/") + b"/" + rest.partition(b"?")[0]
        if scope["query_string"]:
            path += b"?" + scope["query_string"]
        url = upstream.copy_with(raw_path=path)
        headers = [one for one in _passed_on(scope["headers"]) if one[0].lower() != b"host"]
        # Made by hand: a client would add headers of its own.
        has_body = any(key.lower() in _OF_BODIES for key, _ in scope["headers"])
        content = _body(receive) if has_body else None
        return httpx.Request(scope["method"], url, headers=headers, content=content)

    async def _pass_on(
        self, request: httpx.Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        try:
            request = await _held(request)
            answering = asyncio.ensure_future(self._answer(request, scope["headers"], send))
            # Once the body is read, all that may come from the client is that it has gone.
            going = asyncio.ensure_future(_gone(receive)) if _is_held(request) else None
            waited: set[asyncio.Future[None]] = {answering, *([going] if going else [])}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                answering.cancel()
            elif going is not None:
                going.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answering
        except _GoneError:
            return
        except _TooLargeError:
            await _refuse(send, 413, f"A request may have {BODY_AT_MOST} bytes.")

    async def _answer(self, request: httpx.Request, headers: _Headers, send: Send) -> None:
        has_begun = False
        try:
            self._sessions.enter(lambda name: _header(headers, name))
            response = await self._http().send(request, stream=True)
            try:
                await _begin(send, response.status_code, _passed_on(response.headers.raw))
                has_begun = True
                async for piece in response.aiter_raw():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            finally:
                await response.aclose()
            await send({"type": "http.response.body", "body": b""})
        except httpx.HTTPError as error:
            if has_begun:
                # Cut off, as it was cut off from us: what has come must not look whole.
                raise
            kind = type(error).__name__
            await _refuse(send, 502, f"{request.url.host} cannot be reached: {kind}.")

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # Cookies are between the client and the provider.
            cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
                follow_redirects=False,
                cookies=cookies,
            )
        return self._client


class _TooLargeError(Exception):
    """A request that asks a model is larger than is held."""


async def _held(request: httpx.Request) -> httpx.Request:
    """Return *request* with its body in memory, where the meter has to see which model is asked."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii", "replace")
    if not attempt.is_known(request.method, path) or _is_held(request):
        return request
    body = bytearray()
    async for piece in cast("httpx.AsyncByteStream", request.stream):
        body += piece
        if len(body) > BODY_AT_MOST:
            raise _TooLargeError
    headers = [one for one in request.headers.raw if one[0].lower() != b"transfer-encoding"]
    return httpx.Request(request.method, request.url, headers=headers, content=bytes(body))


def _is_held(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the body of a request as it comes."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        if body := message.get("body", b""):
            yield body
        if not message.get("more_body", False):
            return


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, status: int, headers: _Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _refuse(send: Send, status: int, message: str) -> None:
    """Answer in the form that the providers' errors have."""
    said = {"type": "error", "error": {"type": "agenttrace_meter", "message": message}}
    body = json.dumps(said).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await _begin(send, status, headers)
    await send({"type": "http.response.body", "body": body})


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> _Headers:
    """Return the headers that are not of this connection alone."""
    given = [(key, value) for key, value in headers]
    named = {
        one.strip().lower()
        for key, value in given
        if key.lower() == b"connection"
        for one in value.split(b",")
    }
    return [one for one in given if one[0].lower() not in _HOP_BY_HOP | named]


def _header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    found = next((value for key, value in headers if key.lower() == name), None)
    return None if found is None else found.decode("latin-1")


def _url(name: str, said: str) -> httpx.URL:
    try:
        url = httpx.URL(said)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host or "/" in name or not name:
        raise ConfigError(
            f"{name}={said} is no provider to pass on to. Say it as openai=https://api.openai.com."
        )
    return url
