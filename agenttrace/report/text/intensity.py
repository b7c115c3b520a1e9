"""How much for each of something, always with how much in all and of how many.

No other module of ``text`` prints a figure per call, task, token or user.
"""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import isfinite
from textwrap import wrap
from typing import Final, TypeAlias

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.intensity import Change, Intensity
from agenttrace.report.rows import printable
from agenttrace.report.text import parts

NOTHING_BEFORE: Final = "no change is shown: no earlier period was chosen, or nothing is in it"
"""Why there is no change, where nobody says more."""

_SEVERAL: Final = "Period"
_SHORT: Final = 15  # letters of a period that fit beside the figures
_UNITS: Final = {"Wh": figures.ENERGY, "g": figures.MASS, "l": figures.VOLUME}
_MANY: Final = re.compile(r"([\d,]+) (\S.*)")

_Row: TypeAlias = tuple[Text, Text, Text, Text]


def table(intensities: Sequence[Intensity], why: str = NOTHING_BEFORE) -> RenderableType:
    """Show each figure beside its total and its volume, and how far the three moved below them.

    Args:
        intensities: At least one; those of one period share its name in the heading.
        why: Why nothing is said to have changed, for those of which that is so.

    Raises:
        ValueError: One of them was not made by :func:`agenttrace.report.intensity.intensity`.
    """
    for one in intensities:
        _checked(one)
    above, heading, against = _headings(intensities)
    rows: list[_Row] = []
    for one in intensities:
        when = f", {parts.of_period(one.period)}" if heading == _SEVERAL else ""
        name = parts.words(f"{_name(one)}{when}")
        total = Text(_amount(one.total, one.unit))
        rows.append((name, parts.strong(_each(one)), total, Text(_volume(one))))
        if one.change is not None:
            label = against or f"against {parts.of_period(one.change.against)}"
            rows.append(_moved(one.change, label))
    grid = _Grid(heading, rows)
    lines: list[RenderableType] = [Text(above, style=parts.HEADING), grid] if above else [grid]
    if not all(one.change is not None for one in intensities):
        lines.append(Text(printable(why), style=parts.QUIET))
    return lines[0] if len(lines) == 1 else Group(*lines)


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table whose first and last column share the width that the figures leave."""

    heading: str
    rows: Sequence[_Row]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first, each, total = _widths(self.heading, self.rows, options.max_width)
        grid = Table(box=None, pad_edge=False, padding=(0, parts.GAP, 0, 0), header_style="none")
        grid.add_column(Text(self.heading, style=parts.HEADING), overflow="fold", width=first)
        for title, width in (("each", each), ("in all", total)):
            grid.add_column(Text(title, style=parts.QUIET), no_wrap=True, min_width=width)
        grid.add_column(Text("of", style=parts.QUIET), overflow="fold")
        for row in self.rows:
            grid.add_row(*row)
        yield grid


def _widths(heading: str, rows: Sequence[_Row], most: int) -> tuple[int, int, int]:
    """Return how wide the first three columns are, so that *rows* take as few lines as they can."""
    columns = list(zip((heading, "each", "in all", "of"), *rows, strict=True))
    names, each, total, volumes = ([str(cell) for cell in column] for column in columns)
    figures_wide = max(map(cell_len, each)), max(map(cell_len, total))
    left = most - sum(figures_wide) - 3 * parts.GAP
    least = max(map(_longest_word, names))
    widest = max(least, min(max(map(cell_len, names)), left - max(map(_longest_word, volumes))))

    def lines(first: int) -> tuple[int, int]:
        taken = (
            max(_lines(name, first), _lines(volume, left - first))
            for name, volume in zip(names, volumes, strict=True)
        )
        return sum(taken), -first

    return min(range(least, widest + 1), key=lines), *figures_wide


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _lines(text: str, width: int) -> int:
    return len(wrap(text, max(1, width), break_on_hyphens=False))


def _headings(intensities: Sequence[Intensity]) -> tuple[str, str, str]:
    """Return a line above, the heading of the first column, and how rows of changes begin.

    Long names of periods are said once above: they would take the width of the figures.
    """
    periods = {one.period for one in intensities}
    if len(periods) != 1:
        return "", _SEVERAL, ""
    period = parts.of_period(periods.pop())
    earlier = {parts.of_period(one.change.against) for one in intensities if one.change is not None}
    if len(earlier) > 1 or max(map(len, (period, *earlier))) <= _SHORT:
        return "", period, ""
    against = f", against {earlier.pop()}" if earlier else ""
    return f"{period}{against}", "", "change"


def cell(one: Intensity) -> Text:
    """Return a figure with its total, volume, period and changes, for a cell or a line.

    Raises:
        ValueError: It was not made by :func:`agenttrace.report.intensity.intensity`.
    """
    return parts.words(sentence(one))


def sentence(one: Intensity) -> str:
    """Return a figure with its total, volume, period and changes, in words without a full stop.

    Raises:
        ValueError: It was not made by :func:`agenttrace.report.intensity.intensity`.
    """
    _checked(one)
    said = (
        f"{_name(one)} {_each(one)}; {_amount(one.total, one.unit)} in all, {_volume(one)}, "
        f"{parts.of_period(one.period)}"
    )
    if one.change is None:
        return said
    return f"{said}; {changes(one, one.change)}"


def changes(one: Intensity, change: Change) -> str:
    """Return how far the three figures of *one* moved, the total first."""
    return (
        f"{figures.change(change.total)} in all, {figures.change(change.volume)} {_many(one.per)}, "
        f"{figures.change(change.each)} each; against {parts.of_period(change.against)}"
    )


def _checked(one: Intensity) -> Intensity:
    """Return *one*, unless its parts do not belong together."""
    known = one.total is not None and bool(one.volume)
    numbers = [
        *(astuple(one.total) if one.total else ()),
        *(astuple(one.each) if one.each else ()),
        one.volume or 0.0,
    ]
    if not one.period or (one.each is not None) != known or not all(map(isfinite, numbers)):
        raise ValueError(f"{one!r} has no total, volume and period that belong together")
    return one


def _name(one: Intensity) -> str:
    return f"{one.what} per {one.per}"


def _each(one: Intensity) -> str:
    if one.each is None:
        return figures.DASH if one.volume == 0 else parts.UNKNOWN
    return _amount(one.each, one.unit)


def _amount(value: Range | None, unit: str) -> str:
    """Return a range in a fitting unit; what is counted, and so has no range, as a count."""
    if value is None:
        return parts.UNKNOWN
    units = _UNITS.get(unit)
    if units is None:
        return _counted(value)
    fitting = figures.unit_of(value.central, units)
    scaled = value * (1 / fitting.size)
    of = " CO2e" if units is figures.MASS else ""
    return f"{parts.one_or_all(scaled)} {fitting.symbol}{of}"


def _counted(value: Range) -> str:
    if value.low == value.high:
        return figures.amount(value.central)
    return figures.dashed(tuple(map(figures.significant, astuple(value))))


def _volume(one: Intensity) -> str:
    if one.volume is None:
        return f"{parts.UNKNOWN} {_many(one.per)}"
    found = _MANY.fullmatch(one.per)
    size = float(found[1].replace(",", "")) if found else 1.0
    number = one.volume * size
    # A volume of thousands is a quotient, and comes back as a count only nearly.
    number = round(number) if abs(number - round(number)) < 1e-6 * max(1.0, number) else number
    return f"{figures.amount(number)} {one.per if number == 1 and not found else _many(one.per)}"


def _many(per: str) -> str:
    """Return more than one of what is divided by: ``calls`` of ``call``."""
    found = _MANY.fullmatch(per)
    word = found[2] if found else per
    return word if word.endswith(("s", "Wh")) else f"{word}s"


def _moved(change: Change, label: str) -> _Row:
    said = (
        f"  {label}",
        figures.change(change.each),
        figures.change(change.total),
        figures.change(change.volume),
    )
    first, each, total, volume = (Text(printable(text), style=parts.QUIET) for text in said)
    return first, each, total, volume
