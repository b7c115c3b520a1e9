-- One row per task: when, how it ended, and what it moved.
-- The root span of a task is recorded when the task ends, so one that runs or was killed has no name yet. A
-- trace without a task, agent, tool, step or model call is no task.
--   task_id           id of the task; the trace id where no task was recorded
--   task_name         name of the task; NULL for a call outside of any task
--   session_id        conversation of the task
--   service_name      service.name of the process that recorded its first span
--   workload          agentic or user-facing
--   headless          nobody reads the answer
--   started_at        start of its first span, UTC
--   duration_ms       milliseconds from there to the end of its last span
--   status            ok, error or unset, of its root span; NULL until that has arrived
--   agents            agents that ran, repeated runs counted
--   tools             tool calls
--   calls             model calls
--   hidden_calls      calls whose output nobody reads as the answer of the task
--   retry_calls       calls that are not the first attempt of their operation
--   failed_calls      calls that ended in an error
--   total_tokens      input and output together; NULL where no call reports them
--   hidden_tokens     part of total_tokens that moved in hidden calls
--   input_tokens      tokens sent, cache reads and writes included
--   output_tokens     tokens generated, reasoning included
WITH
member AS (
    SELECT
        coalesce(span.task_id, span.trace_id) AS task_id,
        arg_min(span.task_name, span.start_ns) AS task_name,
        arg_min(span.session_id, span.start_ns) AS session_id,
        arg_min(span.service_name, span.start_ns) AS service_name,
        arg_min(span.workload, span.start_ns) AS workload,
        bool_or(span.headless) AS headless,
        min(span.started_at) AS started_at,
        (max(span.start_ns + coalesce(span.duration_ns, 0)) - min(span.start_ns)) / 1e6 AS duration_ms,
        arg_min(CASE WHEN span.kind = 'task' THEN span.status END, span.start_ns) AS status,
        count(DISTINCT CASE WHEN span.kind = 'agent' THEN span.span_id END) AS agents,
        count(DISTINCT CASE WHEN span.kind = 'tool' THEN span.span_id END) AS tools
    FROM span
    WHERE span.kind <> 'other'
    GROUP BY coalesce(span.task_id, span.trace_id)
)

SELECT
    member.task_id,
    member.task_name,
    member.session_id,
    member.service_name,
    coalesce(member.workload, 'agentic') AS workload,
    coalesce(member.headless, FALSE) AS headless,
    member.started_at,
    member.duration_ms,
    member.status,
    member.agents,
    member.tools,
    coalesce(task_tokens.calls, 0) AS calls,
    coalesce(task_tokens.hidden_calls, 0) AS hidden_calls,
    coalesce(task_tokens.retry_calls, 0) AS retry_calls,
    coalesce(task_tokens.failed_calls, 0) AS failed_calls,
    task_tokens.total_tokens,
    task_tokens.hidden_tokens,
    task_tokens.input_tokens,
    task_tokens.output_tokens
FROM member
LEFT JOIN task_tokens ON member.task_id = task_tokens.task_id
