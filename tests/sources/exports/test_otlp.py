"""Files of OTLP are read whatever their form, and what is none is skipped by name."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from agenttrace.reader import Reader
from agenttrace.sources import agents
from agenttrace.sources.exports.otlp import SOURCE
from agenttrace.sources.importing import Imported, import_logs
from agenttrace.sources.otlp import Request
from tests.sources.otlp.messages import counter, event, logs, span, traces

CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.input.messages": "my secret prompt",
}
FIRST, SECOND = traces(span(CHAT)), traces(span(CHAT, number=2))
EVENTS = logs(
    event("codex.sse_event", {"event.kind": "response.completed", "conversation.id": "c"}),
    service="codex_cli_rs",
)
METRICS = counter("x", (1, 1, {}))


def _json(request: Request) -> dict[str, Any]:
    """Return OTLP's own JSON: ids in hexadecimal."""
    said = MessageToDict(request)
    for group in said.get("resourceSpans", []):
        for one in group["scopeSpans"][0]["spans"]:
            one["traceId"], one["spanId"] = f"{1:032x}", f"{_number(one['spanId']):016x}"
    return said


def _number(encoded: str) -> int:
    return {"AAAAAAAAAAE=": 1, "AAAAAAAAAAI=": 2}[encoded]


def _lines(*requests: Request) -> bytes:
    return b"".join(json.dumps(_json(one)).encode() + b"\n" for one in requests)


def _delimited(*requests: Request) -> bytes:
    texts = [one.SerializeToString() for one in requests]
    return b"".join(len(text).to_bytes(4) + text for text in texts)


def _import(tmp_path: Path, name: str, text: bytes) -> Imported:
    (tmp_path / name).write_bytes(text)
    return import_logs(tmp_path / "home", SOURCE, [tmp_path / name])


def _totals(tmp_path: Path) -> dict[str, Any]:
    with Reader(tmp_path / "home") as reader:
        (row,) = reader.query("SELECT calls, input_tokens, output_tokens FROM totals")
    return dict(row)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", _lines(FIRST, EVENTS, METRICS, SECOND)),
        ("a.json", _lines(FIRST, SECOND)),
        ("a.json", json.dumps([_json(FIRST), _json(SECOND)]).encode()),
        ("a.json", json.dumps(_json(traces(span(CHAT), span(CHAT, number=2))), indent=1).encode()),
        ("a.binpb", _delimited(FIRST, EVENTS, METRICS, SECOND)),
        ("a.pb", traces(span(CHAT), span(CHAT, number=2)).SerializeToString()),
    ],
    ids=["JSON lines", "lines named json", "list", "document", "collector", "one message"],
)
def test_every_form_of_file_is_read(tmp_path: Path, name: str, text: bytes) -> None:
    done = _import(tmp_path, name, text)

    assert (done.spans, done.skipped, done.unreadable) == (2, Counter(), {})
    assert _totals(tmp_path) == {"calls": 2, "input_tokens": 200, "output_tokens": 40}


def test_only_what_is_new_of_a_file_is_read(tmp_path: Path) -> None:
    _import(tmp_path, "a.jsonl", _lines(FIRST))

    done = _import(tmp_path, "a.jsonl", _lines(FIRST, SECOND))

    assert done.spans == 1
    assert _totals(tmp_path)["calls"] == 2


def test_a_document_that_has_grown_counts_nothing_twice(tmp_path: Path) -> None:
    _import(tmp_path, "a.json", json.dumps(_json(FIRST), indent=1).encode())

    both = traces(span(CHAT), span(CHAT, number=2))
    _import(tmp_path, "a.json", json.dumps(_json(both), indent=1).encode())

    assert _totals(tmp_path)["calls"] == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{broken}\n", "a line that is no JSON"),
        (b"[" * 100_000 + b"\n", "a line that is no JSON"),
        (b'{"a": 1}\n', "something that is no message of OTLP"),
        (b'{"resourceSpans": 3}\n', "something that is no message of OTLP"),
        (b"3\n", "something that is no message of OTLP"),
        (b"\x00\x00\x00\x01\xff\n", "something that is no message of OTLP"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}\n', "no trace id"),
    ],
)
def test_what_is_none_is_skipped_by_name(tmp_path: Path, text: bytes, reason: str) -> None:
    done = _import(tmp_path, "a.jsonl", text)

    assert (done.skipped, done.unreadable) == ({reason: 1}, {})


def test_exports_are_read_where_a_path_is_given() -> None:
    assert agents.source("otlp") is SOURCE
    assert {"openinference", "langfuse"} < set(agents.NAMES)
