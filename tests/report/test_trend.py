"""The calls of a test start at 2025-10-09 08:53 UTC; the later period is a month after that."""

import dataclasses
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agenttrace.compare.periods import Period, parse
from agenttrace.energy.estimate import spread
from agenttrace.energy.grid.importing import import_file
from agenttrace.energy.pricing import DEFAULT, Boundary, Pricing
from agenttrace.errors import ConfigError
from agenttrace.model import Range
from agenttrace.reader import Reader
from agenttrace.report.json import to_json
from agenttrace.report.selection import Selection, selected
from agenttrace.report.text import to_text
from agenttrace.report.trend import Trend, trend, when
from agenttrace.report.trend.values import By, Decomposed
from tests.builders import Node, add, agent, chat, later, spans, task
from tests.factor_files import SOURCE, hall
from tests.queries.test_task_group import group

DAY = 86_400
MONTH = 30 * DAY  # from October 9 to November 8

IN_GERMANY = {"cloud.region": "eu-central-1", "provider": "aws.bedrock"}


def october(home: Path, *tasks: Node, trace: int = 1) -> None:
    add(home, spans(*tasks, trace=trace))


def november(home: Path, *tasks: Node, trace: int = 100) -> None:
    add(home, later(spans(*tasks, trace=trace), MONTH))


def compared(
    home: Path,
    period: str = "2025-11",
    against: str | None = "2025-10",
    *,
    by: tuple[By, ...] = ("project", "model"),
    months: int = 0,
    pricing: Pricing = DEFAULT,
    earlier: Pricing | None = None,
) -> Trend:
    selection = Selection(period=parse(period))
    before = None if against is None else parse(against)
    with Reader(home, pricing=pricing) as reader:
        if earlier is None:
            return trend(reader, selection, against=before, by=by, months=months)
        with Reader(home, pricing=earlier) as other:
            return trend(reader, selection, against=before, earlier=other, by=by, months=months)


def effects(report: Trend) -> dict[str, float]:
    """Return the central effects on energy that are not zero, as shares of the change."""
    assert report.energy is not None
    return {
        effect.factor: round(effect.share, 6)
        for effect in report.energy.effects
        if effect.share is not None and abs(effect.share) > 1e-9
    }


def of(found: Decomposed | None, factor: str) -> Range:
    assert found is not None
    return next(one.amount for one in found.effects if one.factor == factor)


def shown(report: Trend) -> str:
    return to_text(report, Console(width=80, file=StringIO()))


def one(name: str, **said: Any) -> Node:
    about: dict[str, Any] = {"input": 1000, "output": 100, **said}
    return task(name, chat(**about))


def a_bit_of_everything(home: Path) -> None:
    october(
        home,
        task(
            "a",
            agent(
                "coder",
                chat(input=9000, cache_read=3000, output=200, model="claude-opus-4-5"),
                chat(input=500, output=20),
                chat(),
            ),
            project="desk",
        ),
        task("b", chat(input=50, output=5, model="leaving")),
        task("c", chat(output=100, model="gpt-5-mini", measured_j="36000")),
        task("idle"),
    )
    november(
        home,
        task("d", *(chat(input=700, output=90) for _ in range(3)), project="desk"),
        task("e", chat(input=70, output=9, model="entering", **IN_GERMANY)),
        task("f", chat(input=7000, cache_read=6000, output=1, **IN_GERMANY)),
        task("g", chat(input=100, model="gpt-5-mini", measured_j="1000"), chat(model="silent")),
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("boundary", "has_hours"), [("server", False), ("facility", False), ("facility", True)]
)
def test_the_effects_add_up_to_the_change_of_the_totals(
    home: Path, *, boundary: Boundary, has_hours: bool
) -> None:
    a_bit_of_everything(home)
    if has_hours:
        hours = home.parent / "grid.csv"
        hours.write_text("timestamp,zone,g_per_kwh\n2025-11-08T08:00Z,DE,500\n")
        import_file(home, hours)
    pricing = Pricing(boundary=boundary)
    report = compared(home, pricing=pricing)
    totals: list[tuple[float, float]] = []
    for period in ("2025-10", "2025-11"):
        with (
            Reader(home, pricing=pricing) as reader,
            selected(reader, Selection(period=parse(period))),
        ):
            (row,) = reader.query("totals")
            totals.append((row["energy_wh"], row["carbon_g"]))
    for number, found in enumerate((report.energy, report.carbon)):
        assert found is not None
        before, after = (side[number] for side in totals)
        assert (found.before, found.after) == pytest.approx((before, after), rel=1e-12)
        added = math.fsum(one.amount.central for one in found.effects)
        assert abs(added - (after - before)) <= 1e-9 * abs(after - before)
        assert abs(found.residual) <= 1e-9 * abs(after - before)
        for effect in found.effects:
            assert effect.amount.low <= effect.amount.central <= effect.amount.high


