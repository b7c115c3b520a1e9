"""Read from the attributes of a span, in anybody's spelling, whether it is a call and which.

It goes by the tables that the fold goes by, so a span is read here as it is in reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agenttrace import semconv
from agenttrace.enrichment.estimating import Attributes, Estimator, usual
from agenttrace.model import TokenUsage
from agenttrace.store.spellings import INPUT_WITHOUT_CACHE, KINDS, SPELLINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKENS_AT_MOST: Final = 10**12  # far more than any call holds


def of_span(
    said: Mapping[str, object], scope: str = "", estimator: Estimator | None = None
) -> Attributes:
    """Return the attributes to add to a span.

    Args:
        said: Its attributes.
        scope: Name of the instrumentation that made it.
        estimator: What to estimate with; one with the settings of this process if not given.

    Returns:
        As :meth:`Estimator.attributes`; nothing for a span that is no model call, that repeats
        calls inside, that was answered from a cache here, or whose energy was measured.
    """
    if not is_call(said):
        return {}
    provider = _text(said, "provider")
    return (estimator or usual()).attributes(
        _usage(said, scope),
        model=_text(said, "response_model") or _text(said, "request_model"),
        provider=semconv.PROVIDERS.get(provider, provider) if provider else None,
        region=_text(said, "region"),
    )


def is_call(said: Mapping[str, object]) -> bool:
    """Whether a span with these attributes stands for one model call that used energy."""
    if _kind(said) != "inference" or semconv.MEASURED_J in said:
        return False
    return not _count(said, "wire_calls") and said.get(semconv.OUTCOME) != "cached"


def _kind(said: Mapping[str, object]) -> str | None:
    for key, kinds in KINDS.items():
        value = said.get(key)
        if isinstance(value, str) and (found := kinds.get(value.lower())):
            return found
    return None


def _usage(said: Mapping[str, object], scope: str) -> TokenUsage:
    """Return inclusive counts, whether the source has the cache and the reasoning in or beside."""
    given, output = _count(said, "input_tokens"), _count(said, "output_tokens")
    read, written = _count(said, "cache_read_tokens"), _count(said, "cache_write_tokens")
    reasoning, total = _count(said, "reasoning_tokens"), _count(said, "total_tokens")
    cache, thought = (read or 0) + (written or 0), reasoning or 0
    both = (given or 0) + (output or 0)
    is_cache_beside = given is not None and (
        scope in INPUT_WITHOUT_CACHE or given < cache or total == both + cache
    )
    is_thought_beside = output is not None and (output < thought or total == both + thought)
    return TokenUsage(
        input_tokens=given + cache if given is not None and is_cache_beside else given,
        output_tokens=output + thought if output is not None and is_thought_beside else output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )


def _first(said: Mapping[str, object], name: str) -> object:
    return next((said[key] for key in SPELLINGS[name] if said.get(key) is not None), None)


def _text(said: Mapping[str, object], name: str) -> str | None:
    found = _first(said, name)
    return (found.lower() if name == "provider" else found) if isinstance(found, str) else None


def _count(said: Mapping[str, object], name: str) -> int | None:
    found = _first(said, name)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if type(found) is int and 0 <= found <= _TOKENS_AT_MOST else None
