"""What the AI SDK of Vercel sends: only the requests inside its functions are calls."""

from pathlib import Path
from typing import Any

import pytest

from tests.sources.otlp.messages import records, said_of, span, totals, traces

SECRET = "my secret prompt"
# Version 4, 5 and 6 of the SDK.
FOUR = {"ai.usage.promptTokens": 100, "ai.usage.completionTokens": 20}
FIVE = {"ai.usage.inputTokens": 100, "ai.usage.outputTokens": 20, "ai.usage.cachedInputTokens": 40}
INPUT = "gen_ai.usage.input_tokens"


def _spans(usage: dict[str, Any], provider: str = "openai.responses") -> Any:
    said = {
        "ai.model.id": "gpt-5",
        "ai.model.provider": provider,
        "ai.prompt.messages": SECRET,
        "ai.response.text": SECRET,
        "ai.response.id": "r1",
        **usage,
    }
    outer = {**said, "ai.operationId": "ai.generateText", "ai.telemetry.functionId": "greet"}
    inner = {**said, "ai.operationId": "ai.generateText.doGenerate"}
    tool = {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "f", "ai.toolCall.args": SECRET}
    return traces(
        span(outer, name="ai.generateText greet"),
        span(inner, name="ai.generateText.doGenerate greet", number=2, parent=1),
        span(tool, name="ai.toolCall", number=3, parent=1),
        scope="ai",
    )


@pytest.mark.parametrize("usage", [FOUR, FIVE], ids=["4", "5"])
def test_the_outer_span_repeats_the_sum_of_the_inner(tmp_path: Path, usage: dict[str, Any]) -> None:
    found = totals(tmp_path, ("traces", _spans(usage)))

    assert found == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 20}


def test_the_spelling_becomes_that_of_the_conventions() -> None:
    outer, inner, tool = records("traces", _spans(FIVE))

    assert said_of(outer, "agenttrace.kind", "agenttrace.task.name", INPUT) == (
        "step",
        "greet",
        None,
    )
    assert said_of(inner, "gen_ai.provider.name", "gen_ai.request.model", INPUT) == (
        "openai",
        "gpt-5",
        100,
    )
    assert said_of(tool, "agenttrace.kind", "gen_ai.tool.name") == ("tool", "f")
    assert SECRET not in str((outer, inner, tool))


def test_for_anthropic_the_cache_is_beside_the_input_before_version_6() -> None:
    details = {"ai.usage.inputTokenDetails.cacheReadTokens": 40}

    _, five, _ = records("traces", _spans(FIVE, "anthropic.messages"))
    _, six, _ = records("traces", _spans({**FIVE, **details}, "anthropic.messages"))

    assert said_of(five, INPUT) == (140,)
    assert said_of(six, INPUT) == (100,)


def test_an_embedding_is_a_call_of_its_own_kind() -> None:
    said = {"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 7}

    (record,) = records("traces", traces(span(said), scope="ai"))

    assert said_of(record, "gen_ai.operation.name", INPUT) == ("embeddings", 7)
