-- One row per place, model and basis: the sums that its energy and carbon are made from, and the tokens.
-- Whatever a meter saw is taken out of the estimate, and stands beside it as joules at the meter's boundary.
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   region            cloud region, where the host tells
--   basis             estimated; or the boundary of a meter, whose joules are then in uncached
--   calls             model calls; 0 beside measured joules, so that each call counts once
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   measured_tokens   tokens that the measured joules stand for; 0 of an estimate
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
--   hourly            of the five, in this order, the part in hours of which the grid is known
--   hourly_g          the same, each call times the gCO2e/kWh of its hour
WITH
metered AS (
    SELECT
        measured_sum.provider,
        measured_sum.model,
        measured_sum.region,
        measured_sum.boundary,
        sum(measured_sum.uncached + measured_sum.cached + measured_sum.output) AS tokens
    FROM measured_sum
    GROUP BY ALL
),

moment AS (
    SELECT
        model_moments.provider,
        model_moments.model,
        model_moments.region,
        model_moments.basis,
        sum(model_moments.calls)::BIGINT AS calls,
        sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(model_moments.uncached) AS uncached,
        sum(model_moments.uncached_context) AS uncached_context,
        sum(model_moments.cached) AS cached,
        sum(model_moments.output) AS output,
        sum(model_moments.output_context) AS output_context,
        [
            sum(model_moments.hourly[1]), sum(model_moments.hourly[2]), sum(model_moments.hourly[3]),
            sum(model_moments.hourly[4]), sum(model_moments.hourly[5])
        ] AS hourly,
        [
            sum(model_moments.hourly_g[1]), sum(model_moments.hourly_g[2]), sum(model_moments.hourly_g[3]),
            sum(model_moments.hourly_g[4]), sum(model_moments.hourly_g[5])
        ] AS hourly_g
    FROM model_moments
    GROUP BY model_moments.provider, model_moments.model, model_moments.region, model_moments.basis
)

SELECT
    moment.provider,
    moment.model,
    moment.region,
    moment.basis,
    moment.calls,
    moment.calls_unpriced,
    coalesce(metered.tokens, 0) AS measured_tokens,
    moment.uncached,
    moment.uncached_context,
    moment.cached,
    moment.output,
    moment.output_context,
    moment.hourly,
    moment.hourly_g
FROM moment
LEFT JOIN metered
    ON
        moment.provider IS NOT DISTINCT FROM metered.provider
        AND moment.model IS NOT DISTINCT FROM metered.model
        AND moment.region IS NOT DISTINCT FROM metered.region
        AND moment.basis = metered.boundary
