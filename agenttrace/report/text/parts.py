"""Tables, numbers and words as every report on a terminal shows them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agenttrace.model import Range
from agenttrace.report import figures
from agenttrace.report.rows import printable
from agenttrace.report.values import (
    ModelLine,
    ModelUse,
    TaskLine,
)

HEADING: Final = "bold cyan"


STRONG: Final = "bold"


QUIET: Final = "dim"


WARNING: Final = "yellow"


ESTIMATED: Final = "~"


UNKNOWN: Final = "?"


EVERYTHING: Final = "period all"
"""What a selection is called that leaves nothing out."""


ALL_RECORDED: Final = "all recorded"


_Number = TypeVar("_Number", int, float)


_ONE: Final = figures.Unit("", 1.0)


_HEX_ID_LENGTH: Final = 32


_SHORT_ID_LENGTH: Final = 12


GAP: Final = 2


def cautions(warnings: Sequence[str]) -> Iterator[RenderableType]:
    """Yield the warnings of a report, where it has some."""
    if not warnings:
        return
    grid = Table.grid(padding=(0, 1, 0, 0))
    for warning in warnings:
        grid.add_row(Text("!", style=WARNING), Text(printable(warning), style=WARNING))
    yield grid


def table(
    titles: Sequence[str], rows: Sequence[Sequence[Text | str]], *, cut: bool = True
) -> Table:
    """Return a table whose first column gives way when the width is short: is cut, or wraps."""
    first, *others = titles
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="none")
    table.add_column(_cut(Text(first, style=HEADING)))
    for place, title in enumerate(others, start=1):
        width = max(cell_len(str(cell)) for cell in [title, *(row[place] for row in rows)])
        heading = Text(title, style=QUIET)
        table.add_column(heading, justify="right", no_wrap=True, min_width=width)
    for label, *numbers in rows:
        table.add_row(_cut(label) if cut else label, *numbers)
    return table


def _cut(label: Text | str) -> Text:
    text = Text(label) if isinstance(label, str) else label
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def captioned(table: Table, caption: str) -> RenderableType:
    """Return a table with what a reader should know about it below."""
    # A table inside a table is rendered several times over.
    return Group(table, Text(caption, style=QUIET))


def unit_of(values_wh: Iterable[float | None]) -> figures.Unit:
    """Return one unit for a column: that of its largest value."""
    known = [value for value in values_wh if value is not None]
    return figures.unit_of(max(known, default=0), figures.ENERGY)


def numbers(value: Range | None, unit: figures.Unit = _ONE) -> tuple[str, str, str]:
    """Return low, central and high in *unit*; unknown is said."""
    return (UNKNOWN, UNKNOWN, UNKNOWN) if value is None else figures.bounds(value, unit)


def one_or_all(value: Range) -> str:
    """Return low, central and high, or the one number that all of them are."""
    if value.low == value.high:
        return figures.significant(value.central)
    return figures.dashed(numbers(value))


def about_numbers(line: ModelLine | ModelUse | TaskLine, unit: figures.Unit) -> Iterator[str]:
    """Return low, central and high of a line's energy, marked where tokens are estimated."""
    for number in numbers(line.energy_wh, unit):
        yield marked(number, line.estimated_calls)


def interval(value: Range | None, units: tuple[figures.Unit, ...], of: str = "") -> str:
    """Return a range in one cell, central value first."""
    return figures.UNKNOWN if value is None else figures.interval(value, units) + of


def energy(value_wh: float | None, unit: figures.Unit) -> str:
    """Return an energy in *unit*; unknown is said."""
    return UNKNOWN if value_wh is None else figures.significant(value_wh / unit.size)


def added(values: Iterable[_Number | None]) -> _Number | None:
    """Add what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], start=known[0]) if known else None


def about(value: int | None, estimated_calls: int) -> str:
    """Return a count, marked where tokens are estimated."""
    return marked(count(value), estimated_calls)


def marked(figure: str, estimated_calls: int) -> str:
    """Mark what rests on estimated tokens; what is unknown rests on nothing."""
    known = figure not in (UNKNOWN, figures.UNKNOWN)
    return ESTIMATED + figure if estimated_calls and known else figure


def count(value: int | None) -> str:
    """Return a count; unknown is said."""
    return UNKNOWN if value is None else figures.count(value)


def listed(*counts: tuple[str, int]) -> str:
    """Return the counts that are not zero, each with what it counts."""
    return ", ".join(f"{number:,} {what}" for what, number in counts if number)


def calls(number: int) -> str:
    """Return a number of calls in words."""
    return figures.counted(number, "call")


def words(text: str) -> Text:
    """Return text that came from outside, safe to print."""
    return Text(printable(text))


def strong(text: str) -> Text:
    """Return *text* as what matters most."""
    return Text(text, style=STRONG)


def short(task_id: str) -> str:
    """Shorten a random id, as git does; what a user chose stays whole."""
    random = len(task_id) == _HEX_ID_LENGTH and not set(task_id) - set("0123456789abcdef")
    return task_id[:_SHORT_ID_LENGTH] if random else printable(task_id)


def period(first: str | None, last: str | None) -> str:
    """Return the time from the first to the last, in UTC."""
    if first is None or last is None:
        return ""
    start, end = minute(first), minute(last)
    if start == end:
        return f"{start} UTC"
    same_day = start.partition(" ")[0] == end.partition(" ")[0]
    return f"{start} to {end.partition(' ')[2] if same_day else end} UTC"


def of_period(label: str) -> str:
    """Return the label of a period as it is shown: ``all`` alone says too little."""
    return ALL_RECORDED if label == "all" else printable(label)


def chosen(selection: str) -> str:
    """Return which calls a report is on, as it is shown."""
    others = selection.removesuffix(EVERYTHING)
    return printable(selection if others == selection else f"{others}{ALL_RECORDED}")


def capital(said: str) -> str:
    """Begin a sentence."""
    return f"{said[:1].upper()}{said[1:]}"


def minute(moment: str) -> str:
    """Return a time of a report to the minute."""
    return moment[:16].replace("T", " ")
