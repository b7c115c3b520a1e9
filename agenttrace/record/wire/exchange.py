"""Follow one request to a model: what was asked, what came back, and how it ended."""

import functools
import time
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

import msgspec

from agenttrace import semconv
from agenttrace.model import Role, TokenUsage
from agenttrace.record import setup, trouble
from agenttrace.record.invocation import Invocation, usage_attributes
from agenttrace.record.wire import coding, dialect, dialects, estimate, excerpt
from agenttrace.record.wire.dialect import Asked, Dialect, Reply

CONDENSE_BYTES: Final = 1024 * 1024  # a longer body is read in pieces of about this size
_WHOLE_BYTES: Final = 4 * 1024 * 1024  # of longer JSON only the beginning and the end are kept
_HEAD_BYTES: Final = 64 * 1024
_TAIL_BYTES: Final = 256 * 1024
_EVENT_BYTES: Final = 16 * 1024 * 1024  # a longer event is not read, nor is what comes after it
_FILES: Final = ("audio/", "image/", "video/")

_REDIRECT: Final = 300
_BAD_REQUEST: Final = 400
_FOR_GOOD: Final = frozenset({400, 402, 403, 404, 405, 413, 422})  # nobody tries these again
_AGAIN_NS: Final = 600 * 10**9  # after this time the same bytes are asked anew, not again


_NOTHING: Final = Reply()
_Attributes = dict[str, str | int | float | bool]


class _Operation:
    """What this thread or task tried last: the attempts of it follow one another."""

    __slots__ = ("_failed", "_failed_at", "attempts", "id", "target")

    def __init__(self, id: str, target: str) -> None:  # noqa: A002 - it is the id
        self.id = id
        self.target = target
        self.attempts = 1
        self._failed: int | None = None  # hash of the body of the attempt that failed last
        self._failed_at = 0

    def end(self, body: bytes, *, status: int, has_failed: bool) -> None:
        """Note how an attempt ended, so that the next one is known for what it is."""
        self._failed = hash(body) if has_failed and body and status not in _FOR_GOOD else None
        self._failed_at = time.perf_counter_ns()

    def is_tried_again(self, body: bytes | None) -> bool:
        """Whether *body* is what has just failed."""
        return (
            bool(body)
            and self._failed is not None
            and time.perf_counter_ns() - self._failed_at < _AGAIN_NS
            and self._failed == hash(body)
        )


_last_operation: ContextVar[_Operation | None] = ContextVar("last_operation", default=None)


# What this thread or task sends: a transport that sends by another one is metered once.
_sending: ContextVar["weakref.ref[Exchange] | None"] = ContextVar("sending", default=None)


def _let_go(piece: bytes) -> None:
    """Take a piece of a body that nobody reads."""


