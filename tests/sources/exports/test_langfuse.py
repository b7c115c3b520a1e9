"""Observations that Langfuse has exported become records, each kind of token once."""

import json
from pathlib import Path
from typing import Any

import pytest

from agenttrace.sources.exports.langfuse import SOURCE
from agenttrace.sources.source import Piece, Skipped

SECRET = "my secret prompt"
USAGE = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.reasoning.output_tokens",
)
GENERATION: dict[str, Any] = {
    "id": "eee19b7ec3c1b175",
    "traceId": "5b8efff798038103d269b633813fc60c",
    "parentObservationId": "eee19b7ec3c1b174",
    "type": "GENERATION",
    "name": SECRET,
    "startTime": "2026-01-20T10:00:00.000Z",
    "endTime": "2026-01-20T10:00:01.500Z",
    "completionStartTime": "2026-01-20T10:00:00.250Z",
    "model": "gpt-5",
    "sessionId": "s1",
    "input": SECRET,
    "output": SECRET,
    "metadata": {"prompt": SECRET},
    "statusMessage": SECRET,
    "usageDetails": {"input": 60, "input_cached_tokens": 40, "output": 20, "total": 120},
    "costDetails": {"input": 0.1, "output": 0.2, "total": 0.3},
}
# The same, as it is exported to a bucket.
ROW: dict[str, Any] = {
    "id": "eee19b7ec3c1b175",
    "trace_id": "5b8efff798038103d269b633813fc60c",
    "parent_observation_id": "eee19b7ec3c1b174",
    "type": "GENERATION",
    "name": SECRET,
    "start_time": "2026-01-20 10:00:00.000000",
    "end_time": "2026-01-20 10:00:01.500000",
    "completion_start_time": "2026-01-20 10:00:00.250000",
    "provided_model_name": "gpt-5",
    "session_id": "s1",
    "input": SECRET,
    "usage_details": {"input": 60, "input_cached_tokens": 40, "output": 20, "total": 120},
    "cost_details": {"total": 0.3},
}


def _read(text: str, name: str = "a.jsonl") -> list[Any]:
    found = SOURCE.read(Piece(Path(name), text.encode(), is_first=True, state={}))
    return [one if isinstance(one, Skipped) else json.loads(one) for one in found]


def _one(**change: Any) -> dict[str, Any]:
    (record,) = _read(json.dumps({**GENERATION, **change}))
    return record


def _usage(**said: Any) -> tuple[Any, ...]:
    attributes = _one(usageDetails=said)["attributes"]
    return tuple(attributes.get(key) for key in USAGE)


def test_a_generation_becomes_a_call() -> None:
    assert _one() == {
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b175",
        "parent_span_id": "eee19b7ec3c1b174",
        "name": "chat",
        "start_ns": 1_768_903_200_000_000_000,
        "end_ns": 1_768_903_201_500_000_000,
        "status": "unset",
        "scope": "langfuse",
        "attributes": {
            "service.name": "langfuse",
            "agenttrace.kind": "inference",
            "agenttrace.capture": "otlp",
            "gen_ai.operation.name": "chat",
            "gen_ai.conversation.id": "s1",
            "gen_ai.response.model": "gpt-5",
            "gen_ai.response.time_to_first_chunk": 0.25,
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "gen_ai.usage.cache_read.input_tokens": 40,
            "agenttrace.cost_usd": 0.3,
        },
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps(ROW), "a.jsonl"),
        (json.dumps([ROW]), "a.json"),
        (json.dumps({"data": [GENERATION], "meta": {"page": 1}}), "a.json"),
    ],
    ids=["bucket", "list", "page"],
)
def test_every_export_tells_the_same(text: str, name: str) -> None:
    assert _read(text, name) == [_one()]


def test_a_row_of_csv_has_its_details_as_json() -> None:
    row = {**ROW, "usage_details": json.dumps(ROW["usage_details"]).replace('"', '""')}
    del row["cost_details"]
    text = ",".join(row) + "\n" + ",".join(f'"{one}"' for one in row.values()) + "\n"

    (record,) = _read(text, "a.csv")

    assert tuple(record["attributes"].get(key) for key in USAGE) == (100, 20, 40, None)


def test_cached_tokens_beside_the_input_are_added() -> None:
    assert _usage(input=60, input_cached_tokens=40, output=20) == (100, 20, 40, None)


def test_cached_tokens_inside_the_input_are_not_added_again() -> None:
    assert _usage(input=100, input_cached_tokens=40, output=20, total=120) == (100, 20, 40, None)


def test_the_spelling_of_anthropic_is_read() -> None:
    said = {"cache_read_input_tokens": 80, "cache_creation_input_tokens": 18}

    assert _usage(input=2, output=20, **said) == (100, 20, 80, None)


def test_reasoning_beside_the_output_is_added() -> None:
    said = {"output": 12, "output_reasoning_tokens": 8, "total": 120}

    assert _usage(input=100, **said) == (100, 20, None, 8)


@pytest.mark.parametrize("said", [-1, "x", 10**30, True, None, 0.5, [1]])
def test_a_count_that_is_none_is_unknown(said: object) -> None:
    assert _usage(input=said, output=20)[:2] == (None, 20)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("AGENT", "agent"), ("TOOL", "tool"), ("SPAN", "step"), ("EMBEDDING", "inference")],
)
def test_only_generations_and_embeddings_are_calls(kind: str, expected: str) -> None:
    attributes = _one(type=kind)["attributes"]

    assert attributes["agenttrace.kind"] == expected
    assert (USAGE[0] in attributes) == (expected == "inference")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "EVENT"}, "observations of type EVENT"),
        ({"type": SECRET}, "no observation of Langfuse"),
        ({"traceId": None}, "no trace id"),
        ({"id": ""}, "no span id"),
        ({"startTime": SECRET}, "no start"),
    ],
)
def test_what_is_no_observation_is_skipped_by_name(change: dict[str, Any], reason: str) -> None:
    assert _read(json.dumps({**GENERATION, **change})) == [Skipped(reason)]


def test_ids_of_another_make_are_hashed_the_same_everywhere() -> None:
    record = _one(id="cl-1", traceId="3f2504e0-4f89-11d3-9a0c-0305e82c3301")
    child = _one(id="cl-2", parentObservationId="cl-1")

    assert record["trace_id"] == "3f2504e04f8911d39a0c0305e82c3301"
    assert child["parent_span_id"] == record["span_id"]


def test_a_failure_is_one_and_nothing_that_was_said_is_kept() -> None:
    record = _one(level="ERROR")

    assert record["status"] == "error"
    assert SECRET not in str(record)
