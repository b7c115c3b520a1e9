"""What a provider or a framework reports of a model call, in the words of the conventions."""

from typing import Final

from agenttrace import semconv
from agenttrace.model import TokenUsage, UsageState

TOO_MANY: Final = 10**12  # more than all calls of a year; whoever says so is mistaken
_STATES: Final[tuple[UsageState, ...]] = ("missing", "partial", "reported")  # by sides known


def provider_name(said: str) -> str:
    """Return the conventions' name of a provider; *said* itself where no other is known."""
    return semconv.PROVIDERS.get(said.lower(), said)


def token_count(value: object) -> int | None:
    """Return *value* if it can be a count of tokens: a whole number, zero or more."""
    if type(value) is int:  # not bool
        return value if 0 <= value < TOO_MANY else None
    return None


def token_usage(
    input_tokens: object,
    output_tokens: object,
    *,
    cache_read_tokens: object = None,
    cache_write_tokens: object = None,
    cache_write_1h_tokens: object = None,
    reasoning_tokens: object = None,
    zero_is_unsaid: bool = False,
) -> TokenUsage:
    """Return what a framework tells of the tokens of a call, whatever it has put there.

    Args:
        input_tokens: Input, cache reads and writes included; what is no count is unknown, as below.
        output_tokens: Output, reasoning included.
        cache_read_tokens: Part of the input that was read from a prompt cache.
        cache_write_tokens: Part of the input that was written to one.
        cache_write_1h_tokens: Part of the writes that is kept for an hour.
        reasoning_tokens: Part of the output that is reasoning.
        zero_is_unsaid: The framework fills in zeros for what the provider does not say.

    Returns:
        ``reported``; ``partial`` where the input or the output is not known, and ``missing`` where
        neither is.
    """

    def count(value: object) -> int | None:
        found = token_count(value)
        return None if zero_is_unsaid and found == 0 else found

    sent, received = count(input_tokens), count(output_tokens)
    return TokenUsage(
        input_tokens=sent,
        output_tokens=received,
        cache_read_tokens=count(cache_read_tokens),
        cache_write_tokens=count(cache_write_tokens),
        cache_write_1h_tokens=count(cache_write_1h_tokens),
        reasoning_tokens=count(reasoning_tokens),
        state=_STATES[(sent is not None) + (received is not None)],
    )
