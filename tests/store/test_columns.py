import re
from pathlib import Path
from typing import Any

import pytest

from agenttrace import semconv
from agenttrace.record import readable
from agenttrace.store import columns, spellings
from tests.builders import Record, chat, foreign, loose, opened, spans

BEDROCK = "opentelemetry.instrumentation.bedrock"
SCOPE = "opentelemetry.instrumentation.somebody"


def read(home: Path, records: list[Record], sql: str) -> list[Any]:
    with opened(home, records) as store:
        rows = store.connection.sql(f"SELECT {sql} FROM span ORDER BY span_id").fetchall()
    return [row[0] for row in rows]


def said_by(home: Path, said: dict[str, Any], sql: str, scope: str = SCOPE) -> Any:
    (found,) = read(home, loose(foreign(scope, said)), sql)
    return found


def test_every_spelling_of_an_attribute_ends_in_its_column(home: Path) -> None:
    typical = {
        "VARCHAR": "wire",
        "BOOLEAN": True,
        "usage": "missing",
        "measured_boundary": "server",
        "task_outcome": "success",
    }
    spelt = [
        (column, key, typical.get(column.name, typical.get(column.type, 7)))
        for column in columns.COLUMNS
        for key in spellings.SPELLINGS.get(column.name, ())
    ]
    records = loose(*(foreign(SCOPE, {key: value}) for _, key, value in spelt))
    with opened(home, records) as store:
        rows = store.connection.sql("FROM span ORDER BY span_id")
        found = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
    assert [
        (column.name, key, row[column.name])
        for (column, key, _), row in zip(spelt, found, strict=True)
    ] == [(column.name, key, value) for column, key, value in spelt]


@pytest.mark.parametrize(
    "key", sorted({key for keys in spellings.SPELLINGS.values() for key in keys})
)
def test_the_recorder_keeps_every_spelling_that_is_read(key: str) -> None:
    ours = {value for value in vars(semconv).values() if str(value).startswith("agenttrace.")}
    assert key in ours or readable.of({key: 1}, readable.THEIRS) == {key: 1}


def test_our_own_spelling_is_believed_before_others(home: Path) -> None:
    said = {"llm.token_count.prompt": 1, semconv.INPUT_TOKENS: 2, "llm.usage.prompt_tokens": 3}
    assert said_by(home, said, "input_tokens") == 2


def test_the_kind_of_a_span_is_read_in_every_convention(home: Path) -> None:
    kinds = [
        (key, value, kind)
        for key, values in spellings.KINDS.items()
        for value, kind in values.items()
    ]
    records = loose(*(foreign(SCOPE, {key: value.upper()}) for key, value, _ in kinds))
    assert read(home, records, "kind") == [kind for _, _, kind in kinds]


def test_a_span_that_says_nothing_of_its_kind_is_other(home: Path) -> None:
    assert said_by(home, {"gen_ai.operation.name": "fetch_response"}, "kind") == "other"


@pytest.mark.parametrize(
    ("said", "operation"),
    [
        ({"openinference.span.kind": "EMBEDDING"}, "embeddings"),
        ({"llm.request.type": "completion"}, "text_completion"),
        ({"traceloop.span.kind": "workflow"}, "invoke_workflow"),
        ({"openinference.span.kind": "LLM", "gen_ai.operation.name": "generate_content"},
         "generate_content"),
        ({"traceloop.span.kind": "task"}, None),
    ],
)  # fmt: skip
def test_the_operation_is_spelt_as_the_conventions_do(
    home: Path, said: dict[str, Any], operation: str | None
) -> None:
    assert said_by(home, said, "operation") == operation


@pytest.mark.parametrize(
    ("said", "provider"), [("OpenAI", "openai"), ("az.ai.openai", "azure.ai.openai")]
)
def test_older_names_of_providers_become_the_conventions_names(
    home: Path, said: str, provider: str
) -> None:
    assert said_by(home, {"gen_ai.system": said}, "provider") == provider


INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITE = "gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_creation_input_tokens"
TOTAL = "gen_ai.usage.total_tokens"


