"""Hang the spans of a task from one another, however many, deep or broken they are.

What is neither a task, an agent, a tool, a step nor a model call (another instrumentation's HTTP
client, the outer of two spans of one call) hands what hangs from it on to the span around it. A
span whose parent never arrived hangs from the root of the task, and so does the first one of those
that hang from each other in a circle.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_SHOWN: Final = ("task", "agent", "tool", "step")


class Link(NamedTuple):
    """What a span says about its place.

    Attributes:
        span_id: Its id.
        parent_span_id: Id of the span around it.
        kind: ``task``, ``agent``, ``tool``, ``step``, ``inference`` or ``other``.
        is_call: It is a model call.
    """

    span_id: str
    parent_span_id: str | None
    kind: str
    is_call: bool

    @property
    def is_shown(self) -> bool:
        """Whether it is a node of the tree."""
        return self.is_call or self.kind in _SHOWN


class Place(NamedTuple):
    """Where a span stands in the tree.

    Attributes:
        span: Its number among all spans.
        parent: Number of the span that it hangs from; None at the top.
        depth: 0 at the top.
    """

    span: int
    parent: int | None
    depth: int


def places(spans: Sequence[Link]) -> list[Place]:
    """Return where each span that is shown stands, each before what hangs from it.

    Args:
        spans: Those of one task, each once, by their start; siblings keep that order.
    """
    above = _above(spans)
    loose = [number for number, parent in above.items() if parent is None]
    root = next((number for number in loose if spans[number].kind == "task"), None)
    below: dict[int, list[int]] = defaultdict(list)
    for number, parent in above.items():
        if parent is None and number != root:
            parent = root  # noqa: PLW2901 - what has lost its parent hangs from the root
        if parent is not None:
            below[parent].append(number)
    found: list[Place] = []
    placed: set[int] = set()
    # What hangs from itself in a circle comes last: nothing above leads to it.
    for top in (*([root] if root is not None else loose), *above):
        if top not in placed:
            found += _walk(top, None if top == root else root, below, placed)
    return found


def _above(spans: Sequence[Link]) -> dict[int, int | None]:
    """Return by number the shown spans, each with the nearest shown one around it."""
    numbers = {span.span_id: number for number, span in enumerate(spans)}
    parents = [numbers.get(span.parent_span_id or "") for span in spans]
    passed: dict[int, int | None] = {}
    above: dict[int, int | None] = {}
    for number, span in enumerate(spans):
        if not span.is_shown:
            continue
        way: list[int] = []
        at = parents[number]
        while at is not None and not spans[at].is_shown:
            if at in passed:
                at = passed[at]
                break
            passed[at] = None  # which is where a circle ends
            way.append(at)
            at = parents[at]
        passed.update(dict.fromkeys(way, at))
        above[number] = None if at == number else at
    return above


def _walk(
    top: int, parent: int | None, below: dict[int, list[int]], placed: set[int]
) -> Iterator[Place]:
    # A stack of its own, because agents may nest deeper than Python calls may.
    waiting = [Place(top, parent, 0 if parent is None else 1)]
    while waiting:
        place = waiting.pop()
        if place.span in placed:
            continue
        placed.add(place.span)
        yield place
        inside = below.get(place.span, ())
        waiting += [Place(one, place.span, place.depth + 1) for one in reversed(inside)]
