"""Follow one request to a model: what was asked, what came back, and how it ended."""

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record import setup, trouble
from agenttrace.record.invocation import Invocation
from agenttrace.record.wire import anthropic, dialect, estimate, openai
from agenttrace.record.wire.dialect import Dialect, Reply

DIALECTS: Final[dict[str, Dialect]] = {
    "openai.chat": openai.Chat(),
    "openai.responses": openai.Responses(),
    "openai.embeddings": openai.Embeddings(),
    "anthropic.messages": anthropic.Messages(),
}

_BAD_REQUEST: Final = 400

# The operation that this thread or task tried last: (operation id, host and path).
_last_operation: ContextVar[tuple[str, str] | None] = ContextVar("last_operation", default=None)


class _Request(msgspec.Struct):
    model: Any = None
    stream: Any = None


_request = msgspec.json.Decoder(_Request)


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
        "_is_events",
        "_reply",
        "_started",
        "_status",
        "_text_bytes",
        "chunks",
    )

    def __init__(self, spoken: Dialect, invocation: Invocation, body: bytes) -> None:
        self._dialect = spoken
        self._invocation = invocation
        self._body = body
        self._started = time.perf_counter_ns()
        self._first_chunk = 0
        self.chunks: list[bytes] = []
        self._reply = Reply()
        self._text_bytes = 0
        self._status = 0
        self._is_events = False
        self._decode: Callable[[bytes], bytes] | None = None
        self._done = False

    def respond(
        self, status: int, content_type: str, decode: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Take the head of the response.

        Args:
            status: The HTTP status.
            content_type: The header, empty if there is none.
            decode: What undoes the content coding of the body; None if it has none.
        """
        self._status = status
        self._is_events = content_type.lower().startswith("text/event-stream")
        self._decode = decode

    def begin_body(self) -> None:
        """Note when the first piece of the body comes."""
        self._first_chunk = time.perf_counter_ns()

    def condense(self) -> None:
        """Read the whole events so far, so that a long stream does not fill the memory."""
        if not self._is_events or self._decode is not None:
            return
        with trouble.Guard("reading a response"):
            data = b"".join(self.chunks)
            head = _whole_events(data)
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
        try:
            outcome = self._read(error, left=left)
            invocation.set({semconv.OUTCOME: outcome})
        except Exception as trouble_met:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("reading a response", trouble_met)
            invocation.set({semconv.USAGE: "missing"})
        finally:
            self.chunks, self._body = [], b""
        if error is not None:
            invocation.fail(error)
        elif self._status >= _BAD_REQUEST:
            invocation.fail(str(self._status))
        else:
            invocation.stop()

    def _read(self, error: BaseException | None, *, left: bool) -> str:
        """Read what passed into the invocation's attributes; returns how the response ended."""
        found: dict[str, str | int | float | bool] = {}
        requested = self._requested()
        if isinstance(requested.model, str):
            found[semconv.REQUEST_MODEL] = requested.model
        if self._status:
            found[semconv.HTTP_STATUS] = self._status
        reply, usage = Reply(), TokenUsage()
        if self._status and self._status < _BAD_REQUEST:
            reply, usage = self._read_body()
        if self._is_events:
            found[semconv.REQUEST_STREAM] = True
            if self._first_chunk:
                waited = self._first_chunk - self._started
                found[semconv.TIME_TO_FIRST_CHUNK] = waited / 1e9
        if reply.response_id:
            found[semconv.RESPONSE_ID] = reply.response_id
        if reply.model:
            found[semconv.RESPONSE_MODEL] = reply.model
        model = reply.model or requested.model
        if isinstance(model, str):
            self._invocation.name = model
        self._invocation.set(found)
        self._invocation.usage(usage)
        if reply.finished or (error is None and not left):
            return "complete"
        return "abandoned" if left else "incomplete"

    def _requested(self) -> _Request:
        try:
            return _request.decode(self._body)
        except msgspec.MsgspecError:
            return _Request()

    def _read_body(self) -> tuple[Reply, TokenUsage]:
        data = b"".join(self.chunks)
        if self._decode is not None:
            data = self._decode(data)
        if not self._is_events:
            try:
                reply = self._dialect.read_json(data)
            except msgspec.MsgspecError:
                return Reply(), TokenUsage()
            return reply, self._dialect.usage(reply.counts)
        data = _whole_events(data)
        reply = self._reply.then(self._dialect.read_events(data))
        usage = self._dialect.usage(reply.counts)
        if not reply.finished:
            # The counts of a stream are final only at its end.
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
    name: str, *, host: str, path: str, body: bytes | None, retry_count: str | None
) -> Exchange | None:
    """Start following a request, if it is a model call; None leaves it alone.

    Args:
        name: The dialect that its path says it speaks (``dialect.name_of``).
        host: The host, without the port.
        path: The path.
        body: The request's body; None if it is not at hand.
        retry_count: What the SDK says of earlier attempts (``x-stainless-retry-count``).
    """
    if not body or not (b'"model"' in body or "/deployments/" in path):
        return None
    spoken = DIALECTS[name]
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
    if spoken.operation == semconv.EMBEDDINGS and invocation.role in ("main", "subagent"):
        invocation.set({semconv.ROLE: "embedding"})
    if invocation.parent is not None:
        invocation.parent.wire_calls += 1
    invocation.set(_attempt(invocation, host + path, retry_count))
    return Exchange(spoken, invocation, body)


@functools.cache
def _region_of(host: str) -> dict[str, str]:
    region = dialect.region_of(host)
    return {semconv.CLOUD_REGION: region} if region else {}


def _attempt(
    invocation: Invocation, target: str, retry_count: str | None
) -> dict[str, str | int | float | bool]:
    """Tie the attempts of one operation together; its id is the span id of the first."""
    earlier = int(retry_count) if retry_count and retry_count.isdigit() else 0
    last = _last_operation.get()
    if earlier and last is not None and last[1] == target:
        operation = last[0]
    else:
        operation = f"{invocation.span_context.span_id:016x}"
        _last_operation.set((operation, target))
    return {semconv.OPERATION_ID: operation, semconv.ATTEMPT: earlier + 1}


def _whole_events(data: bytes) -> bytes:
    """Drop what follows the last whole line: an event that was cut is not read."""
    return data[: data.rfind(b"\n") + 1]
