"""Options of every command that looks at some of what was recorded."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from agenttrace.cli.reading import Read

if TYPE_CHECKING:
    from collections.abc import Callable

_FIELDS: Final = ("period", "workload", "project", "task_name", "agent", "grouping")


def _parsed(said: str) -> object:
    from agenttrace.compare.periods import parse

    return parse(said)


_PERIOD: Final = Read("period", _parsed)


def _period(otherwise: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    forms = "2026-10, 2026-W41, 2026-10-05, 2026-10-05T14, 2026, or 2026-10-01..2026-10-15; UTC."
    return click.option(
        "--period",
        type=_PERIOD,
        default="all",
        metavar="PERIOD",
        help=f"{forms}  [default: {otherwise}]",
    )


_WORKLOAD: Final = click.option(
    "--workload",
    type=click.Choice(["agentic", "user-facing"]),
    help="Only tasks in which an agent worked, or in which a person was answered.",
)
_PROJECT: Final = click.option(
    "--project", metavar="NAME", help="Only tasks of this project, or service if none was told."
)
_TASK_NAME: Final = click.option("--task-name", metavar="NAME", help="Only tasks of this name.")
_AGENT: Final = click.option(
    "--agent", metavar="NAME", help="Only tasks in which this agent made a call."
)
_GROUPING: Final = click.option(
    "--task",
    "grouping",
    type=click.Choice(["turn", "session", "branch", "day"]),  # as GROUPINGS; that loads DuckDB
    default="turn",
    help="What is one task: each as recorded, or all of a session, a branch, or a day (UTC) "
    "together; those that say none stay as recorded.  [default: turn]",
)


def grouping(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the option ``--task`` alone, and pass it as ``grouping``."""
    return _GROUPING(command)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that choose calls, and pass them as ``selection``."""
    return _selecting(command, _FIELDS)


def options_as_recorded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do as :func:`options`, without ``--task``: the command looks at tasks as they are."""
    return _selecting(command, tuple(field for field in _FIELDS if field != "grouping"))


def options_of_a_change(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do as :func:`options`, where the command chooses two periods if it gets everything."""
    return _selecting(command, _FIELDS, otherwise="chosen from the data")


def options_but_workload(command: Callable[..., Any]) -> Callable[..., Any]:
    """Do as :func:`options`, without ``--workload``: the command looks at both."""
    return _selecting(command, tuple(field for field in _FIELDS if field != "workload"))


def against(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the option ``--against``, an earlier period; it needs ``--period``."""

    @click.option(
        "--against",
        type=_PERIOD,
        metavar="PERIOD",
        help="What to compare --period with; the period before if not given.",
    )
    @functools.wraps(command)
    def comparing(*args: Any, **kwargs: Any) -> Any:
        is_said = kwargs.get("against") is not None
        source = click.get_current_context().get_parameter_source("period")
        if is_said and source is ParameterSource.DEFAULT:
            raise click.UsageError("--against needs --period: say which period to set against it")
        return command(*args, **kwargs)

    return comparing


_BY_FIELD: Final = {
    "workload": _WORKLOAD,
    "project": _PROJECT,
    "task_name": _TASK_NAME,
    "agent": _AGENT,
    "grouping": _GROUPING,
}


def _selecting(
    command: Callable[..., Any], fields: tuple[str, ...], otherwise: str = "all"
) -> Callable[..., Any]:
    @functools.wraps(command)
    def choosing(*args: Any, **kwargs: Any) -> Any:
        # DuckDB is loaded by it, so --help must not.
        from agenttrace.report.selection import Selection

        selection = Selection(**{field: kwargs.pop(field) for field in fields})
        return command(*args, selection=selection, **kwargs)

    chosen: Callable[..., Any] = choosing
    for field in reversed(fields):
        chosen = (_period(otherwise) if field == "period" else _BY_FIELD[field])(chosen)
    return chosen
