"""OpenAI's protocols for pictures, sound and moderation.

Uploads are not looked at, and neither is the sound or the picture that comes back. Moderation and
speech report no usage, and older models bill by the picture or the minute: these calls are counted,
their tokens stay unsaid.

Source: <https://platform.openai.com/docs/api-reference/images>, …/audio, …/moderations
"""

from typing import Any, ClassVar, Final

import msgspec

from agenttrace import semconv
from agenttrace.model import TokenUsage
from agenttrace.record.wire import events
from agenttrace.record.wire.dialect import (
    Counts,
    Dialect,
    Envelope,
    Named,
    Reply,
    Route,
    decoded,
    mapping,
    reply_of,
    shaped,
)
from agenttrace.record.wire.dialects.openai import usage_of


class _Draws(msgspec.Struct):
    """The model may be left out."""

    prompt: str


class _Speaks(Named):
    input: str


class _Judges(msgspec.Struct):
    """The model may be left out."""

    input: str | list[Any]


class _Answer(Envelope):
    svg_usage: Any = None


_answer = msgspec.json.Decoder(_Answer)


class _Media(Dialect):
    """What these protocols share: one object, or a stream whose last event has the usage."""

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response."""
        return reply_of(_answer.decode(body), finished=True)

    def read_events(self, data: bytes) -> Reply:
        """Read the last event that has a usage."""
        for payload in events.latest_object(data, b'"usage"'):
            reply = reply_of(decoded(_answer, payload), finished=True)
            if reply.counts:
                return reply
        return Reply(error=events.failure(data))

    def usage(self, counts: Counts) -> TokenUsage:
        """Turn the counts into inclusive input and output; minutes are no tokens."""
        return usage_of(counts)


class Images(_Media):
    """``POST …/images/generations``."""

    operation: ClassVar = semconv.IMAGE_GENERATION
    shapes: ClassVar = shaped(_Draws)

    def read_json(self, body: bytes) -> Reply:
        """Read a whole response; a drawing in SVG is written by a model of its own."""
        answer = _answer.decode(body)
        return reply_of(answer, finished=True).then(Reply(also=_written(answer)))


class UploadedImages(Images):
    """``POST …/images/edits`` and ``…/images/variations`` of a picture that is uploaded."""

    shapes: ClassVar = shaped(_Draws, Named)
    may_be_unseen: ClassVar = True


class Speech(_Media):
    """``POST …/audio/speech``: the sound itself, or a stream of it that ends with a usage."""

    operation: ClassVar = semconv.SPEECH
    shapes: ClassVar = shaped(_Speaks)


class Transcriptions(_Media):
    """``POST …/audio/transcriptions`` and ``…/translations``: the sound is uploaded."""

    operation: ClassVar = semconv.TRANSCRIPTION
    shapes: ClassVar = shaped(Named)
    may_be_unseen: ClassVar = True


class Moderations(_Media):
    """``POST …/moderations``."""

    operation: ClassVar = semconv.MODERATION
    shapes: ClassVar = shaped(_Judges)


def _written(answer: _Answer) -> tuple[Reply, ...]:
    counts = mapping(answer.svg_usage)
    if not counts:
        return ()
    model = counts.get("model")
    return (reply_of(Envelope(model=model, usage=counts)).then(Reply(role="other")),)


_uploaded: Final = UploadedImages()
_transcriptions: Final = Transcriptions()

ROUTES: Final = (
    Route("POST", "/images/generations", Images()),
    Route("POST", "/(?:v1|deployments/[^/]+)/images/edits", _uploaded),
    Route("POST", "/(?:v1|deployments/[^/]+)/images/variations", _uploaded),
    Route("POST", "/audio/speech", Speech()),
    Route("POST", "/audio/transcriptions", _transcriptions),
    Route("POST", "/audio/translations", _transcriptions),
    Route("POST", "/moderations", Moderations()),
)
