"""The own protocols of Hugging Face's servers: text generation and embeddings.

Their counts are in the headers of a response, and in the last event of a stream.

Source: <https://huggingface.co/docs/text-generation-inference/reference/api_reference>
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Reply,
    Route,
    counted,
    decoded,
    mapping,
    whole,
)

_PROMPT: Final = "x-prompt-tokens"
_GENERATED: Final = "x-generated-tokens"
_EMBEDDED: Final = "x-compute-tokens"


class _Answer(msgspec.Struct):
    details: Any = None
    token: Any = None
    error_type: Any = None


_answer: Final = msgspec.json.Decoder(_Answer)


class Generate(Dialect):
    """``POST /generate`` and ``/generate_stream``."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    provider: ClassVar = "hugging_face"
    headers: ClassVar = (_PROMPT, _GENERATED)

    def is_call(self, path: str, body: bytes | None) -> bool:  # noqa: ARG002 - as in all dialects
        """Other services have a path like this, so it is known by its body only."""
        return body is not None and b'"inputs"' in body

    def read_headers(self, headers: Mapping[str, str]) -> Reply:
        """Read the counts."""
        given, made = _number(headers.get(_PROMPT)), _number(headers.get(_GENERATED))
        return Reply(counts=_said_only(input_length=given, generated_tokens=made))

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; it has details only if they were asked for."""
        return _reply(_answer.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the details of the last event."""
        for payload in events.latest_with(data, b'"generated_tokens"'):
            return _reply(decoded(_answer, payload), finished=True)
        for payload in events.latest_with(data, b'"error_type"'):
            found = decoded(_answer, payload)
            return Reply(error=str(found.error_type) if found and found.error_type else None)
        return Reply()

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(whole(counts.get("input_length")), whole(counts.get("generated_tokens")))

    def text_bytes(self, data: bytes) -> int:
        """Count the bytes of the tokens."""
        found = (decoded(_answer, payload) for payload in events.payloads(data))
        return sum(events.text_bytes(mapping(event.token).get("text")) for event in found if event)


class Embeddings(Generate):
    """``POST /embed``."""

    operation: ClassVar = semconv.EMBEDDINGS
    headers: ClassVar = (_EMBEDDED,)

    def read_headers(self, headers: Mapping[str, str]) -> Reply:
        """Read the count."""
        return Reply(counts=_said_only(input_length=_number(headers.get(_EMBEDDED))))

    def read_json(self, body: bytes) -> Reply:  # noqa: ARG002 - as in all dialects
        """Read a whole response: there is nothing in it that counts."""
        return Reply(finished=True)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the count into input alone."""
        given = whole(counts.get("input_length"))
        return counted(given, None if given is None else 0)


def _reply(answer: _Answer | None, *, finished: bool) -> Reply:
    return Reply(counts=mapping(answer.details), finished=finished) if answer else Reply()


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() else None


def _said_only(**counts: int | None) -> Counts:
    return {name: count for name, count in counts.items() if count is not None}


ROUTES: Final = (
    Route("POST", "/(?:generate|generate_stream)", Generate()),
    Route("POST", "/embed", Embeddings()),
)