def test_twice_the_tasks_take_twice_the_energy_and_nothing_else_changed(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"), one("c"))
    report = compared(home)
    assert effects(report) == {"tasks": 1.0}
    assert report.energy is not None
    assert report.energy.part == pytest.approx(1.0)
    assert report.headline.startswith("Energy rose by ")
    assert "(+100 %; +68 to +310 mWh)" in report.headline
    assert "from 2025-10 to 2025-11 (facility): more tasks +" in report.headline


def test_more_calls_in_as_many_tasks_are_calls_per_task(home: Path) -> None:
    october(home, one("a"))
    november(home, task("b", chat(input=1000, output=100), chat(input=1000, output=100)))
    assert effects(compared(home)) == {"calls_per_task": 1.0}


def test_longer_answers_are_tokens_and_the_energy_of_each_as_contexts_grow(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b", output=300))
    found = effects(compared(home))
    assert set(found) == {"output_per_call", "energy_per_token"}
    assert found["output_per_call"] > 0.9
    assert sum(found.values()) == pytest.approx(1)


def test_cache_reads_in_place_of_input_move_between_the_two_kinds(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b", cache_read=900))
    report = compared(home)
    assert of(report.energy, "uncached_per_call").central < 0
    assert of(report.energy, "cached_per_call").central > 0
    assert report.rebound is not None
    assert report.rebound.central.reading == "partial rebound"  # as many tokens as before
    assert report.rebound.central.ratio == pytest.approx(0, abs=1e-9)


def test_models_that_enter_and_leave_are_the_mix(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b", model="claude-opus-4-5"))
    report = compared(home)
    assert effects(report) == {"mix": 1.0}
    assert report.energy is not None
    assert (report.energy.left, report.energy.entered) == pytest.approx(
        (report.energy.before, report.energy.after)
    )
    assert any("took 100 % of the energy before and 100 % after" in one for one in report.warnings)


def test_calls_that_say_no_tokens_count_as_calls_and_it_is_said(home: Path) -> None:
    october(home, one("a"))
    november(home, task("b", chat(input=1000, output=100), chat()))
    report = compared(home)
    assert report.energy is not None
    assert report.energy.change.central == pytest.approx(0, abs=1e-12)
    # Twice the calls and half the tokens of each: of one energy E, +E ln 2 and -E ln 2.
    expected = report.energy.before * math.log(2)
    assert of(report.energy, "calls_per_task").central == pytest.approx(expected)
    assert any(
        warning.startswith("1 of 2 calls in 2025-11 do not say their tokens in full")
        for warning in report.warnings
    )
    assert "Energy did not change, from 2025-10 to 2025-11" in report.headline


def test_what_the_factors_have_in_common_is_assumed_and_said(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"), one("c"))
    report = compared(home)
    for found, assumed in ((report.energy, {"facility"}), (report.carbon, {"facility", "grid"})):
        assert found is not None
        assert {one.factor for one in found.effects if one.is_assumed} == assumed
    (sentence,) = report.assumptions
    assert "taken to be as before, not found to be" in sentence
    assert "as before" in shown(report)


def factors(home: Path, central: float) -> Pricing:
    path = home.parent / f"hall-{central}.toml"
    path.write_text(SOURCE + hall(central, central, central))
    return Pricing(factors=(path,))


def test_other_factors_for_the_earlier_period_show_the_facility(home: Path) -> None:
    """From 2.4 to 1.2 around the accelerator: half the energy, all of it the facility."""
    october(home, one("a"))
    november(home, one("b"))
    report = compared(home, pricing=factors(home, 1.2), earlier=factors(home, 2.4))
    assert effects(report) == {"facility": 1.0}
    assert report.energy is not None
    assert report.energy.part == pytest.approx(-0.5)
    assert report.before is not None
    assert report.before.factor_set != report.after.factor_set
    (sentence,) = report.assumptions
    assert report.before.factor_set in sentence
    assert "at the accelerator" not in sentence


def test_hours_of_the_grid_show_what_the_grid_did(home: Path) -> None:
    for month in (october, november):
        month(home, one("a", model="claude-sonnet-4-5", **IN_GERMANY))
    hours = home.parent / "grid.csv"
    hours.write_text(
        "timestamp,zone,g_per_kwh\n2025-10-09T08:00Z,DE,400\n2025-11-08T08:00Z,DE,100\n"
    )
    import_file(home, hours)
    report = compared(home)
    assert report.carbon is not None
    assert report.carbon.part == pytest.approx(-0.75)
    assert of(report.carbon, "grid").central == pytest.approx(report.carbon.change.central)
    assert "grid" not in {one.factor for one in report.carbon.effects if one.is_assumed}


def test_what_meters_saw_is_a_kind_of_its_own(home: Path) -> None:
    october(home, one("a", measured_j="3600"))
    november(home, one("b", measured_j="7200"))
    report = compared(home)
    # The same tokens, twice the joules: each token took more at the meter.
    assert effects(report) == {"energy_per_token": 1.0}
    assert "more energy per token of the same model +" in report.headline
    assert "with what meters saw" in report.assumptions[0]


def test_a_meter_that_sees_more_of_the_facility_leaves_the_facility_as_it_was(home: Path) -> None:
    """What each boundary saw is a term of its own: 1 Wh behind a rack is not 1 Wh behind a chip."""
    boundary = "agenttrace.energy.boundary"
    october(home, one("a", measured_j="3600", **{boundary: "accelerator"}))
    november(home, one("b", measured_j="3600", **{boundary: "facility"}))
    report = compared(home)
    assert effects(report) == {"measured_per_call": 1.0}
    assert report.energy is not None
    assert report.energy.after == pytest.approx(1.0)
    assert report.energy.before == pytest.approx(1.72)  # of the accelerator, with what is around it
    assert any(
        "at the boundary accelerator in 2025-10, and facility in 2025-11" in one
        for one in report.warnings
    )


def test_two_boundaries_of_one_model_are_told_apart_in_any_order(home: Path) -> None:
    server: dict[str, Any] = {"measured_j": "7200", "agenttrace.energy.boundary": "server"}
    october(home, one("a", measured_j="3600"), one("b", **server))
    november(home, one("c", measured_j="3600"), one("d", measured_j="3600"), one("e", **server))
    report = compared(home)
    assert report.energy is not None
    added = math.fsum(one.amount.central for one in report.energy.effects)
    assert added == pytest.approx(report.energy.change.central)
    assert of(report.energy, "energy_per_token").central == pytest.approx(0)


def test_a_meter_that_came_is_warned_of(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b", measured_j="7200"))
    report = compared(home)
    assert set(effects(report)) == {"uncached_per_call", "output_per_call", "measured_per_call"}
    assert any("a meter saw 0 % of the energy in 2025-10" in one for one in report.warnings)


def test_sampling_and_factors_are_told_apart(home: Path) -> None:
    """Tasks that are all alike have no sampling error, and factors are as unsure as ever."""
    alike = [one(f"a{number}") for number in range(20)]
    october(home, *alike)
    november(home, *alike, *(one(f"b{number}") for number in range(20)))
    report = compared(home)
    assert report.energy is not None
    assert report.resamples == 200
    change, sampling = report.energy.change, report.energy.sampling
    assert sampling is not None
    assert sampling.high - sampling.low == pytest.approx(0, abs=1e-9 * change.central)
    assert change.high > 2 * change.low > 0


def test_tasks_that_differ_make_a_change_unsure(home: Path) -> None:
    october(home, *(one(f"a{number}", input=10 ** (number % 4 + 1)) for number in range(20)))
    november(home, *(one(f"b{number}", input=10 ** (number % 4 + 1)) for number in range(20)))
    report, again = compared(home), compared(home)
    assert report.energy is not None
    assert report.energy.change.central == pytest.approx(0, abs=1e-9 * report.energy.before)
    assert report.energy.sampling is not None
    assert report.energy.sampling.low < 0 < report.energy.sampling.high
    assert again == report
    text = " ".join(shown(report).split())
    assert "uncached input per call *" in text
    assert "* smaller than its sampling error: chance may have made it" in text


def test_one_task_tells_nothing_of_how_tasks_differ(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"), one("c"))
    report = compared(home)
    assert report.energy is not None
    assert (report.resamples, report.energy.sampling) == (0, None)
    assert any(
        "the sampling error is unknown: 2025-10 has 1 task" in one for one in report.warnings
    )
    assert "? the sampling error is unknown" in " ".join(shown(report).split())


def test_who_drove_it_adds_up_to_the_change(home: Path) -> None:
    a_bit_of_everything(home)
    report = compared(home, by=("project", "model", "task-name"))
    assert report.energy is not None
    for drivers in report.drivers:
        added = sum(line.change_wh for line in drivers.lines)
        assert added == pytest.approx(report.energy.change.central)
        assert sum(line.share or 0 for line in drivers.lines) == pytest.approx(1)
    projects = {line.name: line for line in report.drivers[0].lines}
    assert set(projects) == {"desk", "test"}


def test_an_agent_that_appeared_drove_the_change(home: Path) -> None:
    october(home, one("a"))
    november(home, task("b", chat(input=1000, output=100), agent("x", chat(input=50, output=5))))
    (drivers,) = compared(home, by=("agent",)).drivers
    lines = {line.name: line for line in drivers.lines}
    assert lines["x"].before_wh == 0  # it made no call, which is known
    assert lines["x"].share == pytest.approx(1)
    assert lines[None].change_wh == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("by", ["agent", "model", "project", "task-name"])
def test_what_says_no_usage_is_unknown_and_what_made_no_call_is_nothing(home: Path, by: By) -> None:
    october(
        home,
        task("gpt-5", agent("gpt-5", chat()), project="gpt-5"),
        task("o3", agent("o3", chat(input=5, output=1, model="o3")), project="o3"),
    )
    november(home, task("gpt-5", agent("gpt-5", chat(input=50, output=5)), project="gpt-5"))
    (drivers,) = compared(home, by=(by,)).drivers
    lines = {line.name: line for line in drivers.lines}
    assert lines["gpt-5"].before_wh is None
    assert lines["o3"].after_wh == 0


def test_a_change_is_taken_inside_each_draw_and_in_no_other(home: Path) -> None:
    """The quantiles are those of exactly 256 differences, of draws that both periods share."""
    october(home, one("a"), one("b", model="claude-opus-4-5"))
    november(home, one("c", input=9000))
    taken: list[list[float]] = []
    for period in ("2025-10", "2025-11"):
        with Reader(home) as reader, selected(reader, Selection(period=parse(period))):
            rows = reader.query("SELECT energy_wh FROM total_draw ORDER BY draw")
            taken.append([row["energy_wh"] for row in rows])
    report = compared(home)
    assert report.energy is not None
    ends = spread(report.energy.change.central, [b - a for a, b in zip(*taken, strict=True)])
    assert dataclasses.astuple(report.energy.change) == pytest.approx(
        dataclasses.astuple(ends), rel=1e-9
    )


def test_months_are_told_one_by_one_with_the_effects_between_neighbours(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"), one("c"))
    report = compared(home, months=12)
    first, second = report.months
    assert (first.period, first.tasks, first.change_wh, first.effects_wh) == (
        "2025-10",
        1,
        None,
        {},
    )
    assert (second.period, second.tasks) == ("2025-11", 2)
    assert second.energy_per_task.change is not None
    assert second.energy_per_task.change.total == pytest.approx(1)
    assert report.energy is not None
    assert second.change_wh == pytest.approx(report.energy.change.central)
    assert second.effects_wh["tasks"] == pytest.approx(report.energy.change.central)
    # The last one keeps the change from the month that is not shown.
    assert compared(home, months=1).months == (second,)


def test_every_intensity_has_total_volume_and_the_change_of_all_three(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"), one("c"))
    report = compared(home)
    assert [one.per for one in report.intensities] == ["task", "call", "1,000 tokens", "task"]
    for figure in report.intensities:
        assert figure.total is not None
        assert figure.change is not None
        moved = figure.change.total, figure.change.volume, figure.change.each
        assert moved == pytest.approx((1.0, 1.0, 0.0))


def test_periods_that_overlap_have_totals_and_no_effects(home: Path) -> None:
    october(home, one("a"))
    november(home, one("b"))
    report = compared(home, "2025", "2025-10")
    assert (report.energy, report.carbon, report.rebound, report.drivers) == (None, None, None, ())
    assert report.headline.startswith("The periods 2025 and 2025-10 overlap from 2025-10-01")
    assert {one.change for one in report.intensities} == {None}
    assert report.before is not None
    assert (report.before.tasks, report.after.tasks) == (1, 2)
    assert shown(report)


def test_a_period_without_data_is_said(home: Path) -> None:
    october(home, one("a"))
    for period, against in (("2020", "2025-10"), ("2025-10", "2020")):
        report = compared(home, period, against)
        assert report.energy is None
        assert report.headline.startswith(
            "No model call is recorded (period 2020), so there is no change"
        )
        assert "of energy in 2025-10 (facility)" in report.headline
        assert shown(report)


def test_without_an_earlier_period_nothing_is_said_to_have_changed(home: Path) -> None:
    october(home, one("a"))
    report = compared(home, "2025-10", None)
    assert report.before is None
    assert report.why_not == "there is no period before 2025-10 with anything in it"
    assert [one.change for one in report.intensities] == [None] * 4


def test_calls_that_all_say_nothing_have_no_energy_and_no_change(home: Path) -> None:
    october(home, task("a", chat()))
    november(home, one("b"))
    report = compared(home)
    assert report.why_not is not None
    assert report.why_not.startswith("no call in 2025-10 says its tokens")
    assert "an unknown amount of energy in 2025-10" in report.headline
    assert shown(report)


def test_models_that_nobody_knows_are_told_apart_and_warned_of(home: Path) -> None:
    october(home, one("a", model="x"))
    november(home, one("b", model="x"), one("c", model="y"))
    report = compared(home)
    assert report.energy is not None
    assert sum(effects(report).values()) == pytest.approx(1)
    assert report.warnings


def test_nothing_is_recorded(home: Path) -> None:
    with Reader(home) as reader:
        report = trend(reader, Selection())
    assert (report.before, report.energy, report.months) == (None, None, ())
    assert "No model call was recorded" in shown(report)
    assert to_json(report)


def test_a_project_that_nobody_has_is_refused_by_name(home: Path) -> None:
    october(home, one("a"))
    with Reader(home) as reader, pytest.raises(ConfigError, match='no project "nobody\'s"'):
        trend(reader, Selection(project="nobody's"))


def test_nothing_is_not_a_number(home: Path) -> None:
    """Calls of no tokens divide nothing by zero, and JSON has no NaN."""
    october(home, task("a", chat(input=0, output=0)))
    november(home, task("b", chat(input=0, output=0)), task("c", chat(input=5, output=0)))
    report = compared(home)
    assert report.energy is not None
    assert (report.energy.before, report.energy.part) == (0.0, None)
    assert to_json(report)
    assert shown(report)


@pytest.mark.parametrize(
    ("first", "last", "after", "before", "how"),
    [
        ("2026-08-15", "2026-11-20", "2026-10", "2026-09", "the last whole month"),
        ("2026-10-01", "2026-11-30", "2026-11", "2026-10", "the last whole month"),
        ("2026-10-02", "2026-11-30", "2026-11-01..2026-11-30", "2026-10-02..2026-10-31", "half"),
        ("2026-11-02", "2026-11-04", "2026-11-04", "2026-11-02", "the middle one of the days"),
    ],
)
def test_periods_are_chosen_from_the_data(
    first: str, last: str, after: str, before: str, how: str
) -> None:
    seen = Period("seen", parse(first).start, parse(last).end)
    later_, earlier, said = when.chosen(seen)
    assert (str(later_), str(earlier)) == (after, before)
    assert how in said


def test_a_day_is_halved_by_its_hours_and_an_hour_is_not() -> None:
    start = parse("2026-11-02T08").start
    later_, earlier, said = when.chosen(Period("seen", start, parse("2026-11-02T11").end))
    assert earlier is not None
    assert (later_.start, later_.end) == (
        parse("2026-11-02T10").start,
        parse("2026-11-02T12").start,
    )
    assert (earlier.start, earlier.end) == (start, later_.start)
    assert "4 hours" in said
    alone, none, said = when.chosen(Period("seen", start, parse("2026-11-02T08").end))
    assert (str(alone), none) == ("2026-11-02T08", None)
    assert "of one hour" in said


def test_each_sentence_has_its_periods_and_its_boundary(home: Path) -> None:
    a_bit_of_everything(home)
    report = compared(home)
    assert report.rebound is not None
    for sentence in (report.headline, report.rebound.sentence):
        assert "from 2025-10 to 2025-11 (facility)" in sentence
    text = " ".join(shown(report).split())
    assert text.count("2025-10 to 2025-11 (facility") >= 5


def test_other_periods_are_equal_only_where_they_are(home: Path) -> None:
    a_bit_of_everything(home)
    there, back = compared(home), compared(home, "2025-10", "2025-11")
    assert there.energy is not None
    assert back.energy is not None
    for effect in there.energy.effects:
        if not effect.is_assumed:
            opposite = of(back.energy, effect.factor).central
            assert opposite == pytest.approx(-effect.amount.central, abs=1e-12)
    assert dataclasses.asdict(there.after) == dataclasses.asdict(back.before)  # type: ignore[arg-type]


def test_the_sampling_error_is_shown_in_the_unit_of_its_column(home: Path) -> None:
    october(home, *(one(f"a{number}", input=10 ** (number % 4 + 1)) for number in range(20)))
    november(home, *(one(f"b{number}", input=10 ** (number % 3 + 1)) for number in range(20)))
    report = compared(home)
    assert report.energy is not None
    sampling = report.energy.sampling
    assert sampling is not None
    lines = shown(report).splitlines()
    unit = next(line for line in lines if line.startswith("Effects on energy")).split()[3]
    (shown_as,) = [line.split()[4] for line in lines if line.startswith("change  ")][:1]
    wh = float(shown_as) * {"mWh": 1e-3, "Wh": 1.0}[unit]
    assert wh == pytest.approx((sampling.high - sampling.low) / 2, rel=0.1)


def test_two_tasks_of_one_group_tell_nothing_either(home: Path) -> None:
    names = ("a", next(f"a{n}" for n in range(10_000) if group(f"a{n}") == group("a")))
    october(home, *map(one, names))
    november(home, one("b"), one("c"))
    report = compared(home)
    assert report.resamples == 0
    assert any("2025-10 has 2 tasks, all in one group" in said for said in report.warnings)
