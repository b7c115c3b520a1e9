"""``agenttrace store``: where the data are, and bringing them in by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from agenttrace.cli.output import warn

if TYPE_CHECKING:
    from pathlib import Path


@click.group(short_help="Look at the folder of the data, or tidy it.")
def store() -> None:
    """Look at the folder that holds the data, or tidy it."""


@store.command()
@click.pass_obj
def info(home: str | None) -> None:
    """Show where the data are, how much there is, and what is missing."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace import config
    from agenttrace.store import Store

    settings = config.load(home)
    with Store.open(settings.home) as opened:
        try:
            spans, first, last, quarantined, lost = opened.connection.execute(
                "SELECT count(*), min(started_at), max(started_at), "
                "(SELECT count(*) FROM quarantine), (SELECT coalesce(sum(records), 0) FROM lost) "
                "FROM span"
            ).fetchall()[0]
        except duckdb.Error as error:
            raise opened.unreadable(error) from error
        warn(opened.warnings)
    for name, value in (
        ("folder", f"{settings.home} (from {settings.home_from})"),
        ("spans", f"{spans:,}"),
        ("first", f"{first} UTC" if spans else "-"),
        ("last", f"{last} UTC" if spans else "-"),
        ("quarantined", f"{quarantined:,} records"),
        ("lost", f"{lost:,} records"),
        ("spool", _size(settings.home / "spool")),
        ("lake", _size(settings.home / "lake")),
    ):
        click.echo(f"{name:<12} {value}")


@store.command()
@click.pass_obj
def fold(home: str | None) -> None:
    """Bring new records from the spool into the lake, as every report does first."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace import config
    from agenttrace.errors import StoreError
    from agenttrace.store.fold import fold as fold_spool

    folder = config.load(home).home
    if not folder.exists():
        click.echo(f"Nothing is recorded in {folder} yet.")
        return
    warnings: list[str] = []
    try:
        with duckdb.connect() as connection:
            is_folded = fold_spool(connection, folder, warnings)
    except (OSError, duckdb.Error) as error:
        reason = str(error).partition("\n")[0]
        raise StoreError(f"{folder} cannot be folded: {reason}") from error
    warn(warnings)
    click.echo("Everything new is in the lake." if is_folded else "Another process is folding.")


def _size(folder: Path) -> str:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return f"{len(sizes):,} files, {sum(sizes):,} bytes"
