"""Estimate tokens from the size of text, where the provider reports none.

A token of English text is about four characters; code and other languages differ, so a figure made
like this is marked ``estimated`` wherever it is shown.

Source: OpenAI, "What are tokens and how to count them?", 2025,
<https://help.openai.com/en/articles/4936856>
"""

from typing import Final, cast

import msgspec

from agenttrace.record.wire.dialect import items, mapping
from agenttrace.record.wire.events import text_bytes

BYTES_PER_TOKEN: Final = 4
_TEXT_KEYS: Final = ("messages", "input", "instructions", "system", "tools", "prompt")
_NO_TEXT: Final = ("data", "type", "role", "id")


def tokens(text_bytes: int) -> int:
    """Estimate the tokens of a text of *text_bytes* bytes, rounded up."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def input_tokens(request: bytes) -> int | None:
    """Estimate the input tokens of a JSON request; None if it is not JSON."""
    try:
        body = mapping(msgspec.json.decode(request))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return tokens(sum(_text_bytes(body.get(key)) for key in _TEXT_KEYS))


def _text_bytes(value: object) -> int:
    """Count the bytes of all strings inside, but not of images and other data in base64."""
    if isinstance(value, str):
        return 0 if value.startswith("data:") else text_bytes(value)
    if isinstance(value, list):
        return sum(_text_bytes(item) for item in items(cast("object", value)))
    inside = mapping(value).items()
    return sum(_text_bytes(item) for key, item in inside if key not in _NO_TEXT)
