"""Build the report on one task."""

from dataclasses import dataclass
from typing import Final

from agenttrace.model import Table
from agenttrace.reader import Reader
from agenttrace.report import sums
from agenttrace.report.context import in_sight
from agenttrace.report.nodes import Link, places
from agenttrace.report.sums import Row, held, narrowed
from agenttrace.report.values import AgentLine, Call, Node, TaskReport

SPANS_AT_MOST: Final = 20_000
"""A task with more is summed up by agent."""

_NS_PER_MS: Final = 1e6

_FACT: Final = """
SELECT
    task_fact.* REPLACE (task_workload.workload AS workload),
    make_timestamp(task_fact.start_ns // 1000) AS started_at
FROM task_fact
INNER JOIN task_workload ON task_fact.task_id = task_workload.task_id
"""

_NODES: Final = """
SELECT
    own.*,
    call.call_id,
    call.operation_id,
    call.operation,
    call.role,
    call.hidden,
    call.attempt,
    call.provider,
    call.model,
    call.total_tokens,
    call.input_tokens,
    call.input_uncached_tokens,
    call.cache_read_tokens,
    call.cache_write_tokens,
    call.output_tokens,
    call.reasoning_tokens,
    call.status,
    call.usage,
    call.capture,
    call.outcome,
    call.http_status,
    call.time_to_first_token_ms,
    call_energy.covered,
    call_energy.energy_wh,
    call_energy.unpriced
FROM (
    SELECT
        own_span.span_id AS node_id,
        -- A span that names itself as its parent has none.
        nullif(any_value(own_span.parent_span_id), own_span.span_id) AS parent_span_id,
        any_value(own_span.kind) AS kind,
        any_value(own_span.name) AS name,
        any_value(own_span.agent) AS node_agent,
        any_value(own_span.status) AS node_status,
        any_value(own_span.error_type) AS node_error_type,
        bool_or(coalesce(own_span.outcome = 'interrupted', FALSE)) AS is_interrupted,
        min(own_span.start_ns) AS start_ns,
        min(own_span.started_at) AS node_started_at,
        max(own_span.duration_ns) AS node_duration_ns
    FROM own_span
    GROUP BY own_span.span_id
) AS own
LEFT JOIN model_call AS call ON own.node_id = call.span_id
LEFT JOIN call_energy ON call.call_id = call_energy.call_id
ORDER BY own.start_ns, own.node_id
"""

_AGENTS: Final = """
WITH
moment AS (
    SELECT
        call_rollup.agent,
        call_rollup.agent_depth,
        call_rollup.role,
        call_rollup.provider,
        call_rollup.model,
        sum(call_rollup.calls)::BIGINT AS calls,
        coalesce(
            sum(call_rollup.calls) FILTER (WHERE call_rollup.hidden), 0
        )::BIGINT AS hidden_calls,
        coalesce(
            sum(call_rollup.calls) FILTER (WHERE call_rollup.status = 'error'), 0
        )::BIGINT AS failed_calls,
        coalesce(
            sum(call_rollup.calls) FILTER (WHERE call_rollup.usage = 'estimated'), 0
        )::BIGINT AS estimated_calls,
        CASE
            WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.input_tokens)
        END::BIGINT AS input_tokens,
        CASE
            WHEN sum(call_rollup.output_tokens_calls) > 0 THEN sum(call_rollup.output_tokens)
        END::BIGINT AS output_tokens,
        sum(call_rollup.uncached) AS uncached,
        sum(call_rollup.uncached_context_x2) / 2 AS uncached_context,
        sum(call_rollup.cached) AS cached,
        sum(call_rollup.output) AS output,
        sum(call_rollup.output_context_x2) / 2 AS output_context,
        sum(call_rollup.input_tokens_calls + call_rollup.output_calls) AS priced_sides
    FROM call_rollup
    GROUP BY
        call_rollup.agent,
        call_rollup.agent_depth,
        call_rollup.role,
        call_rollup.provider,
        call_rollup.model
)

SELECT
    moment.agent,
    moment.agent_depth,
    moment.role,
    moment.provider,
    moment.model,
    moment.calls,
    moment.hidden_calls,
    moment.failed_calls,
    moment.estimated_calls,
    moment.input_tokens,
    moment.output_tokens,
    CASE
        WHEN moment.priced_sides > 0
            THEN (
                moment.uncached * model_factor.j_uncached
                + moment.uncached_context * model_factor.j_uncached_context
                + moment.cached * model_factor.j_cached
                + moment.output * model_factor.j_output
                + moment.output_context * model_factor.j_output_context
            ) / 3600
    END AS energy_wh
FROM moment
LEFT JOIN model_factor
    ON
        moment.provider IS NOT DISTINCT FROM model_factor.provider
        AND moment.model IS NOT DISTINCT FROM model_factor.model
ORDER BY
    moment.agent_depth,
    sum(energy_wh) OVER (PARTITION BY moment.agent_depth, moment.agent) DESC NULLS LAST,
    moment.agent,
    energy_wh DESC NULLS LAST,
    moment.role,
    moment.provider,
    moment.model
"""


