"""Show what was measured: on a terminal, as JSON, and as Markdown."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agenttrace.conformance.judge import MEASURES, Cell, State
from agenttrace.conformance.runner import Outcome, Setup

_HEADINGS: Final = {
    "duplicates": "twice",
    "cache_read": "cache read",
    "cache_write": "cache write",
    "visible": "hidden",
}
_STYLES: Final = {
    State.NONE: "dim",
    State.EXACT: "green",
    State.ESTIMATED: "yellow",
    State.UNSAID: "yellow",
    State.WRONG: "bold red",
}
_HEADING: Final = "bold cyan"

WIDTH: Final = 120
"""Columns of a terminal that the tables need; narrower ones would cut their cells."""


def text(cell: Cell | None) -> str:
    """Return a cell in a few characters: ``3``, ``2/3``, ``~ -4%``, ``?`` or ``-``."""
    if cell is None or cell.state is State.NONE:
        return "-"
    if cell.state is State.EXACT:
        return str(cell.expected)
    if cell.state is State.ESTIMATED:
        return f"~ {cell.error:+.0%}"
    if cell.state is State.UNSAID:
        return "?"
    return f"{cell.recorded}/{cell.expected}"


@dataclass(frozen=True, slots=True)
class Sum:
    """What one setup came to, over the scenarios that ran.

    Attributes:
        setup: What was measured.
        scenarios: How many ran.
        exact: How many are exact.
        failed: How many have a cell that is not as expected, or did not run to their end.
        missing: How many need packages that are not installed.
        shares: By measure, what was recorded of what is true; for duplicates, rows too many
            per call; None where nothing was measured. Of tokens that somebody estimates, too.
        errors: Absolute relative errors of the cells that are estimated.
    """

    setup: Setup
    scenarios: int
    exact: int
    failed: int
    missing: int
    shares: Mapping[str, float | None]
    errors: tuple[float, ...]

    @property
    def median_error(self) -> float | None:
        """Median error of the estimates; None where nothing was estimated."""
        return median(self.errors) if self.errors else None


def sums(outcomes: Iterable[Outcome]) -> list[Sum]:
    """Sum up *outcomes* by setup, in the order in which the setups appear."""
    by_setup: dict[Setup, list[Outcome]] = {}
    for outcome in outcomes:
        by_setup.setdefault(outcome.setup, []).append(outcome)
    return [_sum(setup, own) for setup, own in by_setup.items()]


def _sum(setup: Setup, outcomes: Sequence[Outcome]) -> Sum:
    ran = [outcome for outcome in outcomes if not outcome.missing]
    return Sum(
        setup=setup,
        scenarios=len(ran),
        exact=sum(outcome.is_exact for outcome in ran),
        failed=sum(not outcome.is_as_it_should_be for outcome in ran),
        missing=len(outcomes) - len(ran),
        shares={name: _share(name, ran) for name in MEASURES},
        errors=tuple(
            abs(cell.error)
            for outcome in ran
            for cell in outcome.cells.values()
            if cell.state is State.ESTIMATED
        ),
    )


def _share(name: str, outcomes: Iterable[Outcome]) -> float | None:
    cells = [outcome.cells for outcome in outcomes if outcome.cells]
    recorded = sum(cell[name].recorded for cell in cells)
    of = "calls" if name == "duplicates" else name
    expected = sum(cell[of].expected for cell in cells)
    return recorded / expected if expected else None


def to_text(outcomes: Sequence[Outcome], console: Console) -> None:
    """Print a table per setup, the reasons below it, and a table of sums."""
    found = sums(outcomes)
    for one in found:
        own = [outcome for outcome in outcomes if outcome.setup == one.setup]
        console.print(_table(own, one))
        for line in (*_reasons(own), *_troubles(own)):
            console.print(Text(line), soft_wrap=True)
        console.print()
    console.print(_sums_table(found))
    for one in found:
        if one.median_error is not None:
            console.print(
                f"{one.setup.title}: median error of {len(one.errors)} estimates "
                f"{one.median_error:.1%}",
                style="dim",
            )


def _table(outcomes: Iterable[Outcome], one: Sum) -> Table:
    table = Table(title=one.setup.title, title_justify="left", header_style=_HEADING, box=None)
    table.add_column("scenario", no_wrap=True)
    for name in MEASURES:
        table.add_column(_HEADINGS.get(name, name), justify="right")
    for outcome in outcomes:
        if outcome.missing:
            said = Text(f"not installed ({', '.join(outcome.missing)})", style="dim")
            table.add_row(Text(outcome.scenario.name, style="dim"), said)
        elif outcome.trouble:
            table.add_row(Text(outcome.scenario.name, style="bold red"), "-")
        else:
            table.add_row(outcome.scenario.name, *_row(outcome))
    return table


def _row(outcome: Outcome) -> Iterator[Text]:
    for name in MEASURES:
        cell = outcome.cells[name]
        mark = "!" if name in outcome.unexpected and outcome.setup.tracer == "agenttrace" else ""
        yield Text(f"{text(cell)}{mark}", style=_STYLES[cell.state])


def _reasons(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        for name, reason in outcome.reasons.items():
            if outcome.cells and name not in outcome.unexpected:
                yield f"  {outcome.scenario.name}, {_HEADINGS.get(name, name)}: {reason}"


def _troubles(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.trouble:
            yield f"! {outcome.scenario.name} {outcome.trouble}"


def _sums_table(found: Iterable[Sum]) -> Table:
    table = Table(header_style=_HEADING, box=None)
    for heading in _SUM_HEADINGS:
        is_first = heading == _SUM_HEADINGS[0]
        table.add_column(heading, justify="left" if is_first else "right", no_wrap=is_first)
    for one in found:
        table.add_row(*_sum_row(one))
    return table


_SUM_HEADINGS: Final = (
    "% recorded",
    *(_HEADINGS.get(name, name) for name in MEASURES),
    "exact",
)


def _sum_row(one: Sum) -> list[str]:
    shares = [_percent(one.shares[name]) for name in MEASURES]
    return [one.setup.title, *shares, f"{one.exact} of {one.scenarios}"]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"


def to_markdown(outcomes: Sequence[Outcome]) -> str:
    """Return a table per setup and one of the sums."""
    found = sums(outcomes)
    parts = [_markdown(_SUM_HEADINGS, [_sum_row(one) for one in found])]
    for one in found:
        own = [outcome for outcome in outcomes if outcome.setup == one.setup]
        parts.append(f"### {one.setup.title}")
        parts.append(_markdown(("scenario", *map(_heading, MEASURES)), map(_markdown_row, own)))
        if reasons := [f"- {line.strip()}" for line in (*_reasons(own), *_troubles(own))]:
            parts.append("\n".join(reasons))
    return "\n\n".join(parts)


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name)


def _markdown_row(outcome: Outcome) -> list[str]:
    if outcome.missing:
        return [outcome.scenario.name, f"not installed ({', '.join(outcome.missing)})"]
    return [outcome.scenario.name, *(text(outcome.cells.get(name)) for name in MEASURES)]


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    line = " | ".join(["---", *["---:"] * (len(headings) - 1)])
    body = [f"| {' | '.join([*row, *[''] * (len(headings) - len(row))])} |" for row in rows]
    return "\n".join([f"| {' | '.join(headings)} |", f"| {line} |", *body])


def to_json(outcomes: Sequence[Outcome]) -> str:
    """Return every cell, with the claim and the reasons of its scenario."""
    found: list[dict[str, Any]] = [
        {
            "scenario": outcome.scenario.name,
            "claim": outcome.scenario.claim,
            "tracer": outcome.setup.tracer,
            "beside": outcome.setup.beside,
            "order": outcome.setup.order if outcome.setup.beside else None,
            "missing": outcome.missing,
            "trouble": outcome.trouble or None,
            "reasons": dict(outcome.reasons),
            "unexpected": outcome.unexpected,
            "exact": outcome.is_exact,
            "cells": {
                name: {
                    "state": cell.state,
                    "recorded": cell.recorded,
                    "expected": cell.expected,
                }
                for name, cell in outcome.cells.items()
            },
        }
        for outcome in outcomes
    ]
    return json.dumps(found, indent=2)
