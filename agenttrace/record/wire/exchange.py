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
from agenttrace.record.wire import anthropic, dialect, estimate, events, openai
from agenttrace.record.wire.dialect import Dialect, Reply

DIALECTS: Final[dict[str, Dialect]] = {
    "openai.chat": openai.Chat(),
    "openai.responses": openai.Responses(),
    "openai.embeddings": openai.Embeddings(),
    "anthropic.messages": anthropic.Messages(),
}

_REDIRECT: Final = 300
_BAD_REQUEST: Final = 400

# The operation that this thread or task tried last: (operation id, where and how much).
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
        self, status: int, content_type: str = "", decode: Callable[[bytes], bytes] | None = None
    ) -> None:
        """Take the head of the response.

        Args:
            status: The HTTP status.
            content_type: The header; what the body looks like counts as well.
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
        if self._done:
            # Ended by shutdown(), while the program reads on.
            self.chunks.clear()
            return
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
        failure: BaseException | str | None = error
        try:
            invocation.set(self._asked())
            failure = self._read(clean=error is None and not left, left=left) or error
        except Exception as trouble_met:  # noqa: BLE001 - recording never raises into the user's program
            trouble.say("reading a response", trouble_met)
            invocation.set({semconv.USAGE: "missing"})
        finally:
            # The stream may still hold the list.
            self.chunks.clear()
            self._body = b""
        if error is not None:
            invocation.fail(error)
        elif _REDIRECT <= self._status < _BAD_REQUEST:
            invocation.discard()  # No model has worked.
        elif self._status >= _BAD_REQUEST:
            invocation.fail(str(self._status))
        elif failure is not None:
            invocation.fail(failure)
        else:
            invocation.stop()

    def _asked(self) -> dict[str, str | int | float | bool]:
        """Say what was asked and what came back at once."""
        found: dict[str, str | int | float | bool] = {}
        requested = events.decoded(_request, self._body) or _Request()
        if isinstance(requested.model, str):
            found[semconv.REQUEST_MODEL] = self._invocation.name = requested.model
        if requested.stream is True:
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
        found: dict[str, str | int | float | bool] = {}
        if reply.response_id:
            found[semconv.RESPONSE_ID] = reply.response_id
        if reply.model:
            found[semconv.RESPONSE_MODEL] = self._invocation.name = reply.model
        self._invocation.set(found)
        self._invocation.usage(usage)
        whole = reply.finished or (clean and not (self._is_events and self._dialect.interim_counts))
        outcome = "complete" if whole and not reply.error else "incomplete"
        if left and not whole and not reply.error:
            outcome = "abandoned"
        self._invocation.set({semconv.OUTCOME: outcome})
        return reply.error

    def _read_body(self, *, clean: bool) -> tuple[Reply, TokenUsage]:
        data = b"".join(self.chunks)
        if self._decode is not None:
            data = self._decode(data)
        # Some servers forget to say what they send.
        self._is_events = self._is_events or data[:16].lstrip().startswith((b"data:", b"event:"))
        if not self._is_events:
            try:
                reply = self._dialect.read_json(data)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                return Reply(), TokenUsage()
            return reply, self._dialect.usage(reply.counts)
        if not clean:
            data = _whole_events(data)
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
    if not dialect.looks_like(name, path, body):
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
    sent = body or b""
    # An SDK sends the same bytes again, so their number tells another operation apart.
    invocation.set(_attempt(invocation, f"{host}{path} {len(sent)}", retry_count))
    return Exchange(spoken, invocation, sent)


@functools.cache
def _region_of(host: str) -> dict[str, str]:
    region = dialect.region_of(host)
    return {semconv.CLOUD_REGION: region} if region else {}


def _attempt(
    invocation: Invocation, target: str, retry_count: str | None
) -> dict[str, str | int | float | bool]:
    """Tie the attempts of one operation together; its id is the span id of the first."""
    earlier = int(retry_count) if retry_count and retry_count.isdecimal() else 0
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
