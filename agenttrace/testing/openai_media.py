"""OpenAI's pictures, sound and moderation.

A file that is uploaded counts as a text of as many characters as it has bytes. A picture that is
made counts as a thousand tokens, sound as many as the text that it speaks.
"""

import base64
import math
from typing import Any, Final, cast

from agenttrace.testing.openai import error
from agenttrace.testing.protocol import (
    Answer,
    Asked,
    BadRequestError,
    Dialect,
    Incoming,
    Route,
    form_of,
    member,
    model_of,
)
from agenttrace.testing.tokens import PromptCache, Segment, count_tokens, tokens_in
from agenttrace.testing.values import JSON, Message, Tokens, Usage

TOKENS_OF_A_PICTURE: Final = 1000

# The smallest pictures and sounds that are what they say they are.
_PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_SOUND: Final = b"RIFF$\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + bytes(24)


class _Media(Dialect):
    """What these share: one prompt, nothing cached, OpenAI's errors."""

    provider = "openai"

    def count(self, cache: PromptCache, asked: Asked) -> Tokens:  # noqa: ARG002 - nothing is cached
        """Count the prompt."""
        return Tokens(input_tokens=count_tokens(asked.prompt))

    def error(self, status: int, message: str) -> JSON:
        """Spell an error."""
        return error(status, message)


class Moderations(_Media):
    """``POST /v1/moderations``: nothing is ever flagged, and no usage is told."""

    operation = "moderation"

    def read(self, body: JSON) -> Asked:
        """Understand a request; the model may be left out."""
        given = body.get("input")
        if not given:
            raise BadRequestError("input must not be empty")
        model = body.get("model") or "omni-moderation-latest"
        return _asked({**body, "model": model}, str(given))

    def response(self, answer: Answer) -> JSON:
        """Spell the classification."""
        result: dict[str, Any] = {
            "flagged": False,
            "categories": {},
            "category_scores": {},
            "category_applied_input_types": {},
        }
        given: object = answer.request.body.get("input")
        texts = cast("list[object]", given) if isinstance(given, list) else [given]
        several = isinstance(texts[0], str)
        return {
            "id": f"modr-{answer.request.number:06d}",
            "model": answer.model,
            "results": [result] * (len(texts) if several else 1),
        }

    def told(self, answer: Answer) -> Usage:  # noqa: ARG002 - none ever is
        """Return that no usage is told."""
        return "missing"


class Images(_Media):
    """``POST /v1/images/generations``, and with an uploaded picture edits and variations."""

    operation = "image_generation"

    def body(self, incoming: Incoming) -> JSON:
        """Return the request, JSON or a form."""
        uploaded = incoming.headers.get("content-type", "").startswith("multipart/")
        return form_of(incoming) if uploaded else super().body(incoming)

    def read(self, body: JSON) -> Asked:
        """Understand a request; a picture that is given counts as an image."""
        wanted = int(body.get("n") or 1)
        given = sum(_size(value) for name, value in body.items() if name.startswith("image"))
        besides = Tokens(
            input_tokens=tokens_in(given),
            input_image_tokens=tokens_in(given),
            output_tokens=wanted * TOKENS_OF_A_PICTURE,
            output_image_tokens=wanted * TOKENS_OF_A_PICTURE,
        )
        return _asked(body, str(body.get("prompt") or ""), besides)

    def response(self, answer: Answer) -> JSON:
        """Spell the pictures."""
        tokens = answer.tokens
        picture = {"b64_json": base64.b64encode(_PICTURE).decode()}
        return {
            "created": answer.created,
            "data": [picture] * int(answer.request.body.get("n") or 1),
            **answer.usage(
                {
                    "input_tokens": tokens.input_tokens,
                    "input_tokens_details": {
                        "image_tokens": tokens.input_image_tokens,
                        "text_tokens": tokens.input_tokens - tokens.input_image_tokens,
                    },
                    "output_tokens": tokens.output_tokens,
                    "output_tokens_details": {
                        "image_tokens": tokens.output_image_tokens,
                        "text_tokens": tokens.output_tokens - tokens.output_image_tokens,
                    },
                    "total_tokens": tokens.input_tokens + tokens.output_tokens,
                }
            ),
        }


class Speech(_Media):
    """``POST /v1/audio/speech``: a silence, sent as it is, so nothing tells its usage."""

    operation = "speech"
    content_type = "audio/wav"

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        text = str(body.get("input") or "")
        spoken = count_tokens(text)
        besides = Tokens(output_tokens=spoken, output_audio_tokens=spoken)
        return _asked(body, text, besides)

    def whole(self, answer: Answer) -> bytes:  # noqa: ARG002 - all sounds are alike
        """Return the sound."""
        return _SOUND

    def told(self, answer: Answer) -> Usage:  # noqa: ARG002 - none ever is
        """Return that no usage is told."""
        return "missing"


class Transcriptions(_Media):
    """``POST /v1/audio/transcriptions`` and ``/translations`` of a file that is uploaded."""

    operation = "transcription"

    def body(self, incoming: Incoming) -> JSON:
        """Return the form."""
        return form_of(incoming)

    def read(self, body: JSON) -> Asked:
        """Understand a request."""
        heard = tokens_in(_size(member(body, "file")))
        besides = Tokens(input_tokens=heard, input_audio_tokens=heard)
        return _asked(body, str(body.get("prompt") or ""), besides)

    def response(self, answer: Answer) -> JSON:
        """Spell the transcript; Whisper is billed by the second."""
        tokens = answer.tokens
        if _is_whisper(answer):
            seconds = math.ceil(tokens.input_audio_tokens / 10)
            return {"text": answer.text, **answer.usage({"type": "duration", "seconds": seconds})}
        usage = {
            "type": "tokens",
            "input_tokens": tokens.input_tokens,
            "input_token_details": {
                "audio_tokens": tokens.input_audio_tokens,
                "text_tokens": tokens.input_tokens - tokens.input_audio_tokens,
            },
            "output_tokens": tokens.output_tokens,
            "total_tokens": tokens.input_tokens + tokens.output_tokens,
        }
        return {"text": answer.text, **answer.usage(usage)}

    def told(self, answer: Answer) -> Usage:
        """Return whether tokens are told; seconds are none."""
        return "missing" if _is_whisper(answer) else answer.usage_state


def _is_whisper(answer: Answer) -> bool:
    return answer.model.startswith("whisper")


def _asked(body: JSON, prompt: str, besides: Tokens | None = None) -> Asked:
    return Asked(
        segments=[Segment(prompt)],
        model=model_of(body),
        messages=(Message("user", prompt),),
        tools={},
        besides=besides or Tokens(),
    )


def _size(file: object) -> int:
    match file:
        case {"content": bytes(content)}:
            return len(content)
        case _:
            return 0


def routes() -> list[Route]:
    """Return what this module answers."""
    images, transcriptions = Images(), Transcriptions()
    return [
        Route("POST", "/v1/moderations", Moderations()),
        Route("POST", "/v1/images/(?:generations|edits|variations)", images),
        Route("POST", "/v1/audio/speech", Speech()),
        Route("POST", "/v1/audio/(?:transcriptions|translations)", transcriptions),
    ]
