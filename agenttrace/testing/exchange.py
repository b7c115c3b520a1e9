"""One attempt that is worked on: sent the way its script says, noted in its line as it goes."""

from collections.abc import Mapping

from agenttrace.testing.ledger import Line
from agenttrace.testing.protocol import Answer, Dialect, StreamingDialect, encoded
from agenttrace.testing.server import Connection
from agenttrace.testing.values import Billed, Failure, Request
from agenttrace.testing.websocket import Socket

JSON_TYPE = {"Content-Type": "application/json"}
_FOREVER_S = 3600.0


class Exchange:
    """A reply on its way to the client."""

    def __init__(
        self,
        connection: Connection | Socket,
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
        dialect = self._dialect if self._request.stream and self._reply.body is None else None
        if self._failure and (dialect is None or self._failure.after is None):
            self._fail()
        elif isinstance(dialect, StreamingDialect):
            self._stream(dialect)
        else:
            self._whole()

    def _fail(self) -> None:
        """Fail after the work was done: all of it is billed, none of it delivered."""
        assert self._failure is not None
        self._line.note(self._answer.tokens)
        self._connection.left(self._failure.delay_s)
        self._line.close("failed")
        send_failure(self._connection, self._dialect, self._failure, self._request)

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
            body = self._dialect.whole(self._answer)
            usage = self._dialect.told(self._answer)
        else:
            body, usage = reply.body.encode(), "missing"
        kind = self._dialect.content_type
        told: Mapping[str, str] = self._dialect.headers(self._answer) if reply.body is None else {}
        more = _headers(self._dialect, self._request, reply.headers)
        headers = {"Content-Type": kind, **told, **more}
        if reply.cut_after is not None:
            self._line.close("cut")
            self._connection.send_half(200, body, headers)
            return
        if self._request.body.get("background"):
            usage = "missing"  # until it is polled
        self._line.note(usage=usage)
        # Before the last byte: who has the response finds it in the ledger.
        self._connection.send(200, body, headers, lambda: self._line.close("complete"))

    def _stream(self, dialect: StreamingDialect) -> None:
        """Send events, and stop where the script says or where the client leaves."""
        if self._connection.left(self._reply.delay_s):
            self._line.close("abandoned")
            self._connection.cut()
            return
        headers = _headers(self._dialect, self._request, self._reply.headers)
        self._connection.begin_stream({"Content-Type": dialect.stream_type, **headers})
        sent = 0
        events = list(dialect.events(self._answer))
        for left, event in zip(range(len(events) - 1, -1, -1), events, strict=True):
            if self._stops(dialect, sent, next_is_piece=event.piece):
                return
            self._line.note(event.tokens, event.usage)
            if left:
                self._connection.stream(event.data)
            else:
                # Before the last byte: who has the whole stream finds it in the ledger.
                self._line.close("complete")
                self._connection.end_stream(event.data)
            sent += event.piece

    def _stops(self, dialect: StreamingDialect, sent: int, *, next_is_piece: bool) -> bool:
        """Return whether the stream ends before its next event; the line is closed then."""
        reply, failure = self._reply, self._failure
        begun = sent > 0 or next_is_piece
        if failure and failure.after is not None and begun and sent >= failure.after:
            self._line.close("failed")
            message = _message(failure)
            self._connection.end_stream(dialect.error_event(failure.status, message))
            return True
        if reply.cut_after is not None and begun and sent >= reply.cut_after:
            self._line.close("cut")
            self._connection.cut()
            return True
        patience_s = reply.chunk_delay_s if next_is_piece else 0.0
        if reply.stall_after is not None and begun and sent >= reply.stall_after:
            patience_s = _FOREVER_S
        if self._connection.left(patience_s):
            self._line.close("abandoned")
            self._connection.cut()
            return True
        return False


def opened(result: Answer, failure: Failure | None) -> Billed:
    """Return the ledger's line of an attempt that begins: its tokens are not known yet."""
    request = result.request
    return Billed(
        number=request.number,
        provider=request.provider,
        endpoint=request.endpoint,
        operation=request.operation,
        model=result.model,
        response_id=result.id or None,
        status=failure.status if failure and failure.after is None else 200,
        stream=request.stream,
        usage="missing",
        outcome="open",
    )


def send_failure(
    connection: Connection | Socket, dialect: Dialect, failure: Failure, request: Request
) -> None:
    """Send the error that a script wants."""
    headers = {**JSON_TYPE, **_headers(dialect, request, failure.headers)}
    if failure.retry_after_s is not None:
        headers["Retry-After"] = f"{failure.retry_after_s:g}"
        headers["Retry-After-Ms"] = f"{failure.retry_after_s * 1000:g}"
    body = encoded(dialect.error(failure.status, _message(failure)))
    connection.send(failure.status, body, headers)


def _message(failure: Failure) -> str:
    return failure.message or f"This failure, {failure.status}, is in the script."


def _headers(dialect: Dialect, request: Request, extra: Mapping[str, str]) -> dict[str, str]:
    return {dialect.request_id: f"req_{request.number:06d}", **extra}
