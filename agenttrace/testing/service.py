"""The provider behind the wire: understand a request, play its reply, bill it."""

import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from agenttrace.testing.anthropic import Messages
from agenttrace.testing.ledger import Ledger, Line
from agenttrace.testing.openai import Chat, Embeddings
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Dialect,
    answer,
    compact,
)
from agenttrace.testing.responses import Responses
from agenttrace.testing.script import Playable, Scripts
from agenttrace.testing.server import Connection
from agenttrace.testing.tokens import PromptCache, count_tokens
from agenttrace.testing.values import JSON, Billed, Failure, Request, Tokens

# Any name is answered; these are the ones that the lists of models show.
_OPENAI_MODELS = ("gpt-5", "gpt-5-mini", "text-embedding-3-small", "text-embedding-3-large")
_ANTHROPIC_MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
_FOREVER_S = 3600.0
_JSON_TYPE = {"Content-Type": "application/json"}


class Service:
    """Scripts, caches and ledger of one provider, and how a request goes through them."""

    def __init__(self, default: Playable) -> None:
        self.scripts = Scripts(default)
        self.ledger = Ledger()
        self.trouble: BaseException | None = None  # raised by a script, for the test to see
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._cache = PromptCache()
        self._responses = Responses()
        self._dialects: dict[str, Dialect] = {
            "/v1/chat/completions": Chat(),
            "/v1/responses": self._responses,
            "/v1/embeddings": Embeddings(),
            "/v1/messages": Messages(),
        }
        self._polled: dict[str, Line] = {}

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that could be understood, in the order in which they came."""
        with self._lock:
            return tuple(self._requests)

    def handle(
        self,
        connection: Connection,
        method: str,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> None:
        """Answer one HTTP request."""
        path = target.partition("?")[0]
        if method == "GET":
            status, payload = self._page(path, anthropic="anthropic-version" in headers)
            connection.send(status, _encoded(payload), _JSON_TYPE)
            return
        counting = path.removesuffix("/count_tokens")
        dialect = self._dialects.get(counting)
        if dialect is None:
            error = self._dialects["/v1/chat/completions"].error(404, f"Invalid URL (POST {path})")
            connection.send(404, _encoded(error), _JSON_TYPE)
            return
        try:
            asked, body_read = _read(dialect, body)
        except BadRequestError as error:
            connection.send(400, _encoded(dialect.error(400, str(error))), _JSON_TYPE)
            return
        if path != counting:
            payload = {"input_tokens": count_tokens(asked.prompt)}
            connection.send(200, _encoded(payload), _JSON_TYPE)
            return
        request = self._request(path, dialect, asked, body_read, headers)
        self._play(connection, dialect, asked, request)

    def _page(self, path: str, *, anthropic: bool) -> tuple[int, JSON]:
        """Return what ``GET path`` answers."""
        if path == "/ledger":
            return 200, {"ledger": [asdict(billed) for billed in self.ledger.read(1.0)]}
        if path == "/v1/models":
            return 200, _anthropic_models() if anthropic else _openai_models()
        head, _, response_id = path.rpartition("/")
        if head == "/v1/responses" and (found := self._responses.retrieve(response_id)):
            # Who started it in the background learns here what it cost.
            if line := self._polled.pop(response_id, None):
                line.note(usage="reported" if found.get("usage") else "missing")
            return 200, found
        return 404, self._responses.error(404, f"Invalid URL (GET {path})")

    def _request(
        self,
        path: str,
        dialect: Dialect,
        asked: Asked,
        body: JSON,
        headers: Mapping[str, str],
    ) -> Request:
        with self._lock:
            request = Request(
                number=len(self._requests) + 1,
                provider=dialect.provider,
                endpoint=path,
                operation=dialect.operation,
                model=asked.model,
                stream=asked.stream,
                system=asked.system,
                messages=asked.messages,
                tools=asked.tools,
                must_call=asked.must_call,
                output_schema=asked.output_schema,
                prompt=asked.prompt,
                body=body,
                headers=headers,
            )
            self._requests.append(request)
        return request

    def _play(
        self, connection: Connection, dialect: Dialect, asked: Asked, request: Request
    ) -> None:
        try:
            chosen = self.scripts.choose(request)
        except Exception as error:  # noqa: BLE001  the test's own code: the test will see it
            self.trouble = self.trouble or error
            chosen = Failure(400, message=f"the script failed: {error!r}")
        failure = chosen if isinstance(chosen, Failure) else None
        reply = self.scripts.work(chosen, request) if isinstance(chosen, Failure) else chosen
        if reply is None:
            assert failure is not None
            connection.left(failure.delay_s)
            _fail(connection, dialect, failure, request)
            return
        tokens = self._input_tokens(dialect, asked)
        result = answer(asked, request, reply, tokens, dialect.ids)
        line = self.ledger.open(_billed(result, failure))
        exchange = Exchange(connection, dialect, result, line, failure)
        try:
            exchange.run()
        except OSError:  # The client left while something was being sent to it.
            line.close("abandoned")
            raise
        except Exception as error:
            line.close("cut")
            self.trouble = self.trouble or error
            raise
        if request.body.get("background") and reply.usage == "reported":
            self._polled[result.id] = line

    def _input_tokens(self, dialect: Dialect, asked: Asked) -> Tokens:
        if dialect.provider == "anthropic":
            return self._cache.explicit(asked.model, asked.segments)
        if dialect.operation == "embeddings":
            return Tokens(input_tokens=count_tokens(asked.prompt))
        return self._cache.automatic(asked.model, asked.prompt)


class Exchange:
    """One attempt that is worked on: sent as its reply says, and noted in its line as it goes."""

    def __init__(
        self,
        connection: Connection,
        dialect: Dialect,
        result: Answer,
        line: Line,
        failure: Failure | None,
    ) -> None:
        self._connection = connection
        self._dialect = dialect
        self._answer = result
        self._reply = result.reply
        self._line = line
        self._failure = failure
        self._request = result.request

    def run(self) -> None:
        """Send the response and close the line."""
        streams = self._request.stream and self._reply.body is None
        if self._failure and (not streams or self._failure.after is None):
            self._fail()
        elif streams:
            self._stream()
        else:
            self._whole()

    def _fail(self) -> None:
        """Fail after the work was done: all of it is billed, none of it delivered."""
        assert self._failure is not None
        self._line.note(self._answer.tokens)
        self._connection.left(self._failure.delay_s)
        self._line.close("failed")
        _fail(self._connection, self._dialect, self._failure, self._request)

    def _whole(self) -> None:
        """Send a response in one; a client that leaves before it has it is billed all of it."""
        reply = self._reply
        self._line.note(self._answer.tokens)
        patience_s = _FOREVER_S if reply.stall_after is not None else reply.delay_s
        if self._connection.left(patience_s):
            self._line.close("abandoned")
            self._connection.cut()
            return
        if reply.body is None:
            body = _encoded(self._dialect.response(self._answer))
            usage = self._answer.usage_state
        else:
            body, usage = reply.body.encode(), "missing"
        headers = {**_JSON_TYPE, **_headers(self._dialect, self._request, reply.headers)}
        if reply.cut_after is not None:
            self._line.close("cut")
            self._connection.send_half(200, body, headers)
            return
        if self._request.body.get("background"):
            usage = "missing"  # until it is polled
        self._line.note(usage=usage)
        # Before the last byte: who has the response finds it in the ledger.
        self._line.close("complete")
        self._connection.send(200, body, headers)

    def _stream(self) -> None:
        """Send events, and stop where the script says or where the client leaves."""
        if self._connection.left(self._reply.delay_s):
            self._line.close("abandoned")
            self._connection.cut()
            return
        self._connection.begin_stream(_headers(self._dialect, self._request, self._reply.headers))
        sent = 0
        *events, last = self._dialect.events(self._answer)
        for event in events:
            if self._stops(sent, next_is_piece=event.piece):
                return
            self._connection.stream(event.data)
            self._line.note(event.tokens, event.usage)
            sent += event.piece
        if self._stops(sent, next_is_piece=False):
            return
        self._line.note(last.tokens, last.usage)
        self._line.close("complete")
        self._connection.stream(last.data)
        self._connection.end_stream()

    def _stops(self, sent: int, *, next_is_piece: bool) -> bool:
        """Return whether the stream ends before its next event; the line is closed then."""
        reply, failure = self._reply, self._failure
        if sent or next_is_piece:
            if failure and failure.after is not None and sent >= failure.after:
                message = _message(failure)
                self._connection.stream(self._dialect.error_event(failure.status, message))
                self._line.close("failed")
                self._connection.end_stream()
                return True
            if reply.cut_after is not None and sent >= reply.cut_after:
                self._line.close("cut")
                self._connection.cut()
                return True
        stalls = reply.stall_after is not None and sent >= reply.stall_after
        patience_s = _FOREVER_S if stalls and (sent or next_is_piece) else reply.chunk_delay_s
        if self._connection.left(patience_s if sent or next_is_piece else 0.0):
            self._line.close("abandoned")
            self._connection.cut()
            return True
        return False


def _read(dialect: Dialect, body: bytes) -> tuple[Asked, JSON]:
    try:
        parsed = json.loads(body)
        if not isinstance(parsed, dict):
            raise BadRequestError("the body is not a JSON object")
        known = cast("JSON", parsed)
        return dialect.read(known), known
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequestError(f"the body could not be read: {error!r}") from error


def _billed(result: Answer, failure: Failure | None) -> Billed:
    request = result.request
    return Billed(
        number=request.number,
        provider=request.provider,
        endpoint=request.endpoint,
        operation=request.operation,
        model=result.model,
        response_id=result.id if result.request.operation == "chat" else None,
        status=failure.status if failure and failure.after is None else 200,
        stream=request.stream,
        usage="missing",
        outcome="open",
    )


def _fail(connection: Connection, dialect: Dialect, failure: Failure, request: Request) -> None:
    headers = {**_JSON_TYPE, **_headers(dialect, request, failure.headers)}
    if failure.retry_after_s is not None:
        headers["Retry-After"] = f"{failure.retry_after_s:g}"
        headers["Retry-After-Ms"] = f"{failure.retry_after_s * 1000:g}"
    body = _encoded(dialect.error(failure.status, _message(failure)))
    connection.send(failure.status, body, headers)


def _message(failure: Failure) -> str:
    return failure.message or f"This failure, {failure.status}, is in the script."


def _headers(dialect: Dialect, request: Request, extra: Mapping[str, str]) -> dict[str, str]:
    name = "x-request-id" if dialect.provider == "openai" else "request-id"
    return {name: f"req_{request.number:06d}", **extra}


def _encoded(payload: JSON) -> bytes:
    return compact(payload).encode("utf-8", "surrogatepass")


def _openai_models() -> dict[str, Any]:
    models = [
        {"id": name, "object": "model", "created": at, "owned_by": "agenttrace"}
        for name, at in zip(_OPENAI_MODELS, itertools.count(1), strict=False)
    ]
    return {"object": "list", "data": models}


def _anthropic_models() -> dict[str, Any]:
    models = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in _ANTHROPIC_MODELS
    ]
    ends = {"first_id": _ANTHROPIC_MODELS[0], "last_id": _ANTHROPIC_MODELS[-1]}
    return {"data": models, "has_more": False, **ends}
