-- One row per task that made a model call: what it moved.
-- A sum is over the calls that report its kind of token; NULL where none does.
--   task_id                id of the task
--   calls                  model calls
--   hidden_calls           calls whose output nobody reads as the answer of the task
--   retry_calls            calls that are not the first attempt of their operation
--   failed_calls           calls that ended in an error
--   total_tokens           input and output together
--   hidden_tokens          part of total_tokens that moved in hidden calls
--   input_tokens           tokens sent, cache reads and writes included
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache
--   cache_write_tokens     part of input_tokens written to a prompt cache
--   output_tokens          tokens generated, reasoning included
--   reasoning_tokens       part of output_tokens that is reasoning
SELECT
    call_rollup.task_id,
    sum(call_rollup.calls)::BIGINT AS calls,
    coalesce(sum(call_rollup.calls) FILTER (WHERE call_rollup.hidden), 0)::BIGINT AS hidden_calls,
    sum(call_rollup.retry_calls)::BIGINT AS retry_calls,
    coalesce(sum(call_rollup.calls) FILTER (WHERE call_rollup.status = 'error'), 0)::BIGINT AS failed_calls,
    CASE
        WHEN sum(call_rollup.total_tokens_calls) > 0 THEN sum(call_rollup.total_tokens)
    END::BIGINT AS total_tokens,
    CASE
        WHEN coalesce(sum(call_rollup.calls) FILTER (WHERE call_rollup.hidden), 0) = 0 THEN 0
        WHEN sum(call_rollup.total_tokens_calls) FILTER (WHERE call_rollup.hidden) > 0
            THEN sum(call_rollup.total_tokens) FILTER (WHERE call_rollup.hidden)
    END::BIGINT AS hidden_tokens,
    CASE
        WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.input_tokens)
    END::BIGINT AS input_tokens,
    CASE
        WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.input_uncached_tokens)
    END::BIGINT AS input_uncached_tokens,
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
GROUP BY call_rollup.task_id
