"""``agenttrace outcomes``: tell afterwards what became of tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

if TYPE_CHECKING:
    from agenttrace.sources.outcomes.importing import Imported

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace outcomes import merged.csv
agenttrace outcomes import tests.jsonl --unknown skip
agenttrace report outcomes
"""


@click.group(short_help="Tell afterwards what became of tasks.", epilog=_EXAMPLES)
def outcomes() -> None:
    """Tell afterwards what became of tasks: success, failure or abandoned."""


@outcomes.command("import", short_help="Import outcomes from files.")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--unknown",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="What to do with tasks that were not recorded here.",
)
@click.pass_obj
def import_(home: str | None, files: tuple[Path, ...], unknown: Literal["refuse", "skip"]) -> None:
    """Import outcomes from each FILE: CSV, a JSON list, or JSON lines.

    Its columns are task_id (the id, or as much of its beginning as tells it apart), outcome
    (success, failure or abandoned) and, if you like, reference (a ticket, a pull request) and at
    (when it was known, ISO 8601, UTC if it has no zone; else now). Everything is checked before
    anything is written. What is known already is not written again, and of several outcomes of a
    task the latest counts.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.sources.outcomes.importing import import_outcomes

    done = import_outcomes(config.load(home).home, files, unknown=unknown)
    click.echo(_summary(done))
    for said in _left_out(done):
        click.echo(f"  {said}")


def _summary(done: Imported) -> str:
    number = sum(done.written.values())
    if not number:
        return "Nothing new: no outcome was imported."
    named = ", ".join(f"{count:,} {outcome}" for outcome, count in done.written.items() if count)
    return f"{'1 outcome' if number == 1 else f'{number:,} outcomes'} imported: {named}."


def _left_out(done: Imported) -> list[str]:
    counts = (
        (done.known, "known already"),
        (done.older, "older than what is known, which stays"),
        (done.replaced, "replaced by a later row of the same task"),
        (done.unknown, "of tasks that were not recorded here"),
    )
    return [f"{'1 row' if n == 1 else f'{n:,} rows'} {why}" for n, why in counts if n]
