"""``agenttrace grid``: hourly data of the electricity grid, and certificates."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from agenttrace.cli.output import data_format, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agenttrace.energy.grid.hourly import Written, Zone
    from agenttrace.energy.places import Place

_HOUR: Final = "%Y-%m-%d %H:%M"


# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace grid import DE_2026_hourly.csv
agenttrace grid import load.csv --zone DE --tz Europe/Berlin
agenttrace report carbon
"""


@click.group(short_help="Hourly data of the grid, and certificates.", epilog=_EXAMPLES)
def grid() -> None:
    """Import what the electricity grid emits by the hour, and the certificates that you hold.

    Every report then uses the hour in which a call ran, and the annual figure where there is none.
    """


@grid.command("import", short_help="Import hourly data.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", help="Zone of every row, such as DE or US-CAL-CISO.")
@click.option("--tz", help="Time zone of times that have none, such as Europe/Berlin.")
@click.option(
    "--kind",
    type=click.Choice(["average", "marginal"]),
    help="What the intensities are, where the file does not say.",
)
@click.pass_obj
def import_(
    home: str | None,
    file: Path,
    zone: str | None,
    tz: str | None,
    kind: Literal["average", "marginal"] | None,
) -> None:
    """Import hourly carbon intensities from FILE.

    It is CSV (.gz too) or Parquet with the columns timestamp, zone, g_per_kwh and, where known,
    cfe_share and marginal_g_per_kwh; or an export of Electricity Maps, WattTime (JSON too), ENTSO-E
    (generation per production type), EIA, or the Carbon Intensity API of Great Britain. An hour
    that is imported again replaces the one that was there.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy.grid.importing import import_file

    done = import_file(config.load(home).home, file, zone=zone, tz=tz, kind=kind)
    click.echo(f"{file.name}: {done.form}" if done.form != file.name else file.name)
    for written in done.zones:
        click.echo(f"  {_written(written)}")
    warn(_notes(done.note, done.left_out, done.single))
    written = [one.zone for one in done.zones]
    warn(
        f"{unused} Give the right one with --zone; these go with `agenttrace grid remove {name}`."
        for name, unused in _unused(written, "hours are")
    )


def _written(written: Written) -> str:
    hours = written.added + written.replaced + written.unchanged
    parts = [f"{written.added:,} new"]
    if written.replaced:
        parts.append(f"{written.replaced:,} replaced")
    if written.unchanged:
        parts.append(f"{written.unchanged:,} as before")
    return (
        f"{written.zone}: {_count(hours, 'hour')} from {written.first:{_HOUR}} to "
        f"{written.last:{_HOUR}} UTC: {', '.join(parts)}"
    )


def _notes(note: str, left_out: int, single: tuple[str, ...]) -> Iterator[str]:
    if note:
        yield f"{note}."
    if left_out:
        said = _count(left_out, "row")
        yield f"{said} without a value: an hour without any other row has the annual figure."
    for stamp in single:
        yield (
            f"{stamp} is two hours, for the clocks went back, and the file has it once: it is "
            f"taken for the first of them."
        )


def _unused(names: Iterable[str], what: str) -> Iterator[tuple[str, str]]:
    """Yield the zones among *names* that no call can be in, and that *what* is of no use there."""
    # DuckDB is loaded by now, and these are loaded only here, so that --help does not wait.
    from agenttrace.energy.grid import zones

    for name in zones.unreached(names):
        yield (
            name,
            f"no call is ever in zone {name}, and --region does not take it, so its {what} "
            f"used for nothing.{_nearest(name)}",
        )


def _nearest(zone: str) -> str:
    from agenttrace.energy.grid import zones

    found = " or ".join(zones.nearest(zone))
    return f" Did you mean {found}?" if found else ""


@grid.command("list", short_help="List what was imported.")
@data_format
@click.pass_obj
def list_(home: str | None, form: str) -> None:
    """List the zones with hourly data, the certificates and the residual mixes."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy.grid import certificates, hourly

    folder = config.load(home).home
    zones, kept = hourly.zones(folder), certificates.kept(folder)
    residuals = certificates.residuals(folder)
    if form == "json":
        _json(
            {
                "zones": [dataclasses.asdict(zone) for zone in zones],
                "certificates": [dataclasses.asdict(one) for one in kept],
                "residual_mixes": [dataclasses.asdict(one) for one in residuals],
            }
        )
        return
    if not (zones or kept or residuals):
        click.echo("Nothing was imported. `agenttrace grid import FILE` does it.")
    for zone in zones:
        click.echo(_line(zone))
    for one in kept:
        click.echo(f"certificates {one.name}: {_count(one.certificates, 'row')}, {one.mwh:g} MWh")
    for one in residuals:
        click.echo(f"residual mix {one.zone} {one.year}: {one.g_per_kwh:g} g/kWh ({one.source})")