class Exchange:
    """One attempt at the wire.

    The body is collected as it passes and read when it has ended, or piece by piece if it is long;
    nothing is decoded for each chunk. It is let go as soon as the counts are read. No method here
    raises.

    Attributes:
        keep: Takes the next piece of the body, as it came over the wire.
    """

    __slots__ = (
        "__weakref__",
        "_asked",
        "_body",
        "_chunks",
        "_decoder",
        "_dialect",
        "_done",
        "_first_chunk",
        "_head",
        "_invocation",
        "_is_lost",
        "_is_sent",
        "_is_stream",
        "_is_whole",
        "_operation",
        "_path",
        "_reply",
        "_rest",
        "_started",
        "_status",
        "_text_tokens",
        "keep",
    )

    def __init__(
        self,
        spoken: Dialect,
        invocation: Invocation,
        path: str,
        body: bytes,
        asked: Asked,
        *,
        operation: _Operation | None = None,
    ) -> None:
        self._dialect = spoken
        self._invocation = invocation
        self._path = path
        self._body = body
        self._asked = asked
        self._operation = operation
        self._started = time.perf_counter_ns()
        self._first_chunk = 0
        self._chunks: list[bytes] = []
        self.keep: Callable[[bytes], None] = self._chunks.append
        self._head: bytes | None = None  # how a JSON body began that is too long to keep
        self._rest = b""  # what was decoded and not read yet
        self._reply = _NOTHING
        self._text_tokens = 0  # estimated, of the pieces that were read
        self._status = 0
        self._is_stream = False
        self._is_sent = False
        self._is_whole = False  # the body came to its end
        self._is_lost = False  # a piece of the body could not be read
        self._decoder: coding.Decoder | None = None
        self._done = False

    def respond(
        self, status: int, header: Callable[[str], str | None], *, is_decoded: bool = False
    ) -> None:
        """Take the head of the response.

        Args:
            status: The HTTP status.
            header: Returns a header of the response by its name, in lower case.
            is_decoded: The client has undone the content coding of what ``keep`` will be given.
        """
        self._is_sent = True
        self._status = status
        try:
            if status >= _BAD_REQUEST and self._operation is not None:
                # Clients that try again do not always read what came with the failure.
                self._operation.end(self._body, status=status, has_failed=True)
            content_type = (header("content-type") or "").lower()
            self._is_stream = content_type.startswith(self._dialect.streams)
            if not self._is_stream and (
                not self._dialect.reads_body or content_type.startswith(_FILES)
            ):
                self.keep = _let_go
            if self._dialect.headers:
                found = ((name, header(name)) for name in self._dialect.headers)
                self._reply = self._dialect.read_headers({k: v for k, v in found if v is not None})
            codings = None if is_decoded else header("content-encoding")
            if codings:
                self._decoder = coding.decoder(codings)
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            self._lose(error)

    def sends(self, path: str, body: bytes | None) -> bool:
        """Whether it is being sent, and is the same as a request for *path* with *body*."""
        if self._is_sent:
            return False
        return self._body == body if body and self._body else self._path == path

    def detach(self) -> None:
        """Go on beside what the program does next: other calls may begin before it is answered."""
        self._is_sent = True

    def begin_body(self) -> None:
        """Note when the first piece of the body comes."""
        self._first_chunk = time.perf_counter_ns()

    def condense(self) -> None:
        """Read what can be read so far, so that a long body does not fill the memory."""
        if self._done:
            # Ended by shutdown(), while the program reads on.
            self._chunks.clear()
            return
        try:
            self._take_chunks()
            self._shorten()
        except Exception as error:  # noqa: BLE001 - recording never raises into the user's program
            self._lose(error)

    def whole(self, body: bytes) -> None:
        """Take a body that was read at once, and end."""
        self.keep(body)
        self.end()

    def _lose(self, error: Exception) -> None:
        """Read no further; data that is broken is the provider's trouble, not ours."""
        self._is_lost = True
        self._chunks.clear()
        self.keep = _let_go
        self._rest, self._head = b"", None
        if self._decoder is None and not isinstance(error, coding.UnknownCodingError):
            trouble.say("reading a response", error)

    def _take_chunks(self) -> None:
        """Undo the coding of what has come."""
        data = b"".join(self._chunks)
        self._chunks.clear()
        if self._is_lost or not data:
            return
        if self._decoder is None:
            self._rest = self._rest + data if self._rest else data
            return
        pieces, size = [self._rest], 0
        for piece in self._decoder.decode(data):
            pieces.append(piece)
            size += len(piece)
            if size > CONDENSE_BYTES:
                self._rest = b"".join(pieces)
                self._shorten()
                pieces, size = [self._rest], 0
        self._rest = b"".join(pieces)

    def _shorten(self) -> None:
        """Let go of what needs no waiting for the end."""
        if self._head is None:
            # Some servers forget to say what they send.
            self._is_stream = self._is_stream or self._dialect.begins_stream(self._rest)
        if self._is_stream:
            events = self._rest[: self._dialect.whole(self._rest)]
            if events:
                self._reply = self._then(self._dialect.read_events(events))
                self._text_tokens += estimate.count(self._dialect.text(events), self._model())
                self._rest = self._rest[len(events) :]
            if len(self._rest) > _EVENT_BYTES:
                self._is_lost, self._rest, self.keep = True, b"", _let_go
            return
        if self._head is None and len(self._rest) > _WHOLE_BYTES:
            self._head = self._rest[:_HEAD_BYTES]
        if self._head is not None:
            self._rest = self._rest[-_TAIL_BYTES:]

    def end(self, error: BaseException | str | None = None, *, left: bool = False) -> None:
        """End the exchange; further calls do nothing. Never raises.

        Args:
            error: What broke it, seen by the user's program as well; or its type.
            left: The client closed the response before its end.
        """
        if self._done:
            return
        self._done = self._is_sent = True
        try:
            self._close(error, self._outcome(error, left=left))
        except Exception as trouble_met:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("ending a call", trouble_met)
        finally:
            # The stream may still hold the list.
            self._chunks.clear()
            self._rest = self._body = b""

    def _outcome(
        self, error: BaseException | str | None, *, left: bool
    ) -> BaseException | str | None:
        """Read what there is, and note how it ended; returns why it failed, if it did."""
        failure: BaseException | str | None = error
        try:
            found = self._passed()
            try:
                failure = self._read(found, clean=error is None and not left, left=left) or error
            finally:
                self._invocation.note(found)
        except Exception as trouble_met:  # noqa: BLE001 - a call that cannot be read is still one
            trouble.say("reading a response", trouble_met)
            self._invocation.note({semconv.USAGE: "missing"})
        if self._operation is not None:
            has_failed = failure is not None or self._status >= _BAD_REQUEST
            self._operation.end(self._body, status=self._status, has_failed=has_failed)
        return failure

    def _close(
        self, error: BaseException | str | None, failure: BaseException | str | None
    ) -> None:
        invocation = self._invocation
        if error is not None:
            invocation.fail(error)
        elif _REDIRECT <= self._status < _BAD_REQUEST or self._is_not_a_call():
            invocation.discard()  # No model has worked.
            if invocation.parent is not None and self._operation is not None:
                invocation.parent.wire_calls -= 1
        elif self._status >= _BAD_REQUEST:
            invocation.fail(str(self._status))
        elif failure is not None:
            invocation.fail(failure)
        else:
            invocation.stop()

    def _is_not_a_call(self) -> bool:
        """Whether it asked for what other calls have used, and was not told; or another service."""
        if self._reply.counts:
            return False
        if self._dialect.operation == semconv.FETCH_RESPONSE:
            return True
        is_answered = 0 < self._status < _REDIRECT and self._is_whole and not self._is_stream
        is_read = not self._is_lost and self._head is None
        return is_answered and is_read and self._dialect.always_counts

    def _passed(self) -> _Attributes:
        """Say what came back at once."""
        found: _Attributes = {}
        if self._asked.stream or self._is_stream:
            found[semconv.REQUEST_STREAM] = True
            if self._first_chunk:
                waited = self._first_chunk - self._started
                found[semconv.TIME_TO_FIRST_CHUNK] = waited / 1e9
        if self._status:
            found[semconv.HTTP_STATUS] = self._status
        return found

    def _read(self, found: _Attributes, *, clean: bool, left: bool) -> str | None:
        """Read what passed; returns the error that the provider reported.

        Args:
            found: The attributes so far; what is read is added.
            clean: The body came to its end.
            left: The client closed it before.
        """
        reply, usage = _NOTHING, TokenUsage()
        self._is_whole = clean
        if self._status and self._status < _REDIRECT:
            reply, usage = self._read_body(clean=clean)
        self._reply = reply
        if reply.said:
            found.update(reply.said)
        if reply.role is not None and self._invocation.role in ("main", "subagent"):
            found[semconv.ROLE] = reply.role
        if reply.response_id:
            found[semconv.RESPONSE_ID] = reply.response_id
        if reply.model:
            found[semconv.RESPONSE_MODEL] = self._invocation.name = reply.model
        found.update(usage_attributes(usage))
        whole = reply.finished or (clean and not (self._is_stream and self._dialect.interim_counts))
        outcome = "complete" if whole and not reply.error else "incomplete"
        if left and not whole and not reply.error:
            outcome = "abandoned"
        found[semconv.OUTCOME] = outcome
        if others := self._dialect.beside(reply):
            self._invocation.note(found)  # They have its provider.
            for other in others:
                self._record(other)
        return reply.error

    def _record(self, other: Reply) -> None:
        """Record a further call that the response tells of; when it was, it does not tell."""
        self._invocation.beside(
            other.model or self._invocation.name,
            role=other.role,
            attributes={
                **({semconv.RESPONSE_ID: other.response_id} if other.response_id else {}),
                **({semconv.RESPONSE_MODEL: other.model} if other.model else {}),
                **other.said,
                **usage_attributes(self._dialect.usage(other.counts)),
                semconv.OUTCOME: "incomplete" if other.error else "complete",
            },
            error=other.error,
        )

    def _read_body(self, *, clean: bool) -> tuple[Reply, TokenUsage]:
        data = self._what_is_left()
        if not self._is_stream:
            reply = self._reply  # What the headers said remains, whatever the body is.
            try:
                reply = self._then(self._dialect.read_json(data))
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                # What begins like an answer was cut; what does not may be another service's.
                self._is_lost = self._is_lost or data[:16].lstrip().startswith(b"{")
            return reply, self._dialect.usage(reply.counts)
        if not clean:
            data = data[: self._dialect.whole(data)]
        reply = self._reply = self._then(self._dialect.read_events(data))
        usage = self._dialect.usage(reply.counts)
        is_interim = not reply.finished and (
            self._dialect.interim_counts or not clean or self._is_lost
        )
        if is_interim or usage.input_tokens is None or usage.output_tokens is None:
            usage = self._estimated(usage, data, is_interim=is_interim)
        return reply, usage

    def _then(self, found: Reply) -> Reply:
        """Return what is known with *found*, which comes later."""
        return found if self._reply is _NOTHING else self._reply.then(found)

    def _what_is_left(self) -> bytes:
        """Return what was not read yet: all of a body that is not long."""
        try:
            self._take_chunks()
            if len(self._rest) > _WHOLE_BYTES:
                self._shorten()
        except Exception as error:  # noqa: BLE001 - what was read before is worth keeping
            self._lose(error)
        if self._head is not None:
            return excerpt.of(self._head, self._rest)
        self._is_stream = self._is_stream or self._dialect.begins_stream(self._rest)
        return self._rest

    def _model(self) -> str:
        """Return whose vocabulary the text is in: that of who answers, or of who was asked."""
        if self._reply.model:
            return self._reply.model
        return self._asked.model or ""

    def _estimated(self, usage: TokenUsage, data: bytes, *, is_interim: bool) -> TokenUsage:
        """Fill in what the stream did not say from what passed; interim counts are the least."""
        sent, received = usage.input_tokens, usage.output_tokens
        if sent is None and len(self._body) <= _EVENT_BYTES:
            sent = estimate.input_tokens(self._body, self._model())
        if received is None or is_interim:
            text_tokens = estimate.count(self._dialect.text(data), self._model())
            text_tokens = max(text_tokens + self._text_tokens, received or 0)
            received = text_tokens if text_tokens or not self._is_lost else None
        return replace(usage, input_tokens=sent, output_tokens=received, state="estimated")


