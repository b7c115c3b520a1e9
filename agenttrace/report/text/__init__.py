"""Reports on a terminal: what they say first, then what it is made of, then what it rests on.

A report of kind ``overview`` is shown by ``overview.blocks``, and so on: one module per kind.
"""

import importlib
from collections.abc import Iterator

from rich.console import Console, RenderableType

from agenttrace.report.values import Report


def to_text(report: Report, console: Console) -> str:
    """Return *report* as *console* would show it: its width, and its colours where it has some."""
    with console.capture() as captured:
        for place, block in enumerate(blocks(report)):
            if place > 0:
                console.print()
            console.print(block)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def blocks(report: Report) -> Iterator[RenderableType]:
    """Yield what *report* says, the most important first; an empty line goes between two."""
    yield from importlib.import_module(f"{__name__}.{report.kind}").blocks(report)
