"""A task of one call takes 1.5 s in the builders, and one more second for each further call."""

import dataclasses
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from agenttrace.compare import periods
from agenttrace.compare.assumptions import Assumption, amount
from agenttrace.compare.grid_years import GridYear
from agenttrace.compare.scenario import Scenario, load, to_toml
from agenttrace.errors import ConfigError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report import figures
from agenttrace.report.json import to_json
from agenttrace.report.projection import Projected, ProjectionReport, measuring, projected
from agenttrace.report.selection import Selection
from agenttrace.report.text import to_text
from tests.builders import Node, add, begin, chat, later, loose, spans, task, tool

HOURS_A_YEAR = 365.25 / 7 * 40
FLEET = Scenario(agents=Assumption(value=2), hours_per_week=Assumption(value=40), years=3, runs=256)


@pytest.fixture(autouse=True)
def begun(home: Path) -> None:
    """A store that is there already is a copy, and folds faster."""
    begin(home)


def run(home: Path, selection: Selection | None = None, **said: Any) -> Projected:
    with Reader(home) as reader:
        return projected(structs.replace(FLEET, **said), reader, selection)


def report(home: Path, selection: Selection | None = None, **said: Any) -> ProjectionReport:
    return run(home, selection, **said).report


def shown(report: ProjectionReport) -> str:
    return to_text(report, Console(width=80, file=StringIO(), color_system=None))


def call(**said: Any) -> Node:
    return chat(input=1000, output=100, **said)


def asked(name: str = "ask", **said: Any) -> Node:
    """What a person asks, answered by one call."""
    return task(name, call(**said), workload="user-facing")


def test_a_fleet_does_the_tasks_that_were_measured(home: Path):
    """1.5 s and 2.5 s: two tasks in 4 s, so 1,800 an hour, with 1.5 calls of 1,100 tokens each."""
    add(home, spans(task("one", call()), task("two", call(), call())))
    found = report(home)
    tasks = 2 * HOURS_A_YEAR * 1800
    assert (found.tasks, found.sampled_tasks, found.trouble) == (2, 2, None)
    assert [year.year for year in found.years] == [2026, 2027, 2028]
    year = found.years[0]
    assert year.agents == Range(2, 2, 2)
    assert year.agent_hours.central == pytest.approx(2 * HOURS_A_YEAR)
    assert year.tasks.central == pytest.approx(tasks)
    assert year.calls.central == pytest.approx(1.5 * tasks)
    assert year.tokens is not None
    assert year.tokens.central == pytest.approx(1.5 * 1100 * tasks)
    measured = found.measured[0]
    assert measured.total is not None
    assert year.energy_wh is not None
    assert year.energy_wh.central == pytest.approx(measured.total.central / 2 * tasks)


def test_every_figure_for_each_task_has_its_total_its_volume_and_the_change(home: Path):
    add(home, spans(task("one", call()), asked()))
    found = report(home, growth=Assumption(value=1), efficiency=Assumption(value=0.5))
    second = found.years[1].intensities
    assert [(one.what, one.per) for one in second] == [
        ("energy", "task"),
        ("carbon", "kWh"),
        ("energy", "user-facing call"),
    ]
    energy = second[0]
    assert energy.total == found.years[1].energy_wh
    assert energy.volume == found.years[1].tasks.central
    assert energy.change is not None
    assert (energy.change.against, energy.change.volume) == ("2026", pytest.approx(1))
    assert (energy.change.total, energy.change.each) == pytest.approx((0, -0.5))
    assert found.years[0].intensities[0].change is None
    assert [one.per for one in found.measured] == ["task", "task", "task"]


def test_growth_that_is_unsure_makes_no_task_unsure(home: Path):
    """All tasks alike: what one takes is as unsure as its factors in every year."""
    add(home, spans(task("one", call()), task("two", call())))
    found = report(home, growth=amount("0/0.5/1"))
    first, last = (year.intensities[0].each for year in (found.years[0], found.years[-1]))
    assert first is not None
    assert last is not None
    assert dataclasses.astuple(last) == pytest.approx(dataclasses.astuple(first))


