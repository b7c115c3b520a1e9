import shutil
import socket
from dataclasses import astuple
from pathlib import Path

import pytest

from agenttrace.energy import measured
from agenttrace.errors import QueryError
from agenttrace.model import Capture, TokenUsage
from agenttrace.reader import Reader
from agenttrace.record.spool import Spool
from agenttrace.report.overview import overview
from agenttrace.report.task import SPANS_AT_MOST, task_report
from agenttrace.report.values import TaskReport, Tokens
from agenttrace.sources import told
from agenttrace.sources.told import Call, Turn
from tests.builders import (
    SECOND_NS,
    START_NS,
    Record,
    add,
    agent,
    begin,
    chat,
    foreign,
    frame,
    loose,
    put,
    segment,
    spans,
    step,
    task,
    tool,
)


def reported(home: Path, task_id: str, *, full: bool = False) -> TaskReport:
    with Reader(home) as reader:
        return task_report(reader, task_id, full=full)


def drawn(home: Path, task_id: str = "job") -> list[str]:
    return [f"{'  ' * one.depth}{one.kind} {one.name}" for one in reported(home, task_id).nodes]


def test_a_task_has_what_was_measured_of_it_and_of_no_other(home: Path):
    """One window of 36,000 J covers both tasks: they share its 10 Wh, and each says its own."""
    add(home, spans(*(task(name, chat(input=900, output=10)) for name in ("a", "b"))))
    window = (START_NS, START_NS + 60 * SECOND_NS, 36000.0, "facility")
    measured.add(home, [measured.Window(*window, provider="openai")])
    reports = [reported(home, name) for name in ("a", "b")]
    energies = [one.totals.energy_wh for one in reports]
    assert [one and one.central for one in energies] == [pytest.approx(5)] * 2
    calls = [node.call for one in reports for node in one.nodes if node.call]
    assert [call.measured_share for call in calls] == [1.0, 1.0]


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    add(
        home,
        spans(
            task(
                "research",
                agent(
                    "lead",
                    chat(input=1000, output=200),
                    tool(
                        "search",
                        chat(status="error", error_type="RateLimitError", operation_id="o"),
                        chat(input=300, output=30, operation_id="o", attempt=2, usage="estimated"),
                    ),
                    chat(input=2000, output=70, cache_read=900, reasoning=20, session="s1"),
                ),
                workload="user-facing",
            ),
            task("research-2", chat(input=10, output=5, model="zorg-9")),
        ),
    )
    return home


@pytest.fixture(scope="module")
def report(research: Path) -> TaskReport:
    return reported(research, "research")


def test_the_tree_has_every_span_in_order_with_sums_over_what_is_inside(report: TaskReport):
    nodes = report.nodes
    assert [
        (node.depth, node.kind, node.name, node.calls, node.input_tokens, node.output_tokens)
        for node in nodes
    ] == [
        (0, "task", "research", 4, 3300, 300),
        (1, "agent", "lead", 4, 3300, 300),
        (2, "inference", "chat", 1, 1000, 200),
        (2, "tool", "search", 2, 300, 30),
        (3, "inference", "chat", 1, None, None),
        (3, "inference", "chat", 1, 300, 30),
        (2, "inference", "chat", 1, 2000, 70),
    ]
    by_id = {node.span_id: node for node in nodes}
    assert [by_id[node.parent_span_id].name for node in nodes[1:] if node.parent_span_id] == [
        "research",
        "lead",
        "lead",
        "search",
        "search",
        "lead",
    ]


def test_what_failed_and_what_is_estimated_is_counted_upwards(report: TaskReport):
    root, lead, _, search, failed, retried, answer = report.nodes
    assert [
        (node.failed_calls, node.estimated_calls, node.unreported_calls)
        for node in (root, lead, search, failed, retried, answer)
    ] == [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 0, 1), (0, 1, 0), (0, 0, 0)]
    assert (failed.status, failed.error_type, failed.energy_wh) == ("error", "RateLimitError", None)


def test_the_energy_of_a_node_is_that_of_the_calls_inside(report: TaskReport):
    root, lead, first, search, _, retried, answer = report.nodes
    assert report.totals.energy_wh is not None
    assert first.energy_wh is not None
    assert retried.energy_wh is not None
    assert answer.energy_wh is not None
    assert search.energy_wh == pytest.approx(retried.energy_wh)
    whole = first.energy_wh + retried.energy_wh + answer.energy_wh
    assert [root.energy_wh, lead.energy_wh, report.totals.energy_wh.central] == pytest.approx(
        [whole] * 3
    )