def task_report(reader: Reader, task_id: str, *, full: bool = False) -> TaskReport:
    """Report on one task.

    Args:
        reader: An open reader.
        task_id: Id of the task, or its beginning.
        full: Show each span, also where there are more than :data:`SPANS_AT_MOST`.

    Raises:
        QueryError: No task, or more than one, begins with *task_id*.
    """
    with narrowed(reader, sums.task_named(reader, task_id)):
        (fact,) = reader.query(_FACT)
        is_shown = full or fact["spans"] <= SPANS_AT_MOST
        nodes = _tree(reader, fact) if is_shown else ()
        started_at = f"{fact['started_at'].isoformat()}Z"
        with held(reader, *sums.SHARED):
            return TaskReport(
                store=str(reader.home),
                task_id=fact["task_id"],
                name=fact["task_name"],
                workload=fact["workload"],
                session_id=fact["session_id"],
                is_cut_off=bool(fact["is_cut_off"]),
                started_at=started_at,
                duration_ms=(fact["end_ns"] - fact["start_ns"]) / _NS_PER_MS,
                totals=sums.totals(reader),
                coverage=sums.coverage(reader),
                spans=fact["spans"],
                pruned_before=reader.pruned_before if started_at < reader.pruned_before else None,
                nodes=nodes,
                agents=() if nodes else tuple(map(_agent, reader.query(_AGENTS))),
                method=sums.method(reader),
                warnings=sums.warnings(reader),
            )


def _tree(reader: Reader, fact: Row) -> tuple[Node, ...]:
    with in_sight(reader, fact), held(reader, "model_call", "call_energy"):
        return _nodes(reader.table(_NODES))


@dataclass(slots=True)
class _Inside:
    """Sums over the calls of a subtree."""

    calls: int = 0
    failed: int = 0
    estimated: int = 0
    unreported: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    energy_wh: float | None = None

    def add(self, other: "_Inside") -> None:
        self.calls += other.calls
        self.failed += other.failed
        self.estimated += other.estimated
        self.unreported += other.unreported
        if other.input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + other.input_tokens
        if other.output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + other.output_tokens
        if other.energy_wh is not None:
            self.energy_wh = (self.energy_wh or 0.0) + other.energy_wh


def _nodes(spans: Table) -> tuple[Node, ...]:
    # A dict for each of many spans would take more memory than all else.
    def row(number: int) -> Row:
        return dict(zip(spans.columns, spans.rows[number], strict=True))

    tree = places([_link(row(number)) for number in range(len(spans.rows))])
    inside = {place.span: _own(row(place.span)) for place in tree}
    # What hangs from a node comes after it, so from the end each sum is whole when it is added.
    for place in reversed(tree):
        if place.parent is not None:
            inside[place.parent].add(inside[place.span])
    return tuple(
        _node(
            row(place.span),
            None if place.parent is None else row(place.parent)["node_id"],
            place.depth,
            inside[place.span],
        )
        for place in tree
    )


def _link(row: Row) -> Link:
    return Link(row["node_id"], row["parent_span_id"], row["kind"], row["call_id"] is not None)


def _own(row: Row) -> _Inside:
    if row["call_id"] is None:
        return _Inside()
    return _Inside(
        calls=1,
        failed=row["status"] == "error",
        estimated=row["usage"] == "estimated",
        unreported=bool(row["unpriced"]),
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        energy_wh=row["energy_wh"],
    )


def _node(row: Row, parent_span_id: str | None, depth: int, inside: _Inside) -> Node:
    duration_ns = row["node_duration_ns"]
    return Node(
        span_id=row["node_id"],
        parent_span_id=parent_span_id,
        depth=depth,
        kind=row["kind"],
        name=row["name"],
        agent=row["node_agent"],
        status=row["node_status"],
        error_type=row["node_error_type"],
        is_interrupted=row["is_interrupted"],
        started_at=f"{row['node_started_at'].isoformat()}Z",
        duration_ms=None if duration_ns is None else duration_ns / _NS_PER_MS,
        calls=inside.calls,
        failed_calls=inside.failed,
        estimated_calls=inside.estimated,
        unreported_calls=inside.unreported,
        input_tokens=inside.input_tokens,
        output_tokens=inside.output_tokens,
        energy_wh=inside.energy_wh,
        call=None if row["call_id"] is None else _call(row),
    )


def _call(row: Row) -> Call:
    return Call(
        call_id=row["call_id"],
        operation_id=row["operation_id"],
        operation=row["operation"],
        role=row["role"],
        hidden=row["hidden"],
        attempt=row["attempt"],
        provider=row["provider"],
        model=row["model"],
        tokens=sums.tokens(row),
        usage=row["usage"],
        capture=row["capture"],
        outcome=row["outcome"],
        http_status=row["http_status"],
        time_to_first_token_ms=row["time_to_first_token_ms"],
        measured_share=row["covered"],
    )


def _agent(row: Row) -> AgentLine:
    return AgentLine(
        agent=row["agent"],
        depth=row["agent_depth"],
        role=row["role"],
        provider=row["provider"],
        model=row["model"],
        calls=row["calls"],
        hidden_calls=row["hidden_calls"],
        failed_calls=row["failed_calls"],
        estimated_calls=row["estimated_calls"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        energy_wh=row["energy_wh"],
    )
