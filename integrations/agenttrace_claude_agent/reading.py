"""Read the counts in the child's messages: never what was said, but for its size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agenttrace import TokenUsage

_BYTES_PER_TOKEN: Final = 4  # a rule of thumb for English; only the shares matter
_KINDS: Final = ("uncached", "cache_read", "cache_write")


@dataclass(frozen=True, slots=True)
class Sums:
    """Tokens of one model, each kind by itself.

    Attributes:
        uncached: Input that was neither read from a prompt cache nor written to one.
        cache_read: Input that was read from one.
        cache_write: Input that was written to one.
        output: Output, reasoning included.
        cache_write_1h: Part of the writes that is kept for an hour, where that is said.
    """

    uncached: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    cache_write_1h: int | None = None

    @property
    def has_input(self) -> bool:
        """Whether there is any input."""
        return any(getattr(self, kind) > 0 for kind in _KINDS)

    def since(self, before: "Sums | None") -> "Sums":
        """Return what was added to *before*; all of it if it is not a later sum."""
        if before is None or self.output < before.output:
            return self
        return self.less(before)

    def less(self, other: "Sums") -> "Sums":
        """Return what is left without *other*, no kind less than nothing."""
        return Sums(
            *(max(getattr(self, kind) - getattr(other, kind), 0) for kind in (*_KINDS, "output"))
        )

    def plus(self, other: "Sums") -> "Sums":
        """Add up."""
        return Sums(*(getattr(self, kind) + getattr(other, kind) for kind in (*_KINDS, "output")))

    def usage(self, *, estimated: bool) -> TokenUsage:
        """Return it as the usage of a call."""
        return TokenUsage(
            input_tokens=self.uncached + self.cache_read + self.cache_write,
            output_tokens=self.output,
            cache_read_tokens=self.cache_read,
            cache_write_tokens=self.cache_write,
            cache_write_1h_tokens=self.cache_write_1h,
            state="estimated" if estimated else "reported",
        )


NOTHING: Final = Sums()


def sums_of_call(said: object) -> Sums | None:
    """Read the usage of an answer, as Anthropic's API spells it; None if there is none."""
    if not isinstance(said, Mapping) or "input_tokens" not in said:
        return None
    parts = said.get("cache_creation")
    kept = parts.get("ephemeral_1h_input_tokens") if isinstance(parts, Mapping) else None
    return Sums(
        uncached=_count(said.get("input_tokens")),
        cache_read=_count(said.get("cache_read_input_tokens")),
        cache_write=_count(said.get("cache_creation_input_tokens")),
        output=_count(said.get("output_tokens")),
        cache_write_1h=_count(kept) or None,
    )


def sums_of(result: Any, model: str | None) -> dict[str, Sums]:
    """Read what a result says of each model; of older programs all is of *model*."""
    if result.model_usage:
        return {
            name: Sums(
                uncached=_count(said.get("inputTokens")),
                cache_read=_count(said.get("cacheReadInputTokens")),
                cache_write=_count(said.get("cacheCreationInputTokens")),
                output=_count(said.get("outputTokens")),
            )
            for name, said in result.model_usage.items()
        }
    sums = sums_of_call(result.usage)
    return {} if sums is None or model is None else {model: sums}


def size_of(blocks: list[Any]) -> int:
    """Estimate the output tokens of some blocks of an answer by their size."""
    size = 0
    for block in blocks:
        for part in ("text", "thinking", "name", "input"):
            value = getattr(block, part, None)
            size += len(str(value).encode()) if value else 0
    return max(size // _BYTES_PER_TOKEN, 1)


def error_of(result: Any) -> str | None:
    """Return how a turn failed, if it did: the kind of its end, or the status of the API."""
    if not result.is_error:
        return None
    if result.subtype != "success":
        return str(result.subtype)
    return str(getattr(result, "api_error_status", None) or "api_error")


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
