"""Anthropic's SDK against the local provider: each call once, as billed."""

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from agenttrace.testing import Inner, ModelProvider, Reply, Tokens

Records = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("recording")

MODEL = "claude-opus-5"
HELLO: Any = [{"role": "user", "content": "hello"}]


def said(records: list[dict[str, Any]], name: str) -> list[Any]:
    return [record["attributes"].get(name) for record in records]


def test_what_is_cached_for_an_hour_is_counted_as_billed(
    claude: anthropic.Anthropic, assert_as_billed: Records
) -> None:
    kept: Any = {"type": "ephemeral", "ttl": "1h"}
    system: Any = [{"type": "text", "text": "rule " * 3000, "cache_control": kept}]
    for _ in range(2):
        claude.messages.create(model=MODEL, max_tokens=99, system=system, messages=HELLO)
    records = assert_as_billed()
    hour = said(records, "agenttrace.usage.cache_write_1h.input_tokens")
    assert hour[0] > 1024
    assert hour[1] == 0


INNER = [
    Inner("compaction", Tokens(input_tokens=9000, cache_read_tokens=8000, output_tokens=500)),
    Inner("advisor_message", Tokens(input_tokens=700, output_tokens=60), model="claude-fable-5"),
]


@pytest.mark.parametrize("stream", [False, True])
def test_calls_that_the_provider_made_on_its_own_are_counted_once_each(
    claude: anthropic.Anthropic, provider: ModelProvider, assert_as_billed: Records, stream: bool
) -> None:
    provider.script(Reply("Done.", inner=INNER))
    made: Any = claude.beta.messages.create(
        model=MODEL, max_tokens=99, messages=HELLO, stream=stream
    )
    if stream:
        list(made)
    records = assert_as_billed()
    inputs, roles = said(records, "gen_ai.usage.input_tokens"), said(records, "agenttrace.role")
    assert dict(zip(inputs, roles, strict=True)) == {3: "main", 9000: "compaction", 700: "other"}


def test_each_request_of_a_batch_is_a_call_that_the_results_tell_of(
    claude: anthropic.Anthropic, provider: ModelProvider, assert_as_billed: Records
) -> None:
    provider.script("One.", Reply("Two.", inner=INNER[:1]))
    requests: Any = [
        {"custom_id": name, "params": {"model": MODEL, "max_tokens": 99, "messages": messages}}
        for name, messages in (("a", HELLO), ("b", HELLO), ("refused", []))
    ]
    batch = claude.messages.batches.create(requests=requests)
    batch = claude.messages.batches.retrieve(batch.id)
    assert len(list(claude.messages.batches.results(batch.id))) == 3
    records = assert_as_billed()
    assert said(records, "gen_ai.operation.name") == ["fetch_response"] * 3
    assert len(set(said(records, "gen_ai.response.id"))) == 3
    assert said(records, "agenttrace.role").count("compaction") == 1


def test_counting_the_tokens_of_a_prompt_is_no_call(
    claude: anthropic.Anthropic, spooled: Records
) -> None:
    assert claude.messages.count_tokens(model=MODEL, messages=HELLO).input_tokens > 0
    assert spooled() == []
