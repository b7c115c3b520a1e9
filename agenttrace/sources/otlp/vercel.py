"""What the AI SDK of Vercel sends: spans in its own spelling, beside some of the conventions.

Every function makes a span, and inside it one for each request: only the inner ones are calls.

Source: <https://ai-sdk.dev/docs/ai-sdk-core/telemetry>
"""

from collections.abc import Iterator
from typing import Final

from agenttrace import semconv
from agenttrace.record import readable
from agenttrace.sources.otlp import generic
from agenttrace.sources.otlp.attributes import Attributes
from agenttrace.sources.otlp.saying import number, text
from agenttrace.sources.otlp.seen import SeenSpan

SCOPE: Final = "ai"
_OPERATION: Final = "ai.operationId"

# Theirs -> ours; of several, the first that is there.
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    semconv.PROVIDER_NAME: (semconv.PROVIDER_NAME, "gen_ai.system", "ai.model.provider"),
    semconv.REQUEST_MODEL: (semconv.REQUEST_MODEL, "ai.model.id"),
    semconv.RESPONSE_MODEL: (semconv.RESPONSE_MODEL, "ai.response.model"),
    semconv.RESPONSE_ID: (semconv.RESPONSE_ID, "ai.response.id"),
    semconv.AGENT_NAME: (semconv.AGENT_NAME, "ai.telemetry.functionId"),
    semconv.TOOL_NAME: (semconv.TOOL_NAME, "ai.toolCall.name"),
}
_COUNTS: Final[dict[str, tuple[str, ...]]] = {
    semconv.INPUT_TOKENS: (
        semconv.INPUT_TOKENS,
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
    ),
    semconv.OUTPUT_TOKENS: (
        semconv.OUTPUT_TOKENS,
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    semconv.CACHE_READ_TOKENS: (
        semconv.CACHE_READ_TOKENS,
        "ai.usage.cachedInputTokens",
        "ai.usage.inputTokenDetails.cacheReadTokens",
    ),
    semconv.CACHE_WRITE_TOKENS: (
        semconv.CACHE_WRITE_TOKENS,
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    semconv.REASONING_TOKENS: (
        semconv.REASONING_TOKENS,
        "ai.usage.reasoningTokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
    ),
}
_DETAILS: Final = "ai.usage.inputTokenDetails."
_FIRST_MS: Final = "ai.response.msToFirstChunk"
KEYS: Final = readable.THEIRS.union(
    {_OPERATION, _FIRST_MS, "event.name"}, *_SPELLINGS.values(), *_COUNTS.values()
)

# The end of the name of an operation -> its kind, and what the conventions call it.
_INNER: Final = {
    "doGenerate": ("inference", semconv.CHAT),
    "doStream": ("inference", semconv.CHAT),
    "doEmbed": ("inference", semconv.EMBEDDINGS),
    "doRerank": ("inference", semconv.RERANK),
}
_OUTER: Final = ("step", None)
_TOOL: Final = ("tool", semconv.EXECUTE_TOOL)


def span(seen: SeenSpan) -> Iterator[bytes]:
    """Yield the span, in the spelling of the conventions."""
    said = seen.attributes
    operation = text(said, _OPERATION)
    if operation is None:
        yield generic.of_span(seen)
        return
    seen.attributes = _spelt(said, operation)
    yield generic.of_span(seen)


def _spelt(said: Attributes, operation: str) -> Attributes:
    last = operation.rpartition(".")[2]
    kind, name = _TOOL if operation == "ai.toolCall" else _INNER.get(last, _OUTER)
    spelt: Attributes = {semconv.KIND: kind}
    if name is not None:
        spelt[semconv.OPERATION_NAME] = name
    for key, keys in _SPELLINGS.items():
        if (found := text(said, *keys)) is not None:
            spelt[key] = found
    if kind == "inference":  # the outer ones repeat the sum of the inner
        for key, keys in _COUNTS.items():
            if (counted := number(said, *keys)) is not None:
                spelt[key] = counted
        _include_cache(spelt, said)
        if (first_ms := number(said, _FIRST_MS)) is not None:
            spelt[semconv.TIME_TO_FIRST_CHUNK] = first_ms / 1000
    if (session := text(said, semconv.CONVERSATION_ID, "session.id")) is not None:
        spelt[semconv.CONVERSATION_ID] = session
    provider = spelt.get(semconv.PROVIDER_NAME)
    if provider is not None:
        spelt[semconv.PROVIDER_NAME] = _provider(str(provider))
    return spelt


def _include_cache(spelt: Attributes, said: Attributes) -> None:
    """Put the cache into the input, which the SDK left out for Anthropic before its version 6.

    Version 6 says what is in the input, and includes the cache.
    """
    is_anthropic = "anthropic" in str(spelt.get(semconv.PROVIDER_NAME, ""))
    given = spelt.get(semconv.INPUT_TOKENS)
    if is_anthropic and given is not None and not any(key.startswith(_DETAILS) for key in said):
        cached = (semconv.CACHE_READ_TOKENS, semconv.CACHE_WRITE_TOKENS)
        spelt[semconv.INPUT_TOKENS] = sum(
            int(number(spelt, key) or 0) for key in (semconv.INPUT_TOKENS, *cached)
        )


def _provider(said: str) -> str:
    """Return the provider of ``openai.chat``: what comes before its interface."""
    first = said.partition(".")[0]
    return said if first in ("gcp", "aws", "azure", "ibm") else first
