from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.builders import (
    Node,
    Record,
    agent,
    asked,
    chat,
    foreign,
    frame,
    loose,
    spans,
    step,
    task,
    tool,
)

ANTHROPIC_SDK = "com.anthropic.sdk.python"
HTTP = {"server.address": "x"}
RESPONSE_ID = "gen_ai.response.id"
OTHER_CHAT = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 1000}


def calls(home: Path, columns: str, *segments: list[Record]) -> list[Any]:
    """Return *columns* of every model call, the earliest first; one column comes without tuples."""
    with asked(home, *segments, stored=False) as connection:
        rows = connection.sql(
            f"SELECT {columns} FROM model_call ORDER BY started_at, call_id"
        ).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


def calls_of_tasks(
    home: Path, columns: str, tasks: Mapping[str, Sequence[Node]], **said: dict[str, Any]
) -> dict[str, list[Any]]:
    """Return *columns* of the model calls of each task, all in one store; *said* by their names."""
    records = [
        spans(task(name, *nodes, **said.get(name, {})), trace=trace)
        for trace, (name, nodes) in enumerate(tasks.items(), start=1)
    ]
    found: dict[str, list[Any]] = {name: [] for name in tasks}
    for name, row in calls(home, f"task_id, ({columns})", *records):
        found[name].append(row)
    return found


def test_a_call_says_all_that_is_known_of_it(home: Path) -> None:
    records = spans(
        task(
            "week",
            agent(
                "lead",
                chat(
                    input=100, cache_read=60, cache_write=30, output=20, reasoning=5,
                    session="s", operation_id="op", attempt=1, request_model="gpt", model="gpt-5",
                    response_id="r1", request_id="q1", http_status=200, outcome="complete",
                    **{
                        "cloud.region": "eu",
                        "gen_ai.response.time_to_first_chunk": 0.25,
                        "agenttrace.usage.cache_write_1h.input_tokens": 10,
                        "gen_ai.usage.audio.input_tokens": 4,
                        "gen_ai.usage.image.input_tokens": 3,
                        "gen_ai.usage.audio.output_tokens": 2,
                        "gen_ai.usage.image.output_tokens": 1,
                        "agenttrace.cost_usd": 0.125,
                        "agenttrace.upstream_provider": "Fast Chips",
                    },
                ),
            ),
            workload="user-facing",
        )
    )  # fmt: skip
    with asked(home, records) as connection:
        found = connection.sql("SELECT * EXCLUDE (started_at) FROM model_call")
        (row,) = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert row == {
        "call_id": "week-0000000100000003",
        "operation_id": "op",
        "trace_id": "0" * 31 + "1",
        "span_id": "0000000100000003",
        "task_id": "week",
        "task_name": "week",
        "session_id": "s",
        "workload": "user-facing",
        "project": "test",
        "agent": "lead",
        "role": "main",
        "hidden": False,
        "attempt": 1,
        "operation": "chat",
        "provider": "openai",
        "upstream_provider": "Fast Chips",
        "model": "gpt-5",
        "response_id": "r1",
        "request_id": "q1",
        "duration_ms": 500.0,
        "time_to_first_token_ms": 250.0,
        "status": "ok",
        "error_type": None,
        "http_status": 200,
        "outcome": "complete",
        "usage": "reported",
        "capture": "wire",
        "region": "eu",
        "service_name": "test",
        "total_tokens": 120,
        "input_tokens": 100,
        "input_uncached_tokens": 10,
        "cache_read_tokens": 60,
        "cache_write_tokens": 30,
        "cache_write_1h_tokens": 10,
        "input_audio_tokens": 4,
        "input_image_tokens": 3,
        "output_tokens": 20,
        "reasoning_tokens": 5,
        "output_audio_tokens": 2,
        "output_image_tokens": 1,
        "cost_usd": 0.125,
    }


def fetch(**said: Any) -> Any:
    return chat(operation="fetch_response", **said)


def test_a_response_that_is_fetched_later_lends_its_usage_to_the_call(home: Path) -> None:
    records = spans(
        task(
            "t",
            chat(response_id="r", outcome="incomplete", usage="estimated", input=7),
            fetch(response_id="r", input=100, output=20, outcome="complete"),
            fetch(response_id="r", input=100, output=20, outcome="complete"),
        )
    )
    columns = "operation, outcome, usage, input_tokens, output_tokens"
    assert calls(home, columns, records) == [("chat", "complete", "reported", 100, 20)]


