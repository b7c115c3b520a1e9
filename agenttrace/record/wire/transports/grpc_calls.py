"""The meter's hook at gRPC, for Google's clients: what Gemini and Vertex AI are asked that way.

The messages are those of Google's HTTP protocol, so its dialect reads them: of each response the
counts and ids are taken from the message that the program gets, and told in the dialect's JSON.
Nothing is serialised a second time. Calls, futures and streams stay the objects that gRPC made.
"""

import contextlib
import functools
import importlib
import re
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any, Final

import msgspec

from agenttrace.record import trouble
from agenttrace.record.patch import replaced
from agenttrace.record.wire.exchange import Exchange
from agenttrace.record.wire.transports import attempt
from agenttrace.record.wire.transports.attempt import Body, Follow

_KEY: Final = "_agenttrace_body"
_METHOD: Final = re.compile(
    r"/google\.(?P<service>ai\.generativelanguage|cloud\.aiplatform)\.(?P<version>v\w+)\."
    r"(?:GenerativeService|PredictionService)/"
    r"(?P<verb>GenerateContent|StreamGenerateContent|EmbedContent|BatchEmbedContents)"
)
_HOSTS: Final = {
    "ai.generativelanguage": "generativelanguage.googleapis.com",
    "cloud.aiplatform": "aiplatform.googleapis.com",
}
_OK: Final = 200
_JSON: Final = {"content-type": "application/json"}.get
_EVENTS: Final = {"content-type": "text/event-stream"}.get
_METHOD_ARGUMENT: Final = 6  # of the calls of grpc.aio, after the channel
_Wanted = Callable[[], bool]


@contextlib.contextmanager
def hooked(module: ModuleType, follow: Follow) -> Generator[None]:
    """Meter the client calls of *module* (``grpc``), sync and async.

    Args:
        module: The imported module.
        follow: Told of each exchange that has not ended yet.
    """
    meter = _Meter(module.aio.EOF, follow)
    # What a channel makes has no public name.
    calls: Any = importlib.import_module("grpc._channel")
    aio: Any = importlib.import_module("grpc.aio._call")
    with contextlib.ExitStack() as hooks:
        for owner, name, wrap in (
            (calls._UnaryUnaryMultiCallable, "__call__", functools.partial(meter.asking, _itself)),  # noqa: SLF001
            (calls._UnaryUnaryMultiCallable, "with_call", functools.partial(meter.asking, _first)),  # noqa: SLF001
            (calls._UnaryUnaryMultiCallable, "future", meter.promising),  # noqa: SLF001
            (calls._UnaryStreamMultiCallable, "__call__", meter.streaming),  # noqa: SLF001
            (calls._SingleThreadedUnaryStreamMultiCallable, "__call__", meter.streaming),  # noqa: SLF001
            (calls._MultiThreadedRendezvous, "_next", meter.reading),  # noqa: SLF001
            (calls._SingleThreadedRendezvous, "_next", meter.reading),  # noqa: SLF001
            (aio.UnaryUnaryCall, "__init__", meter.calling),
            (aio.UnaryUnaryCall, "_invoke", meter.answering),
            (aio.UnaryStreamCall, "__init__", meter.calling),
            (aio.UnaryStreamCall, "_read", meter.answering),
        ):
            hooks.enter_context(replaced(owner, name, wrap))
        yield


