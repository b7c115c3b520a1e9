-- One row per task, region and model: the exact sums that its line in a report and its energy are made of.
-- Kept by the fold, so that the largest tasks are found without a look at their hours and agents.
--   task_id                      task of the calls; the trace id where no task was recorded
--   region                       cloud region, where the host tells
--   provider                     who answered, as gen_ai.provider.name
--   model                        model that answered, else the one that was asked for
--   hidden_calls                 calls whose output nobody reads as the answer of the task
--   estimated_calls              calls whose tokens agenttrace estimated
--   calls                        model calls
--   unpriced_calls               calls whose usage lacks a side
--   total_tokens                 sum of input and output together
--   total_tokens_calls           calls that report a side of it
--   input_tokens_calls           calls that report input_tokens
--   uncached                     sum of n_u: input tokens not read from a cache
--   uncached_context_x2          sum of n_u * (2 * n_c + n_u), twice the moment
--   cached                       sum of n_c: input tokens read from a cache
--   output                       sum of n_o: output tokens, reasoning included
--   output_context_x2            sum of n_o * (2 * (n_c + n_u) + n_o), twice the moment
--   output_calls                 calls whose n_o is known: reported, or none by nature
--   first_started_at             start of the first of them, UTC
SELECT
    call_rollup.task_id,
    call_rollup.region,
    call_rollup.provider,
    call_rollup.model,
    coalesce(sum(call_rollup.calls) FILTER (WHERE call_rollup.hidden), 0)::BIGINT AS hidden_calls,
    coalesce(
        sum(call_rollup.calls) FILTER (WHERE call_rollup.usage = 'estimated'), 0
    )::BIGINT AS estimated_calls,
    sum(call_rollup.calls)::BIGINT AS calls,
    sum(call_rollup.unpriced_calls)::BIGINT AS unpriced_calls,
    sum(call_rollup.total_tokens)::BIGINT AS total_tokens,
    sum(call_rollup.total_tokens_calls)::BIGINT AS total_tokens_calls,
    sum(call_rollup.input_tokens_calls)::BIGINT AS input_tokens_calls,
    sum(call_rollup.uncached)::BIGINT AS uncached,
    sum(call_rollup.uncached_context_x2) AS uncached_context_x2,
    sum(call_rollup.cached)::BIGINT AS cached,
    sum(call_rollup.output)::BIGINT AS output,
    sum(call_rollup.output_context_x2) AS output_context_x2,
    sum(call_rollup.output_calls)::BIGINT AS output_calls,
    min(call_rollup.first_started_at) AS first_started_at
FROM call_rollup
GROUP BY call_rollup.task_id, call_rollup.region, call_rollup.provider, call_rollup.model
HAVING sum(call_rollup.calls) > 0
