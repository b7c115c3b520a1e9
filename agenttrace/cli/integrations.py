"""``agenttrace integrations``: which frameworks can be recorded here, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli.output import console

if TYPE_CHECKING:
    import rich.table

    from agenttrace.integration import Instrumentor
    from agenttrace.model import Table


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
    from agenttrace.model import Table
    from agenttrace.report import rows

    found = Table(
        ("name", "framework", "here", "tested", "state", "hook"),
        [
            (
                name,
                kind.distribution,
                kind.installed_version() or "-",
                " and ".join(dict.fromkeys(kind.tested)),
                _state(kind),
                kind.hook,
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
            terminal = console()
            with terminal.capture() as text:
                terminal.print(_text(found))
            click.echo("\n".join(line.rstrip() for line in text.get().splitlines()))


def _text(found: Table) -> rich.table.Table:
    """Lay the table out for a terminal; the framework's name is nearly the integration's."""
    from rich.table import Table as Shown

    shown = Shown(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="none")
    for name in ("name", "here", "tested", "state", "hook"):
        shown.add_column(name, no_wrap=name != "hook")
    for name, _, *others in found.rows:
        shown.add_row(name, *others)
    return shown


def _state(kind: type[Instrumentor]) -> str:
    """Say whether the framework is here, and whether its version is one that was tested."""
    from packaging.version import InvalidVersion, Version

    installed = kind.installed_version()
    if installed is None or not kind.is_installed():
        return "absent"
    oldest, newest = map(Version, kind.tested)
    try:
        release = Version(installed).release
    except InvalidVersion:
        return "ready"
    if release[: len(oldest.release)] < oldest.release:
        return "older than tested"
    if release[: len(newest.release)] > newest.release:
        return "newer than tested"
    return "ready"
