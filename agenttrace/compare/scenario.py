"""A scenario: the assumptions of a projection, in a TOML file that others can run again.

    years = 5
    persona = "average"

    [agents]
    value = 100
    note = "what the team plans for the end of the year"

    [growth]
    low = 0.2
    central = 0.5
    high = 1.0
    source = "our budget of three years"

What a file does not say, an option says, or it has its default. A file that was saved has what was
measured in it as well, so it can be run without the store.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from agenttrace.compare import grid_years
from agenttrace.compare.assumptions import BOUNDS, Assumption, check_assumption
from agenttrace.compare.grid_years import GridYear
from agenttrace.compare.measured_tasks import (
    Measured,
    UserFacing,
    check_measured,
    check_user_facing,
)
from agenttrace.compare.projection import RUNS, SEED, Assumed
from agenttrace.errors import ConfigError
from agenttrace.model import Range

YEARS: Final = 5
PERSONA: Final = "average"

_NUMBERS: Final = {
    "years": (1, 50),
    "first_year": (2000, 2200),
    "runs": (64, 65_536),
    "seed": (0, 2**63 - 1),  # as large as a number in a TOML file may be
}


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Assumptions; None is left to an option, to its default, or to what is measured.

    Attributes:
        title: What it is called.
        note: What to know about it.
        years: How many.
        first_year: The first of them.
        seed: Of the random numbers.
        runs: Of the Monte-Carlo.
        persona: Id of the people to compare with.
        agents: In the first year.
        hours_per_week: At work, each agent.
        growth: Of the fleet, a year: 0.5 is half as many more.
        efficiency: By how much the energy of a task falls in a year, and of a prompt with it.
        tasks_per_hour: Of one agent, in place of what was measured.
        grid: g/kWh in the first year, in place of the places of the measured calls.
        grid_change: Of the grid's intensity, a year.
        people: How many of the persona, in place of the measured user-facing calls.
        people_growth: Of these, or of the user-facing calls, a year.
        grid_year: g/kWh by year, in place of *grid* and *grid_change*.
        measured: What it rests on, where it was saved.
        user_facing: The same, of the people.
    """

    title: str = ""
    note: str = ""
    years: int | None = None
    first_year: int | None = None
    seed: int | None = None
    runs: int | None = None
    persona: str | None = None
    agents: Assumption | None = None
    hours_per_week: Assumption | None = None
    growth: Assumption | None = None
    efficiency: Assumption | None = None
    tasks_per_hour: Assumption | None = None
    grid: Assumption | None = None
    grid_change: Assumption | None = None
    people: Assumption | None = None
    people_growth: Assumption | None = None
    grid_year: tuple[GridYear, ...] = ()
    measured: Measured | None = None
    user_facing: UserFacing | None = None


def load(path: Path) -> Scenario:
    """Read the scenario in the file *path*.

    Raises:
        ConfigError: It cannot be read, is no scenario, or says what cannot be.
    """
    try:
        scenario = msgspec.toml.decode(path.read_bytes(), type=Scenario)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. Name a TOML file that is there."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # As TOML calls them, which knows no null.
        said = str(error).replace(" | null", "").replace("`object`", "`table`")
        raise ConfigError(
            f"{path.name}: {said}. `agenttrace project --save FILE` writes one that is whole."
        ) from error
    check(scenario, f"{path.name}: ")
    return scenario


def check(scenario: Scenario, where: str = "", name_of: Callable[[str], str] = str) -> None:
    """Check every assumption of *scenario*.

    Args:
        scenario: What was read.
        where: What errors begin with.
        name_of: How errors call a field.

    Raises:
        ConfigError: One is out of its bounds, is neither a value nor a range, or two contradict
            each other.
    """
    for name, bounds in BOUNDS.items():
        if (assumption := getattr(scenario, name)) is not None:
            check_assumption(f"{where}{name_of(name)}", assumption, bounds)
    for name, (least, most) in _NUMBERS.items():
        number = getattr(scenario, name)
        if number is not None and not least <= number <= most:
            end = f"{most}" if name == "first_year" else f"{most:,}"
            raise ConfigError(f"{where}{name_of(name)} is {number}. Give {least} to {end}.")
    for name in ("grid", "grid_change"):
        if scenario.grid_year and getattr(scenario, name) is not None:
            raise ConfigError(
                f"{where}{name_of(name)} and grid_year both say what a kWh emits. Drop one."
            )
    grid_years.check(where, scenario.grid_year)
    if scenario.measured is not None:
        check_measured(f"{where}measured", scenario.measured)
    if scenario.user_facing is not None:
        check_user_facing(f"{where}user_facing", scenario.user_facing)


