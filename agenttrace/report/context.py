"""Let queries see the spans of one task, and those that tell which of them are calls."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from agenttrace.reader import Reader
from agenttrace.report.sums import Row, held, quoted

_MINUTES_NS: Final = 15 * 60 * 10**9  # how far apart two sources may tell of one response
_LATEST_NS: Final = 2**63 - 1
_TRACE_ID_LENGTH: Final = 32

# Of other tasks, what tells of the same calls, with what is around it, and the calls that
# agenttrace saw in the same processes.
_WITH_CONTEXT: Final = """
WITH
special AS (
    SELECT DISTINCT
        task_id, trace_id, span_id, response_id, request_id, session_id, input_tokens,
        output_tokens, host, pid, scope
    FROM own_span
    WHERE kind = 'inference' AND counted IS NULL
),
other AS NOT MATERIALIZED (
    SELECT *
    FROM ({source})
    WHERE kind NOT IN ('fact') AND coalesce(task_id, trace_id) <> {task}
),
telling AS (
    SELECT *
    FROM other
    WHERE
        kind = 'inference'
        AND (
            response_id IN (SELECT response_id FROM special WHERE response_id <> '')
            OR (trace_id, span_id) IN (SELECT (trace_id, span_id) FROM special)
            OR request_id IN (SELECT request_id FROM special WHERE request_id <> '')
            OR (session_id, input_tokens, output_tokens) IN (
                SELECT (session_id, input_tokens, output_tokens)
                FROM special
                WHERE session_id IS NOT NULL
            )
        )
),
concerned AS (
    SELECT DISTINCT coalesce(task_id, trace_id) AS task_id FROM telling WHERE counted IS NULL
)
FROM own_span
UNION ALL
SELECT other.*
FROM other
WHERE
    coalesce(other.task_id, other.trace_id) IN (FROM concerned)
    OR (other.trace_id, other.span_id) IN (SELECT (trace_id, span_id) FROM telling)
    OR (
        other.scope = 'agenttrace'
        AND other.kind = 'inference'
        AND (
            other.task_id IS NULL
            OR {task} IN (SELECT trace_id FROM special)
            OR 'agenttrace.meter' IN (SELECT scope FROM special)
        )
        AND (
            (other.host, other.pid) IN (SELECT (host, pid) FROM special WHERE scope <> 'agenttrace')
            OR other.host IN (SELECT host FROM special WHERE scope = 'agenttrace.meter')
        )
    )
"""


@contextmanager
def in_sight(reader: Reader, task: Row) -> Generator[None]:
    """Let queries see the spans of one task and the calls among them.

    ``own_span`` has the spans, ``counted_call`` the calls. Only files that may hold one of them are
    read.

    Args:
        reader: An open reader, narrowed to the task.
        task: Its row of ``task_fact``.
    """
    with held(reader, own_span=_own(reader, task)):
        if not reader.is_rolled_up:  # narrowing has worked out which of them are calls
            yield
            return
        calls = f"FROM counted_call WHERE task_id = {quoted(task['task_id'])}"
        with reader.seeing(_with_context(reader, task)), held(reader, counted_call=calls):
            yield


def _own(reader: Reader, task: Row) -> str:
    around = reader.spans_around(task["start_ns"], task["end_ns"])
    task_id = quoted(task["task_id"])
    # Each condition for itself, for then the files tell which of their parts have no such span.
    own = f"FROM ({around}) WHERE task_id = {task_id} AND kind <> 'fact'"
    if len(task["task_id"]) != _TRACE_ID_LENGTH:
        return own
    return f"{own} UNION ALL FROM ({around}) WHERE task_id IS NULL AND trace_id = {task_id}"


def _with_context(reader: Reader, task: Row) -> str:
    """Return SQL for the spans that say which spans of the task are calls, themselves included."""
    if not task["judged_spans"]:
        return "FROM own_span"
    (own,) = reader.query(
        "SELECT count(*) AS fetches FROM own_span WHERE operation = 'fetch_response'"
    )
    if own["fetches"]:  # what is fetched may have been asked for at any time before
        source = reader.spans_around(0, _LATEST_NS)
    elif task["placed_spans"]:
        source = reader.spans_around(task["start_ns"] - _MINUTES_NS, task["end_ns"] + _MINUTES_NS)
    else:
        source = reader.spans_around(0, 0)  # only those that fetch
    return _WITH_CONTEXT.format(source=source, task=quoted(task["task_id"]))
