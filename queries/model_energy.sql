-- One row per model: the energy and carbon of its calls as ranges, and what its factors rest on.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   provider         who answered
--   model            model that answered, else the one that was asked for
--   class            size class whose factors are used
--   known            the catalogue or a name pattern knows the model; if not, the range spans all classes
--   match_reason     why this class
--   calls            model calls
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the facility, central estimate; NULL where no call reports its usage
--   energy_low_wh    5 % of the draws of the factors
--   energy_high_wh   95 % of the draws of the factors
--   carbon_g         grams of CO2 equivalent, central estimate
--   carbon_low_g     5 % of the draws of the factors and of the grid
--   carbon_high_g    95 % of the draws of the factors and of the grid
WITH
moments AS (
    SELECT
        model_moments.provider,
        model_moments.model,
        sum(model_moments.calls)::BIGINT AS calls,
        sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(model_moments.uncached) AS uncached,
        sum(model_moments.uncached_context) AS uncached_context,
        sum(model_moments.cached) AS cached,
        sum(model_moments.output) AS output,
        sum(model_moments.output_context) AS output_context,
        sum(model_moments.energy_wh) AS energy_wh
    FROM model_moments
    GROUP BY model_moments.provider, model_moments.model
),

drawn AS (
    SELECT
        model_factor_draw.provider,
        model_factor_draw.model,
        grid_draw.g_per_kwh,
        list_sum([
            moments.uncached * model_factor_draw.j_uncached,
            moments.uncached_context * model_factor_draw.j_uncached_context,
            moments.cached * model_factor_draw.j_cached,
            moments.output * model_factor_draw.j_output,
            moments.output_context * model_factor_draw.j_output_context
        ]) / 3600 AS energy_wh
    FROM moments
    INNER JOIN model_factor_draw
        ON
            moments.provider IS NOT DISTINCT FROM model_factor_draw.provider
            AND moments.model IS NOT DISTINCT FROM model_factor_draw.model
    INNER JOIN grid_draw ON model_factor_draw.draw = grid_draw.draw
),

drawn_range AS (
    SELECT
        drawn.provider,
        drawn.model,
        quantile_cont(drawn.energy_wh, [0.05, 0.95]) AS energies_wh,
        quantile_cont(drawn.energy_wh * drawn.g_per_kwh / 1000, [0.05, 0.95]) AS carbons_g
    FROM drawn
    GROUP BY drawn.provider, drawn.model
)

SELECT
    moments.provider,
    moments.model,
    model_factor.class,
    model_factor.known,
    model_factor.match_reason,
    moments.calls,
    moments.calls_unpriced,
    moments.energy_wh,
    least(drawn_range.energies_wh[1], moments.energy_wh) AS energy_low_wh,
    greatest(drawn_range.energies_wh[2], moments.energy_wh) AS energy_high_wh,
    moments.energy_wh * grid.g_per_kwh / 1000 AS carbon_g,
    least(drawn_range.carbons_g[1], moments.energy_wh * grid.g_per_kwh / 1000) AS carbon_low_g,
    greatest(drawn_range.carbons_g[2], moments.energy_wh * grid.g_per_kwh / 1000) AS carbon_high_g
FROM moments
LEFT JOIN model_factor
    ON
        moments.provider IS NOT DISTINCT FROM model_factor.provider
        AND moments.model IS NOT DISTINCT FROM model_factor.model
LEFT JOIN drawn_range
    ON
        moments.provider IS NOT DISTINCT FROM drawn_range.provider
        AND moments.model IS NOT DISTINCT FROM drawn_range.model
CROSS JOIN grid
