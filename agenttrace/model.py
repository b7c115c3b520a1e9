"""Plain values that both sides share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["task", "agent", "tool", "step", "inference"]
Role = Literal[
    "main",
    "subagent",
    "tool",
    "retry",
    "fallback",
    "compaction",
    "summary",
    "title",
    "router",
    "guard",
    "embedding",
    "rerank",
    "other",
]
Workload = Literal["agentic", "user-facing"]
Outcome = Literal["success", "failure", "abandoned"]
UsageState = Literal["reported", "partial", "estimated", "missing"]
Capture = Literal["wire", "frame", "otlp", "log", "result"]


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one model call; None means that the provider did not say.

    Attributes:
        input_tokens: Tokens in the request, cache reads and cache writes included.
        output_tokens: Tokens in the response, reasoning included.
        cache_read_tokens: Part of the input that was read from a prompt cache.
        cache_write_tokens: Part of the input that was written to a prompt cache.
        cache_write_1h_tokens: Part of the cache writes that is kept for an hour.
        reasoning_tokens: Part of the output that is reasoning.
        state: Who says so: ``reported`` by the provider, ``partial`` (a side is missing),
            ``estimated`` by agenttrace, or ``missing``.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    state: UsageState = "missing"


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity as an interval: 5 %, central, 95 %; low <= central <= high."""

    low: float
    central: float
    high: float

    def __add__(self, other: "Range") -> "Range":
        """Add end to end, which is right where what is unknown of both leans the same way."""
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def __mul__(self, times: float) -> "Range":
        """Return so many times as much; *times* is not below zero."""
        return Range(self.low * times, self.central * times, self.high * times)

    @classmethod
    def total(cls, ranges: Iterable["Range"]) -> "Range":
        """Add any number of ranges, as ``+`` does; none of them are zero."""
        return sum(ranges, cls(0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Table:
    """What a query yields.

    Attributes:
        columns: Names, in order.
        rows: One tuple per row, in the query's order.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
