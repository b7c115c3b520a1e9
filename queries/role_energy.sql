-- One row per role that calls had: its part of the central energy.
--   role             main, subagent, tool, retry, summary, ...
--   calls            model calls
--   hidden_calls     calls whose output nobody reads as the answer of the task
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the boundary of factor_set, central; NULL where no call reports its usage
SELECT
    model_moments.role,
    sum(model_moments.calls)::BIGINT AS calls,
    coalesce(sum(model_moments.calls) FILTER (WHERE model_moments.hidden), 0)::BIGINT AS hidden_calls,
    sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
    sum(model_moments.energy_wh) AS energy_wh
FROM model_moments
GROUP BY model_moments.role
