"""``agenttrace store``: where the data are, and keeping them in order."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from agenttrace.cli.output import data_format, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    import duckdb

    from agenttrace.config import Settings
    from agenttrace.store.facts import Facts
    from agenttrace.store.prune import Pruning


class _BadArgumentError(click.ClickException):
    """An argument that cannot be meant, in one line."""

    exit_code = 2


@click.group(short_help="Look at the folder of the data, or keep it in order.")
def store() -> None:
    """Look at the folder that holds the data, or keep it in order.

    Everything works while programs record and others read.
    """


@store.command()
@data_format
@click.pass_obj
def info(home: str | None, form: str) -> None:
    """Show where the data are, how much there is, and what is missing.

    Nothing is folded, and no span is read.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.store import engine
    from agenttrace.store.facts import facts

    with engine.connect() as connection:
        found = facts(connection, config.load(home))
    if form == "json":
        click.echo(found.to_json())
        return
    for name, value in _told(found):
        click.echo(f"{name:<12} {value}")


@store.command()
@click.pass_obj
def fold(home: str | None) -> None:
    """Bring new records from the spool into the lake, as every report does first."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace.store import engine, published, segments, upkeep
    from agenttrace.store.fold import QUARANTINE
    from agenttrace.store.fold import fold as fold_spool

    folder = _recorded(home).home
    warnings: list[str] = []
    try:
        with engine.connect() as connection, _progress("Folding") as progress:
            before = published.read(connection, folder)
            refused_before = published.refused(connection, folder)
            is_folded = fold_spool(connection, folder, warnings, progress=progress)
            after = published.read(connection, folder)
            refused = published.refused(connection, folder) - refused_before
    except (OSError, duckdb.Error) as error:
        raise upkeep.failed(folder, error) from error
    warn(warnings)
    if not is_folded:
        waiting = segments.size(folder / "spool", after.watermarks)
        click.echo(f"Another process is folding; {_size(waiting)} of the spool are left to it.")
        return
    new = sum(part.rows for part in after.parts) - sum(part.rows for part in before.parts)
    click.echo(f"{_count(new, 'span')} folded. Everything new is in the lake.")
    if refused:
        click.echo(
            f"{_count(refused, 'record')} could not be read, whole or in part: `agenttrace query "
            f"quarantine` says why, and {folder / QUARANTINE} keeps them."
        )


@store.command()
@click.option("--rollups", is_flag=True, help="Work the roll-ups out again, and compare.")
@click.pass_obj
def verify(home: str | None, rollups: bool) -> None:
    """Read every value that is stored, and say what is wrong; the exit status is 1 then.

    Nothing is changed. With --rollups, everything that reports read is worked out from the spans
    and compared.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace.store import engine, lake
    from agenttrace.store import verify as verifying

    folder = _recorded(home, must_exist=True).home
    warnings: list[str] = []
    with (
        engine.connect() as connection,
        verifying.snapshot(connection, folder, warnings, _say) as seen,
    ):
        warn(warnings)
        with _progress("Reading") as progress:
            found = list(verifying.lake_findings(connection, seen, progress))
        if rollups:
            try:
                found += verifying.rollup_findings(connection, seen)
            except duckdb.Error as error:
                found.append(
                    verifying.Finding(
                        f"The roll-ups cannot be worked out: {lake.reason(error)}",
                        "First mend the lake.",
                    )
                )
    for finding in found:
        click.echo(str(finding))
    if found:
        raise click.exceptions.Exit(1)
    parts = seen.state.parts
    spans = sum(part.rows for part in parts)
    click.echo(
        f"{_count(len(parts), 'file')} with {_count(spans, 'span')}: "
        "each can be read to the last value, and each span is there once."
    )
    if rollups:
        since = f" from {seen.state.pruned_before} on" if seen.state.pruned_before else ""
        click.echo(f"The roll-ups are what the spans{since} add up to.")


