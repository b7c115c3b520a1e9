-- One row per model, role and whether the calls are hidden: the sums that energy is made from.
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   role              role of the calls
--   hidden            nobody reads the output as the answer of the task
--   calls             model calls
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
--   energy_wh         Wh at the facility, central estimate; NULL where no usage is reported
WITH
moment AS (
    SELECT
        call_total.provider,
        call_total.model,
        call_total.role,
        call_total.hidden,
        sum(call_total.calls)::BIGINT AS calls,
        sum(call_total.unpriced_calls)::BIGINT AS unpriced_calls,
        CASE
            WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.uncached)
        END::DOUBLE AS uncached,
        CASE
            WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.uncached_context_x2)
        END / 2 AS uncached_context,
        CASE
            WHEN sum(call_total.input_tokens_calls) > 0 THEN sum(call_total.cached)
        END::DOUBLE AS cached,
        CASE
            WHEN sum(call_total.output_calls) > 0 THEN sum(call_total.output)
        END::DOUBLE AS output,
        CASE
            WHEN sum(call_total.output_calls) > 0 THEN sum(call_total.output_context_x2)
        END / 2 AS output_context
    FROM call_total
    GROUP BY call_total.provider, call_total.model, call_total.role, call_total.hidden
)

SELECT
    moment.provider,
    moment.model,
    moment.role,
    moment.hidden,
    moment.calls,
    CASE
        WHEN model_factor.j_uncached IS NULL THEN moment.calls
        ELSE moment.unpriced_calls
    END AS calls_unpriced,
    moment.uncached,
    moment.uncached_context,
    moment.cached,
    moment.output,
    moment.output_context,
    list_sum([
        moment.uncached * model_factor.j_uncached,
        moment.uncached_context * model_factor.j_uncached_context,
        moment.cached * model_factor.j_cached,
        moment.output * model_factor.j_output,
        moment.output_context * model_factor.j_output_context
    ]) / 3600 AS energy_wh
FROM moment
LEFT JOIN model_factor
    ON
        moment.provider IS NOT DISTINCT FROM model_factor.provider
        AND moment.model IS NOT DISTINCT FROM model_factor.model
WHERE moment.calls > 0