class _Meter:
    """The hooks."""

    def __init__(self, end: object, follow: Follow) -> None:
        self._follow = follow
        self._end = end  # what grpc.aio says where there is no message

    def asking(
        self, get: Callable[[Any], Any], ask: Callable[..., Any], wanted: _Wanted
    ) -> Callable[..., Any]:
        @functools.wraps(ask)
        def wrapper(callable_: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            body = self._begin(callable_, request) if wanted() else None
            if body is None:
                return ask(callable_, request, *args, **kwargs)
            try:
                answer = ask(callable_, request, *args, **kwargs)
            except BaseException as error:
                _fail(body.exchange, error)
                raise
            _take(body, get(answer))
            return answer

        return wrapper

    def promising(self, ask: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(ask)
        def wrapper(callable_: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            body = self._begin(callable_, request) if wanted() else None
            promise = ask(callable_, request, *args, **kwargs)
            if body is not None:
                with trouble.Guard("the meter"):
                    promise.add_done_callback(functools.partial(_kept, body))
            return promise

        return wrapper

    def streaming(self, ask: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(ask)
        def wrapper(callable_: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            body = self._begin(callable_, request, stream=True) if wanted() else None
            if body is None:
                return ask(callable_, request, *args, **kwargs)
            try:
                call = ask(callable_, request, *args, **kwargs)
            except BaseException as error:
                _fail(body.exchange, error)
                raise
            self._attach(call, body)
            return call

        return wrapper

    def reading(self, read: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(read)
        def wrapper(call: Any) -> Any:
            body = call.__dict__.get(_KEY) if wanted() else None
            if body is None:
                return read(call)
            try:
                message = read(call)
            except StopIteration:
                body.exchange.end()
                raise
            except BaseException as error:
                _fail(body.exchange, error)
                raise
            _see(body, message)
            return message

        return wrapper

    def calling(self, init: Callable[..., None], wanted: _Wanted) -> Callable[..., None]:
        @functools.wraps(init)
        def wrapper(call: Any, request: Any, *args: Any, **kwargs: Any) -> None:
            if wanted():
                # What it asks begins within the original.
                with trouble.Guard("the meter"):
                    method = kwargs.get("method") or args[_METHOD_ARGUMENT - 1]
                    stream = type(call).__name__ == "UnaryStreamCall"
                    body = _begun(method, None, request, stream=stream)
                    if body is not None:
                        self._attach(call, body)
            init(call, request, *args, **kwargs)

        return wrapper

    def answering(self, answer: Callable[..., Any], wanted: _Wanted) -> Callable[..., Any]:
        @functools.wraps(answer)
        async def wrapper(call: Any) -> Any:
            body = call.__dict__.get(_KEY) if wanted() else None
            if body is None:
                return await answer(call)
            try:
                message = await answer(call)
            except BaseException as error:
                _fail(body.exchange, error)
                raise
            if message is self._end:
                with trouble.Guard("the meter"):
                    # The status may come after the last message.
                    call.add_done_callback(functools.partial(_finish, body))
            elif hasattr(call, "_message_aiter"):
                _see(body, message)
            else:
                _take(body, message)
            return message

        return wrapper

    def _begin(self, callable_: Any, request: Any, *, stream: bool = False) -> Body | None:
        with trouble.Guard("the meter"):
            target = getattr(callable_, "_target", None)
            return _begun(callable_._method, target, request, stream=stream)  # noqa: SLF001
        return None

    def _attach(self, call: Any, body: Body) -> None:
        with trouble.Guard("the meter"):
            call.__dict__[_KEY] = body
            self._follow(body.exchange)


def _itself(answer: Any) -> Any:
    return answer


def _first(answer: Any) -> Any:
    return answer[0]  # the other is the call


@functools.lru_cache(maxsize=1024)
def _known(method: bytes | str) -> re.Match[str] | None:
    return _METHOD.fullmatch(method.decode() if isinstance(method, bytes) else method)


def _begun(
    method: bytes | str, target: bytes | str | None, request: Any, *, stream: bool
) -> Body | None:
    """Begin to follow a call under the path that it has in the HTTP protocol."""
    known = _known(method)
    model = getattr(request, "model", None)
    if known is None or not isinstance(model, str):
        return None
    verb = known["verb"][0].lower() + known["verb"][1:]
    path = f"/{known['version']}/{model}:{verb}"
    host = _host(target) or _HOSTS[known["service"]]
    exchange = attempt.begin("POST", host, path, None, lambda _: None)
    if exchange is None:
        return None
    exchange.detach()
    if stream:
        exchange.respond(_OK, _EVENTS)
    return Body(exchange)


def _host(target: bytes | str | None) -> str:
    """Return the host of a target such as ``dns:///host:443``."""
    if not target:
        return ""
    text = target.decode() if isinstance(target, bytes) else target
    return text.rpartition("/")[2].rpartition(":")[0]


def _take(body: Body, message: Any) -> None:
    """Read the one message of an answer, and end."""
    with trouble.Guard("reading a response"):
        body.exchange.respond(_OK, _JSON)
        body.take(msgspec.json.encode(_said(message)))
    body.exchange.end()


def _see(body: Body, message: Any) -> None:
    """Read a message of a stream."""
    with trouble.Guard("reading a response"):
        said = _said(message)
        if said:
            body.take(b"data: " + msgspec.json.encode(said) + b"\n\n")


def _kept(body: Body, promise: Any) -> None:
    with trouble.Guard("reading a response"):
        if promise.cancelled():
            body.exchange.end(left=True)
        elif promise.exception() is not None:
            _fail(body.exchange, promise.exception())
        else:
            _take(body, promise.result())


def _finish(body: Body, call: Any) -> None:
    """End the exchange of an async call as its status says."""
    exchange = body.exchange
    with trouble.Guard("reading a response"):
        if call.cancelled():
            exchange.end(left=True)
        elif call._cython_call.is_ok():  # noqa: SLF001 - to ask the call itself takes an await
            exchange.end()
        else:
            code = call._cython_call._status.code()  # noqa: SLF001
            exchange.end(_NAMES.get(code, "rpc error"))


def _fail(exchange: Exchange, error: BaseException) -> None:
    """End with what the service said of the failure; its class says nothing."""
    kind: BaseException | str = error
    with trouble.Guard("reading a response"):
        code = getattr(error, "code", None)
        if callable(code):
            kind = getattr(code(), "name", kind)
    exchange.end(kind)


# Source: <https://grpc.io/docs/guides/status-codes/>
_NAMES: Final = dict(
    enumerate(
        (
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
            "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
            "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
            "UNAUTHENTICATED",
        )
    )
)  # fmt: skip


def _said(message: Any) -> dict[str, object]:
    """Return what a response says of itself, in the spelling of the HTTP protocol."""
    inner = getattr(message, "_pb", message)  # proto-plus wraps the message
    fields = inner.DESCRIPTOR.fields_by_name
    said: dict[str, object] = {}
    for name in ("model_version", "response_id"):
        if name in fields and getattr(inner, name):
            said[fields[name].json_name] = getattr(inner, name)
    if "usage_metadata" in fields and inner.HasField("usage_metadata"):
        counts = inner.usage_metadata.ListFields()
        said["usageMetadata"] = {f.json_name: n for f, n in counts if isinstance(n, int)}
    for candidate in inner.candidates if "candidates" in fields else ():
        if candidate.finish_reason:
            reasons = candidate.DESCRIPTOR.fields_by_name["finish_reason"].enum_type
            reason = reasons.values_by_number[candidate.finish_reason].name
            said["candidates"] = [{"finishReason": reason}]
    return said