def test_a_response_that_said_its_usage_keeps_it_when_it_is_fetched(home: Path) -> None:
    records = spans(
        chat(response_id="r", input=100, output=20), fetch(response_id="r", input=9, output=9)
    )
    assert calls(home, "input_tokens, output_tokens", records) == [(100, 20)]


def test_a_fallback_that_answers_is_the_visible_call(home: Path) -> None:
    records = spans(agent("lead", chat(status="error"), chat(role="fallback")))
    assert calls(home, "role, hidden", records) == [("main", True), ("fallback", False)]


def test_a_fallback_of_a_sub_agent_is_not(home: Path) -> None:
    records = spans(agent("lead", agent("sub", chat(role="fallback")), chat()))
    assert calls(home, "role, hidden", records) == [("fallback", True), ("main", False)]


def at_the_same_time(records: list[Record]) -> list[Record]:
    """Let all of them start and end together, as what callbacks make does."""
    start, end = records[0]["start_ns"], max(record["end_ns"] for record in records)
    return [{**record, "start_ns": start, "end_ns": end} for record in records]


BESIDE = {
    "it says the model": ({"llm.model_name": "gpt-5"}, 1),
    "it says the model with a prefix": ({"llm.model_name": "openai/gpt-5"}, 1),
    "it says no model, and as many tokens": ({"llm.token_count.completion": 20}, 1),
    "it says no model": ({}, 2),
    "it says other tokens": ({"llm.model_name": "gpt-5", "llm.token_count.completion": 9}, 2),
    "it is another model": ({"llm.model_name": "llama"}, 2),
    "it is another response": ({"llm.model_name": "gpt-5", "gen_ai.response.id": "other"}, 2),
}


def test_another_instrumentations_span_beside_a_call_is_that_call(home: Path) -> None:
    ours = chat(request_model="gpt-5", model="gpt-5-2025", response_id="r", input=1000, output=20)
    records = [
        at_the_same_time(
            spans(task(name, ours, foreign("openinference", {**OTHER_CHAT, **said})), trace=trace)
        )
        for trace, (name, (said, _)) in enumerate(BESIDE.items(), start=1)
    ]
    assert Counter(calls(home, "task_id", *records)) == {
        name: count for name, (_, count) in BESIDE.items()
    }


def test_a_model_that_only_another_instrumentation_sees_is_counted(home: Path) -> None:
    said = {**OTHER_CHAT, "llm.model_name": "gpt-5"}
    records = spans(task("t", chat(request_model="gpt-5"), foreign("openinference", said)))
    # One after the other, so they are two.
    assert calls(home, "input_tokens", records) == [None, 1000]


def test_a_span_of_another_instrumentation_that_tells_of_no_answer_is_no_call(home: Path) -> None:
    said = {"nothing": {}, "tokens": {"llm.token_count.prompt": 3}, "an id": {RESPONSE_ID: "r"}}
    tasks = {
        name: [foreign("openinference", {"openinference.span.kind": "LLM", **attributes})]
        for name, attributes in said.items()
    }
    assert calls_of_tasks(home, "input_tokens, response_id", tasks) == {
        "nothing": [],
        "tokens": [(3, None)],
        "an id": [(None, "r")],
    }


def test_an_answer_from_a_cache_is_no_call_whoever_tells_of_it(home: Path) -> None:
    said = {**OTHER_CHAT, "llm.model_name": "gpt-5"}
    cached = frame(request_model="gpt-5", outcome="cached", input=1000)
    records = spans(task("t", cached, foreign("openinference", said)))
    assert calls(home, "call_id", at_the_same_time(records)) == []


def test_the_price_that_is_fetched_later_is_that_of_the_call(home: Path) -> None:
    price = {"agenttrace.cost_usd": 0.5, "agenttrace.upstream_provider": "Fast Chips"}
    records = spans(
        chat(provider="openrouter", response_id="r", input=100, output=20),
        fetch(provider="openrouter", response_id="r", input=9, output=9, **price),
    )
    columns = "input_tokens, cost_usd, upstream_provider"
    assert calls(home, columns, records) == [(100, 0.5, "Fast Chips")]