@store.command()
@click.option(
    "--rebuild", is_flag=True, help="Work the roll-ups out from the lake, as it is, once more."
)
@click.pass_obj
def compact(home: str | None, rebuild: bool) -> None:
    """Make few large files out of many small ones, and the file of the roll-ups small.

    Readers at work are not disturbed: the small files are removed an hour later.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace.store import compaction, upkeep

    folder = _recorded(home).home
    warnings: list[str] = []
    missing: list[str] = []

    def first(connection: duckdb.DuckDBPyConnection) -> None:
        # A fold stumbles over files that are gone.
        if rebuild:
            missing.extend(compaction.relist(connection, folder))

    with (
        _progress("Compacting") as progress,
        upkeep.folded(folder, warnings, say=_say, progress=progress, first=first) as (
            connection,
            _,
        ),
    ):
        done = compaction.compact(connection, folder, is_rebuilding=rebuild, progress=progress)
    warn(warnings)
    warn(f"{file} is gone, and is listed no more." for file in (*missing, *done.missing))
    before, after = done.files
    click.echo(f"{_count(before, 'file')} of spans became {after:,}.")
    before, after = done.store_bytes
    click.echo(f"store.duckdb had {_size(before)} and has {_size(after)}.")
    if done.repeats:
        click.echo(f"{_count(done.repeats, 'span')} that were there more than once are gone.")
    if rebuild:
        click.echo("The roll-ups were worked out from the lake.")


@store.command()
@click.option(
    "--older-than",
    required=True,
    metavar="AGE",
    help="90d, 12h, 4w, or a day such as 2026-08-25; days (UTC) that lie wholly before go.",
)
@click.option("--keep-rollups", is_flag=True, help="Keep the sums and the tasks of these days.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and leave everything.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def prune(home: str | None, older_than: str, keep_rollups: bool, dry_run: bool, yes: bool) -> None:
    """Remove the spans of old days, and what they add up to.

    What arrives later of these days is kept, and counts. A task that goes on after them keeps its
    row. With --keep-rollups reports say the same as before; only the calls themselves, and their
    trees, are gone. Calls whose energy was measured are priced by the estimate then.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from datetime import UTC, datetime

    from agenttrace.store import engine, upkeep
    from agenttrace.store import prune as pruning

    day = pruning.day_of(older_than, datetime.now(UTC))
    if day is None:
        raise _BadArgumentError(
            f"--older-than {older_than}: say it as 90d, 12h, 4w, or as a day such as 2026-08-25."
        )
    if day < pruning.EARLIEST:
        raise _BadArgumentError(
            f"--older-than {older_than}: that is too long ago; no span is from before 1970."
        )
    folder = _recorded(home).home
    with engine.connect() as connection:
        planned = pruning.plan(connection, folder, day, keep_rollups=keep_rollups)
    if keep_rollups and _is_measured(folder, planned):
        warn([f"energy was measured before {day}: what is kept of it will have estimates again."])
    if dry_run:
        click.echo(_pruned(planned, "would be removed"))
        return
    if not yes and planned and _is_terminal():
        click.echo(_pruned(planned, "are to be removed, and cannot be had back"))
        click.confirm("Go on?", abort=True)
    warnings: list[str] = []
    with (
        _progress("Pruning") as progress,
        upkeep.folded(folder, warnings, say=_say, progress=progress) as (connection, _),
    ):
        gone = pruning.prune(connection, folder, day, keep_rollups=keep_rollups, progress=progress)
    warn(warnings)
    click.echo(_pruned(gone, "are removed"))


