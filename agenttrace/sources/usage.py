"""Token counts as sources spell them, made into one value: inclusive, and None where not said."""

from typing import Final

from agenttrace.model import TokenUsage, UsageState

_AT_MOST: Final = 10**12  # far more than any call holds


def count(said: object) -> int | None:
    """Return a number of tokens; None for what is none: below zero, absurd, or no whole number."""
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    return said if type(said) is int and 0 <= said <= _AT_MOST else None


def inside(
    given: object,
    output: object,
    *,
    cache_read: object = None,
    cache_write: object = None,
    cache_write_1h: object = None,
    reasoning: object = None,
) -> TokenUsage:
    """Return the usage of a source whose input includes the cache (OpenAI, Gemini).

    Args:
        given: Tokens of the input, cache included.
        output: Tokens of the output, reasoning included.
        cache_read: Part of the input that was read from a cache.
        cache_write: Part of the input that was written to one.
        cache_write_1h: Part of *cache_write* that is kept for an hour.
        reasoning: Part of the output.
    """
    input_tokens, output_tokens = count(given), count(output)
    return TokenUsage(
        input_tokens,
        output_tokens,
        count(cache_read),
        count(cache_write),
        count(cache_write_1h),
        count(reasoning),
        _state(input_tokens, output_tokens),
    )


def beside(
    uncached: object,
    output: object,
    *,
    cache_read: object = None,
    cache_write: object = None,
    cache_write_1h: object = None,
    reasoning: object = None,
    is_reasoning_beside: bool = False,
) -> TokenUsage:
    """Return the usage of a source whose input excludes the cache (Anthropic).

    Args:
        uncached: Tokens of the input that were neither read from a cache nor written to one.
        output: Tokens of the output.
        cache_read: Tokens of the input that were read from a cache.
        cache_write: Tokens of the input that were written to one, those for an hour included.
        cache_write_1h: Part of *cache_write* that is kept for an hour.
        reasoning: Part of the output, or beside it.
        is_reasoning_beside: The output excludes the reasoning.
    """
    plain, read, write = count(uncached), count(cache_read), count(cache_write)
    thought, made = count(reasoning), count(output)
    if is_reasoning_beside and made is not None:
        made += thought or 0
    return inside(
        None if plain is None else plain + (read or 0) + (write or 0),
        made,
        cache_read=read,
        cache_write=write,
        cache_write_1h=cache_write_1h,
        reasoning=thought,
    )


def _state(input_tokens: int | None, output_tokens: int | None) -> UsageState:
    if input_tokens is None and output_tokens is None:
        return "missing"
    return "partial" if input_tokens is None or output_tokens is None else "reported"
