"""By hand: an agent at 7 h a week works 365.25 h a year."""

import dataclasses
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from agenttrace.compare.measured_tasks import Measured, Tasks, UserFacing
from agenttrace.compare.projection import Assumed, Year, project
from agenttrace.model import Range

FEW_RUNS = 256


def exactly(number: float) -> Range:
    return Range(number, number, number)


def measured(
    energy_wh: tuple[float, ...] = (10.0,),
    *,
    tasks: int = 0,
    energy_draws: tuple[float, ...] = (1.0,) * 256,
) -> Measured:
    """Tasks of 2 h, 4 calls and 100 tokens each; *tasks* such ones, of which these are some."""
    some = len(energy_wh)
    number = tasks or some
    return Measured(
        period="2026-10",
        selection="workload agentic",
        factor_set="test",
        boundary="facility",
        tasks=number,
        calls=4 * number,
        hours=2.0 * number,
        tokens=100 * number,
        energy_wh=sum(energy_wh) * number / some,
        energy_draws=energy_draws,
        sample=Tasks(
            energy_wh=energy_wh,
            hours=(2.0,) * some,
            calls=(4,) * some,
            tokens=(100,) * some,
        ),
    )


def assumed(
    years: int = 1,
    agents: float = 3,
    hours: float = 7,
    *,
    growth: float = 0,
    efficiency: float = 0,
) -> Assumed:
    return Assumed(
        years=years,
        agents=exactly(agents),
        hours_per_week=exactly(hours),
        growth=exactly(growth),
        efficiency=exactly(efficiency),
        runs=FEW_RUNS,
    )


def people(wh_a_day: float, draws: tuple[float, ...] = (1.0,) * 256) -> UserFacing:
    return UserFacing(
        origin="persona",
        who="somebody",
        definition="10 prompts a day",
        per="prompt",
        volume_a_day=10,
        energy_wh_a_day=wh_a_day,
        draws_wh_a_day=tuple(wh_a_day * draw for draw in draws),
    )


def is_exactly(value: Range | None, number: float) -> bool:
    assert value is not None
    return dataclasses.astuple(value) == pytest.approx((number, number, number))


def test_tasks_that_are_all_alike_are_multiplied():
    """3 agents * 365.25 h / 2 h a task = 547.875 tasks of 10 Wh, at 200 g/kWh."""
    (year,) = project(measured(), replace(assumed(), grid=(exactly(200),)))
    assert is_exactly(year.hours, 1095.75)
    assert is_exactly(year.tasks, 547.875)
    assert is_exactly(year.calls, 2191.5)
    assert is_exactly(year.tokens, 54_787.5)
    assert is_exactly(year.energy_wh, 5478.75)
    assert is_exactly(year.energy_wh_a_task, 10)
    assert is_exactly(year.carbon_g, 1095.75)


def test_growth_and_efficiency_begin_with_the_second_year():
    """Twice the agents at half the energy a task: the same energy."""
    one, two, three = project(measured(), assumed(3, growth=1.0, efficiency=0.5))
    assert [year.agents.central for year in (one, two, three)] == [3, 6, 12]
    assert is_exactly(two.tasks, 1095.75)
    assert is_exactly(two.energy_wh_a_task, 5)
    assert is_exactly(three.energy_wh, 5478.75)


def test_a_grid_is_of_the_year_and_changes_from_the_first():
    by_year = project(measured(), replace(assumed(2), grid=(exactly(400), exactly(100))))
    assert [year.g_per_kwh for year in by_year] == [exactly(400), exactly(100)]
    changing = project(
        measured(), replace(assumed(2), grid=(exactly(400),) * 2, grid_change=exactly(-0.5))
    )
    assert [year.g_per_kwh for year in changing] == [exactly(400), exactly(200)]


