"""What others published about the tokens and calls of agents."""

import math
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from agenttrace.compare import toml_file
from agenttrace.energy.factors import Citation, Mark, Source
from agenttrace.errors import FactorError

Measure: TypeAlias = Literal[
    "chats_per_task",
    "tokens_per_task",
    "calls_per_task",
    "cache_read_tokens_per_call",
    "other_input_tokens_per_call",
    "output_tokens_per_call",
]
"""What of one's own calls stands beside a figure.

``chats_per_task`` is the tokens of an agentic task over those of a user-facing one; the others are
a mean over all tasks, or over all calls.
"""

_SHIPPED: Final = Path(__file__).with_name("published.toml")


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str
    name: str
    measure: Measure
    value: float
    mark: Mark
    retrieved: date
    note: str = ""
    source: Citation


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: dict[str, Source] = {}
    figure: tuple[_Record, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A published figure of agents.

    Attributes:
        id: Stable name.
        name: What it is of.
        measure: What of one's own stands beside it.
        value: Tokens, calls or times.
        mark: How it is known.
        retrieved: When.
        note: What to know before comparing; empty if nothing.
        locator: Where in the source, and what is found there.
        source: Where from.
    """

    id: str
    name: str
    measure: Measure
    value: float
    mark: Mark
    retrieved: date
    note: str
    locator: str
    source: Source


@cache
def shipped() -> tuple[Figure, ...]:
    """Return the figures that come with agenttrace, read once per process."""
    return load(_SHIPPED)


def load(path: Path) -> tuple[Figure, ...]:
    """Read a file of published figures.

    Raises:
        FactorError: It cannot be read, or a figure is incomplete, given twice, not above zero, or
            cites a source that is not there.
    """
    file = toml_file.read(path, _File, _SHIPPED)
    toml_file.check_once(path.name, "figure", (record.id for record in file.figure))
    return tuple(_figure(path.name, record, file.source) for record in file.figure)


def _figure(file: str, record: _Record, sources: dict[str, Source]) -> Figure:
    what = f"{file}: figure {record.id!r}"
    toml_file.check_cited(what, [record.source.id], sources)
    if not 0 < record.value < math.inf:
        raise FactorError(f"{what} is {record.value:g}. Give a value above zero.")
    return Figure(
        id=record.id,
        name=record.name,
        measure=record.measure,
        value=record.value,
        mark=record.mark,
        retrieved=record.retrieved,
        note=record.note,
        locator=record.source.locator,
        source=sources[record.source.id],
    )