def _within(body: bytes) -> bytes:
    """Return *body*, or of a very long one the members at its beginning and its end."""
    if len(body) <= _WHOLE_BYTES:
        return body
    return excerpt.of(body[:_HEAD_BYTES], body[-_TAIL_BYTES:])


def begin(
    method: str, *, host: str, path: str, body: bytes | None, retry_count: str | None = None
) -> Exchange | None:
    """Start following a request, if it is a model call; None leaves it alone.

    Args:
        method: The HTTP method.
        host: The host, without the port.
        path: The path, without the query.
        body: The request's body; None if it is not at hand.
        retry_count: What the SDK says of earlier attempts (``x-stainless-retry-count``).
    """
    spoken = dialects.of(method, path)
    if spoken is None or not spoken.is_call(path, body) or _is_sent_already(path, body):
        return None
    asked = _asked(spoken, path, body or b"")
    # All that is known, for of a call that is cut off nothing else will be.
    said: _Attributes = {
        semconv.OPERATION_NAME: spoken.operation,
        semconv.PROVIDER_NAME: asked.provider or dialect.provider_of(host, spoken.provider),
        semconv.CAPTURE: "wire",
        semconv.SERVER_ADDRESS: host,
        **_region_of(host),
        **asked.said,
    }
    if asked.model is not None:
        said[semconv.REQUEST_MODEL] = asked.model
    if asked.stream:
        said[semconv.REQUEST_STREAM] = True
    role = _ROLE_OF.get(spoken.operation)
    invocation = setup.start_call(asked.model or spoken.operation, said, role)
    if spoken.operation == semconv.FETCH_RESPONSE:
        return _sent(Exchange(spoken, invocation, path, body or b"", asked))
    if invocation.parent is not None:
        invocation.parent.wire_calls += 1
    target = f"{invocation.task_id} {host}{path} {len(body or b'')}"
    operation = _operation(invocation, target, body, retry_count)
    return _sent(Exchange(spoken, invocation, path, body or b"", asked, operation=operation))


