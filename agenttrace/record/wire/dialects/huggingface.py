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
    all_decoded,
    counted,
    decoded,
    error_type,
    joined,
    mapping,
    said_only,
    shaped,
    token_count,
)

_PROMPT: Final = "x-prompt-tokens"
_GENERATED: Final = "x-generated-tokens"
_EMBEDDED: Final = "x-compute-tokens"


class _Asks(msgspec.Struct):
    inputs: str


class _Embeds(msgspec.Struct):
    inputs: str | list[Any]


class _Answer(msgspec.Struct):
    details: Any = None
    token: Any = None
    error_type: Any = None


_answer: Final = msgspec.json.Decoder(_Answer)


class Generate(Dialect):
    """``POST /generate`` and ``/generate_stream``."""

    operation: ClassVar = semconv.TEXT_COMPLETION
    provider: ClassVar = "hugging_face"
    shapes: ClassVar = shaped(_Asks)
    always_counts: ClassVar = True
    headers: ClassVar = (_PROMPT, _GENERATED)

    def read_headers(self, headers: Mapping[str, str]) -> Reply:
        """Read the counts."""
        given, made = _number(headers.get(_PROMPT)), _number(headers.get(_GENERATED))
        return Reply(counts=said_only(input_length=given, generated_tokens=made))

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; it has details only if they were asked for."""
        return _reply(_answer.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the details of the last event."""
        for payload in events.latest_with(data, b'"generated_tokens"'):
            return _reply(decoded(_answer, payload), finished=True)
        for payload in events.latest_with(data, b'"error_type"'):
            found = decoded(_answer, payload)
            return Reply(error=error_type(found.error_type) if found else None)
        return Reply()

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output."""
        return counted(
            token_count(counts.get("input_length")), token_count(counts.get("generated_tokens"))
        )

    def text(self, data: bytes) -> str:
        """Return the tokens."""
        said = all_decoded(_answer, events.payloads(data))
        return joined(mapping(event.token).get("text") for event in said)


class Embeddings(Generate):
    """``POST /embed``."""

    operation: ClassVar = semconv.EMBEDDINGS
    shapes: ClassVar = shaped(_Embeds)
    headers: ClassVar = (_EMBEDDED,)

    def read_headers(self, headers: Mapping[str, str]) -> Reply:
        """Read the count."""
        return Reply(counts=said_only(input_length=_number(headers.get(_EMBEDDED))))

    def read_json(self, body: bytes) -> Reply:  # noqa: ARG002 - as in all dialects
        """Read a whole response: there is nothing in it that counts."""
        return Reply(finished=True)

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the count into input alone."""
        given = token_count(counts.get("input_length"))
        return counted(given, None if given is None else 0)


def _reply(answer: _Answer | None, *, finished: bool) -> Reply:
    return Reply(counts=mapping(answer.details), finished=finished) if answer else Reply()


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() else None


ROUTES: Final = (
    Route("POST", "/(?:generate|generate_stream)", Generate()),
    Route("POST", "/embed", Embeddings()),
)
