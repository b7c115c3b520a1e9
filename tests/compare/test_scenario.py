from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from agenttrace.compare.assumptions import Assumption, amount
from agenttrace.compare.grid_years import GridYear
from agenttrace.compare.measured_tasks import Measured, Tasks, UserFacing
from agenttrace.compare.projection import RUNS, SEED
from agenttrace.compare.scenario import YEARS, Scenario, assumed, load, overridden, to_toml
from agenttrace.errors import ConfigError
from agenttrace.model import Range

FLEET = Scenario(agents=Assumption(value=100), hours_per_week=Assumption(value=40))
MEASURED = Measured(
    period="2026-10",
    selection='task "fix", period 2026-10',
    factor_set="test",
    boundary="facility",
    tasks=3,
    calls=9,
    hours=0.1 + 0.2,
    tokens=300,
    energy_wh=1 / 3,
    energy_draws=(1.0, 2 / 3) * 128,
    g_per_kwh=250.0,
    g_per_kwh_draws=(250.0,) * 256,
    sample=Tasks(energy_wh=(0.1, 1e-9), hours=(0.1, 0.2), calls=(4, 5), tokens=(100, 200)),
)
PEOPLE = UserFacing(
    origin="persona",
    who="average",
    definition="3.67 prompts a day",
    per="prompt",
    volume_a_day=3.67,
    energy_wh_a_day=1.1,
    draws_wh_a_day=(1.1,) * 256,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_each_assumption_with_its_note_and_source(tmp_path: Path):
    text = """
        title = "Our fleet"
        years = 3

        [agents]
        value = 100
        note = "planned"
        source = "budget"

        [growth]
        low = 0.2
        central = 0.5
        high = 1
    """
    assert load(written(tmp_path, text)) == Scenario(
        title="Our fleet",
        years=3,
        agents=Assumption(value=100, note="planned", source="budget"),
        growth=Assumption(low=0.2, central=0.5, high=1),
    )


def test_what_is_saved_is_read_again_to_the_last_digit(tmp_path: Path):
    whole = structs.replace(
        FLEET,
        title='a "quoted" \\ title\n\x7f',
        first_year=2027,
        grid_year=(
            GridYear(year=2027, g_per_kwh=250, source="ours"),
            GridYear(year=2030, g_per_kwh=100, low=50, high=200),
        ),
        measured=MEASURED,
        user_facing=PEOPLE,
    )
    assert load(written(tmp_path, to_toml(whole))) == whole


@given(title=st.text(st.characters(exclude_categories=["Cs"])), value=st.floats(1e-9, 1e9))
def test_any_text_and_any_number_come_back(
    tmp_path_factory: pytest.TempPathFactory, title: str, value: float
):
    scenario = Scenario(title=title, agents=Assumption(value=value, note=title))
    path = written(tmp_path_factory.mktemp("scenario"), to_toml(scenario))
    assert load(path) == scenario


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("agents = 3", "fleet.toml: Expected `table`, got `int` - at `$.agents`"),
        ("[agents]\nvalue = 'many'", "fleet.toml: Expected `float`, got `str`"),
        ("[agentz]\nvalue = 3", "fleet.toml: Object contains unknown field `agentz`"),
        ("[agents]\nvalue = nan", "fleet.toml: agents is nan. Give numbers"),
        ("[growth]\nvalue = -1.5", "fleet.toml: growth is -1.5. Give more than -1"),
        ("[agents]\nlow = 1", "fleet.toml: agents needs value, or low, central and high"),
        ("years = 0", "fleet.toml: years is 0. Give 1 to 50."),
        ("years = [", "fleet.toml: "),
        ("seed = -1", "fleet.toml: seed is -1"),
        ("runs = 1", "fleet.toml: runs is 1. Give 64 to 65,536."),
        (
            "[grid]\nvalue = 1\n[[grid_year]]\nyear = 2027\ng_per_kwh = 2",
            "fleet.toml: grid and grid_year both say what a kWh emits. Drop one.",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_name_and_the_key(tmp_path: Path, text: str, trouble: str):
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text))
    assert str(refused.value).startswith(trouble)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "said",
    [
        {"tasks": 1},
        {"energy_wh": None},
        {"energy_draws": (1.0,)},
        {"energy_draws": (-1.0,) * 256},
        {"hours": None},
        {"hours": float("inf")},
        {"g_per_kwh": None},
        {"sample": structs.replace(MEASURED.sample, hours=(1.0,))},
        {"sample": structs.replace(MEASURED.sample, hours=(1.0, 0.0))},
        {"sample": Tasks()},
    ],
)
def test_measured_tasks_that_are_not_whole_are_refused(tmp_path: Path, said: dict[str, Any]):
    broken = structs.replace(FLEET, measured=structs.replace(MEASURED, **said))
    with pytest.raises(ConfigError, match="measured"):
        load(written(tmp_path, to_toml(broken)))


