"""Build the report on one task."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from agenttrace.errors import QueryError
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.sums import Row, held, narrowed
from agenttrace.report.values import Call, Node, TaskReport

_CANDIDATES_NAMED: Final = 3

_BEGINNING_WITH: Final = """
SELECT DISTINCT coalesce(span.task_id, span.trace_id) AS task_id
FROM span
WHERE starts_with(coalesce(span.task_id, span.trace_id), $1) AND span.kind <> 'other'
ORDER BY task_id
"""

_NODES: Final = """
SELECT
    task_tree AS node,
    model_call AS call,
    call_energy.energy_wh,
    call_energy.unpriced,
    trouble.error_type
FROM task_tree
LEFT JOIN model_call ON task_tree.span_id = model_call.span_id
LEFT JOIN call_energy ON model_call.call_id = call_energy.call_id
LEFT JOIN (
    SELECT
        span.span_id,
        any_value(span.error_type) AS error_type
    FROM span
    GROUP BY span.span_id
) AS trouble ON task_tree.span_id = trouble.span_id
ORDER BY task_tree.path
"""


def task_report(reader: Reader, task_id: str) -> TaskReport:
    """Report on one task.

    Args:
        reader: An open reader.
        task_id: Id of the task, or its beginning.

    Raises:
        QueryError: No task, or more than one, begins with *task_id*.
    """
    chosen = _whole(reader, task_id)
    with (
        narrowed(reader, chosen),
        held(reader, "call_energy", "task_moments", "total_draw", "totals", "coverage"),
    ):
        (task,) = reader.query("task")
        return TaskReport(
            store=str(reader.home),
            task_id=task["task_id"],
            name=task["task_name"],
            workload=task["workload"],
            session_id=task["session_id"],
            started_at=f"{task['started_at'].isoformat()}Z",
            duration_ms=task["duration_ms"],
            totals=sums.totals(reader),
            coverage=sums.coverage(reader),
            nodes=_nodes(reader.query(_NODES)),
            method=sums.method(reader),
            warnings=sums.warnings(reader),
        )


def _whole(reader: Reader, beginning: str) -> str:
    found = [str(row["task_id"]) for row in reader.query(_BEGINNING_WITH, [beginning])]
    if beginning in found or len(found) == 1:
        return beginning if beginning in found else found[0]
    if not found:
        raise QueryError(
            f"no task begins with {beginning!r}. `agenttrace report` lists the largest, "
            "`agenttrace query task` all."
        )
    named = ", ".join(found[:_CANDIDATES_NAMED]) + (", ..." if found[_CANDIDATES_NAMED:] else "")
    raise QueryError(
        f"{len(found):,} tasks begin with {beginning!r}: {named}. Give more of the id."
    )


@dataclass(slots=True)
class _Inside:
    """Sums over the calls of a subtree that the query ``task_tree`` does not have."""

    counts: Counter[str] = field(default_factory=Counter[str])
    energy_wh: float | None = None

    def add(self, other: "_Inside") -> None:
        self.counts += other.counts
        if other.energy_wh is not None:
            self.energy_wh = (self.energy_wh or 0.0) + other.energy_wh


def _nodes(rows: list[Row]) -> tuple[Node, ...]:
    inside = {row["node"]["span_id"]: _own(row) for row in rows}
    # Children come after their parents, so from the end upwards each sum is whole when it is added.
    for row in reversed(rows):
        parent = inside.get(row["node"]["parent_span_id"])
        if parent is not None:
            parent.add(inside[row["node"]["span_id"]])
    return tuple(_node(row, inside[row["node"]["span_id"]]) for row in rows)


def _own(row: Row) -> _Inside:
    call = row["call"]
    if call is None or call["call_id"] is None:
        return _Inside()
    kinds = {
        "failed": call["status"] == "error",
        "estimated": call["usage"] == "estimated",
        "unreported": row["unpriced"],
    }
    return _Inside(Counter(kind for kind, is_so in kinds.items() if is_so), row["energy_wh"])


def _node(row: Row, inside: _Inside) -> Node:
    node = row["node"]
    return Node(
        span_id=node["span_id"],
        parent_span_id=node["parent_span_id"],
        depth=node["depth"],
        kind=node["kind"],
        name=node["name"],
        agent=node["agent"],
        status=node["status"],
        error_type=row["error_type"],
        started_at=f"{node['started_at'].isoformat()}Z",
        duration_ms=node["duration_ms"],
        calls=node["calls"],
        failed_calls=inside.counts["failed"],
        estimated_calls=inside.counts["estimated"],
        unreported_calls=inside.counts["unreported"],
        input_tokens=node["input_tokens"],
        output_tokens=node["output_tokens"],
        energy_wh=inside.energy_wh,
        call=_call(row["call"]),
    )


def _call(call: Row | None) -> Call | None:
    if call is None or call["call_id"] is None:
        return None
    return Call(
        call_id=call["call_id"],
        operation_id=call["operation_id"],
        operation=call["operation"],
        role=call["role"],
        hidden=call["hidden"],
        attempt=call["attempt"],
        provider=call["provider"],
        model=call["model"],
        tokens=sums.tokens(call),
        usage=call["usage"],
        capture=call["capture"],
        outcome=call["outcome"],
        http_status=call["http_status"],
        time_to_first_token_ms=call["time_to_first_token_ms"],
    )
