"""Say that there is nothing where somebody looked, and when there is something."""

from collections.abc import Iterator

from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.selection import Selection, selected

_DATE = len("2026-11-01")


def nothing_in(selection: Selection) -> str:
    """Say that no call of *selection* is recorded, without a full stop."""
    return "no model call is recorded" + ("" if selection.is_everything else f" ({selection})")


def elsewhere(found: tuple[str, str] | None) -> Iterator[str]:
    """Say when calls were :func:`recorded`, to who looked where there are none."""
    if found is not None:
        yield when(*found)


def when(first_started_at: str, last_started_at: str) -> str:
    """Say on which days calls were recorded, without a full stop."""
    first, last = first_started_at[:_DATE], last_started_at[:_DATE]
    days = f"on {first}" if first == last else f"from {first} to {last}"
    return f"calls of any kind were recorded {days} (UTC)"


def recorded(reader: Reader) -> tuple[str, str] | None:
    """Return the start of the first and of the last call of everything; None if there is none.

    Ask outside of a selection, for selections do not nest.
    """
    with selected(reader, Selection()):
        (row,) = reader.query("totals")
    first, last = sums.moment(row["first_started_at"]), sums.moment(row["last_started_at"])
    return None if first is None or last is None else (first, last)
