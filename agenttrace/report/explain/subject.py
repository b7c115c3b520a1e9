"""Which task or call is meant by the beginning of an id."""

from collections.abc import Sequence
from typing import Final

from agenttrace.errors import QueryError
from agenttrace.reader import Reader
from agenttrace.report.sums import Row

TOTAL: Final = "total"

_NAMED: Final = 3

_TASKS: Final = """
SELECT recorded_task.task_id
FROM recorded_task
WHERE starts_with(recorded_task.task_id, $1)
ORDER BY recorded_task.task_id
"""

# A call is told by its task and its span; the span alone will do.
_TASKS_AROUND: Final = """
SELECT DISTINCT task_sum.task_id
FROM task_sum
WHERE starts_with($1, task_sum.task_id || '-')
"""

_SPANS: Final = """
SELECT DISTINCT coalesce(span.task_id, span.trace_id) AS task_id, span.span_id
FROM span
WHERE span.kind = 'inference' AND starts_with(span.span_id, $1)
ORDER BY ALL
"""


def found(reader: Reader, beginning: str) -> tuple[str, str | None]:
    """Return the id of the one task, or of the task and the one call, that begin so.

    Raises:
        QueryError: Nothing, or more than one thing, begins with *beginning*.
    """
    if not beginning:
        raise QueryError("say the id of a task or of a call, or `total`.")
    tasks = [str(row["task_id"]) for row in reader.query(_TASKS, [beginning])]
    if beginning in tasks or len(tasks) == 1:
        return (beginning if beginning in tasks else tasks[0]), None
    if tasks:
        raise QueryError(f"{_named(tasks, 'tasks', beginning)}. Give more of the id.")
    around = [str(row["task_id"]) for row in reader.query(_TASKS_AROUND, [beginning])]
    if len(around) == 1:
        return around[0], beginning
    calls = [(row["task_id"], row["span_id"]) for row in reader.query(_SPANS, [beginning])]
    if len(calls) == 1:
        ((task_id, span_id),) = calls
        return task_id, f"{task_id}-{span_id}"
    if calls:
        names = [span_id for _, span_id in calls]
        raise QueryError(f"{_named(names, 'calls', beginning)}. Give more of the id.")
    raise QueryError(
        f"no task and no call begins with {beginning!r}. `agenttrace report` lists the largest "
        f"tasks, `agenttrace query call_energy` the calls; `{TOTAL}` is all of them."
    )


def _named(ids: Sequence[str], what: str, beginning: str) -> str:
    named = ", ".join(ids[:_NAMED])
    if ids[_NAMED:]:
        named += f" and {len(ids) - _NAMED:,} more"
    return f"{len(ids):,} {what} begin with {beginning!r}: {named}"


def not_one_call(reader: Reader, fact: Row, beginning: str, ids: Sequence[str]) -> str:
    """Say why *beginning* names no call of a task, or several; *ids* are those."""
    if ids:
        return f"{_named(ids, 'calls', beginning)}. Give more of the id."
    if reader.pruned_before:
        return (
            f"there is no call {beginning!r} any more: spans from before {reader.pruned_before} "
            f"(UTC) were pruned. `agenttrace explain {fact['task_id']}` explains their sum."
        )
    return (
        f"no call begins with {beginning!r}, or what does is counted elsewhere. "
        f"`agenttrace report task {fact['task_id']} --format json` has the id of each call."
    )
