"""The demo's program is recorded as it was billed: every call, every kind of token, one tree."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agenttrace import demo
from agenttrace.cli import commands
from agenttrace.demo.comparison import Comparison, Seen, compare, sentence
from agenttrace.errors import AgentTraceError
from agenttrace.reader import Reader
from agenttrace.testing import Billed, Tokens
from tests import demo_run


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> demo_run.Played:
    return demo_run.played(tmp_path_factory)


@pytest.fixture(scope="module")
def done(played: demo_run.Played) -> demo.Run:
    return played.run


@pytest.fixture(scope="module")
def reader(played: demo_run.Played) -> Iterator[Reader]:
    with Reader(played.home) as opened:
        yield opened


@pytest.fixture(scope="module")
def compared(reader: Reader, done: demo.Run) -> Comparison:
    return demo.compare(reader.query("model_call"), done)


KINDS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


def test_every_request_is_recorded_once(reader: Reader, done: demo.Run):
    [row] = reader.query("SELECT count(*) AS calls FROM model_call")
    assert row["calls"] == done.attempts == 27


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_of_the_ledger_where_the_provider_reported_them(reader, done, kind):
    [row] = reader.query(f"SELECT sum({kind}) AS tokens FROM model_call WHERE usage = 'reported'")
    assert row["tokens"] == reported(done, kind) > 0


def test_one_hour_cache_writes_are_those_of_the_ledger(reader: Reader, done: demo.Run):
    [row] = reader.query(
        "SELECT sum(cache_write_1h_tokens) AS tokens FROM span WHERE capture = 'wire'"
    )
    assert row["tokens"] == reported(done, "cache_write_1h_tokens") > 0


def reported(done: demo.Run, kind: str) -> int:
    return sum(getattr(line, kind) for line in done.ledger if line.usage == "reported")


def test_each_call_has_its_own_tokens(compared: Comparison):
    assert compared.differences == ()


def test_streams_without_usage_are_estimated_and_marked(reader: Reader, done: demo.Run):
    rows = reader.query(
        "SELECT response_id, outcome, output_tokens, input_tokens FROM model_call "
        "WHERE usage = 'estimated' ORDER BY started_at"
    )
    silent = [line for line in done.ledger if line.usage == "missing" and line.outcome != "failed"]
    assert [(row["response_id"], row["outcome"]) for row in rows] == [
        (line.response_id, line.outcome) for line in silent
    ]
    assert [line.outcome for line in silent] == ["complete", "abandoned"]
    for row, line in zip(rows, silent, strict=True):
        # The local provider takes four characters for a token, which no model does.
        assert row["output_tokens"] == pytest.approx(line.output_tokens, rel=0.4)
        assert row["input_tokens"] == pytest.approx(line.input_tokens, rel=0.4)


def test_attempts_that_failed_are_recorded_and_their_retries_say_so(reader: Reader):
    rows = reader.query(
        "SELECT model, attempt, role, status, http_status FROM model_call WHERE operation_id IN "
        "(SELECT operation_id FROM model_call WHERE attempt > 1) ORDER BY started_at"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("gpt-5", 1, "router", "error", 429),
        ("gpt-5", 2, "retry", "ok", 200),
        ("claude-haiku-4-5", 1, "tool", "error", 500),
        ("claude-haiku-4-5", 2, "retry", "ok", 200),
    ]


def test_a_task_is_one_tree_across_threads_and_the_child_process(reader: Reader):
    rows = reader.query(
        """
        SELECT
            span.task_id,
            any_value(span.task_name) AS task,
            count(DISTINCT span.trace_id) AS traces,
            count(*) FILTER (WHERE outer_span.span_id IS NULL) AS roots,
            count(DISTINCT span.pid) AS processes
        FROM span
        LEFT JOIN span AS outer_span
            ON span.trace_id = outer_span.trace_id AND span.parent_span_id = outer_span.span_id
        GROUP BY span.task_id
        ORDER BY min(span.start_ns)
        """
    )
    assert [tuple(row.values())[1:] for row in rows] == [
        ("index the library", 1, 1, 1),
        ("write a brief", 1, 1, 2),
        ("chat", 1, 1, 1),
        ("chat", 1, 1, 1),
    ]


def test_calls_have_the_agents_and_roles_that_made_them(reader: Reader):
    rows = reader.query(
        "SELECT agent, role, count(*) AS calls FROM model_call WHERE task_name = 'write a brief' "
        "GROUP BY ALL ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("fact checker", "subagent", 2),
        ("researcher", "retry", 1),
        ("researcher", "subagent", 4),
        ("researcher", "summary", 1),
        ("researcher", "tool", 6),
        ("supervisor", "main", 1),
        ("supervisor", "retry", 1),
        ("supervisor", "router", 3),
        ("writer", "subagent", 2),
    ]


def test_only_the_answers_are_visible(reader: Reader):
    rows = reader.query(
        "SELECT task_name, model FROM model_call WHERE NOT hidden ORDER BY started_at"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("write a brief", "gpt-5"),
        ("chat", "gpt-5-mini"),
        ("chat", "gpt-5-mini"),
    ]


def test_tasks_say_who_asked_how_often_and_what_became_of_them(reader: Reader):
    rows = reader.query(
        "SELECT task_workload.task_name, task_workload.workload, task_workload.project, "
        "task_workload.user_turns, task_workload.user_turns_from, task_workload.outcome, "
        "task_workload.user_hash IS NULL AS nobody "
        "FROM task_workload INNER JOIN task_fact ON task_workload.task_id = task_fact.task_id "
        "ORDER BY task_fact.start_ns"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("index the library", "agentic", "canteen", 0, "default", None, True),
        ("write a brief", "agentic", "canteen", 1, "recorded", "success", True),
        ("chat", "user-facing", "canteen", 1, "recorded", "success", False),
        ("chat", "user-facing", "canteen", 1, "recorded", "abandoned", False),
    ]


def test_the_program_does_all_that_is_hard_to_count(done: demo.Run):
    ledger = done.ledger
    assert {line.endpoint for line in ledger} == {
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/embeddings",
        "/v1/messages",
    }
    assert {line.outcome for line in ledger} == {"complete", "abandoned", "failed"}
    assert any(line.cache_read_tokens for line in ledger if line.provider == "openai")
    assert any(line.reasoning_tokens for line in ledger if line.provider == "anthropic")


def test_the_frameworks_own_counter_sees_a_part(compared: Comparison):
    assert compared.framework.calls == 11
    assert 0 < compared.framework.tokens < compared.billed_tokens


def call(**more: Any) -> dict[str, Any]:
    usual: dict[str, Any] = dict.fromkeys(KINDS) | {
        "response_id": "r1",
        "model": "m",
        "usage": "reported",
        "status": "ok",
        "input_tokens": 10,
        "output_tokens": 2,
    }
    return usual | more


def billed(**more: Any) -> Billed:
    usual: dict[str, Any] = {
        "number": 1,
        "provider": "openai",
        "endpoint": "/v1/responses",
        "operation": "chat",
        "model": "m",
        "response_id": "r1",
        "status": 200,
        "stream": False,
        "usage": "reported",
        "outcome": "complete",
        "input_tokens": 10,
        "output_tokens": 2,
    }
    return Billed(**usual | more)


SEEN = Seen(calls=1, tokens=6)


def test_a_count_that_is_right_is_said_in_full():
    ledger = [
        billed(),
        billed(response_id="r2", usage="missing", output_tokens=3),
        billed(response_id="r3", status=500, usage="missing", outcome="failed"),
    ]
    calls = [
        call(),
        call(response_id="r2", usage="estimated", output_tokens=4),
        call(response_id=None, usage="missing", status="error", input_tokens=None),
    ]
    one = compare(calls, ledger, attempts=3, framework=SEEN)
    assert one.exact
    assert one.lost == Tokens(input_tokens=10, output_tokens=2)
    assert sentence(one) == (
        "Checked against the provider's ledger: 3 of 3 calls; 1 with reported usage, every kind "
        "of token equal (10 input, 0 cache read, 0 cache write, 2 output, 0 reasoning); "
        "1 silent stream estimated at 14 tokens (13 billed); 1 failed attempt (12 tokens billed, "
        "reported to nobody). LangChain's own counter saw 1 call and 16% of the tokens."
    )


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([], "Only billed: r1 of m"),
        ([call(), call()], "Only recorded: r1 of m"),
        ([call(reasoning_tokens=1)], "reasoning_tokens=1"),
        ([call(), call(response_id="r2", usage="missing", status="error")], "1 failed attempts"),
        ([call(), call(response_id=None, usage="missing")], "2 calls recorded, 1 made."),
        ([call(usage="estimated")], "Only billed: r1 of m"),
    ],
)
def test_a_count_that_is_wrong_is_said_call_by_call(calls: list[dict[str, Any]], said: str):
    one = compare(calls, [billed()], attempts=1, framework=SEEN)
    assert not one.exact
    assert said in sentence(one)


def test_the_command_shows_the_report_and_the_comparison(tmp_path: Path):
    home = tmp_path / "new"
    result = CliRunner().invoke(commands, ["--store", str(home), "demo"])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "Checked against the provider's ledger: 27 of 27 calls;" in text
    assert f"agenttrace --store {home} query model_call" in text

    again = CliRunner().invoke(commands, ["--store", str(home), "demo"])
    assert again.exit_code == 1
    assert "holds something already" in again.output


def test_a_missing_package_is_said_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = CliRunner().invoke(commands, ["demo"])
    assert result.exit_code == 1
    assert 'pip install -e ".[demo]"' in result.output


def test_what_the_user_has_set_for_other_programs_does_not_reach_the_demo(reader: Reader):
    [row] = reader.query(
        "SELECT count(*) AS spans, count(*) FILTER (WHERE trace_id = ?) AS foreign_spans FROM span",
        [demo_run.FOREIGN_TRACE],
    )
    assert row["spans"] > 0
    assert row["foreign_spans"] == 0


def test_a_program_that_fails_is_said_with_its_last_words(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("agenttrace.demo.replies.play", lambda provider: None)
    with pytest.raises(AgentTraceError, match="the demo's program failed with exit status 1"):
        demo.play(tmp_path)
    assert "openai.BadRequestError: Error code: 400" in capsys.readouterr().err


def test_a_count_that_is_wrong_fails_the_command(monkeypatch, tmp_path, played):
    wrong = dataclasses.replace(played.run, attempts=played.run.attempts + 1)
    monkeypatch.setattr(demo, "play", lambda _: wrong)
    monkeypatch.setattr(demo, "_folder", lambda _: played.home)
    result = CliRunner().invoke(commands, ["demo"])
    assert result.exit_code == 1
    assert "27 calls recorded, 28 made." in " ".join(result.output.split())
    assert "the demo's count is wrong" in result.output


def test_the_demo_records_into_a_fresh_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("AGENTTRACE_HOME", str(tmp_path / "the user's own"))
    one, other = demo._folder(None), demo._folder(None)
    assert one != other
    assert {one.parent, other.parent} == {tmp_path}


def test_looking_at_the_demos_help_loads_no_framework():
    code = """
import sys
from click.testing import CliRunner
from agenttrace.cli import commands
assert CliRunner().invoke(commands, ["demo", "--help"]).exit_code == 0
assert not {"langchain", "openai", "duckdb", "rich"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
