"""``agenttrace export check``: whether a file is as it was exported, and the store agrees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli.export import counted
from agenttrace.cli.output import warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agenttrace.report.activity.check import Difference, Digest
    from agenttrace.report.activity.files import Found

_SHOWN: Final = 10


@click.command(short_help="Check an exported file by its hash and the store.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--no-store", is_flag=True, help="Only compute the hash; look at no recorded data.")
@click.pass_obj
def check(home: str | None, file: Path, no_store: bool) -> None:
    """Check that the rows of FILE are those that were exported, and that the store gives them.

    The hash is computed from the rows and compared with the one that was exported: in JSON, xlsx
    and Parquet that is in the file, for CSV in the .method.md beside it. Then the same is exported
    again, with the factors of then, and compared figure by figure. The exit code is 1 if anything
    differs.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.errors import ConfigError
    from agenttrace.report.activity import check as checking
    from agenttrace.report.activity import files

    found = files.read(file)
    digests = checking.digests(found.tables, found.meta)
    for digest in digests:
        click.echo(_hash_line(digest))
    if found.meta is None:
        raise ConfigError(
            f"{found.said_in} with the hash of the export is not there, so nothing tells whether "
            "these rows are those that were exported. Put it beside the file."
        )
    changed = [digest for digest in digests if not digest.is_as_exported]
    differing = () if no_store else _against_store(home, found)
    for line in _difference_lines(differing):
        click.echo(line)
    if changed or differing:
        raise click.exceptions.Exit(1)


def _hash_line(digest: Digest) -> str:
    rows = f"{digest.table}, {counted(digest.rows, 'row')}"
    if digest.exported is None:
        return f"{rows}: SHA-256 {digest.found}"
    if digest.is_as_exported:
        return f"{rows}: as exported, SHA-256 {digest.found}"
    return (
        f"{rows}: CHANGED since the export\n  SHA-256 now    {digest.found}\n"
        f"  when exported  {digest.exported}"
    )


def _against_store(home: str | None, found: Found) -> Sequence[Difference]:
    """Return where the store differs, and say if it does not."""
    from agenttrace.reader import Reader
    from agenttrace.report.activity import check as checking

    assert found.meta is not None
    with Reader(home, pricing=checking.pricing(found.meta)) as reader:
        warn(reader.store_warnings)
        differing = checking.differences(reader, found.tables, found.meta)
    if not differing:
        click.echo(f"The store gives the same figures: {reader.home}")
    return differing


def _difference_lines(differing: Sequence[Difference]) -> list[str]:
    if not differing:
        return []
    rows = {(one.table, one.row_id) for one in differing}
    lines = [f"The store gives other figures in {counted(len(rows), 'row')}:"]
    lines += [f"  {_said(one)}" for one in differing[:_SHOWN]]
    if more := len(differing) - _SHOWN:
        lines += [f"  and {more:,} more"] if more > 0 else []
    return lines


def _said(one: Difference) -> str:
    if one.column is None:
        return f"{one.table} {one.row_id}: only in the {'file' if one.in_file else 'store'}"
    both = f"{_shown(one.in_file)} in the file, {_shown(one.in_store)} in the store"
    return f"{one.table} {one.row_id} {one.column}: {both}"


def _shown(value: object) -> str:
    return "nothing" if value is None else str(value)
