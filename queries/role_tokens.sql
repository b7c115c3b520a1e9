-- One row per role that calls had: what they moved.
-- A sum is over the calls that report its kind of token; NULL where none does.
--   role                   main, subagent, tool, retry, summary, ...
--   calls                  model calls
--   hidden_calls           calls whose output nobody reads as the answer of the task
--   retry_calls            calls that are not the first attempt of their operation
--   failed_calls           calls that ended in an error
--   estimated_calls        calls whose tokens agenttrace estimated
--   total_tokens           input and output together
--   hidden_tokens          part of total_tokens that moved in hidden calls
--   input_tokens           tokens sent, cache reads and writes included
--   input_uncached_tokens  part of input_tokens neither read from a prompt cache nor written to one
--   cache_read_tokens      part of input_tokens read from a prompt cache
--   cache_write_tokens     part of input_tokens written to a prompt cache
--   output_tokens          tokens generated, reasoning included
--   reasoning_tokens       part of output_tokens that is reasoning
SELECT
    call_total.role,
    sum(call_total.calls)::BIGINT AS calls,
    coalesce(sum(call_total.calls) FILTER (WHERE call_total.hidden), 0)::BIGINT AS hidden_calls,
    sum(call_total.retry_calls)::BIGINT AS retry_calls,
    coalesce(sum(call_total.calls) FILTER (WHERE call_total.status = 'error'), 0)::BIGINT AS failed_calls,
    coalesce(
        sum(call_total.calls) FILTER (WHERE call_total.usage = 'estimated'), 0
    )::BIGINT AS estimated_calls,
    CASE
        WHEN sum(call_total.total_tokens_calls) > 0 THEN sum(call_total.total_tokens)
    END::BIGINT AS total_tokens,
    CASE
        WHEN coalesce(sum(call_total.calls) FILTER (WHERE call_total.hidden), 0) = 0 THEN 0
        WHEN sum(call_total.total_tokens_calls) FILTER (WHERE call_total.hidden) > 0
            THEN sum(call_total.total_tokens) FILTER (WHERE call_total.hidden)
    END::BIGINT AS hidden_tokens,
    CASE
        WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.input_tokens)
    END::BIGINT AS input_tokens,
    CASE
        WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.input_uncached_tokens)
    END::BIGINT AS input_uncached_tokens,
    CASE
        WHEN sum(call_total.cache_read_tokens_calls) > 0 THEN sum(call_total.cache_read_tokens)
    END::BIGINT AS cache_read_tokens,
    CASE
        WHEN sum(call_total.cache_write_tokens_calls) > 0 THEN sum(call_total.cache_write_tokens)
    END::BIGINT AS cache_write_tokens,
    CASE
        WHEN sum(call_total.output_tokens_calls) > 0 THEN sum(call_total.output_tokens)
    END::BIGINT AS output_tokens,
    CASE
        WHEN sum(call_total.reasoning_tokens_calls) > 0 THEN sum(call_total.reasoning_tokens)
    END::BIGINT AS reasoning_tokens
FROM call_total
GROUP BY call_total.role