def test_carbon_is_of_the_places_of_the_calls_or_of_the_grid_that_is_given(home: Path):
    german = {"cloud.region": "eu-central-1", "provider": "aws.bedrock"}
    add(home, spans(task("one", call(**german, model="claude-sonnet-4-5"))))
    known = report(home).years[0].intensities[1].each
    assert known is not None
    assert 250 < known.central < 450  # Germany
    rated = report(home, grid=Assumption(value=100), grid_change=Assumption(value=-0.5))
    assert [year.intensities[1].each for year in rated.years] == [
        Range(100, 100, 100),
        Range(50, 50, 50),
        Range(25, 25, 25),
    ]
    by_year = (GridYear(year=2026, g_per_kwh=300), GridYear(year=2028, g_per_kwh=100))
    dated = report(home, grid_year=by_year)
    (line,) = (one for one in dated.assumptions if one.name == "grid_year")
    assert (line.value, line.why.partition(";")[0]) == (
        Range(300, 300, 300),
        "scenario: 2026 300, 2028 100",
    )
    assert [one.each.central for y in dated.years if (one := y.intensities[1]).each] == [
        300,
        200,
        100,
    ]


def test_agents_are_set_against_the_recorded_calls_of_people(home: Path):
    """Two calls in what counts as one day: 730.5 a year."""
    add(home, spans(task("one", call()), asked("a"), asked("b")))
    found = report(home)
    year = found.years[0]
    people = year.intensities[2]
    assert (people.per, people.volume) == ("user-facing call", pytest.approx(730.5))
    assert year.ratio is not None
    # The same calls of the same model: a call is a call in every draw.
    calls = 2 * HOURS_A_YEAR * 2400
    assert dataclasses.astuple(year.ratio) == pytest.approx((calls / 730.5,) * 3)
    assert found.passing is not None
    assert (found.passing.already, found.passing.median, found.passing.never) == (1, 2026, 0)
    for part in ("From 2026 to 2028", "boundary facility", "2 calls in 1.0 days"):
        assert part in found.passing.said


def test_people_of_a_persona_are_compared_with_by_their_definition(home: Path):
    add(home, spans(task("one", call()), asked()))
    found = report(home, people=Assumption(value=1e10), persona="heavy")
    assert found.passing is not None
    assert found.passing.never == 1
    assert found.passing.median is None
    assert "10,000,000,000 people of the persona heavy user (100 prompts a day" in (
        found.passing.said
    )
    assert "in no run within the 3 years." in found.passing.said


def test_every_assumption_is_listed_with_what_it_is_from(home: Path):
    add(home, spans(task("one", call()), asked()))
    with Reader(home) as reader:
        said = structs.replace(
            FLEET, growth=Assumption(value=0.5, note="planned"), people=Assumption(value=7)
        )
        found = projected(
            said, reader, options=frozenset({"agents", "people"}), file="fleet.toml"
        ).report
    assert [(one.name, one.origin) for one in found.assumptions] == [
        ("agents", "given"),
        ("hours_per_week", "scenario"),
        ("growth", "scenario"),
        ("efficiency", "default"),
        ("first_year", "default"),
        ("tasks_per_hour", "measured"),
        ("tasks", "measured"),
        ("factors", "assumed"),
        ("grid", "measured"),
        ("grid_change", "default"),
        ("people", "given"),
        ("user_facing", "assumed"),
        ("people_growth", "default"),
        ("user_facing_efficiency", "assumed"),
        ("year", "assumed"),
    ]
    whys = {one.name: one.why for one in found.assumptions}
    assert whys["growth"] == "planned"
    assert whys["hours_per_week"] == "scenario fleet.toml"
    assert all(whys.values())


def test_what_is_saved_gives_the_same_figures_without_the_store(home: Path, tmp_path: Path):
    add(home, spans(task("secret name", call()), task("two", call(), call()), asked("c")))
    for people in (None, Assumption(low=1, central=10, high=100)):
        made = run(home, growth=amount("0/0.5/1"), people=people)
        assert made.scenario is not None
        saved = tmp_path / "saved.toml"
        saved.write_text(to_toml(made.scenario))
        again = projected(load(saved), file="saved.toml").report
        assert again.years == made.report.years
        assert again.passing == made.report.passing
        assert again.spread == made.report.spread
        assert (again.store, again.factor_set) == (None, made.report.factor_set)
        assert "secret name" not in saved.read_text()


def test_a_saved_scenario_runs_with_other_assumptions(home: Path):
    add(home, spans(task("one", call())))
    saved = run(home).scenario
    assert saved is not None
    more = projected(structs.replace(saved, agents=Assumption(value=4))).report
    once = projected(saved).report
    assert more.years[0].tasks.central == pytest.approx(2 * once.years[0].tasks.central)
    with pytest.raises(ConfigError, match="Give --first-year YEAR"):
        projected(structs.replace(saved, first_year=None))
    with pytest.raises(ConfigError, match="no persona to compare people with"):
        projected(structs.replace(saved, people=Assumption(value=4)))