def _asked(spoken: Dialect, path: str, body: bytes) -> Asked:
    try:
        return spoken.asked(path, _within(body))
    except Exception as error:  # noqa: BLE001 - a call that cannot be read is still one
        trouble.say("reading a request", error)
        return Asked()


def _sent(exchange: Exchange) -> Exchange:
    _sending.set(weakref.ref(exchange))
    return exchange


def _is_sent_already(path: str, body: bytes | None) -> bool:
    """Whether this is what another transport is sending right now, by way of this one."""
    reference = _sending.get()
    outer = reference() if reference is not None else None
    return outer is not None and outer.sends(path, body)


# Nobody reads these, whichever agent asks for them.
_ROLE_OF: Final[dict[str, Role]] = {
    semconv.EMBEDDINGS: "embedding",
    semconv.RERANK: "rerank",
    semconv.MODERATION: "guard",
}


@functools.lru_cache(maxsize=1024)
def _region_of(host: str) -> dict[str, str]:
    region = dialect.region_of(host)
    return {semconv.CLOUD_REGION: region} if region else {}


def _operation(
    invocation: Invocation, target: str, body: bytes | None, retry_count: str | None
) -> _Operation:
    """Tie the attempts of one operation together; its id is the span id of the first.

    An attempt follows another where the SDK says so, or where the same bytes go to the same place
    directly after a failure.
    """
    earlier = int(retry_count) if retry_count and retry_count.isdecimal() else 0
    last = _last_operation.get()
    same = last is not None and last.target == target
    if last is not None and same and retry_count is None and last.is_tried_again(body):
        earlier = last.attempts
    if last is not None and same and earlier:
        operation = last
    else:
        operation = _Operation(f"{invocation.span_context.span_id:016x}", target)
        _last_operation.set(operation)
    operation.attempts = earlier + 1
    invocation.note({semconv.OPERATION_ID: operation.id, semconv.ATTEMPT: operation.attempts})
    return operation
