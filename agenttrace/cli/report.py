"""``agenttrace report``: everything recorded, one task as a tree, or the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli.output import console, say, warn

if TYPE_CHECKING:
    from agenttrace.report.values import Report

_PICTURE_WIDTH: Final = 84

_NOTHING_YET: Final = """\
To record your agents, say so once and name the task:

    import agenttrace

    agenttrace.configure()

    @agenttrace.task
    def answer(question): ...

Every model call inside is recorded then. `agenttrace demo` shows a whole run, offline."""

_format = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "svg"]),
    help="For the terminal, for programs, or as a picture.  [default: text]",
)


@click.group(
    invoke_without_command=True, short_help="Show what your agents did and what that equals."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many of the largest tasks to list.",
)
@_format
@click.pass_context
def report(ctx: click.Context, limit: int, form: str | None) -> None:
    """Show what your agents did: calls, hidden calls, tokens, energy, and what that equals."""
    if ctx.invoked_subcommand is not None:
        return
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.overview import overview

    with Reader(ctx.obj) as reader:
        built = overview(reader, limit=limit)
    if not built.tasks and form in (None, "text"):
        warn(built.warnings)
        click.echo(_NOTHING_YET)
    else:
        _show(built, form, "agenttrace report")


@report.command()
@click.argument("task_id", metavar="ID")
@click.option("--full", is_flag=True, help="Show every span, however many there are.")
@_format
@click.pass_context
def task(ctx: click.Context, task_id: str, full: bool, form: str | None) -> None:
    """Show one task as a tree of agents, tools and model calls.

    The first characters of the ID are enough where no other task begins with them. A task with more
    than 20,000 spans is summed up by agent, role and model.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.task import task_report

    assert ctx.parent is not None
    with Reader(ctx.obj) as reader:
        built = task_report(reader, task_id, full=full)
    _show(built, form or ctx.parent.params["form"], f"agenttrace report task {task_id}")


@report.command()
@_format
@click.pass_context
def models(ctx: click.Context, form: str | None) -> None:
    """Show what each model moved, used and took, the largest first."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report.models import models_report

    assert ctx.parent is not None
    with Reader(ctx.obj) as reader:
        built = models_report(reader)
    _show(built, form or ctx.parent.params["form"], "agenttrace report models")


def _show(report: Report, form: str | None, title: str) -> None:
    match form:
        case "json":
            from agenttrace.report.json import to_json

            click.echo(to_json(report))
        case "svg":
            from agenttrace.report.svg import to_svg

            click.echo(to_svg(report, width=_PICTURE_WIDTH, title=title), nl=False)
        case _:
            from agenttrace.report.text import to_text

            say(to_text(report, console()))
