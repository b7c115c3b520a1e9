"""Follow one request to a model: what was asked, what came back, and how it ended."""

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record import setup, trouble
from agenttrace.record.invocation import Invocation, usage_attributes
from agenttrace.record.wire import dialect, dialects, estimate
from agenttrace.record.wire.dialect import Dialect, Reply

_REDIRECT: Final = 300
_BAD_REQUEST: Final = 400


class _Operation:
    """What this thread or task tried last: the attempts of it follow one another."""

    __slots__ = ("attempts", "failed", "id", "target")

    def __init__(self, id: str, target: str) -> None:  # noqa: A002 - it is the id
        self.id = id
        self.target = target
        self.attempts = 1
        self.failed: int | None = None  # hash of the body of an attempt that failed


_last_operation: ContextVar[_Operation | None] = ContextVar("last_operation", default=None)


class Exchange:
    """One attempt at the wire.

    The body is collected as it passes and read once, when it has ended; nothing is decoded for
    each chunk. It is let go as soon as the counts are read.

    Attributes:
        chunks: The pieces of the body that have passed and were not read yet.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_decode",
        "_dialect",
        "_done",
        "_first_chunk",
        "_invocation",
        "_is_stream",
        "_operation",
        "_path",
        "_reply",
        "_started",
        "_status",
        "_text_bytes",
        "chunks",
    )

    def __init__(
        self,
        spoken: Dialect,
        invocation: Invocation,
        path: str,
        body: bytes,
        operation: _Operation | None = None,
    ) -> None:
        self._dialect = spoken
        self._invocation = invocation
        self._path = path
        self._body = body
        self._operation = operation
        self._started = time.perf_counter_ns()
        self._first_chunk = 0
        self.chunks: list[bytes] = []
        self._reply = Reply()
        self._text_bytes = 0
        self._status = 0
        self._is_stream = False
        self._decode: Callable[[bytes], bytes] | None = None
        self._done = False

    def respond(
        self, status: int, content_type: str = "", decode: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Take the head of the response.

        Args:
            status: The HTTP status.
            content_type: The header; what the body looks like counts as well.
            decode: What undoes the content coding of the body; None if it has none.
        """
        self._status = status
        self._is_stream = content_type.lower().startswith(self._dialect.streams)
        self._decode = decode

    def begin_body(self) -> None:
        """Note when the first piece of the body comes."""
        self._first_chunk = time.perf_counter_ns()

    def condense(self) -> None:
        """Read the whole events so far, so that a long stream does not fill the memory."""
        if self._done:
            # Ended by shutdown(), while the program reads on.
            self.chunks.clear()
            return
        if not self._is_stream or self._decode is not None:
            return
        with trouble.Guard("reading a response"):
            data = b"".join(self.chunks)
            head = data[: self._dialect.whole(data)]
            self._reply = self._reply.then(self._dialect.read_events(head))
            self._text_bytes += self._dialect.text_bytes(head)
            self.chunks[:] = [data[len(head) :]]

    def whole(self, body: bytes) -> None:
        """Take a body that was read at once, and end."""
        self.chunks = [body]
        self.end()

    def end(self, error: BaseException | None = None, *, left: bool = False) -> None:
        """End the exchange; further calls do nothing. Never raises.

        Args:
            error: What broke it, seen by the user's program as well.
            left: The client closed the response before its end.
        """
        if self._done:
            return
        self._done = True
        invocation = self._invocation
        failure: BaseException | str | None = error
        try:
            invocation.set(self._asked())
            failure = self._read(clean=error is None and not left, left=left) or error
        except Exception as trouble_met:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("reading a response", trouble_met)
            invocation.set({semconv.USAGE: "missing"})
        finally:
            if self._operation is not None:
                has_failed = failure is not None or self._status >= _BAD_REQUEST
                self._operation.failed = hash(self._body) if has_failed and self._body else None
            # The stream may still hold the list.
            self.chunks.clear()
            self._body = b""
        if error is not None:
            invocation.fail(error)
        elif _REDIRECT <= self._status < _BAD_REQUEST or self._is_not_a_call():
            invocation.discard()  # No model has worked.
        elif self._status >= _BAD_REQUEST:
            invocation.fail(str(self._status))
        elif failure is not None:
            invocation.fail(failure)
        else:
            invocation.stop()

    def _is_not_a_call(self) -> bool:
        """Whether it asked for what other calls have used, and was not told."""
        return self._dialect.operation == semconv.FETCH_RESPONSE and not self._reply.counts

    def _asked(self) -> dict[str, str | int | float | bool]:
        """Say what was asked and what came back at once."""
        found: dict[str, str | int | float | bool] = {}
        asked = self._dialect.asked(self._path, self._body)
        if asked.provider is not None:
            found[semconv.PROVIDER_NAME] = asked.provider
        if asked.model is not None:
            found[semconv.REQUEST_MODEL] = self._invocation.name = asked.model
        if asked.stream or self._is_stream:
            found[semconv.REQUEST_STREAM] = True
            if self._first_chunk:
                waited = self._first_chunk - self._started
                found[semconv.TIME_TO_FIRST_CHUNK] = waited / 1e9
        if self._status:
            found[semconv.HTTP_STATUS] = self._status
        return found

    def _read(self, *, clean: bool, left: bool) -> str | None:
        """Read what passed into the attributes; returns the error that the provider reported.

        Args:
            clean: The body came to its end.
            left: The client closed it before.
        """
        reply, usage = Reply(), TokenUsage()
        if self._status and self._status < _REDIRECT:
            reply, usage = self._read_body(clean=clean)
        self._reply = reply
        found: dict[str, str | int | float | bool] = dict(reply.said)
        if reply.role is not None and self._invocation.role in ("main", "subagent"):
            found[semconv.ROLE] = reply.role
        if reply.response_id:
            found[semconv.RESPONSE_ID] = reply.response_id
        if reply.model:
            found[semconv.RESPONSE_MODEL] = self._invocation.name = reply.model
        self._invocation.set(found)
        self._invocation.usage(usage)
        whole = reply.finished or (clean and not (self._is_stream and self._dialect.interim_counts))
        outcome = "complete" if whole and not reply.error else "incomplete"
        if left and not whole and not reply.error:
            outcome = "abandoned"
        self._invocation.set({semconv.OUTCOME: outcome})
        for other in reply.also:
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
        data = b"".join(self.chunks)
        if self._decode is not None:
            data = self._decode(data)
        # Some servers forget to say what they send.
        self._is_stream = self._is_stream or self._dialect.begins_stream(data)
        if not self._is_stream:
            try:
                reply = self._dialect.read_json(data)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                return Reply(), TokenUsage()
            return reply, self._dialect.usage(reply.counts)
        if not clean:
            data = data[: self._dialect.whole(data)]
        reply = self._reply.then(self._dialect.read_events(data))
        usage = self._dialect.usage(reply.counts)
        if not reply.finished and (self._dialect.interim_counts or not clean):
            usage = replace(usage, output_tokens=None, reasoning_tokens=None)
        if usage.input_tokens is not None and usage.output_tokens is not None:
            return reply, usage
        return reply, self._estimated(usage, data)

    def _estimated(self, usage: TokenUsage, data: bytes) -> TokenUsage:
        """Fill in what the stream did not say from the size of what passed."""
        sent, received = usage.input_tokens, usage.output_tokens
        if sent is None:
            sent = estimate.input_tokens(self._body)
        if received is None:
            received = estimate.tokens(self._text_bytes + self._dialect.text_bytes(data))
        return replace(usage, input_tokens=sent, output_tokens=received, state="estimated")


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
    if spoken is None or not spoken.is_call(path, body):
        return None
    invocation = setup.start(
        "inference",
        spoken.operation,
        attributes={
            semconv.OPERATION_NAME: spoken.operation,
            semconv.PROVIDER_NAME: dialect.provider_of(host, spoken.provider),
            semconv.CAPTURE: "wire",
            semconv.SERVER_ADDRESS: host,
            **_region_of(host),
        },
    )
    if spoken.operation == semconv.FETCH_RESPONSE:
        return Exchange(spoken, invocation, path, body or b"")
    if invocation.role in ("main", "subagent"):
        invocation.set(_ROLE_OF.get(spoken.operation, {}))
    if invocation.parent is not None:
        invocation.parent.wire_calls += 1
    operation = _operation(invocation, f"{host}{path} {len(body or b'')}", body, retry_count)
    return Exchange(spoken, invocation, path, body or b"", operation)


# Nobody reads these, whichever agent asks for them.
_ROLE_OF: Final = {
    semconv.EMBEDDINGS: {semconv.ROLE: "embedding"},
    semconv.RERANK: {semconv.ROLE: "rerank"},
    semconv.MODERATION: {semconv.ROLE: "guard"},
}


@functools.cache
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
    if last is not None and same and retry_count is None and body and last.failed == hash(body):
        earlier = last.attempts
    if last is not None and same and earlier:
        operation = last
    else:
        operation = _Operation(f"{invocation.span_context.span_id:016x}", target)
        _last_operation.set(operation)
    operation.attempts = earlier + 1
    invocation.set({semconv.OPERATION_ID: operation.id, semconv.ATTEMPT: operation.attempts})
    return operation
