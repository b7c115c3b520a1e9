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
    model_call.task_id,
    count(*) AS calls,
    count(*) FILTER (WHERE model_call.hidden) AS hidden_calls,
    count(*) FILTER (WHERE model_call.attempt > 1) AS retry_calls,
    count(*) FILTER (WHERE model_call.status = 'error') AS failed_calls,
    sum(model_call.total_tokens)::BIGINT AS total_tokens,
    CASE
        WHEN count(*) FILTER (WHERE model_call.hidden) = 0 THEN 0
        ELSE sum(CASE WHEN model_call.hidden THEN model_call.total_tokens END)
    END::BIGINT AS hidden_tokens,
    sum(model_call.input_tokens)::BIGINT AS input_tokens,
    sum(model_call.input_uncached_tokens)::BIGINT AS input_uncached_tokens,
    sum(model_call.cache_read_tokens)::BIGINT AS cache_read_tokens,
    sum(model_call.cache_write_tokens)::BIGINT AS cache_write_tokens,
    sum(model_call.output_tokens)::BIGINT AS output_tokens,
    sum(model_call.reasoning_tokens)::BIGINT AS reasoning_tokens
FROM model_call
GROUP BY model_call.task_id