def test_the_same_store_gives_the_same_file(home: Path):
    add(home, spans(task("one", call()), task("two", call(), call())))
    assert run(home).scenario == run(home).scenario


def test_only_some_of_many_tasks_are_kept_and_the_sums_are_of_all(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    add(home, spans(*(task(f"task {number}", call()) for number in range(5))))
    monkeypatch.setattr(measuring, "SAMPLED_AT_MOST", 3)
    found = report(home)
    assert (found.tasks, found.sampled_tasks) == (5, 3)
    assert found.measured[1].total == Range(5, 5, 5)
    assert "3 of 5 tasks, by a hash" in shown(found)


def test_only_the_chosen_tasks_are_measured(home: Path):
    add(
        home,
        spans(task("one", call(), project="a"), task("two", call(), call(), project="b")),
    )
    found = report(home, Selection(project="b"))
    assert (found.tasks, found.measured[1].total) == (1, Range(2, 2, 2))
    assert "project b" in found.selection


def test_a_task_that_reaches_out_of_the_period_is_left_out_and_counted(home: Path):
    """The second begins ten hours later; the third takes until then."""
    add(home, spans(task("one", call())))
    add(home, later(spans(task("two", call()), trace=2), 36_000))
    long = spans(task("three", call()), trace=3)
    add(home, [*long[:-1], {**long[-1], "end_ns": long[-1]["end_ns"] + 36_000 * 10**9}])
    found = report(home, Selection(period=periods.parse("2025-10-09T08")))
    assert found.tasks == 1
    assert "1 task left out: not all of it is in the period" in found.warnings


def trouble(home: Path, selection: Selection | None = None, **said: Any) -> str:
    found = report(home, selection, **said)
    assert found.trouble is not None
    assert found.years == ()
    assert found.assumptions
    text = shown(found)
    assert " ".join(found.trouble.split()) in " ".join(text.split())
    assert "nan" not in text.lower().replace("finance", "")
    assert '"kind": "projection"' in to_json(found)
    return found.trouble


def test_an_empty_store_has_nothing_to_project_from(home: Path):
    assert "No agentic task is recorded (period all)" in trouble(home)


def test_only_calls_of_people_are_nothing_to_project_from(home: Path):
    add(home, spans(asked()))
    assert "No agentic task is recorded" in trouble(home)


def test_a_period_without_data_is_nothing_to_project_from(home: Path):
    add(home, spans(task("one", call())))
    told = trouble(home, Selection(period=periods.parse("2020")))
    assert "No agentic task is recorded (period 2020)" in told
    assert "There are agentic calls in 2025-10-09T08" in told


def test_a_task_that_is_in_no_period_whole_is_not_projected_from(home: Path):
    long = spans(task("one", call()))
    add(home, [*long[:-1], {**long[-1], "end_ns": long[-1]["end_ns"] + 36_000 * 10**9}])
    told = trouble(home, Selection(period=periods.parse("2025-10-09T08")))
    assert "No agentic task lies whole in the period 2025-10-09T08: each of them (1)" in told


def test_tasks_without_a_model_call_are_nothing_to_project_from(home: Path):
    add(home, spans(task("one", tool("search"))))
    assert "No agentic task (1 recorded; period all) made a model call" in trouble(home)


def timeless(home: Path) -> None:
    """One task that began and ended at the same moment, as clocks may have it."""
    records = spans(task("one", call()))
    start = records[-1]["start_ns"]
    add(home, [{**one, "start_ns": start, "end_ns": start} for one in records])


def test_tasks_without_a_duration_need_a_pace(home: Path):
    timeless(home)
    assert "Give --tasks-per-hour." in trouble(home)
    paced = run(home, tasks_per_hour=Assumption(value=3))
    year = paced.report.years[0]
    assert year.tasks.central == pytest.approx(3 * 2 * HOURS_A_YEAR)
    assert paced.scenario is not None
    assert projected(paced.scenario).report.years == paced.report.years
    without = projected(structs.replace(paced.scenario, tasks_per_hour=None)).report
    assert without.trouble is not None
    assert "Give --tasks-per-hour." in without.trouble


def test_a_task_without_a_duration_is_left_out_beside_others(home: Path):
    timeless(home)
    add(home, spans(task("two", call()), trace=2))
    found = report(home)
    assert found.tasks == 1
    assert "1 task left out: how long it took is not known" in found.warnings


def test_usage_of_one_task_and_the_time_of_another_are_not_enough(home: Path):
    timeless(home)
    add(home, spans(task("two", chat()), trace=2))
    assert "has both a duration and usage" in trouble(home)


def test_calls_outside_of_any_task_are_tasks_by_their_trace_and_that_is_said(home: Path):
    add(home, loose(call()))
    found = report(home)
    assert found.tasks == 1
    assert any("around the calls of 1 of 1 task" in one for one in found.warnings)


def test_usage_that_lacks_a_side_is_in_no_figure_and_that_is_said(home: Path):
    add(home, spans(task("one", call(), chat(input=1000, usage="partial"))))
    assert any("1 of 2 agentic calls do not say all" in one for one in report(home).warnings)


def test_a_meter_that_saw_nothing_breaks_no_figure(home: Path):
    free = {"measured_j": "0", "agenttrace.energy.boundary": "facility"}
    add(home, spans(task("one", chat(**free)), asked()))
    found = report(home, years=1)
    assert found.years[0].energy_wh == Range(0, 0, 0)
    assert found.years[0].carbon_g is None
    assert found.passing is not None
    assert found.passing.never == 1
    assert to_json(found)
    assert "one year: there is none before it" in shown(found)


@pytest.mark.parametrize(("tasks", "said"), [(1, True), (29, True), (30, False)])
def test_few_tasks_are_a_warning(tasks: int, said: bool):
    assert (measuring.spread_known(tasks) is not None) == said


def test_a_scenario_without_tasks_needs_a_store():
    with pytest.raises(ConfigError, match="has no measured tasks"):
        projected(FLEET)


def test_one_task_says_nothing_of_how_far_tasks_lie_apart(home: Path):
    add(home, spans(task("one", call())))
    found = report(home)
    assert any(one.startswith("one task is measured") for one in found.warnings)
    assert len(found.years) == 3


def test_a_model_that_nobody_knows_has_a_wide_range_and_a_warning(home: Path):
    add(home, spans(task("one", call(model="nobody-knows-1", provider="acme"))))
    found = report(home)
    energy = found.years[0].energy_wh
    assert energy is not None
    assert energy.high > 10 * energy.low
    assert any("nobody-knows-1" in one for one in found.warnings)
    assert any("no model of these tasks is known" in one for one in found.warnings)


def test_calls_that_say_no_usage_are_counted_and_their_energy_stays_unknown(home: Path):
    add(home, spans(task("one", chat()), asked()))
    found = report(home)
    year = found.years[0]
    assert year.calls.central == pytest.approx(2 * HOURS_A_YEAR * 2400)
    assert (year.tokens, year.energy_wh, year.carbon_g, year.ratio) == (None,) * 4
    assert found.passing is None
    assert any("no call of these tasks says its usage" in one for one in found.warnings)
    assert "?" in shown(found)
    assert to_json(found)


def test_a_task_whose_calls_say_no_usage_is_left_out_beside_others(home: Path):
    add(home, spans(task("one", call()), task("two", chat())))
    found = report(home)
    assert found.tasks == 1
    assert "1 task left out: none of its calls says its usage" in found.warnings


def test_people_whose_calls_say_no_usage_cannot_be_compared_with(home: Path):
    add(home, spans(task("one", call()), task("ask", chat(), workload="user-facing")))
    found = report(home)
    assert found.passing is None
    assert any("no user-facing call says its usage" in one for one in found.warnings)
    assert to_json(found)
    assert shown(found)


def test_without_people_that_is_said(home: Path):
    add(home, spans(task("one", call())))
    assert any("`--people N` takes people of a persona" in one for one in report(home).warnings)


def test_a_persona_that_is_not_there_is_named_beside_those_that_are(home: Path):
    add(home, spans(task("one", call())))
    with pytest.raises(ConfigError, match=r"no persona 'none'\. Known: average, heavy"):
        report(home, people=Assumption(value=1), persona="none")


def test_the_text_fits_a_terminal_and_says_that_it_is_no_forecast(home: Path):
    add(home, spans(task("one", call()), task("two", call(), call()), asked()))
    text = shown(report(home, growth=amount("0/0.5/1"), title="Our fleet", note="a try"))
    assert max(map(len, text.splitlines())) <= 80
    for said in (
        "A scenario, not a forecast",
        "Our fleet",
        "a try",
        "What it rests on",
        "Assumed",
        "growth of the fleet in a year",
        figures.dashed(("0", "50", "100 %")),
        "256 runs, seed 1",
    ):
        assert said in text
