-- One row per kind of attempt, place and model: the sums that its energy is estimated from.
-- An attempt that ended in an error failed, whichever it was of its operation; the others are the first
-- attempt of an operation, or a retry. What a meter saw is not told apart by attempt, so all is estimated.
--   attempt           first, retry or failed
--   region            cloud region, where the host tells
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   basis             estimated
--   calls             model calls
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   estimated_calls   calls whose tokens agenttrace estimated
--   total_tokens      input and output together; NULL where no call reports a side of it
--   energy_wh         Wh at the boundary of factor_set, central; NULL where no usage is reported
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
WITH
added AS (
    SELECT
        CASE
            WHEN call_rollup.status = 'error' THEN 'failed'
            WHEN call_rollup.role = 'retry' THEN 'retry'
            ELSE 'first'
        END AS attempt,
        call_rollup.region,
        call_rollup.provider,
        call_rollup.model,
        sum(call_rollup.calls)::BIGINT AS calls,
        sum(call_rollup.unpriced_calls)::BIGINT AS calls_unpriced,
        coalesce(
            sum(call_rollup.calls) FILTER (WHERE call_rollup.usage = 'estimated'), 0
        )::BIGINT AS estimated_calls,
        CASE
            WHEN sum(call_rollup.total_tokens_calls) > 0 THEN sum(call_rollup.total_tokens)
        END::BIGINT AS total_tokens,
        CASE
            WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.uncached)::DOUBLE
        END AS uncached,
        CASE
            WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.uncached_context_x2) / 2
        END AS uncached_context,
        CASE
            WHEN sum(call_rollup.input_tokens_calls) > 0 THEN sum(call_rollup.cached)::DOUBLE
        END AS cached,
        -- The output of an embedding is none by nature, which tells nothing of one that failed.
        CASE
            WHEN sum(call_rollup.output_calls) > 0 AND sum(call_rollup.total_tokens_calls) > 0
                THEN sum(call_rollup.output)::DOUBLE
        END AS output,
        CASE
            WHEN sum(call_rollup.output_calls) > 0 AND sum(call_rollup.total_tokens_calls) > 0
                THEN sum(call_rollup.output_context_x2) / 2
        END AS output_context
    FROM call_rollup
    GROUP BY attempt, call_rollup.region, call_rollup.provider, call_rollup.model
    HAVING sum(call_rollup.calls) > 0
)

SELECT
    added.attempt,
    added.region,
    added.provider,
    added.model,
    'estimated' AS basis,
    added.calls,
    added.calls_unpriced,
    added.estimated_calls,
    added.total_tokens,
    list_sum([
        added.uncached * model_factor.j_uncached,
        added.uncached_context * model_factor.j_uncached_context,
        added.cached * model_factor.j_cached,
        added.output * model_factor.j_output,
        added.output_context * model_factor.j_output_context
    ]) / 3600 AS energy_wh,
    added.uncached,
    added.uncached_context,
    added.cached,
    added.output,
    added.output_context
FROM added
LEFT JOIN model_factor
    ON
        added.provider IS NOT DISTINCT FROM model_factor.provider
        AND added.model IS NOT DISTINCT FROM model_factor.model
        AND model_factor.basis = 'estimated'