def test_a_call_tells_what_it_was(report: TaskReport):
    *_, retried, answer = (node.call for node in report.nodes)
    assert retried is not None
    assert answer is not None
    assert (retried.role, retried.hidden, retried.attempt, retried.usage) == (
        "retry",
        True,
        2,
        "estimated",
    )
    assert (answer.role, answer.hidden, answer.provider, answer.model) == (
        "main",
        False,
        "openai",
        "gpt-5",
    )
    assert answer.tokens == Tokens(2070, 2000, 1100, 900, None, 70, 50, 20)


def test_a_task_is_what_the_overview_says_it_is(research: Path):
    with Reader(research) as reader:
        lines = {line.task_id: line for line in overview(reader).top_tasks}
        for task_id, line in lines.items():
            totals = task_report(reader, task_id).totals
            assert (totals.calls, totals.tokens.total) == (line.calls, line.tokens)
            assert totals.energy_wh is not None
            assert line.energy_wh is not None
            # The sums are taken in another order.
            assert astuple(totals.energy_wh) == pytest.approx(astuple(line.energy_wh))


def test_the_head_says_name_workload_session_and_time(report: TaskReport):
    assert (report.name, report.workload, report.session_id) == ("research", "user-facing", "s1")
    assert report.started_at.endswith("Z")
    assert report.duration_ms == 6500


def test_only_models_of_the_task_are_warned_of(research: Path, report: TaskReport):
    assert report.warnings == ()
    (warning,) = reported(research, "research-2").warnings
    assert "zorg-9" in warning


def test_a_task_is_found_by_its_whole_id_before_others_that_begin_with_it(research: Path):
    assert reported(research, "research").task_id == "research"
    assert reported(research, "research-").task_id == "research-2"


def test_an_id_that_fits_several_tasks_is_refused_by_name(research: Path):
    with pytest.raises(QueryError, match=r"2 tasks begin with 're': research, research-2\. Give"):
        reported(research, "re")


def test_an_id_that_fits_no_task_is_refused_with_a_way_out(research: Path):
    with pytest.raises(QueryError, match=r"no task begins with \"it's\"\. `agenttrace report`"):
        reported(research, "it's")


def test_an_id_with_a_quote_in_it_is_only_an_id(home: Path):
    add(home, spans(task("it's", chat(input=1, output=1))))
    assert reported(home, "it's").totals.calls == 1


def test_reporting_leaves_the_reader_as_it_was(research: Path):
    with Reader(research) as reader:
        before = reader.query("SELECT count(*) AS spans FROM span"), reader.query("totals")
        task_report(reader, "research-2")
        assert (
            reader.query("SELECT count(*) AS spans FROM span"),
            reader.query("totals"),
        ) == before


def test_what_the_fold_has_not_summed_up_yet_is_in_the_tree_as_well(home: Path):
    add(home, spans(task("t", chat(name="early", input=1, output=1))))
    assert drawn(home, "t") == ["task t", "  inference early"]
    (home / "fold.lock").unlink()
    (home / "fold.lock").mkdir()
    late, *_ = spans(task("t", chat(name="late", input=2, output=2)), trace=2)
    add(home, [late])
    report = reported(home, "t")
    assert [node.name for node in report.nodes] == ["t", "early", "late"]
    assert (report.totals.calls, report.nodes[0].calls) == (2, 2)


def test_of_calls_inside_one_another_the_innermost_is_shown(home: Path):
    add(
        home,
        spans(
            agent(
                "lead",
                frame(chat(name="gpt-5", input=3, output=1)),
                foreign("httpx", {"server.address": "x"}, step("think", chat(name="b", input=1))),
            )
        ),
    )
    assert drawn(home) == [
        "task job",
        "  agent lead",
        "    inference gpt-5",
        "    step think",
        "      inference b",
    ]


