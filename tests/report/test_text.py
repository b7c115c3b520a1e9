import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from agenttrace.report.text import to_text
from agenttrace.report.values import Report
from tests.report.samples import (
    COVERAGE,
    MODELS,
    OVERVIEW,
    SUMMED_UP,
    TASK,
    TOTALS,
    agent_line,
    call,
    node,
)


def shown(report: Report, width: int = 80) -> str:
    return to_text(report, Console(file=io.StringIO(), width=width, highlight=False))


@pytest.mark.parametrize(
    ("name", "report"),
    [("overview", OVERVIEW), ("task", TASK), ("summed_up", SUMMED_UP), ("models", MODELS)],
)
def test_a_report_reads_as_it_should(name: str, report: Report):
    assert shown(report) + "\n" == Path(__file__).with_name(f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("report", [OVERVIEW, TASK, SUMMED_UP, MODELS])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(report: Report, width: int):
    assert max(map(cell_len, shown(report, width).splitlines())) <= width


def test_a_terminal_gets_colours_and_a_pipe_gets_none():
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    assert "\x1b[" in to_text(OVERVIEW, terminal)
    assert "\x1b" not in shown(OVERVIEW)


def test_names_cannot_steer_the_terminal():
    hostile = "\x1b]0;gotcha\x07[bold]name[/bold]"
    told = shown(replace(TASK, name=hostile, nodes=(node(hostile, "task"),)))
    assert "\x1b" not in told
    assert "\x07" not in told
    assert told.count("]0;gotcha") == 2
    assert told.count("[bold]name[/bold]") == 2


def test_an_estimate_that_cannot_be_made_is_not_zero():
    told = shown(replace(OVERVIEW, totals=replace(TOTALS, energy_wh=None, carbon_g=None)))
    energy, carbon = (line for line in told.splitlines() if line.startswith(("Energy ", "Carbon ")))
    assert [energy.split()[1:3], carbon.split()[1:3]] == [["not", "reported"]] * 2


def test_every_figure_that_rests_on_estimated_tokens_is_marked():
    totals = replace(TOTALS, estimated_calls=0)
    lines = {
        "roles": tuple(replace(line, estimated_calls=0) for line in OVERVIEW.roles),
        "models": tuple(replace(line, estimated_calls=0) for line in OVERVIEW.models),
        "top_tasks": tuple(replace(line, estimated_calls=0) for line in OVERVIEW.top_tasks),
    }
    marked, bare = shown(OVERVIEW), shown(replace(OVERVIEW, totals=totals, **lines))
    for first in ("Energy", "Carbon", "main", "gpt-5", "0af7651916cd"):
        (line,) = (line for line in marked.splitlines() if line.startswith(first))
        assert "~" in line
    assert [line.split()[0] for line in bare.splitlines() if "~" in line] == ["Usage"]


def test_what_is_unknown_is_no_estimate():
    unknown = replace(TOTALS, energy_wh=None, carbon_g=None)
    models = (replace(OVERVIEW.models[-1], estimated_calls=1),)
    told = shown(replace(OVERVIEW, totals=unknown, models=models))
    assert "~?" not in told
    assert "~not" not in told


def test_a_share_of_what_is_unknown_is_left_out():
    tokens = replace(TOTALS.tokens, total=None)
    totals = replace(TOTALS, hidden_calls=0, tokens=tokens, energy_wh=None)
    lines = shown(replace(OVERVIEW, totals=totals)).splitlines()
    (hidden,) = (line for line in lines if line.startswith("  hidden"))
    assert hidden.split() == ["hidden", "0", "0", "%", "of", "calls"]


def test_users_are_counted_over_the_days_that_were_recorded():
    week = tuple(replace(line, days=7.25) for line in OVERVIEW.equivalents)
    assert "Active users over 7.2 days" in shown(replace(OVERVIEW, equivalents=week))


def test_a_task_id_that_somebody_chose_is_shown_whole():
    (line,) = OVERVIEW.top_tasks
    chosen = replace(line, task_id="ticket-2026-11-22-000123")
    assert "ticket-2026-11-22-000123 market" in shown(replace(OVERVIEW, top_tasks=(chosen,)), 120)


def test_a_long_loop_is_one_line_with_its_sums():
    loop = tuple(call(f"call{number}") for number in range(9))
    (line,) = (line for line in shown(replace(TASK, nodes=loop)).splitlines() if "more" in line)
    assert line.split() == ["…", "6", "more", "gpt-5", "main", "600", "120", "60"]


def test_a_third_attempt_is_numbered():
    third = call("again", role="retry", attempt=3)
    assert "○ gpt-5 retry attempt 3" in shown(replace(TASK, nodes=(third,)))


def test_a_call_that_a_meter_saw_is_marked():
    told = shown(replace(TASK, nodes=(call("seen", measured_share=0.5), call("not"))))
    assert told.count("main measured") == 1


def test_a_task_without_a_name_or_an_end_says_so():
    told = shown(replace(TASK, name=None, duration_ms=None, session_id="s-1"))
    assert told.splitlines()[:3] == [
        "(no task)",
        "task 0af7651916cd43dd8448eb211c80319c",
        "started 2026-11-22 10:00 UTC, session s-1",
    ]


def test_a_place_is_named_with_its_resolution():
    (place,) = OVERVIEW.method.places
    places = (replace(place, zone="FR", resolution="annual"),)
    told = shown(replace(OVERVIEW, method=replace(OVERVIEW.method, places=places)))
    assert "g CO2e  FR annual\n" in told


@pytest.mark.parametrize(
    ("last", "period"),
    [
        ("2026-11-22T10:00:59Z", "2026-11-22 10:00 UTC"),
        ("2026-11-22T18:30:00Z", "2026-11-22 10:00 to 18:30 UTC"),
        ("2026-11-23T09:00:00Z", "2026-11-22 10:00 to 2026-11-23 09:00 UTC"),
    ],
)
def test_the_period_is_no_longer_than_it_needs_to_be(last: str, period: str):
    title = shown(replace(OVERVIEW, last_started_at=last)).splitlines()[0]
    assert title == f"agenttrace report  {period}"


def test_without_warnings_nothing_is_warned_of():
    assert not [line for line in shown(TASK).splitlines() if line.startswith("!")]
    assert shown(OVERVIEW).splitlines()[-1] == "! model 'zorg-9' is not in the catalogue"


def test_the_columns_of_models_stand_in_as_few_tables_as_the_width_allows():
    def tables(width: int) -> int:
        return sum(line.startswith("Model ") for line in shown(MODELS, width).splitlines())

    assert [tables(width) for width in (80, 120, 160)] == [3, 2, 1]


def test_models_of_a_hundred_million_calls_fit_in_80_columns():
    first, *_ = MODELS.models
    tokens = replace(first.tokens, input=812_345_678_901, output=12_345_678_901)
    large = replace(first, calls=100_000_000, hidden_calls=99_999_990, tokens=tokens)
    report = replace(MODELS, models=(replace(large, model="claude-opus-4-1-20250805"),))
    lines = shown(report, 80).splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert (
        "claude-opus-4-1…  100,000,000   >99 %  ~812,345,678,901    63 %  ~12,345,678,901" in lines
    )


def test_what_was_cut_off_is_told_in_words():
    (line,) = OVERVIEW.top_tasks
    coverage = replace(COVERAGE, interrupted_calls=2, cut_off_tasks=1)
    told = shown(
        replace(OVERVIEW, top_tasks=(replace(line, is_cut_off=True),), coverage=coverage), 120
    )
    assert "0af7651916cd cut off market research" in told
    assert "Tasks                  2  1 cut off" in told
    assert "1 abandoned, 2 interrupted" in told


def test_what_was_cut_off_is_told_where_no_call_was_recorded_too():
    coverage = replace(COVERAGE, cut_off_tasks=1)
    told = shown(replace(OVERVIEW, totals=replace(TOTALS, calls=0), coverage=coverage))
    assert "Tasks  2  1 cut off\nCalls  0\n" in told


def test_a_task_whose_spans_were_pruned_says_so():
    pruned = replace(TASK, pruned_before="2026-11-23")
    some, none = shown(pruned), shown(replace(pruned, nodes=()))
    assert "task market research" in some
    for told in (some, none):
        assert "Its spans from before 2026-11-23 (UTC) were pruned." in told
        assert "--full" not in told


def test_a_task_that_was_cut_off_says_how_far_it_had_come():
    nodes = (
        node("research", "task", is_interrupted=True, duration_ms=None),
        call("ask", "research", is_interrupted=True, outcome="interrupted", duration_ms=None),
    )
    told = shown(replace(TASK, is_cut_off=True, nodes=nodes))
    assert "cut off after at least 1 min 05 s" in told
    assert "task research interrupted" in told
    assert "○ gpt-5 main interrupted" in told


def test_the_reasons_of_what_is_missing_stand_beside_it():
    coverage = replace(
        COVERAGE,
        quarantined_records=3,
        quarantined_by_reason={"not JSON": 2, "no start": 1},
        lost_records=5,
        lost_by_reason={"disk full": 5},
    )
    told = " ".join(shown(replace(OVERVIEW, coverage=coverage)).split())
    assert "3 quarantined (2 not JSON, 1 no start), 5 known to be lost (5 disk full)" in told


def test_a_thousand_agents_are_twenty_and_a_line_for_the_rest():
    agents = tuple(agent_line(f"worker {number}", 1, "main") for number in range(1000))
    lines = shown(replace(SUMMED_UP, agents=agents)).splitlines()
    assert sum(line.startswith("agent worker") for line in lines) == 20
    (rest,) = (line for line in lines if "more agents" in line)
    assert " ".join(rest.split()[1:]) == "980 more agents 9,800 9,800 980,000 196,000 98,000"
