"""Follow a conversation over a websocket: one connection, many responses.

OpenAI's realtime, responses and live protocols speak in JSON messages. Each response between
``response.created`` and its end is a call of its own, and so is each transcription of what was
said. Most messages carry sound or say nothing of a call; these are searched, not read.

Source: <https://platform.openai.com/docs/api-reference/realtime-server-events>, …/responses, …/live
"""

import contextvars
import os
import re
import threading
import time
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record import setup, trouble
from agenttrace.record.invocation import Invocation
from agenttrace.record.wire import dialect, estimate
from agenttrace.record.wire.dialect import (
    Counts,
    Envelope,
    decoded,
    error_type,
    mapping,
    reply_of,
)
from agenttrace.record.wire.dialects.openai import usage_of

Message = str | bytes

_PATH: Final = re.compile(r"/(?:realtime|responses|live/sessions(?:/[^/]+/(?:attach|fork))?)$")
# A quotation mark inside of text is escaped in JSON, so what these find is never generated text.
_ASKS: Final = '"response.create"'
_MATTERS: Final = (
    r'"(?:response\.(?:created|done|completed|failed|incomplete|event)'
    r"|response\.(?!audio\.delta|output_audio\.delta)[a-z_.]+\.delta"
    r"|session\.(?:created|updated)"
    r"|conversation\.item\.input_audio_transcription\.(?:completed|failed)"
    r'|decision\.event|error)"'
)
_MATTERS_TEXT: Final = re.compile(_MATTERS)
_MATTERS_BYTES: Final = re.compile(_MATTERS.encode())
_ENDS: Final = ("response.done", "response.completed", "response.failed", "response.incomplete")
_MOST_CHARACTERS: Final = 256 * 1024  # of a response, before its tokens are counted
_ALREADY_ANSWERING: Final = "conversation_already_has_active_response"
_TRANSCRIBED: Final = "conversation.item.input_audio_transcription."


class _Request(msgspec.Struct):
    type: Any = None
    event_id: Any = None
    model: Any = None
    stream_id: Any = None
    response: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    response: Any = None
    response_id: Any = None
    stream_id: Any = None
    delta: Any = None
    session: Any = None
    usage: Any = None
    error: Any = None
    code: Any = None
    event: Any = None


_request: Final = msgspec.json.Decoder(_Request)
_event: Final = msgspec.json.Decoder(_Event)


class _Turn:
    """One response, from the message that asked for it to its end."""

    __slots__ = (
        "_pieces",
        "_size",
        "_text_tokens",
        "doubt",
        "event_id",
        "has_spoken",
        "invocation",
        "lane",
        "request",
        "started",
    )

    def __init__(
        self, invocation: Invocation, request: bytes, lane: object, event_id: object
    ) -> None:
        self.invocation = invocation
        self.request = request
        self.lane = lane
        self.event_id = event_id
        self.doubt: str | None = None  # an error that may have been about it
        self.started = time.perf_counter_ns()
        self.has_spoken = False
        self._pieces: list[str] = []
        self._size = 0
        self._text_tokens = 0

    def hear(self, piece: object) -> None:
        """Take a piece of the response, to estimate its tokens if they are not told."""
        if not self.has_spoken:
            self.has_spoken = True
            waited = time.perf_counter_ns() - self.started
            self.invocation.note({semconv.TIME_TO_FIRST_CHUNK: waited / 1e9})
        if isinstance(piece, str):
            self._pieces.append(piece)
            self._size += len(piece)
            if self._size > _MOST_CHARACTERS:
                self.text_tokens()

    def text_tokens(self) -> int:
        """Estimate the tokens of what was heard, and let go of it."""
        self._text_tokens += estimate.count("".join(self._pieces), self.invocation.name)
        self._pieces.clear()
        self._size = 0
        return self._text_tokens


