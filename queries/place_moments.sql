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
SELECT
    group_moments.provider,
    group_moments.model,
    group_moments.region,
    group_moments.basis,
    sum(group_moments.calls)::BIGINT AS calls,
    sum(group_moments.calls_unpriced)::BIGINT AS calls_unpriced,
    sum(group_moments.measured_tokens) AS measured_tokens,
    sum(group_moments.uncached) AS uncached,
    sum(group_moments.uncached_context) AS uncached_context,
    sum(group_moments.cached) AS cached,
    sum(group_moments.output) AS output,
    sum(group_moments.output_context) AS output_context,
    [
        sum(group_moments.hourly[1]), sum(group_moments.hourly[2]), sum(group_moments.hourly[3]),
        sum(group_moments.hourly[4]), sum(group_moments.hourly[5])
    ] AS hourly,
    [
        sum(group_moments.hourly_g[1]), sum(group_moments.hourly_g[2]), sum(group_moments.hourly_g[3]),
        sum(group_moments.hourly_g[4]), sum(group_moments.hourly_g[5])
    ] AS hourly_g
FROM group_moments
GROUP BY group_moments.provider, group_moments.model, group_moments.region, group_moments.basis