def test_a_result_whose_call_was_not_recorded_counts_once_however_often_it_is_fetched(
    home: Path,
) -> None:
    records = spans(
        task("t", fetch(response_id="r"), fetch(response_id="r", input=5, output=2)),
        task("u", fetch(response_id="r", input=5, output=2), fetch(response_id="s", input=1)),
    )
    columns = "task_id, operation, response_id, input_tokens"
    assert calls(home, columns, records) == [
        ("t", "fetch_response", "r", 5),
        ("u", "fetch_response", "s", 1),
    ]


def test_structure_never_counts_whatever_usage_it_carries(home: Path) -> None:
    usage = {"input": 1000, "output": 1000}
    records = spans(
        task(
            "job",
            agent("lead", chat(input=1), step("chain", tool("search", **usage), **usage), **usage),
            foreign("openinference", {"openinference.span.kind": "AGENT", **usage}),
            foreign("other", usage),
            **usage,
        )
    )
    assert calls(home, "input_tokens", records) == [1]


# What the innermost of these spans is, and that it alone counts.
NESTED = {
    "a framework's span": frame(chat(input=1)),
    "a framework's span with attempts": frame(chat(input=1, status="error"), chat(input=1)),
    "another instrumentation's": foreign("openinference", OTHER_CHAT, chat(input=1)),
    "the Anthropic SDK's": foreign(
        ANTHROPIC_SDK, {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 9},
        chat(input=1),
    ),
    "a chain of three": frame(
        foreign(ANTHROPIC_SDK, {"gen_ai.operation.name": "chat"}, chat(input=1))
    ),
    "an HTTP client's span between": frame(foreign("httpx", HTTP, chat(input=1))),
    "two such spans between": frame(foreign("retry", {}, foreign("httpx", HTTP, chat(input=1)))),
    "a framework's inside another's": foreign("openinference", OTHER_CHAT, frame(input=1)),
    "only a framework's span": frame(input=1),
}  # fmt: skip


def test_of_nested_spans_of_a_call_the_innermost_counts(home: Path) -> None:
    found = calls_of_tasks(home, "input_tokens", {name: [node] for name, node in NESTED.items()})
    attempts = {"a framework's span with attempts": [1, 1]}
    assert found == {name: [1] for name in NESTED} | attempts


def test_attempts_inside_a_frame_are_calls_of_one_operation(home: Path) -> None:
    first = frame(input=1, status="error", attempt=1)
    records = spans(frame(first, frame(input=2, attempt=2)))
    assert calls(home, "operation_id, attempt, role, input_tokens", records) == [
        ("0000000100000002", 1, "main", 1),
        ("0000000100000002", 2, "retry", 2),
    ]


def test_the_outer_span_lends_what_the_inner_one_does_not_know(home: Path) -> None:
    outer = {"operation_id": "op", "agent": "writer", "role": "summary", "visible": True}
    inner = {"agent": None, "role": None, "depth": None}
    records = spans(frame(frame(input=1, **inner), **outer), chat(input=2))
    assert calls(home, "input_tokens, operation_id, agent, role, hidden", records) == [
        (1, "op", "writer", "summary", False),
        (2, "0000000100000004", None, "main", True),
    ]


@pytest.mark.parametrize("usage", ["reported", "missing"])
def test_what_was_seen_at_the_wire_knows_its_place_itself(home: Path, usage: str) -> None:
    outer = {"operation_id": "op", "agent": "writer", "role": "summary", "visible": True}
    inner = {"agent": None, "role": None, "depth": None, "response_id": "r", "usage": usage}
    records = spans(frame(chat(input=1, **inner), **outer))
    assert calls(home, "operation_id, agent, role, hidden", records) == [
        ("0000000100000003", None, "main", False)
    ]


def test_a_model_call_inside_a_tool_inside_a_chat_is_a_call_of_its_own(home: Path) -> None:
    """A tool that the SDK runs by itself is part of the chat's span, and its call is another."""
    records = spans(frame(tool("search", chat(input=1)), input=2))
    assert sorted(calls(home, "input_tokens", records)) == [1, 2]


def test_parents_that_point_at_each_other_do_not_hang(home: Path) -> None:
    records = loose(
        foreign("a", {"parent": "0000000100000002"}),
        foreign("b", {"parent": "0000000100000001"}),
        chat(parent="0000000100000001", input=1),
        chat(parent="0000000100000004", input=2),
    )
    assert calls(home, "input_tokens", records) == [1, 2]


