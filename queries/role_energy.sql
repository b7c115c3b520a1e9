-- One row per role that calls had: its part of the central energy.
--   role             main, subagent, tool, retry, summary, ...
--   calls            model calls
--   hidden_calls     calls whose output nobody reads as the answer of the task
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the facility, central estimate; NULL where no call reports its usage
WITH
moment AS (
    SELECT
        call_total.role,
        call_total.provider,
        call_total.model,
        sum(call_total.calls)::BIGINT AS calls,
        sum(call_total.unpriced_calls)::BIGINT AS unpriced_calls,
        coalesce(sum(call_total.calls) FILTER (WHERE call_total.hidden), 0)::BIGINT AS hidden_calls,
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
    GROUP BY call_total.role, call_total.provider, call_total.model
),

priced AS (
    SELECT
        moment.role,
        moment.calls,
        moment.hidden_calls,
        CASE
            WHEN model_factor.j_uncached IS NULL THEN moment.calls
            ELSE moment.unpriced_calls
        END AS calls_unpriced,
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
)

SELECT
    priced.role,
    sum(priced.calls)::BIGINT AS calls,
    sum(priced.hidden_calls)::BIGINT AS hidden_calls,
    sum(priced.calls_unpriced)::BIGINT AS calls_unpriced,
    sum(priced.energy_wh) AS energy_wh
FROM priced
GROUP BY priced.role
