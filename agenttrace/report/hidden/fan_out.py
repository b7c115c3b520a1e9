"""How many calls, agents and tools the frames of the largest tasks started themselves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Final

from agenttrace.reader import Reader
from agenttrace.report.hidden.values import FanOut, Frame
from agenttrace.report.sums import Row, held, quoted

TASKS_AT_MOST: Final = 100
SPANS_AT_MOST: Final = 1_000_000
"""Of all tasks that are looked at; no task with more is."""

SPANS_TOGETHER: Final = 400_000
"""Spans that are in memory at a time, unless one task has more."""

_TRACE_ID_LENGTH: Final = 32
_TASKS: Final = """
SELECT task_id, task_name, structure_spans AS spans, start_ns, end_ns
FROM {tasks}
WHERE structure_spans > 0
ORDER BY structure_spans DESC, task_id
LIMIT $1
"""
_COUNTED: Final = "SELECT task_id, span_id FROM counted_call"
_LARGEST: Final = """
SELECT * FROM fan_out WHERE fan_out > 0
ORDER BY fan_out DESC, started_at, task_id, span_id LIMIT $1
"""


def fan_out(
    reader: Reader, limit: int, *, is_counted: bool, tasks_of: str = "task_fact"
) -> FanOut | None:
    """Look at the spans of the tasks with the most of them, a few tasks at a time.

    Which spans are calls is decided among the spans of these tasks.

    Args:
        reader: An open reader that shows what was selected.
        limit: How many frames to list.
        is_counted: The query ``counted_call`` is held.
        tasks_of: Query or table with the tasks as they were recorded.

    Returns:
        None where nothing in them started anything, or no span of them is left.
    """
    found = reader.query(_TASKS.format(tasks=tasks_of), [TASKS_AT_MOST])
    tasks = list(_fitting(found))
    seen = _Seen(is_counted=is_counted)
    for some in _together(tasks):
        seen.look(reader, some, limit)
    if not seen.frames:
        return None
    left_out = sum(task["spans"] > SPANS_AT_MOST for task in found)
    return seen.told(limit, left_out=left_out)


def _fitting(found: Sequence[Row]) -> Iterator[Row]:
    """Yield the tasks with the most spans, as many as are looked at, but those of too many."""
    seen = 0
    for task in found:
        if task["spans"] > SPANS_AT_MOST:
            continue
        seen += task["spans"]
        if seen > SPANS_AT_MOST:
            return
        yield task


def _together(tasks: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield tasks in parts whose spans are in memory together."""
    some: list[Row] = []
    here = 0
    for task in tasks:
        if some and here + task["spans"] > SPANS_TOGETHER:
            yield some
            some, here = [], 0
        some.append(task)
        here += task["spans"]
    if some:
        yield some


class _Seen:
    """What was found so far."""

    def __init__(self, *, is_counted: bool) -> None:
        self.is_counted = is_counted
        self.tasks: set[str] = set()
        self.spans = 0
        self.levels = 0
        self.frames: list[Frame] = []
        self.widths: Counter[int] = Counter()

    def look(self, reader: Reader, tasks: Sequence[Row], limit: int) -> None:
        """Look at the spans of *tasks*."""
        names = {task["task_id"]: task["task_name"] for task in tasks}
        with ExitStack() as stack:
            stack.enter_context(reader.seeing(_spans(reader, tasks)))
            if not self.is_counted:
                stack.enter_context(held(reader, counted_call=_COUNTED))
            stack.enter_context(held(reader, "fan_out"))
            (spans,) = reader.query("SELECT count(*) AS spans FROM span")
            (deep,) = reader.query(
                "SELECT max(depth + 1 + (calls > 0)::BIGINT) AS levels FROM fan_out"
            )
            widths = reader.query(
                "SELECT fan_out AS width, count(*) AS frames FROM fan_out "
                "WHERE fan_out > 0 GROUP BY fan_out"
            )
            rows = reader.query(_LARGEST, [limit])
            (those,) = reader.query("SELECT list(DISTINCT task_id) AS ids FROM fan_out")
        self.tasks |= set(those["ids"] or ())
        self.spans += spans["spans"]
        self.levels = max(self.levels, deep["levels"] or 0)
        self.widths.update({row["width"]: row["frames"] for row in widths})
        self.frames += [_frame(row, names.get(row["task_id"])) for row in rows]

    def told(self, limit: int, *, left_out: int) -> FanOut:
        """Return all of it together."""
        largest = sorted(self.frames, key=lambda frame: (-frame.fan_out, frame.task_id))
        return FanOut(
            tasks=len(self.tasks),
            spans=self.spans,
            left_out=left_out,
            levels=self.levels,
            frames=self.widths.total(),
            median=self._at_most(0.5),
            p90=self._at_most(0.9),
            p99=self._at_most(0.99),
            largest=tuple(largest[:limit]),
        )

    def _at_most(self, part: float) -> int | None:
        """Return what *part* of the frames started at most."""
        reached = 0
        for width in sorted(self.widths):
            reached += self.widths[width]
            if reached >= part * self.widths.total():
                return width
        return None


def _spans(reader: Reader, tasks: Sequence[Row]) -> str:
    low, high = min(task["start_ns"] for task in tasks), max(task["end_ns"] for task in tasks)
    around = reader.spans_around(low, high)
    ids = [task["task_id"] for task in tasks]
    # Each condition for itself, for then the files tell which of their parts have no such span.
    own = f"FROM ({around}) WHERE task_id IN ({_listed(ids)}) AND kind <> 'fact'"
    traces = [one for one in ids if len(one) == _TRACE_ID_LENGTH]
    if not traces:
        return own
    loose = f"FROM ({around}) WHERE task_id IS NULL AND trace_id IN ({_listed(traces)})"
    return f"{own} UNION ALL {loose}"


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(map(quoted, ids))


def _frame(row: Row, task_name: str | None) -> Frame:
    return Frame(
        task_id=row["task_id"],
        task_name=task_name,
        span_id=row["span_id"],
        kind=row["kind"],
        name=row["name"],
        depth=row["depth"],
        calls=row["calls"],
        agents=row["agents"],
        tools=row["tools"],
        steps=row["steps"],
        fan_out=row["fan_out"],
    )