def test_the_anthropic_sdks_span_beside_the_wires_is_the_same_call(home: Path) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.response.id": "msg_1"}
    records = spans(foreign(ANTHROPIC_SDK, said), chat(input=1, response_id="msg_1"))
    assert calls(home, "capture, input_tokens", records) == [("wire", 1)]


@pytest.mark.parametrize(
    ("sources", "believed"),
    [
        (["log", "frame", "otlp", "wire"], "wire"),
        (["log", "frame", "otlp"], "otlp"),
        (["log", "frame"], "frame"),
    ],
)
def test_one_response_captured_in_several_ways_is_one_call(
    home: Path, sources: list[str], believed: str
) -> None:
    segments = [
        spans(chat(response_id="r", capture=capture, input=1), trace=trace)
        for trace, capture in enumerate(sources, start=1)
    ]
    assert calls(home, "capture", *segments) == [believed]


def test_two_instrumentations_without_the_wire_are_one_call(home: Path) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r"}
    records = loose(foreign("one", said), foreign("two", said))
    assert len(calls(home, "call_id", records)) == 1


def test_an_id_that_comes_again_much_later_is_another_response(home: Path) -> None:
    old, root = spans(chat(response_id="chatcmpl-5", capture="frame", input=7))
    new, new_root = spans(chat(response_id="chatcmpl-5", capture="wire", input=1), trace=2)
    for record in (new, new_root):
        record["start_ns"] += 3600 * 10**9
        record["end_ns"] += 3600 * 10**9
    assert calls(home, "input_tokens", [old, root], [new, new_root]) == [7, 1]


def test_an_empty_response_id_is_none(home: Path) -> None:
    records = spans(chat(response_id="", capture="frame", input=7), chat(response_id="", input=1))
    assert calls(home, "input_tokens, response_id", records) == [(7, None), (1, None)]


def test_a_step_between_two_inference_spans_does_not_make_them_two_calls(home: Path) -> None:
    records = spans(frame(step("chain", frame(chat(input=10)))))
    assert calls(home, "input_tokens", records) == [10]


def test_a_source_that_repeats_a_response_id_tells_of_different_calls(home: Path) -> None:
    """Ollama numbers its responses from 0 to 998, at random."""
    records = spans(
        chat(response_id="chatcmpl-7", input=1), chat(response_id="chatcmpl-7", input=2)
    )
    assert calls(home, "input_tokens", records) == [1, 2]


def test_a_span_that_arrives_twice_counts_once(home: Path) -> None:
    records = spans(chat(input=1))
    exported = [
        {**record, "attributes": {**record["attributes"], "agenttrace.capture": "otlp"}}
        for record in records
    ]
    assert calls(home, "capture, input_tokens", exported, records, records) == [("wire", 1)]


def test_runs_of_a_program_that_seeds_its_random_numbers_do_not_count_as_one(home: Path) -> None:
    first, second = spans(task("monday", chat(input=1))), spans(task("tuesday", chat(input=1)))
    assert calls(home, "task_id", first, second) == ["monday", "tuesday"]


def test_a_call_outside_of_any_task_belongs_to_its_trace(home: Path) -> None:
    assert calls(home, "task_id, task_name", loose(chat())) == [("0" * 31 + "1", None)]


def test_a_task_has_its_name_once_its_root_has_arrived(home: Path) -> None:
    *inner, root = spans(task("week", chat()))
    assert calls(home, "task_name", inner) == [None]
    assert calls(home, "task_name", [root]) == ["week"]


HIDDEN: dict[str, tuple[tuple[Node, ...], dict[str, Any], list[bool]]] = {
    "the last good main call of the root agent is read": (
        (
            agent(
                "a", chat(), agent("sub", chat()), tool("t", chat()), chat(), chat(status="error")
            ),
        ),
        {},
        [True, True, True, False, True],
    ),
    "of calls outside of any agent the last": ((chat(), chat()), {}, [True, False]),
    "not one in an agent further in": (
        (agent("lead", chat(), agent("sub", chat(role="main"))),), {}, [False, True]
    ),
    "an agent that only hands the work on leaves the answer to the next": (
        (agent("lead", agent("sub", chat(), chat())),), {}, [True, False]
    ),
    "where the main calls failed nobody reads a sub-agent instead": (
        (agent("lead", chat(status="error"), agent("sub", chat())),), {}, [True, True]
    ),
    "what the task itself asks before its agent answers is not the answer": (
        (chat(), agent("a", chat())), {}, [True, False]
    ),
    "a retry that succeeds is read": (
        (chat(status="error"), chat(attempt=2)), {}, [True, False]
    ),
    "what is marked is read, and nothing else": (
        (chat(visible=True), chat(role="title", visible=True), chat()), {}, [False, False, True]
    ),
    "what is marked as not read is not": ((chat(), chat(visible=False)), {}, [False, True]),
    "nobody reads a headless task": ((chat(), chat()), {"headless": True}, [True, True]),
    "unless it is marked": (
        (chat(visible=True), chat()), {"headless": True}, [False, True]
    ),
    "nobody reads an embedding": (
        (chat(), chat(operation="embeddings")), {}, [False, True]
    ),
    "nobody reads a summary": ((chat(), chat(role="summary")), {}, [False, True]),
    "nothing is read where all failed": ((chat(status="error"),), {}, [True]),
}  # fmt: skip


