"""``agenttrace meter``: count the calls of any client that can be given a base URL."""

from __future__ import annotations

import click

# The first line tells click to leave the others as they are.
_EXAMPLES = """\b
agenttrace meter
OPENAI_BASE_URL=http://127.0.0.1:4319/openai/v1 some-client
ANTHROPIC_BASE_URL=http://127.0.0.1:4319/anthropic another-client
agenttrace meter --upstream vllm=http://127.0.0.1:8000
"""


@click.command(short_help="Count the calls of clients with a base URL.", epilog=_EXAMPLES)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=4319,
    show_default=True,
    help="Port on 127.0.0.1; 0 for any that is free.",
)
@click.option(
    "--upstream",
    "upstreams",
    metavar="NAME=URL",
    multiple=True,
    help="Pass on what comes at /NAME to URL; may be given several times.",
)
@click.pass_obj
def meter(home: str | None, port: int, upstreams: tuple[str, ...]) -> None:
    """Pass requests on to model providers, unchanged, and keep what they used.

    For clients with an API key of yours. Some providers forbid a proxy between them and the clients
    of a subscription: do not put one there. Listens on this machine only, and keeps no header and
    no body. Needs pip install "/path/to/this/checkout[serve]".
    """
    # What it works with is loaded only here, so that --help does not wait for it.
    from agenttrace import config
    from agenttrace.cli.stopping import told_to_stop
    from agenttrace.server.metering import metering

    named = dict(_named(one) for one in upstreams)
    told = told_to_stop()
    with metering(config.load(home).home, port=port, upstreams=named) as url:
        click.echo(f"Metering at {url}/NAME, NAME being a provider. Stop with Ctrl+C.")
        click.echo(f"  export OPENAI_BASE_URL={url}/openai/v1")
        click.echo(f"  export ANTHROPIC_BASE_URL={url}/anthropic")
        click.echo(f"  export GOOGLE_GEMINI_BASE_URL={url}/gemini")
        told.get()


def _named(said: str) -> tuple[str, str]:
    name, equals, url = said.partition("=")
    if not equals or not name or not url:
        raise click.BadParameter(f"{said!r} is no NAME=URL.", param_hint="--upstream")
    return name, url
