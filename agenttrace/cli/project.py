"""``agenttrace project``: a fleet of agents in years to come, from tasks that were measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.output import report_format, show
from agenttrace.cli.reading import Read
from agenttrace.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.projection import Projected
    from agenttrace.report.selection import Selection

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace project --agents 100 --hours-per-week 40 --growth 50% --years 10
agenttrace project --agents 100 --hours-per-week 40 --growth 20%/50%/100%
agenttrace project --scenario fleet.toml --years 10 --save shared.toml
"""


def _amount(said: str) -> object:
    from agenttrace.compare.assumptions import amount

    return amount(said)


def _grid(said: str) -> object:
    """Read a rate in g/kWh, or a file that has it by year."""
    from agenttrace.compare import grid_years

    try:
        return _amount(said)
    except ConfigError:
        return grid_years.read(Path(said))


_AMOUNT: Final = Read("number", _amount)
_GRID: Final = Read("FILE|RATE", _grid)
_FILE: Final = click.Path(dir_okay=False, path_type=Path)

# By the field of a scenario that each overrides, in the order of --help.
_OPTIONS: Final = {
    "agents": click.option(
        "--agents", type=_AMOUNT, metavar="N", help="Agents that work in the first year."
    ),
    "hours_per_week": click.option(
        "--hours-per-week",
        type=_AMOUNT,
        metavar="H",
        help="Hours that each of them works in a week.",
    ),
    "growth": click.option(
        "--growth",
        type=_AMOUNT,
        metavar="g",
        help="How many more there are each year: 0.5 or 50%.",
    ),
    "efficiency": click.option(
        "--efficiency",
        type=_AMOUNT,
        metavar="e",
        help="By how much the energy of a task falls in a year: 0.3 or 30%.",
    ),
    "grid": click.option(
        "--grid",
        type=_GRID,
        metavar="FILE|RATE",
        help="g CO2e/kWh, or a file of it by year; of the places of the calls if not given.",
    ),
    "grid_change": click.option(
        "--grid-change",
        type=_AMOUNT,
        metavar="c",
        help="How the grid changes each year, such as -5%.",
    ),
    "years": click.option("--years", type=int, metavar="Y", help="Years to project.  [default: 5]"),
    "first_year": click.option(
        "--first-year",
        type=int,
        metavar="YEAR",
        help="First of the years; the one after the last call if not given.",
    ),
    "tasks_per_hour": click.option(
        "--tasks-per-hour",
        type=_AMOUNT,
        metavar="N",
        help="Tasks of one agent in an hour; from the measured durations if not given.",
    ),
    "people": click.option(
        "--people",
        type=_AMOUNT,
        metavar="N",
        help="Compare with so many people, not with the recorded user-facing calls.",
    ),
    "people_growth": click.option(
        "--people-growth",
        type=_AMOUNT,
        metavar="g",
        help="How many more people, or user-facing calls, there are each year.",
    ),
    "persona": click.option(
        "--persona", metavar="ID", help="What kind of people these are.  [default: average]"
    ),
    "seed": click.option(
        "--seed", type=int, metavar="N", help="Seed of the random numbers.  [default: 1]"
    ),
}


def _assuming(command: Callable[..., Any]) -> Callable[..., Any]:
    for name in reversed(_OPTIONS):
        command = _OPTIONS[name](command)
    return command


@click.command(
    short_help="Project a fleet of agents from tasks that were measured.", epilog=_EXAMPLES
)
@click.option("--scenario", "file", type=_FILE, metavar="FILE", help="Assumptions, as TOML.")
@click.option("--save", type=_FILE, metavar="FILE", help="Write what was run, to run it again.")
@_assuming
@selecting.options_but_workload
@report_format
@priced.options
@click.pass_obj
def project(  # noqa: PLR0917 - one per option
    home: str | None,
    file: Path | None,
    save: Path | None,
    selection: Selection,
    form: str | None,
    pricing: Pricing,
    **options: Any,
) -> None:
    """Project a fleet of agents, with a Monte-Carlo over the recorded agentic tasks.

    N agents work H hours a week, each on one task after the other; tasks are drawn from those that
    were measured, heavy ones included. An assumption may be a range: low/central/high. Every one is
    printed. A scenario is no forecast.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.compare import scenario as scenarios
    from agenttrace.energy import pricing as choices
    from agenttrace.report.projection import projected

    if save is not None and save.exists():
        raise ConfigError(f"{save} is there already. Name another file, or remove it.")
    said = {name: value for name, value in options.items() if value is not None}
    if isinstance(said.get("grid"), tuple):
        said["grid_year"] = said.pop("grid")
    base = scenarios.load(file) if file else scenarios.Scenario()
    scenario = scenarios.overridden(base, said)
    given, name = frozenset(said), file.name if file else None
    is_chosen = not selection.is_everything or pricing != choices.DEFAULT
    if scenario.measured is not None and not is_chosen:
        built = projected(scenario, options=given, file=name)
    else:
        from agenttrace.reader import Reader

        with Reader(home, pricing=pricing) as reader:
            built = projected(scenario, reader, selection, options=given, file=name)
    show(built.report, form, "agenttrace project")
    if save:
        _save(save, built)


def _save(path: Path, built: Projected) -> None:
    from agenttrace.compare.scenario import to_toml

    if built.scenario is None:
        raise ConfigError(f"nothing is projected, so {path} is not written.")
    path.write_text(to_toml(built.scenario), encoding="utf-8", errors="replace")
