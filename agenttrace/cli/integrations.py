"""``agenttrace integrations``: which frameworks can be recorded here, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli.output import console

if TYPE_CHECKING:
    from agenttrace.integration import Instrumentor


@click.command(short_help="List the frameworks that can be recorded, and how each is hooked.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "csv"]),
    default="text",
    show_default=True,
)
def integrations(form: str) -> None:
    """List the integrations: the framework, its version here, what is hooked, and the state.

    agenttrace.instrument() switches on every one that is ready. Model calls are recorded without
    any of them; an integration says which agent and which tool made a call.
    """
    # Entry points, DuckDB's values and rich are loaded only here, so that --help is quick.
    from agenttrace import integration
    from agenttrace.reader import Table
    from agenttrace.report import rows

    found = Table(
        ("name", "framework", "installed", "tested", "hook", "state"),
        [
            (
                name,
                kind.distribution,
                kind.installed_version() or "-",
                " to ".join(dict.fromkeys(kind.tested)),
                kind.hook,
                _state(kind),
            )
            for name, kind in integration.available().items()
        ],
    )
    match form:
        case "json":
            click.echo(rows.to_json(found))
        case "csv":
            click.echo(rows.to_csv(found))
        case _:
            click.echo(rows.to_text(found, console().width))


def _state(kind: type[Instrumentor]) -> str:
    """Say whether the framework is here, and whether its version is one that was tested."""
    from packaging.version import InvalidVersion, Version

    installed = kind.installed_version()
    if installed is None or not kind.is_installed():
        return "not installed"
    oldest, newest = map(Version, kind.tested)
    try:
        release = Version(installed).release
    except InvalidVersion:
        return "ready"
    if release[: len(oldest.release)] < oldest.release:
        return "older than tested"
    if release[: len(newest.release)] > newest.release:
        return "ready, newer than tested"
    return "ready"
