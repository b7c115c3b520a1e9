-- One row per task: what a person's turns set off, and how much of it nobody saw.
-- Divide by user_turns only where that is above zero: a headless task has none, and of others nobody knows.
--   task_id           id of the task; the trace id where no task was recorded
--   task_name         name of the task; NULL for a call outside of any task
--   project           project of the task, else service.name of the process that recorded its first span
--   workload          agentic or user-facing
--   started_at        start of its first span, UTC
--   user_turns        prompts by a person; NULL where nobody knows
--   user_turns_from   what says so: recorded, or default where nothing does
--   agents            agents that ran, repeated runs counted
--   tools             tool calls
--   agent_depth       agents around the deepest model call: 0 none; NULL without a call
--   calls             model calls
--   hidden_calls      calls whose output nobody reads as the answer of the task
--   total_tokens      input and output together; NULL where no call reports them
--   hidden_tokens     part of total_tokens that moved in hidden calls
--   energy_wh         Wh at the boundary of factor_set, central; NULL where no call reports its usage
--   hidden_energy_wh  part of energy_wh that went into hidden calls
WITH
moved AS (
    SELECT
        agent_moments.task_id,
        max(agent_moments.agent_depth) AS agent_depth,
        sum(agent_moments.calls)::BIGINT AS calls,
        coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0)::BIGINT AS hidden_calls,
        CASE
            WHEN sum(agent_moments.total_tokens_calls) > 0 THEN sum(agent_moments.total_tokens)
        END::BIGINT AS total_tokens,
        CASE
            WHEN coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0) = 0 THEN 0
            WHEN sum(agent_moments.total_tokens_calls) FILTER (WHERE agent_moments.hidden) > 0
                THEN sum(agent_moments.total_tokens) FILTER (WHERE agent_moments.hidden)
        END::BIGINT AS hidden_tokens,
        sum(agent_moments.energy_wh) AS energy_wh,
        CASE
            WHEN coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0) = 0 THEN 0
            ELSE sum(agent_moments.energy_wh) FILTER (WHERE agent_moments.hidden)
        END AS hidden_energy_wh
    FROM agent_moments
    GROUP BY agent_moments.task_id
)

SELECT
    task_workload.task_id,
    task_workload.task_name,
    task_workload.project,
    task_workload.workload,
    make_timestamp(task_fact.start_ns // 1000) AS started_at,
    task_workload.user_turns,
    task_workload.user_turns_from,
    task_fact.agents,
    task_fact.tools,
    moved.agent_depth,
    coalesce(moved.calls, 0) AS calls,
    coalesce(moved.hidden_calls, 0) AS hidden_calls,
    moved.total_tokens,
    moved.hidden_tokens,
    moved.energy_wh,
    moved.hidden_energy_wh
FROM task_workload
INNER JOIN task_fact ON task_workload.task_id = task_fact.task_id
LEFT JOIN moved ON task_workload.task_id = moved.task_id
