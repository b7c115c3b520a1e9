"""The provider behind the wire: understand a request, play its reply, bill it."""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Final

from agenttrace.testing import (
    anthropic,
    anthropic_batch,
    bedrock,
    cohere,
    gemini,
    gemini_interactions,
    models,
    ollama,
    openai,
    openai_batch,
    openai_media,
    realtime,
    responses,
)
from agenttrace.testing.exchange import JSON_TYPE, Exchange, opened, send_failure
from agenttrace.testing.ledger import Ledger, Line
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Dialect,
    Incoming,
    Page,
    Route,
    Sent,
    Talk,
    Worked,
    answer,
    encoded,
    understood,
)
from agenttrace.testing.script import Playable, Scripts
from agenttrace.testing.server import Connection
from agenttrace.testing.tokens import PromptCache
from agenttrace.testing.values import JSON, Failure, Reply, Request
from agenttrace.testing.websocket import Socket

# What is spoken. Each has ``routes()``, called once for each provider, so that it may keep state.
_MODULES: Final = (
    models,
    openai,
    openai_media,
    openai_batch,
    responses,
    realtime,
    anthropic,
    anthropic_batch,
    gemini,
    bedrock,
    cohere,
    ollama,
    gemini_interactions,
)


class Service:
    """Scripts, caches and ledger of one provider, and how a request goes through them."""

    def __init__(self, default: Playable) -> None:
        self.scripts = Scripts(default)
        self.ledger = Ledger()
        self.trouble: BaseException | None = None  # raised by a script, for the test to see
        self._requests: list[Request] = []
        self._lock = threading.Lock()
        self._cache = PromptCache()
        self._routes = [Route("GET", "/ledger", self._ledger_page)]
        self._routes += (route for module in _MODULES for route in module.routes())
        self._untold: dict[str, Line] = {}  # response id -> what the client is told of later

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
        path, _, query = target.partition("?")
        incoming = Incoming(method=method, path=path, query=query, headers=headers, body=body)
        try:
            self._answer(connection, incoming)
        except OSError:
            raise
        except Exception as error:
            self.trouble = self.trouble or error
            raise

    def _answer(self, connection: Connection, incoming: Incoming) -> None:
        upgrades = incoming.headers.get("upgrade", "").lower() == "websocket"
        method = "WEBSOCKET" if upgrades else incoming.method
        route, place = self._route(method, incoming.path, incoming.query)
        here = replace(incoming, place=place)
        if route is None:
            where = f"{incoming.method} {incoming.path}"
            _send(connection, Sent(404, openai.error(404, f"Invalid URL ({where})")))
        elif isinstance(route.serves, Dialect):
            self._serve(connection, route.serves, here)
        elif isinstance(route.serves, Talk):
            route.serves.talk(self, here, connection.upgrade())
        else:
            _send(connection, _shown(route.serves, self, here))

    def _route(
        self, method: str, path: str, query: str = ""
    ) -> tuple[Route | None, dict[str, str]]:
        """Return what answers, and the named parts of the path."""
        for known in _spellings(path):
            for route in self._routes:
                found = re.fullmatch(route.path, known)
                if found and route.method == method and route.query in query:
                    return route, found.groupdict("")
        return None, {}

    def _serve(self, connection: Connection, dialect: Dialect, incoming: Incoming) -> None:
        try:
            body = dialect.body(incoming)
            asked = understood(dialect, body)
        except BadRequestError as error:
            _send(connection, Sent(400, dialect.error(400, str(error))))
            return
        request = self._request(incoming.path, dialect, asked, body, incoming.headers)
        self._play(connection, dialect, asked, request)

    def _ledger_page(self, _desk: object, _incoming: Incoming) -> Sent:
        return Sent(200, {"ledger": [asdict(billed) for billed in self.ledger.read(1.0)]})

    def told(self, response_id: str) -> None:
        """Note that the client has been told what this response cost."""
        if line := self._untold.pop(response_id, None):
            line.note(usage="reported")

    def work(self, endpoint: str, body: JSON) -> Worked:
        """Play a request that came inside another one, as a line of a batch, and bill it."""
        route, _ = self._route("POST", endpoint)
        if route is None or not isinstance(route.serves, Dialect):
            raise BadRequestError(f"{endpoint} is no endpoint for a batch")
        dialect = route.serves
        try:
            asked = understood(dialect, body)
        except BadRequestError as error:
            return Worked(400, dialect.error(400, str(error)), _nothing)
        request = self._request(endpoint, dialect, asked, body, {})
        reply, failure = self._chosen(request)
        if failure is not None:
            error = dialect.error(failure.status, failure.message)
            return Worked(failure.status, error, _nothing)
        assert reply is not None
        result = self._worked(dialect, asked, request, reply)
        lines = self._opened(result, None)
        lines[0].note(result.tokens)
        for line in lines:
            line.close("complete")

        def told() -> None:
            for line in lines:
                line.note(usage=dialect.told(result))

        return Worked(200, dialect.response(result), told)

    def play(self, dialect: Dialect, body: JSON, incoming: Incoming, socket: Socket) -> None:
        """Play a request that came over a websocket, and bill it."""
        try:
            asked = understood(dialect, body)
        except BadRequestError as error:
            socket.send(400, encoded(dialect.error(400, str(error))), {})
            return
        request = self._request(incoming.path, dialect, asked, body, incoming.headers)
        self._play(socket, dialect, asked, request)

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

    def _chosen(self, request: Request) -> tuple[Reply | None, Failure | None]:
        """Return what the model says, and how the attempt fails: one of them, or both."""
        try:
            chosen = self.scripts.choose(request)
        except Exception as error:  # noqa: BLE001  the test's own code: the test will see it
            self.trouble = self.trouble or error
            chosen = Failure(400, message=f"the script failed: {error!r}")
        if isinstance(chosen, Failure):
            return self.scripts.work(chosen, request), chosen
        return chosen, None

    def _worked(self, dialect: Dialect, asked: Asked, request: Request, reply: Reply) -> Answer:
        return answer(asked, request, reply, dialect.count(self._cache, asked), dialect.ids)

    def _play(
        self, connection: Connection | Socket, dialect: Dialect, asked: Asked, request: Request
    ) -> None:
        reply, failure = self._chosen(request)
        if reply is None:
            assert failure is not None
            connection.left(failure.delay_s)
            send_failure(connection, dialect, failure, request)
            return
        result = self._worked(dialect, asked, request, reply)
        line, *inner = self._opened(result, failure)
        if request.body.get("background") and result.usage_state == "reported":
            self._untold[result.id] = line
        exchange = Exchange(connection, dialect, result, line, failure)
        try:
            exchange.run()
        except BaseException as error:
            # A client that leaves is noticed by what fails to be sent to it.
            line.close("abandoned" if isinstance(error, OSError) else "cut")
            raise
        finally:
            for one in inner:
                one.note(usage=line.billed.usage if dialect.tells_inner else "missing")
                one.close(line.billed.outcome)

    def _opened(self, result: Answer, failure: Failure | None) -> list[Line]:
        """Open the line of an attempt, and one for each call that the provider makes on its own."""
        begun = opened(result, failure)
        lines = [self.ledger.open(begun)]
        for inner in result.reply.inner:
            model = inner.model or result.model
            line = self.ledger.open(replace(begun, model=model, response_id=None))
            line.note(inner.tokens)
            lines.append(line)
        return lines


def _spellings(path: str) -> Iterator[str]:
    """Yield *path*, and without what some SDKs put before it: a word, or Azure's deployment."""
    yield path
    before, version, rest = path.partition("/v1/")
    if before and version:
        yield version + rest
    azure = re.fullmatch("/openai/deployments/[^/]+/(.+)", path)
    if azure:
        yield f"/v1/{azure[1]}"


def _nothing() -> None:
    """What failed is not billed, so there is nothing to tell."""


def _shown(page: Page, desk: Service, incoming: Incoming) -> Sent:
    try:
        return page(desk, incoming)
    except BadRequestError as error:
        return Sent(400, openai.error(400, str(error)))


def _send(connection: Connection, sent: Sent) -> None:
    body = sent.body if isinstance(sent.body, bytes) else encoded(sent.body)
    connection.send(sent.status, body, {**JSON_TYPE, "Content-Type": sent.content_type})
