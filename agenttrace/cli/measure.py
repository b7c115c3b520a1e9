"""``agenttrace measure``: energy that a meter saw, from files or while a command runs."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from datetime import tzinfo

    from agenttrace.energy.measured import Found
    from agenttrace.energy.measured.meters import Meter

_BOUNDARIES: Final = ("accelerator", "server", "facility")

# The first line tells click to leave the others as they are.
_FILES: Final = """\b
FILE is one of these, told by its columns:
  emissions.csv of CodeCarbon
  the log of Zeus' monitor (ZeusMonitor(log_file="energy.csv"))
  the JSON of a Prometheus range query for DCGM_FI_DEV_POWER_USAGE
    or DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION
  nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -l 1
  CSV or Parquet: timestamp,watts[,device,host]
  CSV or Parquet: start,end,joules[,boundary,host,device,model,...]
"""


@click.group(short_help="Bring in energy that a meter saw.")
def measure() -> None:
    """Bring in energy that a meter saw: it replaces the estimate of the calls that ran meanwhile.

    For models that are served on machines of yours. `agenttrace report parity` shows the
    measurement beside the estimate.
    """


_model = click.option("--model", metavar="NAME", help="Only calls to this model share the joules.")
_provider = click.option(
    "--provider", metavar="NAME", help="Only calls to this provider share the joules."
)


@measure.command("import", epilog=_FILES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--boundary",
    type=click.Choice(_BOUNDARIES),
    help="What the meter covers, where FILE does not say it, or says it wrongly.",
)
@click.option("--host", metavar="NAME", help="The machine, as calls name it.")
@_model
@_provider
@click.option("--service", metavar="NAME", help="Only calls from this service share the joules.")
@click.option(
    "--time-zone",
    "zone",
    metavar="NAME",
    help="Of times without one, such as Europe/Berlin; that of this machine if not given.",
)
@click.option(
    "--max-gap",
    type=click.FloatRange(min=0, min_open=True),
    default=120.0,
    show_default=True,
    help="Seconds between two samples beyond which nothing is known.",
)
@click.pass_obj
def import_file(
    home: str | None, file: Path, max_gap: float, zone: str | None, **said: Any
) -> None:
    """Bring in a FILE of measured energy; a second time changes nothing."""
    # DuckDB is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.energy import measured

    found = measured.read(
        file,
        measured.Said(
            boundary=said["boundary"],
            host=said["host"],
            provider=said["provider"],
            model=said["model"],
            service_name=said["service"],
            zone=_zone(zone),
            gap_s=max_gap,
        ),
    )
    added = measured.add(config.load(home).home, found.windows)
    click.echo(_told(found))
    for note in found.notes:
        click.echo(f"  {note}")
    for what in found.skipped.told():
        click.echo(f"  {what}")
    if added.known:
        click.echo(f"  left out, for their time is measured already: {added.known:,}")
    click.echo(f"{_windows(added.windows)} kept. `agenttrace report parity` compares them.")


@measure.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--require", is_flag=True, help="Do not run COMMAND if no meter works here.")
@click.option("--host", metavar="NAME", help="This machine, as calls name it.  [default: its name]")
@_model
@_provider
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    help="Seconds between two looks at the meter.",
)
@click.pass_obj
def run(
    home: str | None,
    *,
    command: tuple[str, ...],
    require: bool,
    host: str | None,
    model: str | None,
    provider: str | None,
    interval: float,
) -> None:
    """Run COMMAND, such as a model server, and measure what the machine uses meanwhile.

    Its streams, signals and exit status are passed through; agenttrace itself writes to stderr.
    Needs Zeus or CodeCarbon: pip install "/path/to/this/checkout[measure]".
    """
    # DuckDB and the meters are loaded only here, so that --help does not wait for them.
    from agenttrace import config
    from agenttrace.energy.measured import session

    settings = config.load(home)
    meter = _meter(require=require)
    try:
        if meter is None:
            raise click.exceptions.Exit(session.pass_through(command))
        done = session.run(
            command,
            meter,
            settings.home,
            host=host or socket.gethostname(),
            model=model,
            provider=provider,
            interval_s=interval,
        )
    except OSError as error:
        click.echo(f"Error: {command[0]} cannot be run: {error.strerror}", err=True)
        # As a shell says it.
        missing = isinstance(error, FileNotFoundError)
        raise click.exceptions.Exit(127 if missing else 126) from error
    # Whoever reads the end of the command's output may have gone.
    with contextlib.suppress(OSError):
        if done.trouble:
            click.echo(f"Warning: measuring ended early: {done.trouble}", err=True)
        click.echo(f"{_windows(done.windows)} kept, {done.joules / 3600:,.3g} Wh.", err=True)
    raise click.exceptions.Exit(done.status)


def _meter(*, require: bool) -> Meter | None:
    from agenttrace.energy.measured import meters
    from agenttrace.errors import FactorError

    meter, reasons = meters.find()
    if meter is not None:
        click.echo(f"Measuring with {meter.name}.", err=True)
        return meter
    why = "; ".join(reasons)
    if require:
        raise FactorError(
            f"no meter works here: {why}. Install one from a checkout of agenttrace with `pip "
            'install "/path/to/this/checkout[measure]"` where there is a GPU or RAPL, or leave out '
            "--require."
        )
    click.echo(f"Warning: nothing is measured, for no meter works here: {why}.", err=True)
    return None


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    # 10 ms to import, and rarely needed.
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise click.BadParameter(
            f"{name!r} is no time zone. Name one as Europe/Berlin or UTC.", param_hint="--time-zone"
        ) from error


def _told(found: Found) -> str:
    joules = sum(window.joules for window in found.windows)
    boundaries = sorted({window.boundary for window in found.windows})
    return (
        f"{found.meter}: {_windows(len(found.windows))}, {joules / 3600:,.4g} Wh, "
        f"{', '.join(boundaries)}"
    )


def _windows(number: int) -> str:
    return "1 window" if number == 1 else f"{number:,} windows"
