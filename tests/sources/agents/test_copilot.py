"""Telemetry of Copilot in a file: of four tellings one counts."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from agenttrace.sources import finding
from agenttrace.sources.agents import copilot
from agenttrace.sources.agents.copilot import SOURCE
from agenttrace.sources.source import User
from tests.sources import logs, worked_out

CORPUS = logs.CORPORA / "copilot"


@pytest.mark.parametrize("trap", worked_out.by_hand("copilot"))
def test_the_totals_are_those_worked_out_by_hand(trap: str) -> None:
    worked_out.check("copilot", trap)


def test_what_is_told_reaches_the_store_once(tmp_path: Path) -> None:
    corpus = CORPUS / "one_response_is_told_four_times"
    logs.imported("copilot", corpus, tmp_path)

    assert logs.imported("copilot", corpus, tmp_path).calls == 0
    assert logs.totals(tmp_path) == (1, 2, 2200, 90)


def test_a_call_is_what_its_span_says() -> None:
    told = worked_out.told("copilot", "one_response_is_told_four_times")

    call = told.calls[0]
    assert (call.session, call.turn, call.response_id) == ("c-1", "a" * 32, "r1")
    assert (call.request_model, call.model, call.provider) == ("gpt-5.6", "gpt-5.6-2026", "github")
    assert (call.start_ns, call.end_ns) == (1_790_000_001_500_000_000, 1_790_000_005_500_000_000)


@pytest.mark.parametrize("ends", [[1], [2], [3], [1, 4], [5], [1, 2, 3, 4, 5, 6]])
def test_increments_tell_what_one_import_does(ends: list[int]) -> None:
    path = CORPUS / "one_response_is_told_four_times" / "otel.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    # Of a trace that is under way a better telling may come.
    now = str(time.time_ns())[:8].encode()
    lines = [line.replace(b"17900000", now) for line in lines]

    told = worked_out.in_parts("copilot", path, lines, ends)

    assert told.sums() == {
        "tasks": 1,
        "calls": 2,
        "input_tokens": 2200,
        "output_tokens": 90,
        "cache_read_tokens": 800,
        "reasoning_tokens": 20,
    }


def test_bad_counts_are_unknown_and_what_is_skipped_is_named() -> None:
    told = worked_out.told("copilot", "bad_counts")

    assert [call.usage.output_tokens for call in told.calls] == [None, 40]
    assert told.skipped == {
        "a token count below zero, absurd or no whole number": 1,
        "a record that is no JSON object": 1,
    }


def test_prompts_in_the_file_are_not_told(tmp_path: Path) -> None:
    span: dict[str, Any] = {
        "type": "span",
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "name": "chat the secret",
        "startTime": [1_790_000_000, 0],
        "attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.input.messages": "the secret",
        },
    }
    logs.write_lines(tmp_path / "otel" / "a.jsonl", span)

    assert logs.imported("copilot", tmp_path / "otel", tmp_path / "home").calls == 1

    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or b"the secret" not in file.read_bytes()


def test_the_file_that_the_user_names_is_looked_at_too() -> None:
    user = User(Path("/home/ada"), {"COPILOT_OTEL_FILE_EXPORTER_PATH": "/srv/otel.jsonl"})

    assert list(SOURCE.roots(user)) == [Path("/home/ada/.copilot/otel"), Path("/srv/otel.jsonl")]


def test_a_trace_under_way_waits_for_better(tmp_path: Path) -> None:
    now = int(time.time())
    event = {
        "hrTime": [now, 0],
        "spanContext": {"traceId": "a" * 32},
        "attributes": {
            "event.name": "copilot_chat.agent.turn",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 50,
        },
    }
    lines = [json.dumps(event).encode() + b"\n"]

    assert worked_out.in_parts("copilot", tmp_path / "a.jsonl", lines, []).calls == []


def _turn(at_s: int, trace: str | None, session: str = "c-1", **more: Any) -> dict[str, Any]:
    context = {"spanContext": {"traceId": trace}} if trace else {}
    return {
        "hrTime": [at_s, 0],
        **context,
        "attributes": {
            "event.name": "copilot_chat.agent.turn",
            "gen_ai.conversation.id": session,
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 50,
            **more,
        },
    }


def test_what_waits_in_a_file_that_is_left_alone_is_told_when_it_has_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = int(time.time())
    file = logs.write_lines(tmp_path / "otel" / "a.jsonl", _turn(now, "a" * 32))
    home = tmp_path / "home"
    assert logs.imported("copilot", file, home).calls == 0

    monkeypatch.setattr(copilot, "time_ns", lambda: (now + 3600) * 10**9)

    assert finding.look(home, SOURCE, [file]).new_files == 1
    assert logs.imported("copilot", file, home).calls == 1
    assert logs.imported("copilot", file, home).unchanged == 1


def test_of_events_in_no_trace_those_of_one_session_leave_another_one_alone(tmp_path: Path) -> None:
    at_s, inference = 1_790_000_000, {"event.name": "gen_ai.client.inference.operation.details"}
    file = logs.write_lines(
        tmp_path / "a.jsonl",
        _turn(at_s, None, "c-1", **inference),
        _turn(at_s, None, "c-1"),
        _turn(at_s + 1, None, "c-2"),
    )

    logs.imported("copilot", file, tmp_path / "home")

    calls = logs.records(tmp_path / "home", "inference")
    assert [call["gen_ai.conversation.id"] for call in calls] == ["c-1", "c-2"]


def test_a_trace_that_goes_on_is_told_by_what_told_it_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, trace = int(time.time()), "a" * 32
    first, later = _turn(now, trace), _turn(now + 1800, trace)
    monkeypatch.setattr(copilot, "time_ns", lambda: (now + 900) * 10**9)
    file = logs.write_lines(tmp_path / "a.jsonl", first)
    assert logs.imported("copilot", file, tmp_path / "home").calls == 1

    inference = {"event.name": "gen_ai.client.inference.operation.details"}
    logs.write_lines(file, first, later, _turn(now + 1800, trace, **inference))

    assert logs.imported("copilot", file, tmp_path / "home").calls == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_events_without_a_response_add_nothing_to_the_spans_of_their_trace(
    is_first: bool, tmp_path: Path
) -> None:
    event = _turn(1_790_000_002, "a" * 32)
    span = {
        "type": "span",
        "name": "chat gpt-5.6",
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "startTime": [1_790_000_000, 0],
        "attributes": {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50},
    }
    lines = [event, span] if is_first else [span, event]
    file = logs.write_lines(tmp_path / "a.jsonl", *lines)

    assert logs.imported("copilot", file, tmp_path / "home").calls == 1
