"""A span is read for its energy as it is read for reports, whatever its dialect."""

from collections.abc import Mapping

import pytest

from agenttrace import semconv
from agenttrace.enrichment import attributes, names, of_span
from agenttrace.model import TokenUsage

_CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}


def _central(said: Mapping[str, object], scope: str = "") -> object:
    return of_span(said, scope).get(names.ENERGY_CENTRAL_WH)


def _expected(usage: TokenUsage, model: str = "gpt-5", provider: str | None = None) -> object:
    return attributes(usage, model=model, provider=provider)[names.ENERGY_CENTRAL_WH]


@pytest.mark.parametrize(
    "said",
    [
        _CHAT,
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-5",
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 20,
        },
        {
            "llm.request.type": "chat",
            "gen_ai.request.model": "gpt-5",
            "gen_ai.usage.prompt_tokens": 100,
            "gen_ai.usage.completion_tokens": 20,
        },
    ],
)
def test_every_spelling_of_a_call_gives_the_same(said: dict[str, object]):
    assert _central(said) == _expected(TokenUsage(100, 20))


def test_the_model_that_answered_goes_before_the_one_that_was_asked():
    said = {**_CHAT, "gen_ai.response.model": "gpt-5-mini"}
    assert _central(said) == _expected(TokenUsage(100, 20), "gpt-5-mini")


@pytest.mark.parametrize(
    "said",
    [
        {"gen_ai.operation.name": "invoke_agent"},
        {"gen_ai.operation.name": "execute_tool"},
        {"gen_ai.operation.name": "fetch_response"},
        {semconv.KIND: "task"},
        {semconv.WIRE_CALLS: 1},
        {semconv.OUTCOME: "cached"},
        {semconv.MEASURED_J: 12.0},
    ],
)
def test_what_is_no_call_of_its_own_gets_nothing(said: dict[str, object]):
    assert of_span({**_CHAT, **said}) == {}


def test_a_span_that_says_nothing_of_a_model_gets_nothing():
    assert of_span({"http.request.method": "GET"}) == {}


def test_counts_that_are_absurd_are_unknown():
    assert of_span({**_CHAT, "gen_ai.usage.input_tokens": -5, semconv.OUTPUT_TOKENS: "many"}) == {}


def test_input_that_is_less_than_its_cache_excludes_it():
    said = {**_CHAT, "gen_ai.usage.cache_read.input_tokens": 900}
    assert _central(said) == _expected(TokenUsage(1000, 20, 900))


def test_a_scope_that_is_known_to_leave_the_cache_out_is_corrected():
    said = {**_CHAT, "gen_ai.usage.cache_read.input_tokens": 50}
    scope = "opentelemetry.instrumentation.bedrock"
    assert _central(said, scope) == _expected(TokenUsage(150, 20, 50))
    assert _central(said) == _expected(TokenUsage(100, 20, 50))


def test_a_total_tells_that_reasoning_stands_beside_the_output():
    said = {**_CHAT, "gen_ai.usage.reasoning_tokens": 7, "gen_ai.usage.total_tokens": 127}
    assert _central(said) == _expected(TokenUsage(100, 27))


def test_older_names_of_a_provider_mean_the_same():
    said = {**_CHAT, "gen_ai.system": "AWS_Bedrock", "cloud.region": "eu-west-3"}
    found = of_span({**said, "gen_ai.system": "bedrock"})
    assert found[names.CARBON_ZONE] == "FR"