def test_a_call_that_another_task_tells_better_of_is_no_call_here(home: Path):
    """The other task is a quarter of an hour long, and begins after this one has ended."""
    ours = task("ours", chat(name="wire", input=5, output=1, response_id="r", usage="estimated"))
    add(home, spans(task("theirs", frame(name="frame", input=5, output=1, response_id="r"))))
    later = spans(ours, trace=2)
    for record in later:
        record["start_ns"] += 600_000_000_000
        record["end_ns"] += 600_000_000_000
    add(home, later)
    report = reported(home, "theirs")
    assert (report.totals.calls, [node.kind for node in report.nodes]) == (0, ["task"])
    assert reported(home, "ours").totals.calls == len(reported(home, "ours").nodes) - 1 == 1


@pytest.mark.parametrize("session", [None, "metered"])
def test_a_call_that_the_meter_passed_on_is_in_the_tree_of_the_program_alone(
    home: Path, session: str | None
):
    add(home, spans(task("program", chat(name="own", input=5, output=1))))
    (passed_on,) = loose(chat(name="meter", input=5, output=1, task_id=session), trace=2)
    passed_on |= {"start_ns": START_NS + 2 * SECOND_NS + 1, "scope": "agenttrace.meter"}
    put(home, "9-8-1", segment([passed_on], pid=8, host=socket.gethostname()))
    assert [node.name for node in reported(home, "program").nodes] == ["program", "own"]
    with pytest.raises(QueryError, match="no task begins with"):
        reported(home, session or f"{2:032x}")


def test_a_call_that_telemetry_tells_of_is_in_the_tree_of_the_turn_that_the_log_tells(home: Path):
    def call(turn: str, output: int, capture: Capture) -> bytes:
        usage = TokenUsage(input_tokens=10, output_tokens=output)
        said = Call(
            source="claude-code", session="s", turn=turn, key="r", start_ns=START_NS,
            model="claude-opus-4-5", response_id="r", usage=usage, capture=capture,
        )  # fmt: skip
        return told.line(said)

    begin(home)
    spool = Spool(home / "spool", "import", is_retold=True)
    turn = Turn(source="claude-code", session="s", turn="t", start_ns=START_NS)
    spool.append_all([told.line(turn), call("t", 1, "log"), call("", 5, "otlp")])
    spool.close()
    log = reported(home, told.task_id("claude-code", "s", "t"))
    assert [(node.kind, node.output_tokens) for node in log.nodes] == [
        ("task", 5),
        ("inference", 5),
    ]
    assert [node.duration_ms for node in log.nodes] == [None, None]  # nothing says it
    with pytest.raises(QueryError, match="no task begins with"):
        reported(home, told.task_id("claude-code", "s", ""))


def test_a_result_that_was_fetched_days_later_is_that_of_the_call(home: Path):
    asked = chat(name="asked", response_id="r", usage="missing", outcome="incomplete")
    fetch = chat(operation="fetch_response", response_id="r", input=40, output=2, usage="reported")
    add(home, spans(task("asks", asked)))
    late = spans(task("fetches", fetch), trace=2)
    for record in late:
        record["start_ns"] += 3 * 86_400_000_000_000
        record["end_ns"] += 3 * 86_400_000_000_000
    add(home, late)
    first, second = reported(home, "asks"), reported(home, "fetches")
    assert [node.input_tokens for node in first.nodes] == [40, 40]
    assert first.totals.tokens.input == 40
    assert (second.totals.calls, [node.kind for node in second.nodes]) == (0, ["task"])


def test_the_tree_of_a_trace_without_a_task_is_found_by_the_trace(home: Path):
    add(home, loose(chat(name="lone", input=1, output=1), trace=7))
    assert [node.name for node in reported(home, f"{7:032x}").nodes] == ["lone"]


def test_agents_may_be_nested_two_hundred_deep(home: Path):
    nested = chat(input=10, output=1)
    for depth in reversed(range(200)):
        nested = agent(f"agent {depth}", nested, chat(input=1, output=1))
    add(home, spans(task("deep", nested)))
    nodes = reported(home, "deep").nodes
    assert max(node.depth for node in nodes) == 201
    assert (nodes[0].calls, nodes[0].input_tokens) == (201, 210)
    assert {node.name: node.calls for node in nodes}["agent 150"] == 51


