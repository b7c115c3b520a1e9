"""Ollama's own protocol: one object a line, with the counts in the last.

A count that is zero, or of a prompt that was in memory already, is left out: it is unknown then.

Source: <https://docs.ollama.com/api/usage>
"""

from typing import Annotated, Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire.dialect import (
    Asked,
    Asking,
    Counts,
    Dialect,
    Named,
    Reply,
    Route,
    Turn,
    all_decoded,
    counted,
    decoded,
    items,
    joined,
    mapping,
    said_only,
    shaped,
    token_count,
)
from agenttrace.record.wire.dialects import ndjson

_SOME: Final = msgspec.Meta(min_length=1)  # asking nothing loads a model, or unloads it


class _Asks(Named):
    messages: Annotated[list[Turn], _SOME]


class _Completes(Named):
    prompt: Annotated[str, _SOME]


class _Looks(Named):
    images: Annotated[list[str], _SOME]


class _Embeds(Named):
    input: str | list[str]


class _EmbedsOne(Named):
    prompt: str  # the older protocol


class _Answer(msgspec.Struct):
    model: Any = None
    done: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


class _Said(msgspec.Struct):
    response: Any = None
    thinking: Any = None
    message: Any = None


_answer: Final = msgspec.json.Decoder(_Answer)
_said: Final = msgspec.json.Decoder(_Said)
_asking: Final = msgspec.json.Decoder(Asking)


class Chat(Dialect):
    """``POST /api/chat``."""

    provider: ClassVar = "ollama"
    shapes: ClassVar = shaped(_Asks)
    streams: ClassVar = ("application/x-ndjson",)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the request, which asks for a stream unless it says otherwise."""
        found = decoded(_asking, body)
        streams = found is not None and found.stream in (None, True)
        return super().asked(path, body)._replace(stream=streams)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return _reply(_answer.decode(body))

    def begins_stream(self, data: bytes) -> bool:
        """Whether *data* are lines."""
        return ndjson.begins(data)

    def read_events(self, data: bytes) -> Reply:
        """Read the last line; an error takes its place."""
        found = _latest(data, b'"done"')
        return found if found.finished else found.then(_latest(data, b'"error"'))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(
            token_count(counts.get("prompt_eval_count")), token_count(counts.get("eval_count"))
        )

    def text(self, data: bytes) -> str:
        """Return text, thoughts and tool arguments."""
        said = all_decoded(_said, ndjson.lines(data))
        return joined(piece for line in said for piece in _texts(line))


class Generate(Chat):
    """``POST /api/generate``."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    shapes: ClassVar = shaped(_Completes, _Looks)


class Embeddings(Chat):
    """``POST /api/embed`` and the older ``/api/embeddings``, which counts nothing."""

    operation: ClassVar = semconv.EMBEDDINGS
    shapes: ClassVar = shaped(_Embeds, _EmbedsOne)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the request; there is nothing to stream."""
        return Dialect.asked(self, path, body)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into input alone."""
        given = token_count(counts.get("prompt_eval_count"))
        return counted(given, None if given is None else 0)


def _latest(data: bytes, needle: bytes) -> Reply:
    return _reply(decoded(_answer, next(ndjson.latest_with(data, needle), b"")))


def _reply(answer: _Answer | None) -> Reply:
    if answer is None:
        return Reply()
    return Reply(
        model=answer.model if isinstance(answer.model, str) else None,
        counts=said_only(prompt_eval_count=answer.prompt_eval_count, eval_count=answer.eval_count),
        finished=answer.done is True,
        # It has no type, only a text, which is nobody's business.
        error="error" if answer.error else None,
    )


def _texts(line: _Said) -> list[Any]:
    message = mapping(line.message)
    said = [line.response, line.thinking, message.get("content"), message.get("thinking")]
    calls = [mapping(call).get("function") for call in items(message.get("tool_calls"))]
    return said + [msgspec.json.encode(call).decode() for call in calls if call is not None]


ROUTES: Final = (
    Route("POST", "/api/chat", Chat()),
    Route("POST", "/api/generate", Generate()),
    Route("POST", "/api/(?:embed|embeddings)", Embeddings()),
)
