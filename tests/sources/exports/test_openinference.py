"""Spans that Phoenix has exported become records, whichever way they were exported."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from agenttrace.reader import Reader
from agenttrace.sources.exports.openinference import SOURCE
from agenttrace.sources.importing import Imported, import_logs

SECRET = "my secret prompt"
TRACE, ROOT, CALL = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b175"


def _span(kind: str, span_id: str, parent_id: str | None, **said: Any) -> dict[str, Any]:
    """Return a span as the interface of Phoenix writes it."""
    return {
        "id": "U3Bhbjox",
        "name": SECRET,
        "context": {"trace_id": TRACE, "span_id": span_id},
        "span_kind": kind,
        "parent_id": parent_id,
        "start_time": "2026-01-20T10:00:00.000000+00:00",
        "end_time": "2026-01-20T10:00:01.500000+00:00",
        "status_code": "OK",
        "status_message": SECRET,
        "attributes": {"input.value": SECRET, "session.id": "s1", **said},
        "events": [{"name": "exception", "attributes": {"exception.message": SECRET}}],
    }


SPANS = [
    _span("AGENT", ROOT, None, **{"agent.name": "researcher"}),
    _span(
        "LLM",
        CALL,
        ROOT,
        **{
            "llm.model_name": "gpt-5",
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 20,
            "llm.input_messages.0.message.content": SECRET,
        },
    ),
]


def _column(span: dict[str, Any]) -> dict[str, Any]:
    """Return a row of a data frame, as its ``to_json`` writes it: times in milliseconds."""
    start_ms = 1_768_903_200_000
    return {
        "name": SECRET,
        "span_kind": span["span_kind"],
        "parent_id": span["parent_id"],
        "start_time": start_ms,
        "end_time": start_ms + 1_500,
        "status_code": "OK",
        "context.span_id": span["context"]["span_id"],
        "context.trace_id": TRACE,
        **{f"attributes.{key}": one for key, one in span["attributes"].items()},
    }


def _csv() -> str:
    rows = [_column(span) for span in SPANS]
    columns = list({key: None for row in rows for key in row})
    lines = [",".join(columns)]
    lines += [",".join(str(row.get(key) or "") for key in columns) for row in rows]
    return "\n".join(lines) + "\n"


def _import(tmp_path: Path, name: str, text: str) -> Imported:
    (tmp_path / name).write_text(text)
    return import_logs(tmp_path / "home", SOURCE, [tmp_path / name])


def _calls(tmp_path: Path) -> list[dict[str, Any]]:
    with Reader(tmp_path / "home") as reader:
        return [
            dict(row)
            for row in reader.query(
                "SELECT session_id, request_model, input_tokens, output_tokens, duration_ns, "
                "epoch_us(started_at) AS started_us FROM counted_call"
            )
        ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("spans.json", json.dumps(SPANS)),
        ("spans.json", json.dumps({"data": SPANS, "next_cursor": None}, indent=1)),
        ("spans.jsonl", "".join(json.dumps(one) + "\n" for one in SPANS)),
        ("frame.jsonl", "".join(json.dumps(_column(one)) + "\n" for one in SPANS)),
        ("frame.csv", _csv()),
    ],
    ids=["list", "page", "lines", "frame", "CSV"],
)
def test_every_export_tells_the_same(tmp_path: Path, name: str, text: str) -> None:
    done = _import(tmp_path, name, text)

    assert (done.spans, done.skipped, done.unreadable) == (2, {}, {})
    assert _calls(tmp_path) == [
        {
            "session_id": "s1",
            "request_model": "gpt-5",
            "input_tokens": 100,
            "output_tokens": 20,
            "duration_ns": 1_500_000_000,
            "started_us": 1_768_903_200_000_000,
        }
    ]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*.jsonl"))
    assert SECRET.encode() not in kept


def test_a_table_of_parquet_tells_the_same(tmp_path: Path) -> None:
    path = tmp_path / "frame.parquet"
    (tmp_path / "frame.json").write_text(json.dumps([_column(one) for one in SPANS]))
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT * REPLACE (make_timestamp_ms(start_time)::TIMESTAMPTZ AS start_time, "
            "make_timestamp_ms(end_time)::TIMESTAMPTZ AS end_time) "
            f"FROM '{tmp_path}/frame.json') TO '{path}'"
        )

    done = import_logs(tmp_path / "home", SOURCE, [path])

    assert (done.spans, done.skipped, done.unreadable) == (2, {}, {})
    assert [call["input_tokens"] for call in _calls(tmp_path)] == [100]


def test_a_table_that_is_none_is_said_to_be_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "frame.parquet"
    path.write_bytes(b"PAR1 and nothing more")

    done = import_logs(tmp_path / "home", SOURCE, [path])

    assert list(done.unreadable) == [path]


def test_attributes_may_be_nested(tmp_path: Path) -> None:
    said = {"llm": {"model_name": "gpt-5", "token_count": {"prompt": 100, "completion": 20}}}

    _import(tmp_path, "spans.json", json.dumps([_span("LLM", CALL, None, **said)]))

    assert [call["input_tokens"] for call in _calls(tmp_path)] == [100]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"context": {"span_id": CALL}}, "no trace id"),
        ({"context": {"trace_id": TRACE}}, "no span id"),
        ({"start_time": None}, "no start"),
        ({"start_time": "yesterday"}, "no start"),
        ({"span_kind": None}, "something that is no span of OpenInference"),
    ],
)
def test_what_is_no_span_is_skipped_by_name(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    done = _import(tmp_path, "spans.jsonl", json.dumps({**SPANS[1], **change}) + "\n")

    assert (done.spans, done.skipped) == (0, {reason: 1})