class Conversation:
    """What is said on one connection. Nothing here raises, whatever the messages hold."""

    def __init__(self, host: str, model: str | None, *, names_errors: bool) -> None:
        self._host = host
        self._model = model
        # Errors of the realtime protocol name the message that they are about.
        self._names_errors = names_errors
        self._transcriber: str | None = None
        self._asked: list[_Turn] = []
        self._open: dict[object, _Turn] = {}  # by the id of the response
        self._lock = threading.Lock()
        # A forked child's copy of the lock may be held, by a thread that it does not have.
        self._pid = os.getpid()
        # A server that hears the end of a sentence answers without being asked.
        self._context = contextvars.copy_context()

    def sent(self, message: Message) -> None:
        """Take a message to the provider, before it leaves."""
        if self._pid != os.getpid():
            return
        self._context = contextvars.copy_context()
        if not (_ASKS in message if isinstance(message, str) else _ASKS.encode() in message):
            return
        with trouble.Guard("reading a message"), self._lock:
            body = _bytes(message)
            asked = decoded(_request, body)
            if asked is not None and asked.type == "response.create":
                model = asked.model if isinstance(asked.model, str) else self._model
                turn = _Turn(self._begin(model), body, asked.stream_id, asked.event_id)
                self._asked.append(turn)

    def received(self, message: Message) -> None:
        """Take a message from the provider."""
        if isinstance(message, str):
            matters = _MATTERS_TEXT.search(message)
        else:
            matters = _MATTERS_BYTES.search(message)
        if matters is None or self._pid != os.getpid():
            return
        with trouble.Guard("reading a message"), self._lock:
            event = decoded(_event, _bytes(message))
            if event is not None:
                self._take(event)

    def close(self, error: BaseException | None = None) -> None:
        """End what is still under way; further calls do nothing, nor do those of a forked child.

        Args:
            error: What broke the connection, seen by the user's program as well.
        """
        if self._pid != os.getpid():
            return
        with trouble.Guard("ending a conversation"), self._lock:
            for turn in [one for one in self._asked if one.doubt is not None]:
                self._refused(turn, turn.doubt)
            begun, asked = list(self._open.values()), list(self._asked)
            self._open.clear()
            self._asked.clear()
            for turn in begun:
                turn.invocation.usage(_estimated(turn))
            for turn in asked:
                turn.invocation.usage(TokenUsage())
            for turn in (*begun, *asked):
                outcome = "abandoned" if error is None else "incomplete"
                turn.invocation.note({semconv.OUTCOME: outcome})
                if error is None:
                    turn.invocation.stop()
                else:
                    turn.invocation.fail(error)

    def _take(self, event: _Event) -> None:
        kind = event.type if isinstance(event.type, str) else ""
        if kind.endswith(".delta"):
            self._hear(event)
        elif kind == "response.created":
            self._created(mapping(event.response), event.stream_id)
        elif kind in _ENDS:
            self._ended(mapping(event.response))
        elif kind in ("session.created", "session.updated"):
            self._know(mapping(event.session))
        elif kind.startswith(_TRANSCRIBED):
            self._transcribed(event)
        elif kind == "error":
            self._failed(event)
        elif kind in ("response.event", "decision.event"):
            self._delegated(mapping(event.event))

    def _begin(self, model: str | None, operation: str = semconv.CHAT) -> Invocation:
        region = dialect.region_of(self._host)
        invocation = setup.start_call(
            model or operation,
            {
                semconv.OPERATION_NAME: operation,
                semconv.PROVIDER_NAME: dialect.provider_of(self._host, "openai"),
                semconv.CAPTURE: "wire",
                semconv.SERVER_ADDRESS: self._host,
                semconv.REQUEST_STREAM: True,
                semconv.ATTEMPT: 1,
                **({semconv.REQUEST_MODEL: model} if model else {}),
                **({semconv.CLOUD_REGION: region} if region else {}),
            },
        )
        invocation.note({semconv.OPERATION_ID: f"{invocation.span_context.span_id:016x}"})
        if invocation.parent is not None:
            invocation.parent.wire_calls += 1
        return invocation

    def _begin_unasked(self, model: str | None, operation: str = semconv.CHAT) -> Invocation:
        """Begin where the program last said something."""
        return self._context.run(self._begin, model, operation)

    def _created(self, response: Counts, lane: object) -> None:
        waiting = [turn for turn in self._asked if turn.lane == lane]
        while len(waiting) > 1 and waiting[0].doubt is not None:
            doubted = waiting.pop(0)
            self._refused(doubted, doubted.doubt)
        if waiting:
            asked = waiting[0]
            self._asked.remove(asked)
        else:
            asked = _Turn(self._begin_unasked(self._model), b"", lane, None)
        self._open[response.get("id")] = asked

    def _hear(self, event: _Event) -> None:
        turn = self._open.get(event.response_id) or self._speaking(event.stream_id)
        if turn is not None:
            turn.hear(event.delta)

    def _speaking(self, lane: object) -> _Turn | None:
        return next((turn for turn in self._open.values() if turn.lane == lane), None)

    def _ended(self, response: Counts) -> None:
        turn = self._open.pop(response.get("id"), None)
        if turn is None:
            return  # Another connection has asked for it.
        counts = mapping(response.get("usage"))
        usage = usage_of(counts) if counts else _estimated(turn)
        status = response.get("status")
        outcome = {"failed": "incomplete", "cancelled": "abandoned"}.get(str(status), "complete")
        _tell(turn.invocation, response, usage)
        turn.invocation.note({semconv.OUTCOME: outcome})
        if status == "failed":
            details = mapping(response.get("status_details"))
            error = mapping(response.get("error")) or mapping(details.get("error"))
            turn.invocation.fail(_kind(error))
        else:
            turn.invocation.stop()

    def _know(self, session: Counts) -> None:
        """Learn which models answer and transcribe; the session may change them."""
        model = session.get("model")
        self._model = model if isinstance(model, str) else self._model
        heard = mapping(mapping(session.get("audio")).get("input"))
        transcription = mapping(
            heard.get("transcription") or session.get("input_audio_transcription")
        )
        model = transcription.get("model")
        self._transcriber = model if isinstance(model, str) else self._transcriber

    def _transcribed(self, event: _Event) -> None:
        """Record what another model has worked on; how long it took is not told."""
        invocation = self._begin_unasked(self._transcriber, semconv.TRANSCRIPTION)
        counts = mapping(event.usage)
        _tell(invocation, {"model": self._transcriber, "usage": counts}, usage_of(counts))
        failed = event.type == _TRANSCRIBED + "failed"
        outcome = "incomplete" if failed else "complete"
        invocation.note({semconv.ROLE: "other", semconv.OUTCOME: outcome})
        if failed:
            invocation.fail(_kind(mapping(event.error)))
        else:
            invocation.stop()

    def _failed(self, event: _Event) -> None:
        """End what an error is about, if it is about a response."""
        error = mapping(event.error) or {"code": event.code}
        if self._names_errors:
            turn = self._meant(error)
        else:
            asked = (one for one in self._asked if one.lane == event.stream_id)
            turn = next(asked, None) or self._speaking(event.stream_id)
        if turn is None:
            return
        if turn in self._asked:
            self._refused(turn, _kind(error))
            return
        self._open = {key: one for key, one in self._open.items() if one is not turn}
        turn.invocation.usage(_estimated(turn))
        turn.invocation.note({semconv.OUTCOME: "incomplete"})
        turn.invocation.fail(_kind(error))

    def _meant(self, error: Counts) -> _Turn | None:
        """Return what an error of the realtime protocol is about; one may have to be doubted.

        An error names the message that caused it only if the program had given that an id.
        """
        about = error.get("event_id")
        if about:
            return next((one for one in self._asked if one.event_id == about), None)
        unnamed = [one for one in self._asked if not one.event_id]
        if error.get("code") == _ALREADY_ANSWERING:
            return unnamed[-1] if unnamed else None
        # It may be about any message. What was asked later and is answered first will tell.
        believed = next((one for one in unnamed if one.doubt is None), None)
        if believed is not None:
            for one in unnamed[: unnamed.index(believed)]:
                self._refused(one, one.doubt)
            believed.doubt = _kind(error)
        return None

    def _refused(self, turn: _Turn, error: str | None) -> None:
        """End what was asked for and never begun."""
        self._asked.remove(turn)
        turn.invocation.usage(TokenUsage())
        turn.invocation.note({semconv.OUTCOME: "incomplete"})
        turn.invocation.fail(error or "error")

    def _delegated(self, inner: Counts) -> None:
        """Read what a live session passes on from the models that it asked."""
        decision = mapping(inner.get("decision"))
        if decision:
            model = decision.get("model")
            invocation = self._begin_unasked(model if isinstance(model, str) else None)
            _tell(invocation, decision, usage_of(mapping(decision.get("usage"))))
            invocation.note({semconv.ROLE: "other", semconv.OUTCOME: "complete"})
            invocation.stop()
        elif inner.get("type") != "response.event":
            self._take(msgspec.convert(inner, _Event, strict=False))


