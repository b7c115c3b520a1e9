"""OTLP over HTTP, with health and metrics beside it, as an ASGI application."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from agenttrace import __version__
from agenttrace.server import answers, bodies
from agenttrace.server.finding import home_hash
from agenttrace.server.guard import Guard
from agenttrace.server.keeping import Message
from agenttrace.server.receiver import SIGNALS, OnMetrics, Receiver
from agenttrace.server.refusals import FAILED, TIMEOUT, RefusedError, Why, too_large
from agenttrace.server.room import Taken
from agenttrace.sources.otlp import Signal

logger: Final = logging.getLogger("agenttrace")

INLINE_BYTES: Final = 128 * 1024
"""A larger body is decoded beside the loop, so that others are answered meanwhile."""

Endpoint = Callable[[Request], Awaitable[Response]]


def application(receiver: Receiver, guard: Guard, urls: dict[str, str], metrics: OnMetrics) -> Any:
    """Return the ASGI application.

    Args:
        receiver: What keeps what is sent.
        guard: Who may send.
        urls: Where it is to be reached, for its health.
        metrics: Makes the answer of ``/metrics``.
    """

    async def health(request: Request) -> Response:
        return _health(receiver, guard, urls, request)

    async def measured(_: Request) -> Response:
        text, content_type = await asyncio.to_thread(metrics)
        return Response(text, headers={"content-type": content_type})

    routes = [
        Route(f"/v1/{signal}", _receiving(receiver, guard, signal), methods=["POST"])
        for signal in SIGNALS
    ]
    routes.append(Route("/health", _guarded(guard, health, is_open=True), methods=["GET"]))
    routes.append(Route("/metrics", _guarded(guard, measured), methods=["GET"]))
    return Starlette(routes=routes)


def _guarded(guard: Guard, inner: Endpoint, *, is_open: bool = False) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        authorization = request.headers.get("authorization")
        why = guard.refusal(request.headers.get("host"), authorization)
        if why is not None and not (is_open and why.status == 401):  # noqa: PLR2004
            return _refused(why, bodies.JSON)
        return await inner(request)

    return endpoint


def _receiving(receiver: Receiver, guard: Guard, signal: Signal) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        answer_in = bodies.PROTOBUF
        try:
            if request.headers.get("content-type", "").lower().startswith(bodies.JSON):
                answer_in = bodies.JSON
            why = guard.refusal(request.headers.get("host"), request.headers.get("authorization"))
            if why is not None:
                raise RefusedError(why)
            return await _received(receiver, signal, request)
        except RefusedError as error:
            why = error.why
        except ClientDisconnect:
            receiver.counts.refused(signal, "http", "gone")
            return Response(status_code=400)  # for nobody
        except Exception as error:  # noqa: BLE001 - an error's text may cite what was sent
            logger.warning("agenttrace failed at a request: %s", type(error).__name__)
            why = FAILED
        receiver.counts.refused(signal, "http", why.reason)
        return _refused(why, answer_in)

    return endpoint


async def _received(receiver: Receiver, signal: Signal, request: Request) -> Response:
    content_type = bodies.content_type(request.headers.get("content-type"))
    encoding = bodies.encoding(request.headers.get("content-encoding"))
    with receiver.room.taken() as taken:
        body = await _body(receiver, request, taken)
        message = Message(signal, content_type, encoding, body)
        if encoding or len(body) > INLINE_BYTES:
            taking = await asyncio.to_thread(receiver.take, signal, message, taken)
        else:
            taking = receiver.take(signal, message, taken)
        await asyncio.wrap_future(taking.kept)
    receiver.acknowledged(signal, "http", message, taking.read)
    answer = answers.accepted(signal, taking.read)
    return Response(answers.encoded(answer, content_type), headers={"content-type": content_type})


async def _body(receiver: Receiver, request: Request, taken: Taken) -> bytes:
    """Read the body, as long as it is neither too large nor too slow."""
    most = receiver.limits.body_bytes
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise RefusedError(too_large(most))
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(receiver.limits.body_seconds):
            async for chunk in request.stream():
                taken.grow(len(chunk))
                if taken.bytes > most:
                    raise RefusedError(too_large(most))
                chunks.append(chunk)
    except TimeoutError as error:
        raise RefusedError(TIMEOUT) from error
    return b"".join(chunks)


def _refused(why: Why, answer_in: str) -> Response:
    headers = {"content-type": answer_in}
    if why.retry_s is not None:
        headers["retry-after"] = str(why.retry_s)
    if why.status == 401:  # noqa: PLR2004
        headers["www-authenticate"] = "Bearer"
    if why.status in (408, 413):
        headers["connection"] = "close"  # There is more of the body to come.
    return Response(
        answers.encoded(answers.refused(why), answer_in), status_code=why.status, headers=headers
    )


def _health(receiver: Receiver, guard: Guard, urls: dict[str, str], request: Request) -> Response:
    trouble = receiver.trouble
    said: dict[str, Any] = {
        "status": trouble or "ok",
        "version": __version__,
        "home": home_hash(receiver.home),
    }
    if guard.knows_token(request.headers.get("authorization")):
        said |= {**urls, **receiver.health()}
    return Response(
        json.dumps(said, indent=2) + "\n",
        status_code=503 if trouble else 200,
        headers={"content-type": bodies.JSON},
    )