def test_a_given_pace_needs_no_hours():
    sample = Tasks(energy_wh=(10.0,), calls=(4,), tokens=(100,))
    timeless = structs.replace(measured(), hours=None, sample=sample)
    (year,) = project(timeless, replace(assumed(), tasks_per_hour=exactly(2)))
    assert is_exactly(year.tasks, 2 * 1095.75)
    assert is_exactly(year.energy_wh, 20 * 1095.75)


def test_what_is_not_known_stays_unknown():
    sample = Tasks(hours=(2.0,), calls=(4,))
    silent = structs.replace(
        measured(), energy_wh=None, energy_draws=(), tokens=None, sample=sample
    )
    (year,) = project(silent, replace(assumed(), grid=(exactly(200),)), people(1))
    assert is_exactly(year.calls, 2191.5)
    assert (year.tokens, year.energy_wh, year.energy_wh_a_task) == (None, None, None)
    assert (year.carbon_g, year.ratio, year.passing) == (None, None, None)


HEAVY = (1.0,) * 9 + (91.0,)
"""Ten tasks with a mean of 10 Wh, of which one has nine tenths of the energy."""


def test_few_tasks_are_seldom_like_their_mean():
    """Of two tasks a year, most years have none of 91 Wh, and some have one: (91 + 1) / 2."""
    (year,) = project(measured(HEAVY, tasks=10**9), assumed(agents=1, hours=4 * 7 / 365.25))
    assert year.tasks.central == pytest.approx(2)
    assert year.energy_wh_a_task is not None
    assert year.energy_wh_a_task.central == pytest.approx(10)
    assert year.energy_wh_a_task.low == pytest.approx(1, rel=0.01)
    assert year.energy_wh_a_task.high == pytest.approx(46, rel=0.01)


def test_many_tasks_average_out_and_what_few_measured_ones_leave_open_does_not():
    def spread(tasks: int, agents: int) -> float:
        (year,) = project(measured(HEAVY, tasks=tasks), assumed(agents=agents))
        assert year.energy_wh is not None
        return year.energy_wh.high / year.energy_wh.low

    assert spread(10**9, 1_000_000) == pytest.approx(1, abs=0.01)
    # Ten tasks, one of them large, could as well have been none or three.
    assert spread(10, 1_000_000) > 10
    assert spread(10**9, 1) > spread(10**9, 100) > spread(10**9, 10_000)


HALVES = (1.0, 19.0) * 200
"""A mean of 10 Wh and a deviation of 9, so 0.45 for the mean of 400: 1.645 of these to each end."""


@pytest.mark.parametrize(
    ("tasks", "agents"),
    [
        pytest.param(10**9, 800 / 365.25, id="a year has 400 tasks"),
        pytest.param(400, 10**6, id="400 tasks are measured"),
    ],
)
def test_the_spread_of_a_mean_falls_with_the_root_of_its_number(tasks: int, agents: float):
    numbers = replace(assumed(agents=agents), runs=2048)
    (year,) = project(measured(HALVES, tasks=tasks), numbers)
    assert year.energy_wh_a_task is not None
    ends = year.energy_wh_a_task
    assert (ends.low, ends.central, ends.high) == pytest.approx(
        (10 - 1.645 * 0.45, 10, 10 + 1.645 * 0.45), abs=0.1
    )


SLOPE = tuple(0.5 + number / 255 for number in range(256))


def test_the_error_of_a_factor_is_common_to_all_tasks_and_does_not_average_out():
    one = measured(energy_draws=SLOPE)
    for agents in (1, 1_000_000):
        (year,) = project(one, assumed(agents=agents))
        assert year.energy_wh_a_task is not None
        ends = year.energy_wh_a_task
        assert (ends.low, ends.high) == pytest.approx((5.5, 14.5), rel=0.01)