def open(host: str, path: str, query: str = "") -> Conversation | None:  # noqa: A001 - what it is
    """Begin to follow a connection, if it speaks a protocol that is known.

    Args:
        host: The host, without the port.
        path: The path, with or without the query.
        query: The query, where the path is without.
    """
    path, _, behind = path.partition("?")
    found = _PATH.search(path.rstrip("/"))
    if found is None:
        return None
    said = parse_qs(query or behind)
    named = said.get("model") or said.get("deployment") or [None]
    return Conversation(host, named[0], names_errors=found.group() == "/realtime")


def _bytes(message: Message) -> bytes:
    if isinstance(message, str):
        return message.encode("utf-8", "surrogatepass")
    return message


def _tell(invocation: Invocation, response: Counts, usage: TokenUsage) -> None:
    envelope = Envelope(response.get("id"), response.get("model"), response.get("usage"))
    reply = reply_of(envelope)
    invocation.note(dict(reply.said))
    if reply.response_id:
        invocation.note({semconv.RESPONSE_ID: reply.response_id})
    if reply.model:
        invocation.name = reply.model
        invocation.note({semconv.RESPONSE_MODEL: reply.model})
    invocation.usage(usage)


def _estimated(turn: _Turn) -> TokenUsage:
    """Estimate a response whose usage was not told, from what passed."""
    request = decoded(_request, turn.request)
    inner = mapping(request.response) if request is not None else {}
    model = turn.invocation.name
    sent = estimate.input_tokens(msgspec.json.encode(inner) if inner else turn.request, model)
    # What the connection was told before is part of the input too; of nothing, nothing is known.
    return TokenUsage(sent or None, turn.text_tokens(), state="estimated")


def _kind(error: Counts) -> str:
    return error_type(error.get("type"), error.get("code")) or "error"