def _line(zone: Zone) -> str:
    kinds = [
        f"{hours} {name}"
        for hours, name in (
            (zone.average_hours, "average"),
            (zone.marginal_hours, "marginal"),
            (zone.cfe_hours, "carbon-free share"),
        )
        if hours
    ]
    return (
        f"{zone.zone}: {_count(zone.hours, 'hour')} from {zone.first:{_HOUR}} to "
        f"{zone.last:{_HOUR}} UTC, {zone.missing} missing between ({', '.join(kinds)})"
    )


@grid.command(short_help="Show what is known of a zone.")
@click.argument("zone")
@data_format
@click.pass_obj
def show(home: str | None, zone: str, form: str) -> None:
    """Show the annual and the hourly figures of ZONE: a zone, a country or a cloud region."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy import factors, places
    from agenttrace.energy.grid import hourly
    from agenttrace.errors import FactorError

    name = places.zone_of(zone)
    kept = hourly.zones(config.load(home).home, name)
    try:
        place = places.place(None, None, factors.shipped(), default=zone)
    except FactorError:
        # Hours may have been imported under a name that is no place's.
        if not kept:
            raise
        place = None
    if form == "json":
        _json(
            {
                "zone": name,
                "annual": _figures(place) if place else None,
                "hourly": dataclasses.asdict(kept[0]) if kept else None,
            }
        )
        return
    for label, value in (*_annual(name, place), *_hourly(kept)):
        click.echo(f"{label:<15} {value}")


def _figures(place: Place) -> dict[str, object]:
    """Return what is known of the grid; the site is the provider's, which is not given here."""
    names = ("country", "g_per_kwh", "grid_water_l_per_kwh", "mark", "sources")
    return {name: getattr(place, name) for name in names}


def _annual(zone: str, place: Place | None) -> Iterator[tuple[str, str]]:
    if place is None:
        yield (
            "annual",
            f"not known: no call is ever in zone {zone}, so its hours are used for nothing."
            f"{_nearest(zone)}",
        )
        return
    g, water = place.g_per_kwh, place.grid_water_l_per_kwh
    yield "zone", f"{place.zone} {place.country}".rstrip()
    yield "annual", f"{_range(g.low, g.central, g.high)} g/kWh, {place.mark}"
    yield "water", f"{_range(water.low, water.central, water.high)} l/kWh generated"
    for source in place.sources:
        yield "source", f"{source.by}: {source.title} ({source.year}), {source.url}"


