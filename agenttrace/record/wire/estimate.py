"""Estimate tokens from text, where the provider reports none.

With the extra ``tokens`` the text is counted with the model's own vocabulary, or the nearest one
that is there. Without it, it is cut into pieces where the tokenizers in use cut it (words, groups
of three digits, runs of punctuation and of space), and each piece counts by its length. The
constants are fitted to o200k_base; ``benchmarks/estimate.py`` measures the error on prose, code and
JSON. A figure made like this is marked ``estimated`` wherever it is shown.

Source: the splitting rule of o200k_base, <https://github.com/openai/tiktoken>.
"""

import functools
import re
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from agenttrace.record.wire.dialect import items, mapping

_TEXT_KEYS: Final = (
    "messages",
    "input",
    "instructions",
    "system",
    "tools",
    "prompt",
    "contents",
    "systemInstruction",
    "system_instruction",
    "message",
    "chat_history",
    "texts",
    "query",
    "documents",
    "inputs",
    "instances",
    "input_prefix",
)
_NO_TEXT: Final = ("bytes", "data", "type", "role", "id", "mimeType", "media_type")

_PIECE: Final = re.compile(
    r"[^\r\n\w]?_?(?P<word>[^\W\d_]+(?:'[a-z]{1,2})?)"
    r"|(?P<number>\d{1,3})"
    r"|(?P<marks> ?[^\s\w]+_*[\r\n/]*|_+)"
    r"|(?P<space>\s*[\r\n]+|\s+(?!\S)|\s+)"
)
_WIDE: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, han, hangul
_HUMP: Final = re.compile("[a-z](?=[A-Z])")

# Which vocabulary counts for which model: the first that its name holds.
_VOCABULARIES: Final = (
    ("gpt-oss", "o200k_base"),
    ("gpt-4-", "cl100k_base"),
    ("gpt-3.5", "cl100k_base"),
    ("text-embedding", "cl100k_base"),
    ("deepseek", "deepseek_v3"),
    ("llama", "llama3"),
    ("qwen", "qwen3"),
    ("glm", "glm4"),
)
_AT_ONCE: Final = 64 * 1024  # characters
_PARTS: Final = 16
_OTHERWISE: Final = "o200k_base"


def count(text: str, model: str = "") -> int:
    """Estimate the tokens of *text* for *model*."""
    exact = _counter(_vocabulary(model)) or pieces
    if len(text) <= _AT_ONCE:
        return exact(text) if text else 0
    # Parts of a long text, evenly spaced, tell enough of it, and keep nobody waiting.
    starts = range(0, len(text), len(text) // _PARTS)
    parts = [text[start : start + _AT_ONCE // _PARTS] for start in starts]
    return round(sum(map(exact, parts)) * len(text) / sum(map(len, parts)))


def input_tokens(request: bytes, model: str = "") -> int | None:
    """Estimate the input tokens of a JSON request; None if it is not JSON."""
    try:
        body = mapping(msgspec.json.decode(request))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    found: list[str] = []
    for key in _TEXT_KEYS:
        _collect(body.get(key), found)
    return count("\n".join(found), model)


def pieces(text: str) -> int:
    """Estimate the tokens of *text* without a vocabulary."""
    return max(1, round(sum(map(_weight, _PIECE.finditer(text)))))


def _weight(piece: re.Match[str]) -> float:
    word = piece["word"]
    if word is not None:
        led = piece.end() - piece.start() > len(word) and piece.string[piece.start()] != " "
        return _word(word) + (0.25 if led else 0.0)
    if piece["number"] is not None:
        return 1.0
    size = piece.end() - piece.start()
    if piece["marks"] is not None:
        return 1.0 if size <= 4 else 1.0 + (size - 4) / 10  # noqa: PLR2004 - fitted
    return 1.0 if size < 80 else size / 80  # noqa: PLR2004 - fitted


def _word(word: str) -> float:
    """A usual word is one token; what is longer, joined, loud or not English takes more."""
    if not word.isascii():
        wide = len(_WIDE.findall(word))
        return 0.65 * wide + (len(word) - wide) / 3.2 if wide else 0.35 + len(word) / 4.4
    if word.isupper() and len(word) > 3:  # noqa: PLR2004 - fitted
        return len(word) / 2.8
    parts = 1 + len(_HUMP.findall(word))
    length = len(word) / parts
    return parts * (1.0 if length <= 7 else 1.0 + (length - 7) / 4)  # noqa: PLR2004 - fitted


@functools.lru_cache(maxsize=256)
def _vocabulary(model: str) -> str:
    name = model.lower()
    return next((found for part, found in _VOCABULARIES if part in name), _OTHERWISE)


@functools.cache
def _counter(vocabulary: str) -> Callable[[str], int] | None:
    """Load a vocabulary: some 30 MB and 0.1 s, once in a process and only where it is needed."""
    try:
        import splintr  # pyright: ignore[reportMissingImports] - an extra
    except ImportError:
        return None
    found = cast("Any", splintr).Tokenizer.from_pretrained(vocabulary)
    return lambda text: len(found.encode_ordinary(text))


def _collect(value: object, found: list[str]) -> None:
    """Collect all strings inside, but not images and other data in base64."""
    if isinstance(value, str):
        if not value.startswith("data:"):
            found.append(value)
    elif isinstance(value, list):
        for item in items(cast("object", value)):
            _collect(item, found)
    else:
        for key, item in mapping(value).items():
            if key not in _NO_TEXT:
                _collect(item, found)