@pytest.mark.parametrize(
    ("scope", "said", "expected"),
    [
        # The convention: the cache is inside.
        (SCOPE, {INPUT: 100, READ: 60, WRITE: 30}, 100),
        # Less than the cache cannot have the cache inside (langfuse#12306, openinference#2381).
        (SCOPE, {INPUT: 10, READ: 60, WRITE: 30}, 100),
        # The total counts the cache once more (openinference#2381, Bedrock's Converse API).
        (SCOPE, {INPUT: 100, READ: 60, OUTPUT: 5, TOTAL: 165}, 160),
        (SCOPE, {INPUT: 100, READ: 60, OUTPUT: 5, TOTAL: 105}, 100),
        # OpenLLMetry 0.62 passes Bedrock's inputTokens on, and leaves the cache out of its total.
        (
            "opentelemetry.instrumentation.bedrock",
            {INPUT: 100, READ: 60, OUTPUT: 5, TOTAL: 105},
            160,
        ),
        # The Anthropic SDK's own spans (2.12) have the cache and no input at all.
        ("com.anthropic.sdk.python", {READ: 60, WRITE: 30, OUTPUT: 5}, None),
    ],
)
def test_input_has_the_cache_in_it_whether_the_source_counts_it_so_or_beside(
    home: Path, scope: str, said: dict[str, Any], expected: int | None
) -> None:
    assert said_by(home, said, "input_tokens", scope) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({OUTPUT: 100, "gen_ai.usage.reasoning_tokens": 60}, 100),
        ({OUTPUT: 10, "gen_ai.usage.reasoning_tokens": 60}, 70),
        # Gemini's candidates exclude the thoughts.
        ({INPUT: 5, OUTPUT: 100, "gen_ai.usage.reasoning_tokens": 60, TOTAL: 165}, 160),
    ],
)
def test_output_has_the_reasoning_in_it_whether_the_source_counts_it_so_or_beside(
    home: Path, said: dict[str, Any], expected: int
) -> None:
    assert said_by(home, said, "output_tokens") == expected


def test_a_resend_is_a_later_attempt(home: Path) -> None:
    assert said_by(home, {"http.request.resend_count": 2}, "attempt") == 3


@pytest.mark.parametrize("count", [-1, "many", 2.5e30, True, 10**12 + 1])
def test_a_token_count_that_is_none_is_refused_and_the_span_kept(home: Path, count: Any) -> None:
    with opened(home, spans(chat(input=count, output=3))) as store:
        found = store.connection.sql(
            "SELECT input_tokens, output_tokens, usage FROM span WHERE kind = 'inference'"
        ).fetchall()
        reasons = store.connection.sql("SELECT reason FROM quarantine").fetchall()
    assert (found, reasons) == ([(None, 3, None)], [("token count",)])


def test_a_count_that_is_spelt_as_text_or_as_a_float_is_a_count(home: Path) -> None:
    said = {INPUT: "12", OUTPUT: 7.0}
    assert said_by(home, said, "(input_tokens, output_tokens)") == (12, 7)


def test_times_are_utc_and_in_nanoseconds(home: Path) -> None:
    (record,) = loose(chat(**{semconv.TIME_TO_FIRST_CHUNK: 0.25}))
    record["start_ns"], record["end_ns"] = 1_760_000_000_123_456_789, 1_760_000_001_123_456_789
    with opened(home, [record]) as store:
        found = store.connection.sql(
            "SELECT started_at::VARCHAR, start_ns, duration_ns, time_to_first_token_ns FROM span"
        ).fetchall()
    assert found == [
        ("2025-10-09 08:53:20.123456", 1_760_000_000_123_456_789, 1_000_000_000, 250_000_000)
    ]


@pytest.mark.parametrize("end_ns", [None, 1, "late"])
def test_an_end_that_is_missing_or_before_the_start_leaves_no_duration(
    home: Path, end_ns: Any
) -> None:
    (record,) = loose(chat())
    assert read(home, [{**record, "end_ns": end_ns}], "duration_ns") == [None]


def test_every_column_has_a_comment_and_every_number_a_unit(home: Path) -> None:
    with opened(home) as store:
        found = store.connection.sql(
            "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'span'"
        ).fetchall()
    assert found == [(column.name, column.comment) for column in columns.COLUMNS]
    unit = re.compile(
        r"nanoseconds|tokens|process|attempt|agents around|HTTP status|number of prompts"
    )
    numbers = [one for one in columns.COLUMNS if one.type in {"BIGINT", "INTEGER"}]
    assert [one.name for one in numbers if not unit.search(one.comment)] == []


@pytest.mark.parametrize(
    ("said", "column", "value"),
    [
        ({"http.request.resend_count": 2}, "attempt", 3),
        ({"http.request.resend_count": 2**31 - 1}, "attempt", None),
        ({"http.request.resend_count": -1}, "attempt", None),
        ({semconv.ATTEMPT: 0}, "attempt", None),
        ({semconv.ATTEMPT: 10**6}, "attempt", 10**6),
        ({semconv.ATTEMPT: 10**6 + 1}, "attempt", None),
        ({semconv.AGENT_DEPTH: -(2**31)}, "agent_depth", None),
        ({semconv.AGENT_DEPTH: 1000}, "agent_depth", 1000),
        ({semconv.AGENT_DEPTH: 1001}, "agent_depth", None),
    ],
)
def test_a_number_out_of_bounds_is_null(
    home: Path, said: dict[str, Any], column: str, value: int | None
) -> None:
    assert said_by(home, said, column) == value


def test_times_that_cannot_be_subtracted_are_refused_with_the_record(home: Path) -> None:
    good, bad = loose(chat(input=1), chat(input=2))
    with opened(home, [good, {**bad, "start_ns": -5, "end_ns": 2**63 - 1}]) as store:
        assert store.connection.sql("SELECT input_tokens FROM span").fetchall() == [(1,)]
        assert store.connection.sql("SELECT reason FROM quarantine").fetchall() == [("no start",)]