def test_draws_that_both_sides_share_cancel_in_the_ratio():
    (shared,) = project(measured(energy_draws=SLOPE), assumed(), people(10, SLOPE))
    (apart,) = project(measured(energy_draws=SLOPE), assumed(), people(10, SLOPE[::-1]))
    assert shared.ratio is not None
    assert apart.ratio is not None
    # 5,478.75 Wh over 3,652.5 Wh
    assert is_exactly(shared.ratio, 1.5)
    assert apart.ratio.high / apart.ratio.low > 5


def test_agents_pass_people_in_the_year_in_which_they_use_more():
    """3, 6 and 12 agents of 1,826 Wh a year each; people of 7,305 Wh."""
    years = project(measured(), assumed(3, growth=1.0), people(20))
    assert [year.passing for year in years] == [0, 1, 0]


def test_agents_may_have_passed_already_or_never_do():
    assert [year.passing for year in project(measured(), assumed(2), people(1))] == [1, 0]
    assert [year.passing for year in project(measured(), assumed(2), people(100))] == [0, 0]


def test_people_fall_with_the_energy_of_a_token_too():
    two = project(
        measured(), replace(assumed(2, efficiency=0.5), people_growth=exactly(1)), people(10)
    )[1]
    assert is_exactly(two.volume, 2 * 3652.5)
    assert is_exactly(two.user_facing_wh, 3652.5)
    assert is_exactly(two.user_facing_wh_each, 0.5)


def test_a_range_is_drawn_once_for_all_years():
    grown = project(measured(), replace(assumed(3), growth=Range(0.0, 0.5, 1.0)))
    assert grown[0].agents == exactly(3)
    assert dataclasses.astuple(grown[1].agents) == pytest.approx((3, 4.5, 6), rel=0.02)
    assert dataclasses.astuple(grown[2].agents) == pytest.approx((3, 6.75, 12), rel=0.03)


def energies(years: tuple[Year, ...]) -> list[Range | None]:
    return [year.energy_wh for year in years]


def test_the_same_seed_gives_the_same_figures_and_another_moves_only_the_ends():
    def of(seed: int) -> tuple[Year, ...]:
        return project(measured(HEAVY), replace(assumed(3), growth=Range(0.0, 0.5, 1.0), seed=seed))

    assert of(1) == of(1)
    assert energies(of(1)) != energies(of(2))
    for one, other in zip(energies(of(1)), energies(of(2)), strict=True):
        assert one is not None
        assert other is not None
        assert one.central == other.central


@given(
    agents=st.floats(0.01, 1e6),
    more=st.floats(0, 1e6),
    growth=st.floats(-0.9, 2),
    efficiency=st.floats(-0.5, 0.9),
)
def test_more_agents_are_never_less(agents: float, more: float, growth: float, efficiency: float):
    def of(number: float) -> tuple[Year, ...]:
        numbers = assumed(3, agents=number, growth=growth, efficiency=efficiency)
        return project(measured(), replace(numbers, runs=1), people(1))

    for few, many in zip(of(agents), of(agents + more), strict=True):
        for name in ("agents", "hours", "tasks", "calls", "tokens", "energy_wh", "ratio"):
            assert getattr(few, name).central <= getattr(many, name).central * (1 + 1e-9)


@given(
    energy_wh=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    agents=st.floats(0.001, 1e6),
)
def test_low_is_never_above_central_nor_central_above_high(energy_wh: list[float], agents: float):
    numbers = replace(assumed(2, agents=agents, growth=0.3), runs=64)
    for year in project(measured(tuple(energy_wh)), numbers, people(1)):
        for name in ("tasks", "calls", "tokens", "energy_wh", "energy_wh_a_task", "ratio"):
            value = getattr(year, name)
            assert 0 <= value.low <= value.central <= value.high < float("inf")


@pytest.mark.parametrize("said", [{"tasks": 0}, {"hours": None}])
def test_without_a_task_or_its_time_nothing_is_projected(said: dict[str, Any]):
    with pytest.raises(ValueError, match="needs a task"):
        project(structs.replace(measured(), **said), assumed())