@pytest.mark.parametrize(
    "said",
    [{"energy_wh_a_day": None}, {"draws_wh_a_day": (0.0,) * 256}, {"volume_a_day": -1.0}],
)
def test_people_that_are_not_whole_are_refused(tmp_path: Path, said: dict[str, Any]):
    broken = structs.replace(FLEET, user_facing=structs.replace(PEOPLE, **said))
    with pytest.raises(ConfigError, match="user_facing"):
        load(written(tmp_path, to_toml(broken)))


def test_options_override_the_file_and_leave_the_rest():
    merged = overridden(FLEET, {"agents": amount("7"), "years": 2, "growth": None})
    assert merged == structs.replace(FLEET, agents=Assumption(value=7), years=2)


def test_one_grid_takes_the_place_of_the_other():
    by_year = (GridYear(year=2027, g_per_kwh=250),)
    rated = structs.replace(FLEET, grid=Assumption(value=1), grid_change=Assumption(value=0))
    assert overridden(rated, {"grid_year": by_year}) == structs.replace(FLEET, grid_year=by_year)
    dated = structs.replace(FLEET, grid_year=by_year)
    assert overridden(dated, {"grid": amount("9")}) == structs.replace(
        FLEET, grid=Assumption(value=9)
    )


def test_an_option_that_cannot_be_is_named_as_it_is_typed():
    with pytest.raises(ConfigError, match=r"--hours-per-week is -3\. A week has 168 hours"):
        overridden(FLEET, {"hours_per_week": amount("-3")})
    with pytest.raises(ConfigError, match=r"--years is 0\. Give 1 to 50"):
        overridden(FLEET, {"years": 0})
    by_year = (GridYear(year=2027, g_per_kwh=250),)
    with pytest.raises(ConfigError, match="--grid-change and grid_year"):
        overridden(FLEET, {"grid_year": by_year, "grid_change": amount("1%")})


def test_what_is_not_said_has_its_default():
    numbers = assumed(FLEET, 2027)
    assert (numbers.agents, numbers.hours_per_week) == (Range(100, 100, 100), Range(40, 40, 40))
    assert (numbers.years, numbers.runs, numbers.seed) == (YEARS, RUNS, SEED)
    assert (numbers.growth, numbers.efficiency) == (Range(0, 0, 0), Range(0, 0, 0))
    assert (numbers.grid, numbers.tasks_per_hour) == (None, None)


def test_a_grid_by_year_begins_with_the_first_year():
    known = (GridYear(year=2027, g_per_kwh=300), GridYear(year=2029, g_per_kwh=100))
    numbers = assumed(structs.replace(FLEET, years=2, grid_year=known), 2028)
    assert numbers.grid == (Range(200, 200, 200), Range(100, 100, 100))


@pytest.mark.parametrize(("field", "option"), [("agents", "--agents"), ("hours_per_week", "-week")])
def test_a_fleet_needs_agents_and_their_hours(field: str, option: str):
    with pytest.raises(ConfigError, match=option):
        assumed(structs.replace(FLEET, **{field: None}), 2027)


def test_a_persona_needs_people():
    with pytest.raises(ConfigError, match=r"persona 'heavy' is named, .* Give --people N"):
        assumed(structs.replace(FLEET, persona="heavy"), 2027)
