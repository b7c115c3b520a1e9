-- One row per task: when, how it ended, and what it moved.
-- The root span of a task is recorded when the task ends, so one that runs or was killed has no name yet.
-- What is a task is told by recorded_task.
--   task_id           id of the task; the trace id where no task was recorded
--   task_name         name of the task; NULL for a call outside of any task
--   session_id        conversation of the task
--   service_name      service.name of the process that recorded its first span
--   workload          agentic or user-facing
--   headless          nobody reads the answer
--   project           project of the task, else its service
--   branch            branch of the repository that it works in; NULL where nothing says
--   user_turns        prompts by a person; NULL where nobody knows
--   user_hash         who prompted, as a keyed hash; NULL where nothing says
--   outcome           success, failure or abandoned; NULL where nothing says
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
SELECT
    task_fact.task_id,
    task_fact.task_name,
    task_fact.session_id,
    task_fact.service_name,
    task_workload.workload,
    coalesce(task_fact.headless, FALSE) AS headless,
    task_workload.project,
    task_fact.branch,
    task_workload.user_turns,
    task_workload.user_hash,
    task_workload.outcome,
    make_timestamp(task_fact.start_ns // 1000) AS started_at,
    (task_fact.end_ns - task_fact.start_ns) / 1e6 AS duration_ms,
    task_fact.status,
    task_fact.agents,
    task_fact.tools,
    coalesce(task_tokens.calls, 0) AS calls,
    coalesce(task_tokens.hidden_calls, 0) AS hidden_calls,
    coalesce(task_tokens.retry_calls, 0) AS retry_calls,
    coalesce(task_tokens.failed_calls, 0) AS failed_calls,
    task_tokens.total_tokens,
    task_tokens.hidden_tokens,
    task_tokens.input_tokens,
    task_tokens.output_tokens
FROM task_fact
INNER JOIN task_workload ON task_fact.task_id = task_workload.task_id
LEFT JOIN task_tokens ON task_fact.task_id = task_tokens.task_id
