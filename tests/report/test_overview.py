from pathlib import Path

import pytest

from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.overview import overview
from agenttrace.report.values import Overview, Tokens, Unreported
from tests.builders import add, agent, chat, line, put, segment, spans, task, tool

CACHED = {"cache_read": 600, "cache_write": 100}


def reported(home: Path, limit: int = 10) -> Overview:
    with Reader(home) as reader:
        return overview(reader, limit=limit)


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One task with a sub-agent, a tool that calls a model, and a retry; and one small task."""
    home = tmp_path_factory.mktemp("home")
    add(
        home,
        spans(
            task(
                "research",
                agent(
                    "lead",
                    chat(input=1000, output=200, reasoning=50, **CACHED),
                    agent("reader", chat(input=500, output=100, model="gpt-5-mini")),
                    tool("search", chat(status="error", operation_id="o", http_status=429)),
                    tool("search", chat(input=300, output=30, operation_id="o", attempt=2)),
                    chat(input=2000, output=70, usage="estimated", outcome="abandoned"),
                ),
            ),
            task("greet", chat(input=10, output=5, provider="acme", model="zorg-9")),
        ),
    )
    return home


@pytest.fixture(scope="module")
def report(two_tasks: Path) -> Overview:
    return reported(two_tasks)


def test_totals_are_the_sums_worked_out_by_hand(report: Overview):
    totals = report.totals
    assert report.tasks == 2
    assert (totals.calls, totals.visible_calls, totals.hidden_calls) == (6, 2, 4)
    assert totals.tokens == Tokens(
        total=4215,
        input=3810,
        input_uncached=3110,
        cache_read=600,
        cache_write=100,
        output=405,
        output_visible=355,
        reasoning=50,
    )
    assert totals.unreported_calls == Unreported(
        input=1, cache_read=5, cache_write=5, output=1, reasoning=5
    )
    # Visible are the last call of the lead, 2,070 tokens, and the only call of greet, 15.
    assert totals.hidden_tokens == 4215 - 2070 - 15
    assert (totals.estimated_calls, totals.unpriced_calls) == (1, 1)


def test_roles_models_and_tasks_add_up_to_the_totals(report: Overview):
    whole = report.totals.energy_wh
    assert whole is not None
    for lines in (report.roles, report.models, report.top_tasks):
        assert sum(line.calls for line in lines) == report.totals.calls
        assert sum(line.tokens or 0 for line in lines) == report.totals.tokens.total
        assert sum(line.estimated_calls for line in lines) == report.totals.estimated_calls
    by_role = sum(line.energy_wh or 0 for line in report.roles)
    by_model = sum(line.energy_wh.central for line in report.models if line.energy_wh)
    by_task = sum(line.energy_wh.central for line in report.top_tasks if line.energy_wh)
    assert [by_role, by_model, by_task] == pytest.approx([whole.central] * 3)
    assert sum(line.energy_share or 0 for line in report.roles) == pytest.approx(1)
    assert {line.role: line.calls for line in report.roles} == {
        "main": 3,
        "subagent": 1,
        "tool": 1,
        "retry": 1,
    }


def ranges(report: Overview) -> list[Range | None]:
    return [
        report.totals.energy_wh,
        report.totals.carbon_g,
        report.totals.water_l,
        *(place.l_per_kwh for place in report.method.places),
        *(line.users for line in report.equivalents),
        *(line.user_days for line in report.equivalents),
        *(line.energy_wh for line in (*report.models, *report.top_tasks)),
    ]


def test_every_range_is_in_order_and_wider_than_a_point(report: Overview):
    for value in ranges(report):
        assert value is not None
        assert 0 < value.low < value.central < value.high


def test_the_largest_tasks_come_first_and_only_so_many(two_tasks: Path, report: Overview):
    assert [line.task_id for line in report.top_tasks] == ["research", "greet"]
    (largest,) = reported(two_tasks, limit=1).top_tasks
    assert (largest.name, largest.calls, largest.hidden_calls) == ("research", 5, 4)
    assert (largest.tokens, largest.estimated_calls) == (4200, 1)
    assert reported(two_tasks, limit=0).top_tasks == ()


def test_a_model_that_nobody_knows_is_named_and_warned_of(report: Overview):
    (unknown,) = (line for line in report.models if not line.known)
    assert (unknown.model, unknown.model_class) == ("zorg-9", "unknown")
    assert [warning for warning in report.warnings if "zorg-9" in warning]


def test_users_by_tokens_need_no_factor(report: Overview):
    average, *_ = report.equivalents
    assert average.user_days_by_tokens == pytest.approx(4215 / 800 / 3.67)


def test_coverage_says_what_is_known_and_what_is_not(report: Overview):
    coverage = report.coverage
    assert (coverage.reported_calls, coverage.partial_calls) == (4, 0)
    assert (coverage.estimated_calls, coverage.missing_calls) == (1, 1)
    assert (coverage.missing_failed_calls, coverage.failed_calls) == (1, 1)
    assert (coverage.abandoned_calls, coverage.retried_calls) == (1, 1)
    assert coverage.calls_by_capture == {"wire": 6}
    assert (coverage.quarantined_records, coverage.lost_records) == (0, 0)


def test_the_method_names_its_version_boundary_places_and_sources(report: Overview):
    method = report.method
    assert len(method.factor_set) == 12
    assert (method.boundary, method.low_quantile, method.high_quantile) == ("facility", 0.05, 0.95)
    assert {(place.zone, place.resolution) for place in method.places} == {
        ("US", "annual"),
        ("WOR", "world"),
    }
    assert all(source.url.startswith("https://") for source in method.sources)
    assert "facility_multiplier" in {name for one in method.sources for name in one.factors}


def test_an_empty_store_is_zeros_and_unknowns(home: Path):
    report = reported(home)
    assert (report.tasks, report.totals.calls) == (0, 0)
    assert report.totals.tokens == Tokens(None, None, None, None, None, None, None, None)
    assert (report.totals.energy_wh, report.totals.carbon_g) == (None, None)
    assert (report.roles, report.models, report.top_tasks) == ((), (), ())
    assert [line.users for line in report.equivalents] == [None, None, None]


def test_a_call_without_a_model_name_is_a_line_of_its_own(home: Path):
    add(home, spans(chat(input=10, output=5, model=None, provider=None)))
    (line,) = reported(home).models
    assert (line.provider, line.model, line.known) == (None, None, False)
    assert line.energy_wh is not None


def test_reporting_leaves_the_reader_as_it_was(two_tasks: Path):
    with Reader(two_tasks) as reader:
        before = reader.query("totals")
        assert overview(reader) == overview(reader)
        assert reader.query("totals") == before
        assert reader.query(
            "SELECT count(*) AS kept FROM duckdb_tables() WHERE table_name = 'totals'"
        ) == [{"kept": 0}]


def test_no_call_and_no_span_is_looked_at(two_tasks: Path):
    with Reader(two_tasks) as reader:
        overview(reader)
        views = {
            row["name"] for row in reader.query("SELECT view_name AS name FROM duckdb_views()")
        }
    assert not views & {"span", "model_call", "call_energy", "counted_call"}


def test_calls_and_tasks_that_were_cut_off_are_counted(home: Path):
    call, root = spans(task("killed", chat()))
    for record in (call, root):
        record.update(end_ns=None, status="unset", interrupted=True)
    add(home, [call, root, *spans(task("whole", chat(input=1, output=1)), trace=2)])
    report = reported(home)
    assert (report.coverage.interrupted_calls, report.coverage.cut_off_tasks) == (1, 1)
    assert {line.task_id: line.is_cut_off for line in report.top_tasks} == {
        "killed": True,
        "whole": False,
    }


def test_what_is_lost_or_refused_is_told_with_the_reason(home: Path):
    good, *_ = records = spans(chat(input=10, output=5))
    put(home, "1-1-1", segment(records) + line({**good, "span_id": None}) + b"no JSON\n")
    (home / "spool" / "lost").write_bytes(
        line({"at_ns": 1, "pid": 7, "records": 3, "reason": "disk full"})
        + line({"at_ns": 2, "pid": 7, "records": 2, "reason": "disk full"})
        + line({"at_ns": 3, "pid": 7, "records": 9})
    )
    coverage = reported(home).coverage
    assert coverage.quarantined_by_reason == {"no span id": 1, "not JSON": 1}
    assert (coverage.lost_records, coverage.lost_by_reason) == (14, {"unknown": 9, "disk full": 5})