def _hourly(kept: list[Zone]) -> Iterator[tuple[str, str]]:
    if not kept:
        yield "hourly", "none. `agenttrace grid import FILE` brings it"
        return
    (zone,) = kept
    yield (
        "hourly",
        f"{_count(zone.hours, 'hour')} from {zone.first:{_HOUR}} to {zone.last:{_HOUR}} UTC, "
        f"{zone.missing} missing between",
    )
    if zone.g_per_kwh is not None:
        yield (
            "average",
            f"{zone.g_per_kwh:.0f} g/kWh, from {zone.g_per_kwh_least:.0f} to "
            f"{zone.g_per_kwh_most:.0f}, {_count(zone.average_hours, 'hour')}: "
            f"{', '.join(zone.sources)}",
        )
    if zone.marginal_g_per_kwh is not None:
        yield (
            "marginal",
            f"{zone.marginal_g_per_kwh:.0f} g/kWh, {_count(zone.marginal_hours, 'hour')}: "
            f"{', '.join(zone.marginal_sources)}",
        )
    if zone.cfe_share is not None:
        yield "carbon-free", f"{zone.cfe_share:.0%}, {_count(zone.cfe_hours, 'hour')}"


@grid.command(short_help="Remove what was imported.")
@click.argument("zone", required=False)
@click.option("--certificates", "name", help="Remove the certificates of this name.")
@click.pass_obj
def remove(home: str | None, zone: str | None, name: str | None) -> None:
    """Remove the hourly data of ZONE, or certificates."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy import places
    from agenttrace.energy.grid import certificates, hourly
    from agenttrace.errors import FactorError

    if (zone is None) == (name is None):
        raise click.UsageError("Give a ZONE, or --certificates NAME.")
    folder = config.load(home).home
    if zone is not None and hourly.remove(folder, places.zone_of(zone)):
        click.echo(f"Removed the hours of {places.zone_of(zone)}.")
    elif name is not None and certificates.remove(folder, name):
        click.echo(f"Removed the certificates {name}.")
    else:
        raise FactorError(
            f"there is no {zone or name!r} to remove. `agenttrace grid list` names what there is."
        )


@grid.command("certificates", short_help="Import certificates.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--year", type=int, help="The year as the hours are written that all of them are of.")
@click.option("--tz", help="Time zone of hours that have none, such as Europe/Berlin.")
@click.pass_obj
def certificates_(home: str | None, file: Path, year: int | None, tz: str | None) -> None:
    """Import certificates of electricity from FILE, a CSV.

    Its columns are zone, hour or year, mwh, source and g_per_kwh: what generating it emitted, 0 for
    wind and sun. It is kept under its name: importing it again replaces it.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy.grid.certificates import import_certificates

    done = import_certificates(config.load(home).home, file, year=year, tz=tz)
    again = ", in place of those that were there" if done.replaced else ""
    click.echo(f"{done.name}: {_count(done.certificates, 'row')}, {done.mwh:g} MWh{again}")
    if done.repeated:
        rows = "1 row is" if done.repeated == 1 else f"{done.repeated:,} rows are"
        warn(
            [
                f"{rows} of the hour or year, zone and source of a row before it: their MWh are "
                f"added up. If it is there twice, remove one, and import {file.name} again."
            ]
        )
    warn(_corrected(done.zones, "certificates are", file))


def _corrected(names: Iterable[str], what: str, file: Path) -> Iterator[str]:
    for _, unused in _unused(names, what):
        yield f"{unused} Correct the zone in {file.name}, and import it again."


@grid.command(short_help="Import residual mixes.")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def residual(home: str | None, file: Path) -> None:
    """Import residual mixes from FILE, a CSV with the columns zone, year, g_per_kwh and source.

    The residual mix is what electricity emits that nobody holds certificates of.
    """
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy.grid.certificates import import_residual

    done = import_residual(config.load(home).home, file)
    for one in done:
        click.echo(f"{one.zone} {one.year}: {one.g_per_kwh:g} g/kWh ({one.source})")
    warn(_corrected(dict.fromkeys(one.zone for one in done), "residual mix is", file))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _range(low: float, central: float, high: float) -> str:
    return f"{central:.3g}" if low == high else f"{central:.3g} ({low:.3g} to {high:.3g})"


def _json(value: object) -> None:
    # 10 ms to import, and text needs none of it.
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
