"""``agenttrace factors``: every figure that estimates rest on, and files that change them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import console, data_format, warn

if TYPE_CHECKING:
    from rich.console import RenderableType

    from agenttrace.energy.factors import Factors
    from agenttrace.energy.pricing import Pricing

_GROUPS = ("constants", "classes", "models", "providers", "hardware", "grids")


@click.group(short_help="Look at the figures behind the estimates, and check your own.")
def factors() -> None:
    """Look at the figures behind the estimates, where each is from, and what your files change.

    Figures of yours go into factors.toml in the folder of the data, into files that
    AGENTTRACE_FACTORS names, or into files given with --factors.
    """


@factors.command("list")
@click.argument("group", type=click.Choice(_GROUPS), required=False)
@data_format
@priced.factor_options
@click.pass_obj
def list_(home: str | None, group: str | None, form: str, pricing: Pricing) -> None:
    """List the factors in use: range, unit, what they cover, mark and sources.

    Without a GROUP, the models and grids of EcoLogits are counted only.
    """
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace.cli import factor_text
    from agenttrace.energy import listing

    found = _factors(home, pricing)
    groups = (group,) if group else _GROUPS
    if form == "json":
        _json({"version": found.version} | {name: listing.group(found, name) for name in groups})
        return
    terminal = console()
    for part in factor_text.groups(found, groups, terminal.width, whole=group is not None):
        _print(part)


@factors.command()
@click.argument("id_", metavar="ID")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "toml"]),
    default="text",
    show_default=True,
    help="For the terminal, for programs, or to start a file of yours with.",
)
@priced.factor_options
@click.pass_obj
def show(home: str | None, id_: str, form: str, pricing: Pricing) -> None:
    """Show all that is known of one factor, class, model, provider, source or zone."""
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace.cli import factor_text
    from agenttrace.energy import listing

    found = _factors(home, pricing)
    record = listing.record(found, id_)
    match form:
        case "json":
            _json(listing.plain(record.value) | {"kind": record.kind, "file": record.file})
        case "toml":
            click.echo(listing.to_toml(record), nl=False)
        case _:
            _print(factor_text.record(record, found))


@factors.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.pass_obj
def check(home: str | None, files: tuple[Path, ...]) -> None:
    """Check factor files, and show what they change.

    They are read over all other factors in use. The exit status is 1 if one is not sound.
    """
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace import config
    from agenttrace.cli import factor_text
    from agenttrace.energy.chosen import layers, over_ours
    from agenttrace.energy.factors import Layer

    checked = {path.absolute() for path in files}
    below = [
        one
        for one in layers((), config.load(home).home)
        if not checked.intersection(path.absolute() for path in one.paths)
    ]
    before = over_ours(*below)
    after = over_ours(*below, *(Layer((path,)) for path in files))
    _print(factor_text.changes(before, after, [str(path) for path in files]))
    warn(factor_text.doubts(after))


@factors.command()
@data_format
@priced.factor_options
@click.pass_obj
def sources(home: str | None, form: str, pricing: Pricing) -> None:
    """List what the factors cite."""
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace.cli import factor_text
    from agenttrace.energy import listing

    found = listing.sources(_factors(home, pricing))
    if form == "json":
        _json(
            [listing.plain(one.source) | {"id": one.id, "cited_by": one.cited_by} for one in found]
        )
    else:
        _print(factor_text.sources(found))


@factors.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@data_format
@priced.factor_options
@click.pass_obj
def match(
    home: str | None,
    names: tuple[str, ...],
    form: str,
    pricing: Pricing,
) -> None:
    """Say what models are taken for by their names, and why."""
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace.cli import factor_text
    from agenttrace.energy import listing

    found = _factors(home, pricing)
    if form == "json":
        _json([listing.matched(name, found) for name in names])
        return
    for number, name in enumerate(names):
        if number:
            click.echo()
        _print(factor_text.matched(name, found))


@factors.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@priced.factor_options
@click.pass_obj
def export(home: str | None, file: Path, pricing: Pricing) -> None:
    """Write all factors in use into FILE, for --factors-version on another machine.

    It is compressed if its name ends in .gz.
    """
    # The factors are loaded only here, so that --help is quick.
    from agenttrace.energy import archive

    found = _factors(home, pricing)
    archive.export(found, file)
    click.echo(f"{file}: factors of version {found.version}.")


@factors.command()
@data_format
@click.pass_obj
def versions(home: str | None, form: str) -> None:
    """List the sets of factors that reports were made with, the latest first.

    A report of any of them is printed again with --factors-version VERSION.
    """
    # The factors and rich are loaded only here, so that --help is quick.
    from agenttrace import config
    from agenttrace.cli import factor_text
    from agenttrace.energy import archive
    from agenttrace.energy.chosen import chosen
    from agenttrace.energy.pricing import DEFAULT

    folder = config.load(home).home
    in_use = chosen(DEFAULT, folder).version
    kept = archive.versions(folder)
    if form == "json":
        _json(
            [
                {
                    "version": one.version,
                    "kept": one.kept.isoformat(timespec="seconds"),
                    "agenttrace": one.agenttrace,
                    "file": str(one.path),
                    "in_use": one.version == in_use,
                    "trouble": one.trouble,
                }
                for one in kept
            ]
        )
    elif kept:
        _print(factor_text.versions(kept, in_use))
    else:
        click.echo(
            f"No report has been made in {folder} yet. The factors in use are version {in_use}."
        )


def _factors(home: str | None, pricing: Pricing) -> Factors:
    from agenttrace import config
    from agenttrace.energy.chosen import chosen

    return chosen(pricing, config.load(home).home)


def _print(part: RenderableType) -> None:
    """Print for a terminal, without the blanks that fill a table up."""
    terminal = console()
    with terminal.capture() as text:
        terminal.print(part)
    lines = text.get().splitlines()
    click.echo("\n".join(line.rstrip() for line in lines), color=True)


def _json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
