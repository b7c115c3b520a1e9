"""Fields of JSON that nobody promises: what is not as it should be is left out, never guessed."""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any, Final, cast

import msgspec

from agenttrace.model import TokenUsage
from agenttrace.sources.source import Skipped
from agenttrace.sources.usage import count

NO_JSON: Final = "a record that is no JSON object"
NO_COUNT: Final = "a token count below zero, absurd or no whole number"

_BEGIN_NS: Final = 1_577_836_800 * 10**9  # 2020-01-01, before any of these programs
_DIGITS_AT_MOST: Final = 19  # of a number of nanoseconds
_END_NS: Final = 4_102_444_800 * 10**9  # 2100-01-01
_NAME: Final = re.compile(r"[A-Za-z][\w.:/-]{0,39}")

# As coding agents name providers -> as gen_ai.provider.name does.
_PROVIDERS: Final = {
    "amazon-bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "azure-openai-responses": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "claude": "anthropic",
    "gemini": "gcp.gemini",
    "github-copilot": "github",
    "google": "gcp.gemini",
    "google-gemini-cli": "gcp.gemini",
    "google-vertex": "gcp.vertex_ai",
    "google-vertex-anthropic": "gcp.vertex_ai",
    "kimi": "moonshot_ai",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "openai-codex": "openai",
    "vertex": "gcp.vertex_ai",
    "vertex-ai": "gcp.vertex_ai",
    "xai": "x_ai",
}


def decode(text: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object that *text* is; None if it is none, or nested without end."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object, an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a JSON array, an empty one in place of anything else."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def text(value: object) -> str | None:
    """Return a name, None in place of anything else."""
    return value.strip() or None if isinstance(value, str) else None


def identifier(value: object) -> str | None:
    """Return an id, which may be a number; None in place of anything else."""
    return str(value) if type(value) is int else text(value)


def folder(value: object) -> str | None:
    """Return the name of the folder that *value* leads to, of Windows too, never where it is."""
    said = text(value)
    return None if said is None else PurePath(said.replace("\\", "/")).name or None


def code(value: object) -> str | None:
    """Return the class or code of an error; None in place of anything else, such as its text."""
    name = text(value)
    return name if name is not None and _NAME.fullmatch(name) else None


def cost_usd(value: object) -> float | None:
    """Return US dollars; None for zero as well, which these programs write of what they ignore."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and value > 0 else None


def moment_ns(value: object) -> int | None:
    """Return nanoseconds since 1970-01-01 UTC; None if *value* is no time from 2020 to 2099.

    Args:
        value: ISO 8601 (UTC where it names no zone), or seconds, milliseconds, microseconds or
            nanoseconds, which their size tells apart.
    """
    at_ns: int | None = None
    if isinstance(value, str):
        at_ns = _written_ns(value.strip())
    elif isinstance(value, (int, float)) and math.isfinite(value):
        at_ns = _counted_ns(value)
    return at_ns if at_ns is not None and _BEGIN_NS <= at_ns < _END_NS else None


def provider(value: object) -> str | None:
    """Return gen_ai.provider.name of what a coding agent calls a provider."""
    said = text(value)
    return None if said is None else _PROVIDERS.get(said.lower().replace("_", "-"), said.lower())


def unknown(kind: object) -> Skipped:
    """Return that a record is of a type that is not known, named if that is a name at all."""
    name = text(kind)
    if name is None or not _NAME.fullmatch(name):
        return Skipped("a record of no known type")
    return Skipped(f"record type {name!r}")


def odd(counts: Iterable[object]) -> Iterator[Skipped]:
    """Yield how many of *counts* are there and are none."""
    number = sum(one is not None and count(one) is None for one in counts)
    if number:
        yield Skipped(NO_COUNT, number)


def used(usage: TokenUsage) -> TokenUsage:
    """Return *usage*, or that nothing is known where all is zero: no call has an empty input."""
    return usage if usage.input_tokens or usage.output_tokens else TokenUsage()


def _written_ns(said: str) -> int | None:
    try:
        found = datetime.fromisoformat(said)
        at = found if found.tzinfo else found.replace(tzinfo=UTC)
        return int(at.timestamp()) * 10**9 + at.microsecond * 1000
    except (ValueError, OverflowError, OSError):
        is_number = said.isascii() and said.isdigit() and len(said) <= _DIGITS_AT_MOST
        return _counted_ns(int(said)) if is_number else None


def _counted_ns(said: float) -> int | None:
    if said < 0:
        return None
    for unit_ns in (10**9, 10**6, 10**3, 1):
        if said * unit_ns < _END_NS:
            # A float of seconds is good for microseconds.
            return round(said * 10**6) * unit_ns // 10**6
    return None
