import datetime as dt
from pathlib import Path

from tests.builders import START_NS, agent, asked, chat, foreign, frame, spans, step, task, tool


def test_plain_call(home: Path) -> None:
    records = spans(
        task(
            "week",
            agent(
                "lead",
                chat(
                    input=100, cache_read=60, cache_write=30, output=20, reasoning=5,
                    session="s", operation_id="op", attempt=1, request_model="gpt", model="gpt-5",
                    response_id="r1", request_id="q1", http_status=200, outcome="complete",
                    **{"cloud.region": "eu", "gen_ai.response.time_to_first_chunk": 0.25},
                ),
            ),
        )
    )  # fmt: skip
    with asked(home, records, stored=False) as connection:
        (row,) = connection.rows("plain_call")
    assert row == {
        "operation_id": "op",
        "trace_id": "0" * 31 + "1",
        "span_id": "0000000100000003",
        "task_id": "week",
        "session_id": "s",
        "agent": "lead",
        "agent_depth": 1,
        "role": "main",
        "visible": None,
        "attempt": 1,
        "operation": "chat",
        "provider": "openai",
        "upstream_provider": None,
        "request_model": "gpt",
        "response_model": "gpt-5",
        "response_id": "r1",
        "request_id": "q1",
        "start_ns": START_NS + 3 * 10**9,
        "started_at": dt.datetime(2025, 10, 9, 8, 53, 23),  # noqa: DTZ001 - as DuckDB
        "duration_ns": 500_000_000,
        "time_to_first_token_ns": 250_000_000,
        "status": "ok",
        "error_type": None,
        "http_status": 200,
        "outcome": "complete",
        "usage": "reported",
        "capture": "wire",
        "region": "eu",
        "service_name": "test",
        "input_tokens": 100,
        "cache_read_tokens": 60,
        "cache_write_tokens": 30,
        "cache_write_1h_tokens": None,
        "input_audio_tokens": None,
        "input_image_tokens": None,
        "output_tokens": 20,
        "reasoning_tokens": 5,
        "output_audio_tokens": None,
        "output_image_tokens": None,
        "cost_usd": None,
    }


def test_what_other_spans_may_tell_more_of_is_not_plain(home: Path) -> None:
    router = {"provider": "openrouter", "response_id": "r", "output": 1}
    records = spans(
        chat(input=1, output=1),
        chat(input=2),
        chat(input=3, output=1, response_id="r"),
        chat(input=4, **router, **{"agenttrace.cost_usd": 0.5}),
        # Their tokens, or what they cost, may be fetched later.
        chat(input=11, response_id="r"),
        chat(input=12, **router),
        # They count by what is around them.
        frame(input=13, output=1),
        chat(input=14, output=1, capture="otlp"),
        foreign("openinference", {"openinference.span.kind": "LLM", "llm.token_count.prompt": 15}),
        # They are no calls.
        chat(input=16, output=1, operation="fetch_response", response_id="r"),
        frame(input=17, output=1, wire_calls=1),
        tool("search", input=18),
        step("chain", input=19),
    )
    with asked(home, records, stored=False) as connection:
        rows = connection.sql("SELECT input_tokens FROM plain_call ORDER BY start_ns").fetchall()
    assert rows == [(1,), (2,), (3,), (4,)]


def test_a_call_outside_of_any_task_belongs_to_its_trace_and_to_no_agent(home: Path) -> None:
    record = spans(chat(task_id=None, depth=None, role=None, operation="embeddings"))[0]
    with asked(home, [record], stored=False) as connection:
        rows = connection.sql("SELECT task_id, agent_depth, role FROM plain_call").fetchall()
    assert rows == [("0" * 31 + "1", 0, "embedding")]
