"""``agenttrace export activity``: a row per month, model, place, kind of token and workload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli import selecting
from agenttrace.cli.export import counted
from agenttrace.cli.output import warn

if TYPE_CHECKING:
    from agenttrace.energy.pricing import Pricing
    from agenttrace.report.activity import Activity
    from agenttrace.report.selection import Selection

_STDOUT: Final = "-"

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace export activity --period 2026-10
agenttrace export activity --period 2026-10..2026-12 --format xlsx
agenttrace export activity --period 2026 --format json --output -
agenttrace export check activity-2026-10.csv
"""


@click.command(short_help="Export calls, tokens, energy and carbon by month.", epilog=_EXAMPLES)
@selecting.options_as_recorded
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json", "parquet", "xlsx"]),
    default="csv",
    show_default=True,
)
@click.option(
    "--output",
    "target",
    metavar="PATH",
    help="File to write; - for the terminal, csv and json only.  [default: activity-PERIOD.FORMAT]",
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@priced.options
@click.pass_obj
def activity(  # noqa: PLR0917 - click passes all by name
    home: str | None,
    form: str,
    target: str | None,
    overwrite: bool,
    pricing: Pricing,
    selection: Selection,
) -> None:
    """Export calls, tokens, energy, carbon and water by month, for reporting and audit.

    A row is a month, workload, provider, model, region and kind of token. Beside the rows goes how
    they were made, with every factor and its source, and a hash that `agenttrace export check`
    computes again. The period is made of whole months.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.reader import Reader
    from agenttrace.report import activity as exporting
    from agenttrace.report.activity import files

    exporting.check_months(selection.period)
    path = _path(target, form, selection)
    if path is not None:
        files.check(path, form, overwrite=overwrite)
    with Reader(home, pricing=pricing) as reader:
        built = exporting.activity(reader, selection)
    warn(built.warnings)
    if path is None:
        _print(built, form)
        return
    written = files.write(built, form, path, overwrite=overwrite)
    click.echo(_written(built, [one.name for one in written], path.parent))


def _path(target: str | None, form: str, selection: Selection) -> Path | None:
    """Return the file to write; None for the terminal."""
    from agenttrace.errors import ConfigError

    if target == _STDOUT:
        if form not in ("csv", "json"):
            raise ConfigError(f"{form} is not for a terminal. Name a file with --output.")
        return None
    named = target or f"activity-{selection.period.label.replace('..', '_')}.{form}"
    return Path(named).expanduser().absolute()


def _print(built: Activity, form: str) -> None:
    """Write to the standard output, bytes as they are: a CSV has its own ends of lines."""
    from agenttrace.report.activity import files

    click.echo(files.contents(built, form, [])["activity"], nl=False)
    if form == "csv":
        digest = built.meta.sha256["activity"]
        click.echo(
            f"Rows only: how they were made goes into a file with --output. SHA-256 {digest}",
            err=True,
        )


def _written(built: Activity, names: list[str], folder: Path) -> str:
    meta, totals = built.meta, built.totals
    rows, calls = counted(meta.rows["activity"], "row"), counted(totals.calls, "model call")
    lines = [
        f"{rows} of activity, {meta.rows['workflow']:,} of workflow: "
        f"{calls} of period {meta.period}, {meta.boundary} boundary."
    ]
    lines += [f"  {name}" for name in names]
    lines.append(f"  in {folder}" if folder != Path.cwd() else "  in this folder")
    lines += [f"SHA-256 of {name}: {digest}" for name, digest in meta.sha256.items()]
    return "\n".join(lines)
