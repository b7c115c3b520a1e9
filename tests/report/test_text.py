import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from agenttrace.report.text import to_text
from agenttrace.report.values import Overview, TaskReport
from tests.report.samples import OVERVIEW, TASK, TOTALS, call, node


def shown(report: Overview | TaskReport, width: int = 80) -> str:
    return to_text(report, Console(file=io.StringIO(), width=width, highlight=False))


@pytest.mark.parametrize(("name", "report"), [("overview", OVERVIEW), ("task", TASK)])
def test_a_report_reads_as_it_should(name: str, report: Overview | TaskReport):
    assert shown(report) + "\n" == Path(__file__).with_name(f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("report", [OVERVIEW, TASK])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(report: Overview | TaskReport, width: int):
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


def test_a_task_without_a_name_or_an_end_says_so():
    told = shown(replace(TASK, name=None, duration_ms=None, session_id="s-1"))
    assert told.splitlines()[:3] == [
        "(no task)",
        "task 0af7651916cd43dd8448eb211c80319c",
        "started 2026-11-22 10:00 UTC, session s-1",
    ]


def test_a_country_is_named_with_its_resolution():
    grid = replace(OVERVIEW.method.grid, zone="FRA", resolution="annual")
    told = shown(replace(OVERVIEW, method=replace(OVERVIEW.method, grid=grid)))
    assert "annual average of FRA" in told


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
