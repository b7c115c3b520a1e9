"""``agenttrace doctor``: what there is to record here, and what stands in the way."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Final

import click

from agenttrace.cli.output import data_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agenttrace.doctor.findings import Finding

_WIDTH: Final = 80
_MARKS: Final = {"ok": " ", "note": "-", "warning": "!", "broken": "x"}
_TOLD: Final = ("broken", "warning", "note")  # in the last line, the worst first


@click.command(short_help="Say what there is to record here, and what stands in the way.")
@data_format
@click.pass_obj
def doctor(home: str | None, form: str) -> None:
    """Say which agents are here, what they log and send, and whether the data are in order.

    Whatever is not as it should be comes with the way to mend it. Nothing is changed, and no secret
    is shown: of headers the names, of addresses the host. The exit status is 1 if something does
    not work.
    """
    # DuckDB is loaded by a check, so --help must not wait for it.
    from agenttrace import config
    from agenttrace.doctor.examination import examine
    from agenttrace.doctor.findings import Machine
    from agenttrace.sources import finding

    found = examine(Machine(config.load(home), finding.this_user()))
    if form == "json":
        click.echo(json.dumps({"findings": [asdict(one) for one in found]}, indent=2))
    else:
        click.echo("\n".join(_told(found)))
    if any(one.level == "broken" for one in found):
        raise click.exceptions.Exit(1)


def _told(found: Sequence[Finding]) -> Iterator[str]:
    for topic, findings in groupby(found, key=lambda one: one.topic):
        yield topic
        for one in findings:
            yield from _of(one)
        yield ""
    yield _summary(found)


def _of(one: Finding) -> Iterator[str]:
    indent = "    "
    said = f"{one.subject}: {one.says}"
    yield from _wrapped(said, f"  {_MARKS[one.level]} ", indent)
    if one.mend:
        yield from _wrapped(one.mend, f"{indent}> ", f"{indent}  ")


def _summary(found: Sequence[Finding]) -> str:
    numbers = {level: sum(one.level == level for one in found) for level in _TOLD}
    said = [
        f"{number} {level}{'s' * (number > 1 and level != 'broken')} ({_MARKS[level]})"
        for level, number in numbers.items()
        if number
    ]
    return ", ".join(said) if said else "All is well."


def _wrapped(said: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        said,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
