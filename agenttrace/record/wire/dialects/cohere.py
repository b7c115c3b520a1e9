"""Cohere's protocols, and the reranking of those who spell it alike (Jina, Voyage, vLLM).

It counts twice: ``tokens`` are those that the model worked on, ``billed_units`` those it charges
for, which leave out what Cohere adds to a prompt. The former are taken where both are there.

Source: <https://docs.cohere.com/reference/chat>
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Messages,
    Named,
    Reply,
    Route,
    all_decoded,
    counted,
    decoded,
    error_type,
    joined,
    mapping,
    shaped,
    token_count,
)
from agenttrace.record.wire.dialects import ndjson


class _Asks(Named):
    message: str  # version 1


class _Completes(Named):
    prompt: str


class _EmbedsTexts(Named):
    texts: list[str]


class _EmbedsImages(Named):
    images: list[str]


class _EmbedsParts(Named):
    inputs: list[dict[str, Any]]


class _Ranks(msgspec.Struct):
    """A server of one model wants no name."""

    query: Any
    documents: list[Any]


class _RanksTexts(msgspec.Struct):
    """How Hugging Face's server spells it."""

    query: str
    texts: list[str]


class _Classifies(Named):
    inputs: list[str]


class _ClassifiesLike(msgspec.Struct):
    inputs: list[str]
    examples: list[dict[str, Any]]


class _Answer(msgspec.Struct):
    """A whole response: version 2 has ``usage`` where version 1 has ``meta``."""

    id: Any = None
    response_id: Any = None
    model: Any = None
    usage: Any = None
    meta: Any = None


class _Event(msgspec.Struct):
    """One event of version 2."""

    id: Any = None
    type: Any = None
    delta: Any = None


class _Line(msgspec.Struct):
    """One event of version 1."""

    event_type: Any = None
    is_finished: Any = None
    finish_reason: Any = None
    text: Any = None
    response: _Answer | None = None


_answer: Final = msgspec.json.Decoder(_Answer)
_event: Final = msgspec.json.Decoder(_Event)
_line: Final = msgspec.json.Decoder(_Line)


class Chat(Dialect):
    """``POST /v2/chat``."""

    provider: ClassVar = "cohere"
    shapes: ClassVar = shaped(Messages)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_answer.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the id from the first event and the counts from the last."""
        opening = decoded(_event, events.first_payload(data))
        found = Reply()
        if opening is not None and isinstance(opening.id, str):
            found = Reply(opening.id)
        for payload in events.latest_with(data, b'"message-end"'):
            event = decoded(_event, payload)
            if event is None or event.type != "message-end":
                continue
            delta = mapping(event.delta)
            error = _failure(delta.get("finish_reason"))
            return found.then(Reply(counts=mapping(delta.get("usage")), finished=True, error=error))
        return found.then(Reply(error=events.failure(data)))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(
            _of(counts, "input_tokens"),
            _of(counts, "output_tokens"),
            cache_read=token_count(counts.get("cached_tokens")),
        )

    def text(self, data: bytes) -> str:
        """Return text, thoughts, plans and tool arguments."""
        return joined(
            piece
            for event in all_decoded(_event, events.payloads(data))
            for piece in _texts(mapping(mapping(event.delta).get("message")))
        )


class ChatV1(Chat):
    """``POST /v1/chat``, which streams lines."""

    shapes: ClassVar = shaped(_Asks)
    streams: ClassVar = ("application/stream+json", "application/x-ndjson", "text/event-stream")

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* are events, or lines."""
        return super().begins_stream(data) or ndjson.begins(data)

    def read_events(self, data: bytes) -> Reply:
        """Read the last line, which has the whole response."""
        for payload in ndjson.latest_with(data, b'"is_finished"'):
            line = decoded(_line, payload)
            if line is not None and line.is_finished is True:
                error = _failure(line.finish_reason)
                return _reply(line.response, finished=True).then(Reply(error=error))
            break
        return Reply()

    def text(self, data: bytes) -> str:
        """Return the text; the last line repeats it elsewhere."""
        return joined(line.text for line in all_decoded(_line, ndjson.lines(data)))


class Generate(ChatV1):
    """``POST /v1/generate``."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    shapes: ClassVar = shaped(_Completes)


class Embeddings(Dialect):
    """``POST …/embed``: input alone."""

    operation: ClassVar = semconv.EMBEDDINGS
    provider: ClassVar = "cohere"
    shapes: ClassVar = shaped(_EmbedsTexts, _EmbedsImages, _EmbedsParts)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_answer.decode(body), finished=True)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into input alone, be it text or images."""
        given = _of(counts, "input_tokens")
        if given is None:
            # Elsewhere than at Cohere the counts are those of OpenAI's embeddings.
            given = token_count(counts.get("total_tokens"))
        if given is None:
            parts = [_of(counts, "text_tokens"), _of(counts, "image_tokens")]
            said = [part for part in parts if part is not None]
            given = sum(said) if said else None
        return counted(given, None if given is None else 0)


class Rerank(Embeddings):
    """``POST …/rerank``. Cohere charges for searches here, and says no tokens."""

    operation: ClassVar = semconv.RERANK
    shapes: ClassVar = shaped(_Ranks, _RanksTexts)


class Classify(Embeddings):
    """``POST /v1/classify``."""

    operation: ClassVar = semconv.CLASSIFY
    shapes: ClassVar = shaped(_Classifies, _ClassifiesLike)


def _reply(answer: _Answer | None, *, finished: bool) -> Reply:
    if answer is None:
        return Reply()
    counts = mapping(answer.usage) or mapping(answer.meta)
    ids = (one for one in (answer.id, answer.response_id) if isinstance(one, str))
    images = token_count(mapping(counts.get("billed_units")).get("image_tokens"))
    return Reply(
        response_id=next(ids, None),
        model=answer.model if isinstance(answer.model, str) else None,
        counts=counts,
        finished=finished,
        said={semconv.INPUT_IMAGE_TOKENS: images} if images else {},
    )


def _of(counts: Counts, name: str) -> int | None:
    """Return a count: of what was worked on, or at least of what is charged for."""
    worked_on = token_count(mapping(counts.get("tokens")).get(name))
    return (
        token_count(mapping(counts.get("billed_units")).get(name))
        if worked_on is None
        else worked_on
    )


def _failure(reason: object) -> str | None:
    """Return the type of the error that generation has ended in, if it has."""
    failed = isinstance(reason, str) and reason.startswith(("ERROR", "TIMEOUT"))
    return error_type(reason) if failed else None


def _texts(message: Counts) -> list[object]:
    content = mapping(message.get("content"))
    function = mapping(mapping(message.get("tool_calls")).get("function"))
    said = [content.get("text"), content.get("thinking"), message.get("tool_plan")]
    return [*said, function.get("name"), function.get("arguments")]


ROUTES: Final = (
    Route("POST", "/v2/chat", Chat()),
    Route("POST", "/v1/chat", ChatV1()),
    Route("POST", "/v1/generate", Generate()),
    Route("POST", "/v[12]/embed", Embeddings()),
    Route("POST", "/rerank", Rerank()),
    Route("POST", "/v1/classify", Classify()),
)
