-- One row per day: what was done on it, and per user turn behind that.
-- A task that goes on over midnight has its user turns on every day of its calls, so tasks and user turns of
-- days overlap, and only the rest adds up. A task without a call counts on the day on which it began.
--   day               day on which calls started, UTC
--   tasks             tasks among them
--   user_turns        prompts by a person behind them, of every task among them; NULL where nobody knows
--   unknown_tasks     tasks of which nobody knows the user turns
--   calls             model calls
--   hidden_calls      calls whose output nobody reads as the answer of the task
--   total_tokens      input and output together; NULL where no call reports them
--   hidden_tokens     part of total_tokens that moved in hidden calls
--   energy_wh         Wh at the boundary of factor_set, central; NULL where no call reports its usage
--   hidden_energy_wh  part of energy_wh that went into hidden calls
--   turn_calls        calls of the tasks that have a user turn: to be divided by user_turns
--   turn_tokens       tokens of those
--   turn_energy_wh    Wh of those
WITH
moved AS (
    SELECT
        agent_moments.day,
        agent_moments.task_id,
        any_value(task_workload.user_turns) AS user_turns,
        sum(agent_moments.calls)::BIGINT AS calls,
        coalesce(sum(agent_moments.calls) FILTER (WHERE agent_moments.hidden), 0)::BIGINT AS hidden_calls,
        CASE
            WHEN sum(agent_moments.total_tokens_calls) > 0 THEN sum(agent_moments.total_tokens)
        END::BIGINT AS total_tokens,
        CASE
            WHEN sum(agent_moments.total_tokens_calls) FILTER (WHERE agent_moments.hidden) > 0
                THEN sum(agent_moments.total_tokens) FILTER (WHERE agent_moments.hidden)
        END::BIGINT AS hidden_tokens,
        sum(agent_moments.energy_wh) AS energy_wh,
        sum(agent_moments.energy_wh) FILTER (WHERE agent_moments.hidden) AS hidden_energy_wh
    FROM agent_moments
    INNER JOIN task_workload ON agent_moments.task_id = task_workload.task_id
    GROUP BY agent_moments.day, agent_moments.task_id
    UNION ALL BY NAME
    SELECT
        amplification.started_at::DATE AS day,
        amplification.task_id,
        amplification.user_turns,
        amplification.calls,
        amplification.hidden_calls
    FROM amplification
    WHERE amplification.calls = 0
)

SELECT
    moved.day,
    count(*) AS tasks,
    sum(moved.user_turns)::BIGINT AS user_turns,
    count(*) FILTER (WHERE moved.user_turns IS NULL) AS unknown_tasks,
    sum(moved.calls)::BIGINT AS calls,
    sum(moved.hidden_calls)::BIGINT AS hidden_calls,
    sum(moved.total_tokens)::BIGINT AS total_tokens,
    CASE
        WHEN sum(moved.hidden_calls) = 0 THEN 0
        ELSE sum(moved.hidden_tokens) FILTER (WHERE moved.hidden_calls > 0)
    END::BIGINT AS hidden_tokens,
    sum(moved.energy_wh) AS energy_wh,
    CASE
        WHEN sum(moved.hidden_calls) = 0 THEN 0
        ELSE sum(moved.hidden_energy_wh) FILTER (WHERE moved.hidden_calls > 0)
    END AS hidden_energy_wh,
    coalesce(sum(moved.calls) FILTER (WHERE moved.user_turns > 0), 0)::BIGINT AS turn_calls,
    sum(moved.total_tokens) FILTER (WHERE moved.user_turns > 0)::BIGINT AS turn_tokens,
    sum(moved.energy_wh) FILTER (WHERE moved.user_turns > 0) AS turn_energy_wh
FROM moved
GROUP BY moved.day