def many(calls: int) -> list[Record]:
    """Return a task in which two agents take turns, and one span for it and for each agent."""
    half = calls // 2
    return spans(
        task(
            "many",
            agent(
                "lead",
                *(chat(input=10, output=1) for _ in range(calls - half)),
                agent(
                    "helper", *(chat(input=2, output=1, model="gpt-5-mini") for _ in range(half))
                ),
            ),
        )
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    put(home, "1-1-1", segment(many(SPANS_AT_MOST - 2)))
    return home


def test_a_task_with_too_many_spans_is_summed_up_by_agent(large: Path):
    report = reported(large, "many")
    assert (report.spans, report.nodes) == (SPANS_AT_MOST + 1, ())
    assert [
        (line.agent, line.depth, line.role, line.model, line.calls, line.input_tokens)
        for line in report.agents
    ] == [
        ("lead", 1, "main", "gpt-5", 9_999, 99_990),
        ("helper", 2, "subagent", "gpt-5-mini", 9_999, 19_998),
    ]
    lead, helper = report.agents
    assert (lead.hidden_calls, helper.hidden_calls) == (9_998, 9_999)
    assert report.totals.energy_wh is not None
    assert sum(line.energy_wh or 0 for line in report.agents) == pytest.approx(
        report.totals.energy_wh.central
    )


def test_every_span_is_shown_to_who_asks_for_all(large: Path):
    report = reported(large, "many", full=True)
    assert (len(report.nodes), report.agents) == (SPANS_AT_MOST + 1, ())
    assert (report.nodes[0].calls, report.nodes[0].input_tokens) == (19_998, 119_988)


def test_twenty_thousand_spans_are_not_too_many(home: Path):
    put(home, "1-1-1", segment(many(SPANS_AT_MOST - 3)))
    assert len(reported(home, "many").nodes) == SPANS_AT_MOST


def test_no_id_is_no_task_and_many_candidates_are_counted(home: Path):
    add(home, [one for n in range(5) for one in spans(task(f"t{n}", chat()), trace=n + 1)])
    with pytest.raises(QueryError, match="say the id of a task"):
        reported(home, "")
    with pytest.raises(QueryError, match=r"t0, t1, t2 and 2 more\. Give"):
        reported(home, "t")


def test_a_task_that_was_cut_off_is_told_from_one_that_ended(home: Path):
    """Its process was killed while a call was under way, whose tokens nobody knows."""
    *ended, call, lead, root = spans(
        task("killed", agent("lead", chat(input=7, output=1), chat(name="under way")))
    )
    for record in (call, lead, root):
        record.update(end_ns=None, status="unset", interrupted=True)
    add(home, [*ended, call, lead, root])
    add(home, spans(task("whole", chat(input=1, output=1)), trace=2))
    report = reported(home, "killed")
    assert report.is_cut_off
    assert [(node.name, node.is_interrupted, node.duration_ms) for node in report.nodes] == [
        ("killed", True, None),
        ("lead", True, None),
        ("chat", False, 500),
        ("under way", True, None),
    ]
    assert (report.coverage.interrupted_calls, report.coverage.cut_off_tasks) == (1, 1)
    assert report.coverage.missing_calls == 1
    other = reported(home, "whole")
    assert (other.is_cut_off, other.coverage.interrupted_calls) == (False, 0)
    assert other.coverage.cut_off_tasks == 0


def test_no_tree_is_asked_of_a_query_and_no_other_task_is_looked_at(research: Path):
    with Reader(research) as reader:
        task_report(reader, "research")
        views = {
            row["name"] for row in reader.query("SELECT view_name AS name FROM duckdb_views()")
        }
    assert not views & {"task_tree", "span"}


def test_after_a_report_the_spans_can_be_asked_for(research: Path):
    with Reader(research) as reader:
        task_report(reader, "research-2")
        assert len(reader.query("model_call")) == 5


def test_a_query_of_the_users_that_says_what_counts_says_it_for_the_tree(
    research: Path, tmp_path: Path
):
    home = tmp_path / "home"
    shutil.copytree(research, home)
    with Reader(home) as reader:
        ours = reader.queries["plain_call"].sql
    (home / "queries").mkdir()
    (home / "queries" / "plain_call.sql").write_text(
        f"FROM ({ours}) WHERE input_tokens < 1500", "utf-8"
    )
    report = reported(home, "research")
    assert report.totals.calls == report.nodes[0].calls == 2
