"""Turn samples of power, or of a counter of energy, into windows."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from agenttrace.energy.measured.windows import SECOND_NS, WATTS_AT_MOST

Kind = Literal["power", "counter"]

GAP_S: Final = 120.0
"""Samples further apart than this are not joined: twice the slowest usual scrape, a minute."""

_SHORTEST_NS: Final = SECOND_NS  # samples that come faster are put together


@dataclass(slots=True)
class Skipped:
    """What was left out of a file, by why, in words for people."""

    counts: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, why: str, number: int = 1) -> None:
        """Count *number* more of a kind."""
        if number:
            self.counts[why] = self.counts.get(why, 0) + number

    def told(self) -> list[str]:
        """Return what was left out and how much of it, in words that suit one as well as many."""
        return [f"{why}: {number:,}" for why, number in self.counts.items()]


@dataclass(frozen=True, slots=True)
class Span:
    """Joules between two moments, nanoseconds since 1970-01-01 UTC."""

    start_ns: int
    end_ns: int
    joules: float


def integrate(
    samples: Iterable[tuple[int, float]],
    kind: Kind,
    skipped: Skipped,
    *,
    gap_s: float = GAP_S,
) -> list[Span]:
    """Return what samples of one device say was used between them.

    Args:
        samples: Times in nanoseconds, with watts, or with joules since some moment in the past.
        kind: ``power``: joined by trapezoids. ``counter``: differences; where it falls, the device
            was reset, and what was used in between is not known.
        skipped: Gets a count for everything that is left out.
        gap_s: Seconds between samples beyond which nothing is known.

    Returns:
        Spans in order; each is at least a second where samples follow each other closely.
    """
    return list(_together(_between(_sound(samples, kind, skipped), kind, skipped, gap_s)))


def _sound(
    samples: Iterable[tuple[int, float]], kind: Kind, skipped: Skipped
) -> Sequence[tuple[int, float]]:
    """Return samples in order of time, each moment once, none impossible."""
    most = WATTS_AT_MOST if kind == "power" else math.inf
    found = list(samples)
    possible = [(at, value) for at, value in found if 0 <= value <= most and math.isfinite(value)]
    skipped.add("negative or impossible samples", len(found) - len(possible))
    backwards = sum(later[0] < before[0] for before, later in itertools.pairwise(found))
    skipped.add("samples out of order, put into order", backwards)
    by_time: dict[int, float] = {}
    for at, value in possible:
        by_time.setdefault(at, value)
    skipped.add("samples that repeat a moment", len(possible) - len(by_time))
    return sorted(by_time.items())


def _between(
    samples: Sequence[tuple[int, float]], kind: Kind, skipped: Skipped, gap_s: float
) -> Iterator[Span]:
    for (start, before), (end, after) in itertools.pairwise(samples):
        seconds = (end - start) / SECOND_NS
        joules = (before + after) / 2 * seconds if kind == "power" else after - before
        if seconds > gap_s:
            skipped.add(f"gaps of more than {gap_s:g} s, not bridged")
        elif joules < 0:
            skipped.add("resets of a counter, not bridged")
        elif joules > WATTS_AT_MOST * seconds:
            skipped.add("jumps of a counter beyond all power, not bridged")
        else:
            yield Span(start, end, joules)


def _together(spans: Iterable[Span]) -> Iterator[Span]:
    """Put spans that follow each other together until they last a second."""
    held: Span | None = None
    for span in spans:
        if held is None or held.end_ns != span.start_ns or _lasts(held):
            if held is not None:
                yield held
            held = span
        else:
            held = Span(held.start_ns, span.end_ns, held.joules + span.joules)
    if held is not None:
        yield held


def _lasts(span: Span) -> bool:
    return span.end_ns - span.start_ns >= _SHORTEST_NS
