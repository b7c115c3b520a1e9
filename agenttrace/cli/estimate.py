"""``agenttrace estimate``: energy, carbon and water of calls that were never made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli import pricing as priced
from agenttrace.cli.output import console, data_format, say

if TYPE_CHECKING:
    from agenttrace.compare.methods import MethodName
    from agenttrace.energy.pricing import Pricing

_METHODS: Final = ("agenttrace", "ecologits", "price", "per-prompt")

# The first line tells click to leave the others as they are.
_EXAMPLES: Final = """\b
agenttrace estimate --model gpt-5 --input 500 --output 300
agenttrace estimate --model claude-sonnet-4-5 --input 119531 --cache-read 118656 \\
    --output 214 --calls 40 --region eu-west-1
"""


@click.command(short_help="Estimate calls from their tokens; nothing recorded.", epilog=_EXAMPLES)
@click.option("--model", required=True, metavar="NAME", help="As the provider spells it.")
@click.option(
    "--input",
    "input_tokens",
    required=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="Input tokens of a call, cache reads and writes included.",
)
@click.option(
    "--cache-read",
    "cache_read_tokens",
    default=0,
    type=click.IntRange(min=0),
    metavar="N",
    help="Part of the input that is read from a prompt cache.",
)
@click.option(
    "--cache-write",
    "cache_write_tokens",
    default=0,
    type=click.IntRange(min=0),
    metavar="N",
    help="Part of the input that is written to a prompt cache.",
)
@click.option(
    "--output",
    "output_tokens",
    required=True,
    type=click.IntRange(min=0),
    metavar="N",
    help="Output tokens of a call, reasoning included.",
)
@click.option(
    "--calls",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="N",
    help="How often the same call is made.",
)
@click.option("--provider", metavar="NAME", help="Who serves it, if the name does not tell.")
@click.option(
    "--method",
    type=click.Choice(_METHODS),
    default="agenttrace",
    show_default=True,
    help="Whose method; the others are second opinions.",
)
@data_format
@priced.options
@click.pass_obj
def estimate(
    home: str | None,
    *,
    model: str,
    input_tokens: int,
    cache_read_tokens: int,
    cache_write_tokens: int,
    output_tokens: int,
    calls: int,
    provider: str | None,
    method: MethodName,
    form: str,
    pricing: Pricing,
) -> None:
    """Estimate energy, carbon and water of calls from their tokens; nothing recorded is needed.

    Tokens are of one call, and --calls repeats it. More calls with fewer tokens each are something
    else: what a call reads, it reads in its own context.
    """
    # The factors are loaded only here, so that --help does not wait for them.
    from agenttrace import config
    from agenttrace.compare.calculator import Call, estimated

    call = Call(
        model=model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        calls=calls,
        provider=provider,
    )
    found = estimated(call, pricing, config.load(home).home, method)
    if form == "json":
        import json

        click.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False, allow_nan=False))
        return
    from agenttrace.report.text import to_text

    say(to_text(found, console()))