@store.command()
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@click.option(
    "--keep-names", is_flag=True, help="Take host names and conversation ids as they are."
)
@click.pass_obj
def merge(home: str | None, others: tuple[str, ...], keep_names: bool) -> None:
    """Take in the spans of other stores: folders of other people, or of other machines.

    Each span is taken once, however often it is merged. The other stores stay as they are. Names of
    hosts and ids of conversations become others, unless --keep-names is given.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.store import merge as merging
    from agenttrace.store import upkeep

    folder = config.load(home).home
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for other in others:
        warnings: list[str] = []
        with (
            _progress(f"Merging {other}") as progress,
            upkeep.folded(folder, warnings, say=_say) as (connection, _),
        ):
            done = merging.merge(
                connection,
                folder,
                Path(other).expanduser().absolute(),
                keep_names=keep_names,
                progress=progress,
            )
        warn((*warnings, *done.warnings))
        said = f"{other}: {_count(done.spans, 'span')} taken in, {done.known:,} were here."
        if done.refused or done.lost:
            said += f" It had refused {done.refused:,} records, and lost {done.lost:,}."
        click.echo(said)


@store.command()
@click.argument("target", metavar="DIR|FILE")
@click.option(
    "--format",
    type=click.Choice(["parquet"]),
    default="parquet",
    show_default=True,
    expose_value=False,  # there is one, and scripts name it
)
@click.option(
    "--partition",
    type=click.Choice(["date"]),
    help="Write a folder, with a folder date=YYYY-MM-DD for each day.",
)
@click.option("--spans", is_flag=True, help="Everything that was recorded, not only what counts.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier export.")
@click.pass_obj
def export(
    home: str | None,
    target: str,
    partition: str | None,
    spans: bool,
    overwrite: bool,
) -> None:
    """Write the model calls to Parquet files that others can read without agenttrace.

    A row is a model call as in `agenttrace query model_call`: what counts, whose it is, and whether
    anybody reads it. The meaning of each column, with its unit, is in the metadata.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace.errors import StoreError
    from agenttrace.reader import Reader
    from agenttrace.store import columns
    from agenttrace.store.export import export as export_rows

    settings = _recorded(home, must_exist=True)
    written = Path(target).expanduser().absolute()
    with Reader(settings.home) as reader:
        warn(reader.store_warnings)
        source = "span" if spans else "model_call"
        reader.define(source)
        described = columns.COLUMNS if spans else ()
        comments = {column.name: column.comment for column in described} or {
            column.name: column.doc for column in reader.queries[source].columns
        }
        try:
            done = export_rows(
                reader.connection,
                source,
                written,
                comments=comments,
                day="started_at::DATE" if partition else None,
                overwrite=overwrite,
            )
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise StoreError(f"{written} cannot be written: {reason}") from error
    what = _count(done.rows, "span" if spans else "model call")
    click.echo(f"{what} in {_count(done.files, 'file')}, {_size(done.bytes)}: {target}")


