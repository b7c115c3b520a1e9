"""One quantity over another, taken inside each draw: what is unknown of both cancels.

The energy of an agent and that of a person rest on the same constants. In a draw in which reading
a token costs much, it costs much on both sides, so their ratio is known better than either.
"""

from collections.abc import Iterable

from agenttrace.compare.what_if import Drawn
from agenttrace.model import Range


def ratio(above: Drawn | None, below: Drawn | None) -> Range | None:
    """Return how many times *below* is in *above*.

    Args:
        above: Drawn with the same constants as *below*, draw by draw; None where it is unknown.
        below: None where it is unknown.

    Returns:
        The ratio of the central values, with the 5 % and 95 % of the ratios inside each draw,
        widened to hold it; None where a side is unknown, or *below* is zero in any draw.
    """
    if above is None or below is None:
        return None
    found = above.over(below)
    return None if found is None else found.range


def drawn(central: float | None, draws: Iterable[float | None]) -> Drawn | None:
    """Return a quantity with its draws; None where nobody knows it."""
    known = tuple(value for value in draws if value is not None)
    return None if central is None or not known else Drawn(central, known)


def times(above: float | None, below: float | None) -> float | None:
    """Return how many times *below* is in *above*, of counts; None where that cannot be known."""
    return None if above is None or not below else above / below
