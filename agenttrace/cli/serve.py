"""``agenttrace serve``: receive the telemetry of agents, and pass it on."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from agenttrace.server import Running
    from agenttrace.server.forwarding import Target

_PORT = click.IntRange(0, 65535)
_HEADERS_VARIABLE = "AGENTTRACE_FORWARD_HEADERS"


@click.command(short_help="Receive the telemetry of agents (OTLP).")
@click.option(
    "--http-port", type=_PORT, default=4318, show_default=True, help="For OTLP over HTTP."
)
@click.option(
    "--grpc-port", type=_PORT, default=4317, show_default=True, help="For OTLP over gRPC."
)
@click.option(
    "--host",
    metavar="ADDRESS",
    help="Address to listen on; any but loopback needs --token.  [default: 127.0.0.1 and ::1]",
)
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="AGENTTRACE_TOKEN",
    show_envvar=True,
    help="What clients must send, as Authorization: Bearer TOKEN.",
)
@click.option(
    "--forward", "url", metavar="URL", help="Pass everything on to this OTLP endpoint (HTTP)."
)
@click.option(
    "--forward-header",
    "headers",
    metavar="NAME=VALUE",
    multiple=True,
    help="Send this header with what is passed on; may be given several times, or with commas "
    "between several in AGENTTRACE_FORWARD_HEADERS.",
)
@click.option(
    "--forward-queue",
    metavar="SIZE",
    default="128MiB",
    show_default=True,
    help="What may wait to be passed on; the oldest is dropped then.",
)
@click.option(
    "--keep-queue",
    is_flag=True,
    help="Let it wait on the disk, over restarts, with prompts if agents send them.",
)
@click.option(
    "--add-energy",
    is_flag=True,
    help="Add agenttrace.energy.* to the model calls that are passed on.",
)
@click.option("--no-fold", is_flag=True, help="Leave folding to reports.")
@click.pass_obj
def serve(
    home: str | None,
    *,
    http_port: int,
    grpc_port: int,
    host: str | None,
    token: str | None,
    url: str | None,
    headers: tuple[str, ...],
    forward_queue: str,
    keep_queue: bool,
    add_energy: bool,
    no_fold: bool,
) -> None:
    """Receive the telemetry of agents, over OTLP, until Ctrl+C or SIGTERM.

    Point an agent at it with OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318. It acknowledges
    only what the disk has. /health says how it is, and /metrics is for Prometheus.
    Needs the extra of a checkout: pip install "/path/to/this/checkout[serve]".
    """
    # What serves is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.cli.stopping import told_to_stop
    from agenttrace.server import running
    from agenttrace.server.running import needed

    needed()
    if url is None and (add_energy or keep_queue or headers):
        raise click.UsageError(
            "--add-energy, --keep-queue and --forward-header are for --forward URL."
        )
    folder = config.load(home).home
    target = _target(folder, url, headers, forward_queue, add_energy=add_energy)
    if target is not None:
        target = replace(target, is_kept=keep_queue)
    told = told_to_stop()
    with running(
        folder,
        http_port=http_port,
        grpc_port=grpc_port,
        host=host,
        token=token,
        forward=target,
        is_folding=not no_fold,
    ) as server:
        _say(folder, server, url)
        told.get()
        click.echo("Stopping ...", err=True)
    records = sum(server.receiver.counts.records.values())
    click.echo(f"Received {records:,} record{'' if records == 1 else 's'}.", err=True)


def _target(
    home: Path, url: str | None, headers: tuple[str, ...], queue: str, *, add_energy: bool
) -> Target | None:
    if url is None:
        return None
    from agenttrace import config
    from agenttrace.server.forwarding import Target, headers_of

    size = config.size_bytes(queue)
    if size is None:
        raise click.BadParameter(
            f"{queue!r} is no size. Say it as 2GB, 500MB or 2GiB.", param_hint="--forward-queue"
        )
    change = None
    if add_energy:
        # The factors take a while to read, and few want them here.
        from agenttrace.enrichment import Estimator
        from agenttrace.server.enriching import Enriching

        change = Enriching(Estimator(home=home))
    return Target(url, headers_of(_pairs(headers)), size, change=change)


def _pairs(headers: tuple[str, ...]) -> list[str]:
    """Return the pairs that are given, else those of the variable."""
    said = os.environ.get(_HEADERS_VARIABLE, "")
    return list(headers) or [pair for pair in said.split(",") if pair.strip()]


def _say(home: Path, server: Running, url: str | None) -> None:
    from agenttrace.server.forwarding import shown

    click.echo(f"Receiving for {home}")
    click.echo(f"  OTLP/HTTP  {server.http_url}")
    click.echo(f"  OTLP/gRPC  {server.grpc_url}")
    click.echo(f"  health     {server.http_url}/health")
    click.echo(f"  metrics    {server.http_url}/metrics")
    if url is not None:
        click.echo(f"  passed on  {shown(url)}")
