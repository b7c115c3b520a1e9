"""Spans in whatever spelling become records that say who, when and how much, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.sources.otlp import read
from tests.builders import SECOND_NS, START_NS
from tests.sources.otlp.messages import event, logs, records, said_of, span, totals, traces

SECRET = "my secret prompt"
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}


def test_a_span_becomes_a_record() -> None:
    request = traces(span(CHAT, name="chat gpt-5", parent=9), scope="openai", service="shop")

    assert records("traces", request) == [
        {
            "trace_id": f"{1:032x}",
            "span_id": f"{1:016x}",
            "parent_span_id": f"{9:016x}",
            "name": "chat",
            "start_ns": START_NS,
            "end_ns": START_NS + SECOND_NS,
            "status": "unset",
            "scope": "openai",
            "attributes": {"service.name": "shop", **CHAT, "agenttrace.capture": "otlp"},
        }
    ]


def test_the_resource_says_where_it_was() -> None:
    resource: dict[str, Any] = {
        "host.name": "mill",
        "process.pid": 7,
        "os.description": SECRET,
    }

    (record,) = records("traces", traces(span(CHAT), **resource))

    assert said_of(record, "host.name", "process.pid") == ("mill", 7)
    assert SECRET not in str(record)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (CHAT, (100, 20)),
        (
            {  # before 2024-09
                "gen_ai.operation.name": "chat",
                "gen_ai.system": "openai",
                "gen_ai.usage.prompt_tokens": 100,
                "gen_ai.usage.completion_tokens": 20,
            },
            (100, 20),
        ),
        (
            {
                "openinference.span.kind": "LLM",
                "llm.token_count.prompt": 100,
                "llm.token_count.completion": 20,
            },
            (100, 20),
        ),
        (
            {
                "llm.request.type": "chat",
                "llm.usage.prompt_tokens": 100,
                "llm.usage.completion_tokens": 20,
            },
            (100, 20),
        ),
    ],
    ids=["newest", "oldest", "OpenInference", "OpenLLMetry"],
)
def test_every_spelling_counts(
    tmp_path: Path, said: dict[str, Any], expected: tuple[int, int]
) -> None:
    found = totals(tmp_path, ("traces", traces(span(said))))

    assert found == {
        "tasks": 1,
        "calls": 1,
        "input_tokens": expected[0],
        "output_tokens": expected[1],
    }


@pytest.mark.parametrize("which", ["trace_id", "span_id", "start_time_unix_nano"])
def test_spans_with_missing_ids_are_refused_by_name(which: str) -> None:
    broken = span(CHAT)
    broken.ClearField(which)  # pyright: ignore[reportArgumentType]
    zeros = span(CHAT)
    zeros.span_id = bytes(8)

    done = read("traces", traces(broken, zeros, span(CHAT)))

    assert (done.accepted, len(done.lines), done.rejected.total()) == (1, 1, 2)
    assert set(done.rejected) <= {"no trace id", "no span id", "no start"}


def test_our_own_spans_keep_their_ids_and_all_that_they_say() -> None:
    own = {
        "agenttrace.kind": "inference",
        "agenttrace.capture": "wire",
        "agenttrace.role": "title",
        "task.id": "t",
        "agenttrace.user_turns": 1,
        "gen_ai.input.messages": SECRET,
    }

    (record,) = records("traces", traces(span(own, name="draft"), scope="agenttrace"))

    assert record["name"] == "draft"
    assert record["span_id"] == f"{1:016x}"
    del own["gen_ai.input.messages"]
    assert record["attributes"] == {"service.name": "svc", **own}


def test_others_cannot_say_what_only_we_say() -> None:
    (record,) = records("traces", traces(span({**CHAT, "agenttrace.role": "title"})))

    assert said_of(record, "agenttrace.role") == (None,)


def test_a_task_has_the_name_of_the_agent_that_it_begins_with() -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "researcher"}

    root, inner = records("traces", traces(span(agent), span(agent, number=2, parent=1)))

    assert said_of(root, "agenttrace.task.name") == ("researcher",)
    assert said_of(inner, "agenttrace.task.name") == (None,)


def test_an_operation_that_is_only_in_the_name_is_known() -> None:
    (record,) = records("traces", traces(span({}, name=f"invoke_agent {SECRET}")))

    assert record["name"] == "invoke_agent"
    assert said_of(record, "gen_ai.operation.name") == ("invoke_agent",)


def test_spans_of_google_adk_say_by_their_name_what_they_are() -> None:
    (record,) = records("traces", traces(span({}, name="compact_events"), scope="gcp.vertex.agent"))

    assert said_of(record, "agenttrace.kind", "agenttrace.role") == ("step", "compaction")


def test_an_error_keeps_its_type_and_not_its_text() -> None:
    exception = {"exception.type": "TimeoutError", "exception.message": SECRET}

    (record,) = records(
        "traces", traces(span(CHAT, is_failed=True, events=(("exception", exception),)))
    )

    assert (record["status"], *said_of(record, "error.type")) == ("error", "TimeoutError")
    assert SECRET not in str(record)


def test_a_root_span_that_never_arrives_does_not_matter(tmp_path: Path) -> None:
    first, second = span(CHAT, parent=99), span(CHAT, number=2, parent=99)

    found = totals(tmp_path, ("traces", traces(first)), ("traces", traces(second)))

    assert found == {"tasks": 1, "calls": 2, "input_tokens": 200, "output_tokens": 40}


def test_what_is_sent_again_counts_once(tmp_path: Path) -> None:
    request = traces(span(CHAT))

    found = totals(tmp_path, ("traces", request), ("traces", request))

    assert found["calls"] == 1


def test_an_event_of_a_call_and_its_span_are_one_call(tmp_path: Path) -> None:
    details = event("gen_ai.client.inference.operation.details", CHAT, trace=1, number=1, at_s=1)

    found = totals(tmp_path, ("logs", logs(details)), ("traces", traces(span(CHAT))))

    assert found == {"tasks": 1, "calls": 1, "input_tokens": 100, "output_tokens": 20}


def test_an_event_of_a_call_whose_span_never_arrives_counts(tmp_path: Path) -> None:
    details = event("gen_ai.client.inference.operation.details", CHAT, trace=1, number=1)

    assert totals(tmp_path, ("logs", logs(details)))["calls"] == 1


def test_lines_of_a_log_are_accepted_and_not_kept() -> None:
    done = read("logs", logs(event("", {"a": 1}, body=SECRET), event("x", {})))

    assert (done.accepted, done.lines) == (2, [])


def test_a_log_record_without_any_time_is_refused() -> None:
    record = event("x", {})
    record.ClearField("time_unix_nano")

    assert read("logs", logs(record)).rejected == {"no time": 1}


def test_absurd_counts_are_unknown(tmp_path: Path) -> None:
    counts = {"gen_ai.usage.input_tokens": -5, "gen_ai.usage.output_tokens": 2**62}
    absurd = {**CHAT, "gen_ai.response.id": "r1", **counts}

    found = totals(tmp_path, ("traces", traces(span(absurd))))

    assert (found["calls"], found["input_tokens"], found["output_tokens"]) == (1, None, None)


def test_nothing_that_was_said_is_kept_wherever_it_stands() -> None:
    said = {
        **CHAT,
        "gen_ai.input.messages": SECRET,
        "gen_ai.output.messages": SECRET,
        "gen_ai.system_instructions": (SECRET,),
        "gen_ai.tool.call.arguments": SECRET,
        "gen_ai.usage.note": SECRET,
        "llm.input_messages.0.message.content": SECRET,
        "traceloop.entity.input": SECRET,
        "input.value": SECRET,
        "gen_ai.agent.name": SECRET * 100,  # no name is as long
    }
    broken = span(
        said,
        name=SECRET,
        is_failed=True,
        events=((SECRET, {"gen_ai.prompt": SECRET}), ("exception", {"exception.message": SECRET})),
    )
    broken.status.message = SECRET
    request = traces(broken, note=SECRET)
    details = logs(
        event("gen_ai.client.inference.operation.details", said, trace=1, body=SECRET),
        event(SECRET, {}, body=SECRET),
    )

    kept = read("traces", request).lines + read("logs", details).lines

    assert len(kept) == 2
    assert SECRET.encode() not in b"".join(kept)


_KEYS = st.sampled_from(
    [*CHAT, "session.id", "event.name", "request_id", "agent_id", "duration_ms", "ai.operationId"]
)
_SAID = st.dictionaries(
    _KEYS,
    st.text(max_size=20) | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans(),
    max_size=6,
)
_SENDERS = st.sampled_from(["svc", "claude-code", "codex_cli_rs", "gemini-cli", "github-copilot"])
_NAMES = st.sampled_from(
    [
        "claude_code.llm_request",
        "claude_code.api_request",
        "codex.sse_event",
        "gemini_cli.api_response",
        "gen_ai.client.inference.operation.details",
        "handle_responses",
    ]
)


@given(_SAID, _SENDERS, _NAMES, st.sampled_from(["", "ai", "agenttrace"]))
def test_any_attributes_are_read_without_an_error(
    said: dict[str, Any], service: str, name: str, scope: str
) -> None:
    said = {"session.id": "s", "conversation.id": "s", **said}

    read("traces", traces(span(said, name=name), service=service, scope=scope))
    read("logs", logs(event(name, said, trace=1), service=service, scope=scope))


def test_an_event_in_no_trace_and_a_span_of_its_response_are_one_call(tmp_path: Path) -> None:
    said = {**CHAT, "gen_ai.response.id": "r1"}
    details = event("gen_ai.client.inference.operation.details", said, at_s=1)

    found = totals(tmp_path, ("logs", logs(details)), ("traces", traces(span(said))))

    assert (found["calls"], found["input_tokens"]) == (1, 100)


def test_a_service_that_only_sounds_like_an_agent_is_read_as_any_other() -> None:
    (record,) = records("traces", traces(span(CHAT), service="codexample"))

    assert said_of(record, "service.name") == ("codexample",)


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        # OpenLLMetry passes on what Bedrock's Converse API counts, without the cache.
        (
            "opentelemetry.instrumentation.bedrock",
            {
                "gen_ai.usage.input_tokens": 60,
                "gen_ai.usage.cache_read_input_tokens": 30,
                "gen_ai.usage.cache_creation_input_tokens": 10,
            },
        ),
        # Strands before 1.17 does as well, under the name of the service; its total tells.
        (
            "svc",
            {
                "gen_ai.usage.input_tokens": 60,
                "gen_ai.usage.cache_read_input_tokens": 30,
                "gen_ai.usage.cache_write_input_tokens": 10,
                "gen_ai.usage.total_tokens": 120,
            },
        ),
        # What Anthropic counts without the cache, passed on: no cache is larger than the input.
        (
            "com.anthropic.sdk.python",
            {"gen_ai.usage.input_tokens": 2, "gen_ai.usage.cache_read.input_tokens": 98},
        ),
        # Whoever keeps to the conventions includes it.
        (
            "com.anthropic.sdk.python",
            {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 98},
        ),
        # OpenInference for Anthropic adds all three.
        (
            "openinference.instrumentation.anthropic",
            {
                "llm.token_count.prompt": 100,
                "llm.token_count.prompt_details.cache_read": 30,
                "llm.token_count.prompt_details.cache_write": 10,
                "llm.token_count.total": 120,
            },
        ),
    ],
    ids=["OpenLLMetry Bedrock", "Strands", "raw Anthropic", "Anthropic SDK", "OpenInference"],
)
def test_the_input_includes_the_cache_once_whoever_counts(
    tmp_path: Path, scope: str, said: dict[str, Any]
) -> None:
    kind = {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 20}

    found = totals(tmp_path, ("traces", traces(span({**kind, **said}), scope=scope)))

    assert (found["input_tokens"], found["output_tokens"]) == (100, 20)