def overridden(scenario: Scenario, options: Mapping[str, Any]) -> Scenario:
    """Return *scenario* with the options that are not None in place of what it says.

    Args:
        scenario: Sound.
        options: By the name of the field; one grid takes the place of the other.

    Raises:
        ConfigError: An option is out of its bounds, or contradicts another.
    """
    said = {name: value for name, value in options.items() if value is not None}
    if said.get("grid") is not None:
        said["grid_year"] = ()
    if said.get("grid_year"):
        said["grid"] = None
        said.setdefault("grid_change", None)
    check(msgspec.structs.replace(Scenario(), **said), name_of=_option)
    merged = msgspec.structs.replace(scenario, **said)
    check(merged)
    return merged


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def assumed(scenario: Scenario, first_year: int) -> Assumed:
    """Return the numbers of *scenario*, the years of which begin with *first_year*.

    Raises:
        ConfigError: It does not say how many agents there are, or how long they work.
    """
    for name, option in (("agents", "--agents N"), ("hours_per_week", "--hours-per-week H")):
        if getattr(scenario, name) is None:
            raise ConfigError(
                f"nothing says {name.replace('_', ' ')}. Give {option}, or [{name}] in a scenario "
                f"file."
            )
    if scenario.persona is not None and scenario.people is None:
        raise ConfigError(
            f"persona {scenario.persona!r} is named, and nothing says how many people. Give "
            "--people N, or [people] in a scenario file."
        )
    years = scenario.years or YEARS
    pace = scenario.tasks_per_hour
    return Assumed(
        years=years,
        agents=_range(scenario.agents, 1.0),
        hours_per_week=_range(scenario.hours_per_week, 1.0),
        growth=_range(scenario.growth, 0.0),
        efficiency=_range(scenario.efficiency, 0.0),
        tasks_per_hour=None if pace is None else pace.range,
        grid=_grid(scenario, first_year, years),
        grid_change=_range(scenario.grid_change, 0.0),
        people=_range(scenario.people, 1.0),
        people_growth=_range(scenario.people_growth, 0.0),
        runs=RUNS if scenario.runs is None else scenario.runs,
        seed=SEED if scenario.seed is None else scenario.seed,
    )


def to_toml(scenario: Scenario) -> str:
    """Return *scenario* as a file that :func:`load` reads, with every number as it is."""
    return "\n".join(_lines(msgspec.to_builtins(scenario))) + "\n"


def _range(assumption: Assumption | None, otherwise: float) -> Range:
    return Range(otherwise, otherwise, otherwise) if assumption is None else assumption.range


def _grid(scenario: Scenario, first_year: int, years: int) -> tuple[Range, ...] | None:
    if scenario.grid_year:
        return grid_years.of_years(scenario.grid_year, first_year, years)
    return None if scenario.grid is None else (scenario.grid.range,) * years


def _lines(table: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the lines of a TOML table: its own values, then the tables in it."""
    inner: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in table.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            inner.append((f"[{name}]", cast("dict[str, Any]", value)))
        elif key == "grid_year":
            inner += [(f"[[{name}]]", one) for one in value]
        elif value not in (None, "", ()):
            yield f"{key} = {_toml(value)}"
    for heading, values in inner:
        yield ""
        yield heading
        yield from _lines(values, f"{heading.strip('[]')}.")


def _toml(value: Any) -> str:
    if isinstance(value, str):
        # What JSON escapes TOML reads as well, but for the one control character it leaves.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, cast("tuple[Any, ...]", value))) + "]"
    return repr(value)
