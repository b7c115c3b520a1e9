from dataclasses import astuple
from pathlib import Path

import pytest

from agenttrace.errors import QueryError
from agenttrace.reader import Reader
from agenttrace.report.overview import overview
from agenttrace.report.task import task_report
from agenttrace.report.values import TaskReport, Tokens
from tests.builders import agent, chat, spans, task, tool, write


def reported(home: Path, task_id: str) -> TaskReport:
    with Reader(home) as reader:
        return task_report(reader, task_id)


@pytest.fixture(scope="module")
def research(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write(
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
    write(home, spans(task("it's", chat(input=1, output=1))))
    assert reported(home, "it's").totals.calls == 1


def test_reporting_leaves_the_reader_as_it_was(research: Path):
    with Reader(research) as reader:
        before = reader.query("SELECT count(*) AS spans FROM span"), reader.query("totals")
        task_report(reader, "research-2")
        assert (
            reader.query("SELECT count(*) AS spans FROM span"),
            reader.query("totals"),
        ) == before
