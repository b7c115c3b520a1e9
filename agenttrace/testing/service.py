"""The provider behind the wire: understand a request, play its reply, bill it."""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from agenttrace.testing.anthropic import Messages
from agenttrace.testing.exchange import JSON_TYPE, Exchange, encoded, opened, send_failure
from agenttrace.testing.ledger import Ledger, Line
from agenttrace.testing.openai import Chat, Embeddings
from agenttrace.testing.protocol import (
    Asked,
    BadRequestError,
    Dialect,
    answer,
)
from agenttrace.testing.responses import Responses
from agenttrace.testing.script import Playable, Scripts
from agenttrace.testing.server import Connection
from agenttrace.testing.tokens import PromptCache, count_tokens
from agenttrace.testing.values import JSON, Failure, Request, Tokens

# Any name is answered; these are the ones that the lists of models show.
_OPENAI_MODELS = ("gpt-5", "gpt-5-mini", "text-embedding-3-small", "text-embedding-3-large")
_ANTHROPIC_MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")


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
        """Answer one HTTP request; what a script does wrong is kept for the test to see."""
        path = target.partition("?")[0]
        try:
            if method == "GET":
                status, payload = self._page(path, anthropic="anthropic-version" in headers)
                connection.send(status, encoded(payload), JSON_TYPE)
            else:
                self._post(connection, path, body, headers)
        except OSError:
            raise
        except Exception as error:
            self.trouble = self.trouble or error
            raise

    def _post(
        self, connection: Connection, path: str, body: bytes, headers: Mapping[str, str]
    ) -> None:
        endpoint = path.removesuffix("/count_tokens")
        dialect = self._dialects.get(endpoint)
        if dialect is None:
            error = self._responses.error(404, f"Invalid URL (POST {path})")
            connection.send(404, encoded(error), JSON_TYPE)
            return
        try:
            asked, read = _read(dialect, body)
        except BadRequestError as error:
            connection.send(400, encoded(dialect.error(400, str(error))), JSON_TYPE)
            return
        if path != endpoint:
            payload = {"input_tokens": count_tokens(asked.prompt)}
            connection.send(200, encoded(payload), JSON_TYPE)
            return
        self._play(connection, dialect, asked, self._request(path, dialect, asked, read, headers))

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
            send_failure(connection, dialect, failure, request)
            return
        tokens = self._input_tokens(dialect, asked)
        result = answer(asked, request, reply, tokens, dialect.ids)
        line = self.ledger.open(opened(result, failure))
        if request.body.get("background"):
            self._polled[result.id] = line
        exchange = Exchange(connection, dialect, result, line, failure)
        try:
            exchange.run()
        except BaseException as error:
            # A client that leaves is noticed by what fails to be sent to it.
            line.close("abandoned" if isinstance(error, OSError) else "cut")
            raise

    def _input_tokens(self, dialect: Dialect, asked: Asked) -> Tokens:
        if dialect.provider == "anthropic":
            return self._cache.explicit(asked.model, asked.segments)
        if dialect.operation == "embeddings":
            return Tokens(input_tokens=count_tokens(asked.prompt))
        return self._cache.automatic(asked.model, asked.prompt)


def _read(dialect: Dialect, body: bytes) -> tuple[Asked, JSON]:
    try:
        parsed = json.loads(body)
        if not isinstance(parsed, dict):
            raise BadRequestError("the body is not a JSON object")
        known = cast("JSON", parsed)
        return dialect.read(known), known
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRequestError(f"the body could not be read: {error!r}") from error


def _openai_models() -> dict[str, Any]:
    models = [
        {"id": name, "object": "model", "created": at, "owned_by": "agenttrace"}
        for at, name in enumerate(_OPENAI_MODELS, 1)
    ]
    return {"object": "list", "data": models}


def _anthropic_models() -> dict[str, Any]:
    models = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in _ANTHROPIC_MODELS
    ]
    ends = {"first_id": _ANTHROPIC_MODELS[0], "last_id": _ANTHROPIC_MODELS[-1]}
    return {"data": models, "has_more": False, **ends}
