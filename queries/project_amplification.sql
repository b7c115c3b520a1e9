-- One row per project, or service where no project is told: what its tasks did, and per user turn.
--   project           project of the tasks, else service.name; NULL where nothing says
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
    SELECT amplification.*
    FROM amplification
)

SELECT
    moved.project,
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
GROUP BY moved.project
