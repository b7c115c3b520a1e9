"""The report as a picture: a drawn terminal, as one SVG that loads nothing from elsewhere."""

import io
import re
from typing import Final

from rich.console import Console

from agenttrace.report.text import blocks
from agenttrace.report.values import Report

# rich's own frame fetches its font from a network; this one takes what the reader has.
_FRAME: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: sans-serif;
    }}
    {styles}
    </style>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


_CLIPPED: Final = re.compile(r' clip-path="[^"]*"')


def to_svg(report: Report, *, width: int, title: str) -> str:
    """Return *report* as a terminal *width* characters wide shows it, under *title*."""
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    for place, block in enumerate(blocks(report)):
        if place > 0:
            console.print()
        console.print(block)
    picture = console.export_svg(title=title, code_format=_FRAME, unique_id="agenttrace")
    # Clipped to its line, a character of another font than rich's own loses its foot.
    return _CLIPPED.sub("", picture)
