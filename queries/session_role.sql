-- One row per session and role of its calls: what counts, whoever told of it.
--   session_id          conversation of the tasks
--   role                main, subagent, tool, retry, summary, title, router, guard, embedding, ...
--   calls               model calls
--   hidden_calls        calls whose output nobody reads as the answer of the task
--   input_tokens        tokens sent, cache reads and writes included; NULL where no call reports them
--   cache_read_tokens   part of input_tokens read from a prompt cache; NULL where no call reports them
--   cache_write_tokens  part of input_tokens written to a prompt cache; NULL where no call reports them
--   output_tokens       tokens generated, reasoning included; NULL where no call reports them
--   reasoning_tokens    part of output_tokens that is reasoning; NULL where no call reports them
SELECT
    task_fact.session_id,
    call_rollup.role,
    sum(call_rollup.calls)::BIGINT AS calls,
    coalesce(sum(call_rollup.calls) FILTER (WHERE call_rollup.hidden), 0)::BIGINT AS hidden_calls,
    CASE WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.input_tokens) END::BIGINT
        AS input_tokens,
    CASE
        WHEN sum(call_rollup.cache_read_tokens_calls) > 0 THEN sum(call_rollup.cache_read_tokens)
    END::BIGINT AS cache_read_tokens,
    CASE
        WHEN sum(call_rollup.cache_write_tokens_calls) > 0 THEN sum(call_rollup.cache_write_tokens)
    END::BIGINT AS cache_write_tokens,
    CASE
        WHEN sum(call_rollup.output_tokens_calls) > 0 THEN sum(call_rollup.output_tokens)
    END::BIGINT AS output_tokens,
    CASE
        WHEN sum(call_rollup.reasoning_tokens_calls) > 0 THEN sum(call_rollup.reasoning_tokens)
    END::BIGINT AS reasoning_tokens
FROM call_rollup
INNER JOIN task_fact ON call_rollup.task_id = task_fact.task_id
WHERE task_fact.session_id IS NOT NULL
GROUP BY task_fact.session_id, call_rollup.role
HAVING sum(call_rollup.calls) > 0
