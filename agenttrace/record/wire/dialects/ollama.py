"""Ollama's own protocol: one object a line, with the counts in the last.

A count that is zero, or of a prompt that was in memory already, is left out: it is unknown then.

Source: <https://docs.ollama.com/api/usage>
"""

import re
from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Asked,
    Asking,
    Counts,
    Dialect,
    Reply,
    Route,
    counted,
    decoded,
    items,
    mapping,
    whole,
)
from agenttrace.record.wire.dialects import ndjson

# Asking nothing loads a model, or unloads it.
_NOTHING: Final = re.compile(rb'"(?:messages"\s*:\s*\[\s*\]|prompt"\s*:\s*"")')


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
    streams: ClassVar = ("application/x-ndjson",)

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Other services have a path like this, so it is known by its body only."""
        return (
            body is not None
            and (b'"messages"' in body or b'"prompt"' in body)
            and super().is_call(path, body)
            and (_NOTHING.search(body) is None or b'"images"' in body)
        )

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
        return counted(whole(counts.get("prompt_eval_count")), whole(counts.get("eval_count")))

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of text, thoughts and tool arguments."""
        found = (decoded(_said, payload) for payload in ndjson.lines(data))
        return sum(_said_bytes(line) for line in found if line)


class Generate(Chat):
    """``POST /api/generate``."""

    operation: ClassVar = semconv.TEXT_COMPLETION


class Embeddings(Chat):
    """``POST /api/embed`` and the older ``/api/embeddings``, which counts nothing."""

    operation: ClassVar = semconv.EMBEDDINGS

    def is_call(self, path: str, body: bytes | None) -> bool:
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and Dialect.is_call(self, path, body)

    def asked(self, path: str, body: bytes) -> Asked:
        """Read the request; there is nothing to stream."""
        return Dialect.asked(self, path, body)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into input alone."""
        given = whole(counts.get("prompt_eval_count"))
        return counted(given, None if given is None else 0)


def _latest(data: bytes, needle: bytes) -> Reply:
    return _reply(decoded(_answer, next(ndjson.latest_with(data, needle), b"")))


def _reply(answer: _Answer | None) -> Reply:
    if answer is None:
        return Reply()
    counts = {"prompt_eval_count": answer.prompt_eval_count, "eval_count": answer.eval_count}
    return Reply(
        model=answer.model if isinstance(answer.model, str) else None,
        counts={name: count for name, count in counts.items() if count is not None},
        finished=answer.done is True,
        # It has no type, only a text, which is nobody's business.
        error="error" if answer.error else None,
    )


def _said_bytes(line: _Said) -> int:
    message = mapping(line.message)
    pieces = [line.response, line.thinking, message.get("content"), message.get("thinking")]
    calls = [mapping(call).get("function") for call in items(message.get("tool_calls"))]
    return sum(map(events.text_bytes, pieces)) + sum(
        len(msgspec.json.encode(call)) for call in calls if call is not None
    )


ROUTES: Final = (
    Route("POST", "/api/chat", Chat()),
    Route("POST", "/api/generate", Generate()),
    Route("POST", "/api/(?:embed|embeddings)", Embeddings()),
)
