"""Make a tree short enough to read: leave out what only wraps, fold what only repeats."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agenttrace.report.values import Node

KEPT: Final = 3
"""Siblings alike that are shown; where more than one is left, the rest is one line."""

_BESIDE: Final = {"": "", "├─ ": "│  ", "└─ ": "   "}


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a printed tree.

    Attributes:
        guide: What is drawn before the label.
        nodes: The node; or the siblings that the line stands for, two or more.
    """

    guide: str
    nodes: tuple[Node, ...]


def branches(nodes: Sequence[Node]) -> Iterator[Branch]:
    """Yield the lines of a tree, each node before what hangs from it.

    Args:
        nodes: As a :class:`~agenttrace.report.values.TaskReport` has them.
    """
    below = _below(nodes)
    # A stack of its own, because agents may nest deeper than Python calls may.
    waiting = [("", "", line) for line in reversed(_lines(below.get(None, [])))]
    while waiting:
        indent, connector, line = waiting.pop()
        yield Branch(indent + connector, line)
        inside = _lines(below.get(line[0].span_id, [])) if len(line) == 1 else []
        indent += _BESIDE[connector]
        connectors = ["└─ ", *["├─ "] * (len(inside) - 1)]
        waiting += [
            (indent, connector, line)
            for connector, line in zip(connectors, reversed(inside), strict=False)
        ]


def _below(nodes: Sequence[Node]) -> dict[str | None, list[Node]]:
    """Return the nodes by what they hang from, without the steps that only wrap one other node.

    Frameworks make a step around every tool and every call of a model, and around nothing at all.
    A step that failed says something, and stays.
    """
    below: dict[str | None, list[Node]] = defaultdict(list)
    # Backwards, what is inside a node has been seen before the node.
    for node in reversed(nodes):
        inside = below[node.span_id]
        wraps = node.kind == "step" and node.status != "error" and len(inside) <= 1
        below[node.parent_span_id] += inside if wraps else [node]
    return {parent: siblings[::-1] for parent, siblings in below.items()}


def _lines(siblings: Sequence[Node]) -> list[tuple[Node, ...]]:
    alike: dict[tuple[object, ...], list[Node]] = defaultdict(list)
    for node in siblings:
        alike[_likeness(node)].append(node)
    met: Counter[tuple[object, ...]] = Counter()
    lines: list[tuple[Node, ...]] = []
    for node in siblings:
        likeness = _likeness(node)
        met[likeness] += 1
        if met[likeness] <= KEPT or len(alike[likeness]) == KEPT + 1:
            lines.append((node,))
        elif met[likeness] == KEPT + 1:
            lines.append(tuple(alike[likeness][KEPT:]))
    return lines


def _likeness(node: Node) -> tuple[object, ...]:
    """Return what siblings must share to be told as one: their kind, their name and their fate."""
    call = node.call
    told = (call.model, call.role, call.hidden, call.usage) if call else (node.name,)
    return (node.kind, *told, node.status, node.failed_calls > 0)
