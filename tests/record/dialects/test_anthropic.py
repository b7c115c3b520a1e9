"""What Anthropic's protocol says, in the shapes in which the provider documents them."""

import json
from typing import Any

import pytest

from agenttrace.model import TokenUsage
from agenttrace.record.wire import dialects
from agenttrace.record.wire.dialect import Dialect, Reply


def spoken(path: str = "/v1/messages", method: str = "POST") -> Dialect:
    found = dialects.of(method, path)
    assert found is not None
    return found


USAGE = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 500,
    "cache_read_input_tokens": 2000,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 300},
    "output_tokens": 503,
    "output_tokens_details": {"thinking_tokens": 400},
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
    "service_tier": "standard",
}
TOKENS = TokenUsage(2510, 503, 2000, 500, 300, 400, "reported")


def message(usage: Any = USAGE) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "model": "claude-opus-5", "usage": usage}


def read(usage: Any) -> Reply:
    return spoken().read_json(json.dumps(message(usage)).encode())


def streamed(*payloads: Any) -> Reply:
    data = b"".join(
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in payloads
    )
    return spoken().read_events(data)


def test_a_message_with_all_its_details() -> None:
    reply = read(USAGE)
    assert reply == Reply("msg_1", "claude-opus-5", USAGE, finished=True)
    assert spoken().usage(reply.counts) == TOKENS


@pytest.mark.parametrize(
    ("geo", "said"),
    [
        ("us", {"cloud.region": "us"}),
        ("global", {"cloud.region": "global"}),
        ("not_available", {}),
        (None, {}),
        (7, {}),
        ("Where? Here.", {}),
    ],
)
def test_where_the_model_ran_is_its_region(geo: Any, said: dict[str, str]) -> None:
    assert read({**USAGE, "inference_geo": geo}).said == said
    start = {"type": "message_start", "message": message({**USAGE, "inference_geo": geo})}
    end = {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 5}}
    assert streamed(start, end).said == said


def test_what_the_provider_asked_on_its_own_ran_where_the_message_did() -> None:
    iterations = [
        {"type": "compaction", "input_tokens": 900, "output_tokens": 90},
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
    ]
    usage = {
        "input_tokens": 10,
        "output_tokens": 5,
        "inference_geo": "us",
        "iterations": iterations,
    }
    (compaction,) = spoken().beside(read(usage))
    assert (compaction.role, compaction.said) == ("compaction", {"cloud.region": "us"})


def test_the_counts_of_a_stream_are_cumulative() -> None:
    start = {**USAGE, "output_tokens": 1, "output_tokens_details": None}
    reply = streamed(
        {"type": "message_start", "message": message(start)},
        {"type": "message_delta", "delta": {}, "usage": {"output_tokens": 200}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {
                "output_tokens": 503,
                "input_tokens": None,
                "output_tokens_details": {"thinking_tokens": 400},
            },
        },
        {"type": "message_stop"},
    )
    assert (reply.response_id, reply.finished) == ("msg_1", True)
    assert spoken().usage(reply.counts) == TOKENS


def test_a_stream_without_a_delta_has_only_begun() -> None:
    reply = streamed({"type": "message_start", "message": message()})
    assert not reply.finished


def entry(kind: str, given: int, output: int, **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "input_tokens": given,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output,
        **more,
    }


def inner(usage: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one.response_id, one.model, one.role, spoken().usage(one.counts).input_tokens)
        for one in spoken().beside(read(usage))
    ]


COMPACTED = [entry("compaction", 180_000, 3500), entry("message", 23_000, 1000)]


def test_a_compaction_is_a_call_beside_the_message() -> None:
    usage = {"input_tokens": 23_000, "output_tokens": 1000, "iterations": COMPACTED}
    assert inner(usage) == [("msg_1:0", "claude-opus-5", "compaction", 180_000)]


def test_an_advisor_is_a_call_of_another_model() -> None:
    iterations = [
        entry("message", 400, 90),
        entry("advisor_message", 800, 1600, model="claude-fable-5"),
        entry("message", 1300, 500),
    ]
    usage = {"input_tokens": 1700, "output_tokens": 590, "iterations": iterations}
    assert inner(usage) == [("msg_1:1", "claude-fable-5", "other", 800)]


def test_tokens_that_the_message_counts_already_are_not_counted_twice() -> None:
    usage = {"input_tokens": 203_000, "output_tokens": 4500, "iterations": COMPACTED}
    assert inner(usage) == []
    tools = [entry("message", 10, 20), entry("message", 30, 40)]
    assert inner({"input_tokens": 40, "output_tokens": 60, "iterations": tools}) == []


def test_a_model_that_declined_is_counted_where_only_the_one_that_served_is() -> None:
    iterations = [
        entry("message", 500, 10, model="claude-fable-5"),
        entry("fallback_message", 510, 200, model="claude-opus-5"),
    ]
    served = {"input_tokens": 510, "output_tokens": 200, "iterations": iterations}
    assert inner(served) == [("msg_1:0", "claude-fable-5", "other", 500)]
    both = {"input_tokens": 1010, "output_tokens": 210, "iterations": iterations}
    assert inner(both) == []


def test_what_a_stream_tells_at_its_end_is_told_once() -> None:
    usage = {"output_tokens": 1000, "iterations": COMPACTED}
    start = {"input_tokens": 23_000, "output_tokens": 1, "iterations": None}
    begun = streamed({"type": "message_start", "message": message(start)})
    assert spoken().beside(begun) == ()
    # A long stream is read in parts, of which the last alone does not know the message.
    reply = begun.then(streamed({"type": "message_delta", "delta": {}, "usage": usage}))
    assert [one.response_id for one in spoken().beside(reply)] == ["msg_1:0"]


@pytest.mark.parametrize(
    "iterations", [7, "x", [7], [None], [{}], [{"type": 3}], [{"type": "compaction"}]]
)
def test_odd_iterations_do_not_lose_the_message(iterations: Any) -> None:
    reply = read({**USAGE, "iterations": iterations})
    assert spoken().usage(reply.counts) == TOKENS
    assert all(spoken().usage(one.counts).state == "missing" for one in spoken().beside(reply))


def test_the_results_of_a_batch_tell_of_a_call_for_each_message() -> None:
    path = "/v1/messages/batches/msgbatch_1/results"
    compacted = {"input_tokens": 23_000, "output_tokens": 1000, "iterations": COMPACTED}
    results: list[Any] = [
        {"type": "succeeded", "message": message()},
        {"type": "succeeded", "message": {**message(compacted), "id": "msg_2"}},
        {"type": "errored", "error": {"type": "error", "error": {"type": "invalid_request"}}},
        {"type": "expired"},
    ]
    lines = [json.dumps({"custom_id": str(at), "result": one}) for at, one in enumerate(results)]
    dialect = spoken(path, "GET")
    assert dialect.operation == "fetch_response"
    assert dialect.is_call(path, b"")
    reply = dialect.read_json("\n".join(lines).encode())
    assert reply.counts == {}
    assert [(one.response_id, one.role) for one in dialect.beside(reply)] == [
        ("msg_1", None), ("msg_2", None), ("msg_2:0", "compaction"),
    ]  # fmt: skip
    assert dialect.usage(reply.also[0].counts) == TOKENS


def test_what_only_counts_or_lists_is_nothing() -> None:
    assert dialects.of("POST", "/v1/messages/count_tokens") is None
    assert dialects.of("POST", "/v1/messages/batches") is None
    assert dialects.of("GET", "/v1/messages/batches/msgbatch_1") is None