@store.command()
@click.pass_obj
def migrate(home: str | None) -> None:
    """Bring the store of an earlier agenttrace up to date, as its next fold does."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    import duckdb

    from agenttrace.store import engine, upkeep
    from agenttrace.store import migrate as migrating

    folder = _recorded(home).home
    warnings: list[str] = []
    try:
        with (
            _progress("Migrating") as progress,
            upkeep.alone(folder, _say),
            engine.connect() as connection,
        ):
            done = migrating.migrate(connection, folder, warnings, progress)
    except (OSError, duckdb.Error) as error:
        raise upkeep.failed(folder, error) from error
    warn(warnings)
    if not done:
        click.echo(f"The store has schema {done.schema[1]}, the newest, and is up to date.")
        return
    before, after = done.schema
    if before != after:
        click.echo(f"The store had schema {before} and has schema {after}.")
    if done.is_moved:
        click.echo("The files of the lake lie in folders of days now.")
    if done.is_rolled_up:
        click.echo("The roll-ups were worked out from the lake.")


def _recorded(home: str | None, *, must_exist: bool = False) -> Settings:
    """Return the settings, if there is anything in the folder; else say so and be done."""
    from agenttrace import config
    from agenttrace.errors import StoreError
    from agenttrace.store import fold as folding
    from agenttrace.store import published, segments

    settings = config.load(home)
    folder = settings.home
    if (
        (folder / published.NAME).exists()
        or folding.has_lake(folder)
        or segments.find(settings.spool)
        or segments.find_flights(settings.spool)
    ):
        return settings
    if must_exist and not folder.exists():
        raise StoreError(f"there is no folder {folder}. --store or AGENTTRACE_HOME names it.")
    return _stop(f"Nothing is recorded in {folder} yet.")


def _stop(said: str) -> NoReturn:
    click.echo(said)
    raise click.exceptions.Exit(0)


def _told(found: Facts) -> Iterable[tuple[str, str]]:
    """Yield the facts as names and values, for a person."""
    spool, lake = found.spool, found.lake
    yield "folder", f"{found.folder} (from {found.folder_from})"
    limit = "no limit" if spool.max_bytes is None else f"at most {_size(spool.max_bytes)}"
    waiting = f", {_size(spool.not_folded_bytes)} not folded" if spool.not_folded_bytes else ""
    yield "spool", f"{_count(spool.files, 'file')}, {_size(spool.bytes)} ({limit}){waiting}"
    yield "", f"records are {spool.medium}: {spool.medium_reason}"
    outlives = {
        "process": "the process, not a power failure",
        "second": "a power failure, but for the last second",
        "record": "a power failure",
    }
    yield "durability", f"{spool.durability}: a record outlives {outlives[spool.durability]}"
    yield "in flight", f"{spool.in_flight:,}"
    retired = f", {lake.retired_files:,} more until nobody reads them" if lake.retired_files else ""
    yield "lake", f"{_count(lake.files, 'file')}, {_size(lake.bytes)}{retired}"
    each = f", {lake.bytes_per_span:.1f} bytes each" if lake.bytes_per_span is not None else ""
    yield "spans", f"{lake.spans:,}{each}"
    yield "first", f"{lake.first} UTC" if lake.first else "-"
    yield "last", f"{lake.last} UTC ({_count(lake.days, 'day')})" if lake.last else "-"
    if lake.pruned_before:
        yield "pruned", f"spans before {lake.pruned_before}"
    yield from _told_of_store(found)
    yield "interrupted", _count(found.interrupted_calls, "call")
    yield "quarantined", _by_reason(found.quarantine)
    yield "lost", _by_reason(found.lost)


def _told_of_store(found: Facts) -> Iterable[tuple[str, str]]:
    sums = found.store
    if sums.schema is None:
        yield "store", "-"
        return
    rows = sum(sums.rows.values())
    yield "store", f"{_size(sums.bytes)}, {_count(rows, 'row')} of roll-ups"
    newest = "" if sums.schema == sums.newest_schema else f" (the newest is {sums.newest_schema})"
    yield "schema", f"{sums.schema}{newest}, written by agenttrace {sums.written_by}"
    state = "as the queries are now" if sums.is_up_to_date else "of earlier queries, until the fold"
    yield "roll-ups", state


def _by_reason(counted: dict[str, int]) -> str:
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in counted.items())
    total = _count(sum(counted.values()), "record")
    return f"{total}: {reasons}" if reasons else total


def _is_measured(home: Path, planned: Pruning) -> bool:
    """Tell whether a meter saw something of the time that is to be pruned."""
    from agenttrace.energy import measured

    first = measured.first_day(home)
    in_windows = first is not None and first < planned.day
    return in_windows or any(part.measured_spans for part in planned.parts)


def _pruned(planned: Pruning, what: str) -> str:
    if not planned:
        return f"There is nothing from before {planned.day} (UTC)."
    said = [
        f"{_count(planned.spans, 'span')} of {_count(planned.days, 'day')} before {planned.day}",
    ]
    if planned.leftovers:
        said.append(_count(len(planned.leftovers), "superseded or refused file"))
    if planned.sums:
        said.append(_count(planned.sums, "row") + " of sums")
    *most, last = said
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"{listed} {what}: {_size(planned.bytes)}."


@contextlib.contextmanager
def _progress(what: str) -> Generator[Callable[[int, int], None]]:
    """Show a bar on a terminal, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    # rich is loaded only where it is seen.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task(what, total=None)

        def told(done: int, total: int) -> None:
            shown.update(bar, completed=done, total=total)

        yield told


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _say(said: str) -> None:
    click.echo(said, err=True)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _size(number: int) -> str:
    # rich is loaded only where something is said.
    from rich.filesize import decimal

    return decimal(number)