@pytest.mark.parametrize("capture", ["wire", "frame"])
def test_hidden(home: Path, capture: str) -> None:
    """Whether calls count by themselves or by what is around them."""
    nodes = {name: captured(nodes, capture) for name, (nodes, _, _) in HIDDEN.items()}
    said = {name: said for name, (_, said, _) in HIDDEN.items()}
    assert calls_of_tasks(home, "hidden", nodes, **said) == {
        name: hidden for name, (_, _, hidden) in HIDDEN.items()
    }


def captured(nodes: Sequence[Node], capture: str) -> list[Node]:
    """Let the model calls among *nodes* and inside them be seen another way."""
    return [
        replace(
            node,
            children=tuple(captured(node.children, capture)),
            said={**node.said, "capture": capture} if node.kind == "inference" else node.said,
        )
        for node in nodes
    ]


ROLES = {
    "main": {"role": None},
    "summary": {"role": "summary"},
    "embedding": {"operation": "embeddings"},
    "rerank": {"operation": "rerank"},
    "guard": {"operation": "moderation"},
    "tool": {"operation": "embeddings", "role": "tool"},
    "retry": {"role": "summary", "attempt": 2},
}


@pytest.mark.parametrize("capture", ["wire", "frame"])
def test_role(home: Path, capture: str) -> None:
    tasks = {role: [chat(**said, capture=capture)] for role, said in ROLES.items()}
    assert calls_of_tasks(home, "role", tasks) == {role: [role] for role in ROLES}


USAGE: dict[str, tuple[dict[str, Any], str]] = {
    "both, and it is said": ({"input": 1, "output": 1, "usage": "estimated"}, "estimated"),
    "both": ({"input": 1, "output": 1, "usage": None}, "reported"),
    "input": ({"input": 1, "usage": None}, "partial"),
    "output": ({"output": 1, "usage": None}, "partial"),
    "neither": ({"usage": None}, "missing"),
    "all of it": ({"input": 1, "operation": "embeddings", "usage": None}, "reported"),
    # A count that was refused is not reported, whatever the recorder says.
    "a count that was refused": ({"input": -1, "output": 1, "usage": "reported"}, "partial"),
}


@pytest.mark.parametrize("capture", ["wire", "frame"])
def test_usage_says_what_is_known_of_the_tokens(home: Path, capture: str) -> None:
    tasks = {name: [chat(**said, capture=capture)] for name, (said, _) in USAGE.items()}
    assert calls_of_tasks(home, "usage", tasks) == {
        name: [usage] for name, (_, usage) in USAGE.items()
    }


def test_what_is_not_reported_stays_unknown(home: Path) -> None:
    records = spans(chat(), chat(input=7), chat(output=5))
    columns = "total_tokens, input_tokens, input_uncached_tokens, cache_read_tokens, output_tokens"
    assert calls(home, columns, records) == [
        (None, None, None, None, None),
        (7, 7, 7, None, None),
        (5, None, None, None, 5),
    ]


def test_the_model_is_the_one_that_answered_else_the_one_that_was_asked(home: Path) -> None:
    records = spans(
        chat(model="gpt-5-2026", request_model="gpt-5"), chat(model=None, request_model="gpt-5")
    )
    assert calls(home, "model", records) == ["gpt-5-2026", "gpt-5"]


def test_late_parents_change_what_counts_once_they_arrive(home: Path) -> None:
    inner, *outer = spans(frame(frame(input=1)))
    assert calls(home, "operation_id", [inner]) == ["0000000100000003"]
    assert calls(home, "operation_id", outer) == ["0000000100000002"]
