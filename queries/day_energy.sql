-- One row per day on which model calls started: their energy, carbon and water as ranges.
-- Draws of a day are added before the 5 % and 95 % are taken, as those of a task are; centrals add up.
--   day              day, UTC
--   calls            model calls
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the boundary of factor_set, central; NULL where no call reports its usage
--   energy_low_wh    5 % of the draws of the factors
--   energy_high_wh   95 % of the draws of the factors
--   carbon_g         grams of CO2 equivalent, location-based, central
--   carbon_low_g     5 % of the draws of the factors and of the grid
--   carbon_high_g    95 % of the draws of the factors and of the grid
--   water_l          litres of water of site and grid, central
--   water_low_l      5 % of the draws
--   water_high_l     95 % of the draws
WITH
counted AS (
    SELECT
        call_rollup.hour::DATE AS day,
        sum(call_rollup.calls)::BIGINT AS calls,
        sum(call_rollup.unpriced_calls)::BIGINT AS calls_unpriced,
        sum(call_rollup.input_tokens_calls + call_rollup.output_calls) > 0 AS is_reported
    FROM call_rollup
    GROUP BY call_rollup.hour::DATE
    HAVING sum(call_rollup.calls) > 0
),

moment AS (
    SELECT
        basis_moments.*,
        basis_moments.hour::DATE AS day,
        grid_hour.g_per_kwh
    FROM basis_moments
    LEFT JOIN place
        ON
            basis_moments.provider IS NOT DISTINCT FROM place.provider
            AND basis_moments.region IS NOT DISTINCT FROM place.region
    LEFT JOIN grid_hour
        ON
            place.zone = grid_hour.zone
            AND basis_moments.hour = grid_hour.hour
),

-- The year of the grid counts for the hours that are not known.
day_moments AS (
    SELECT
        moment.day,
        moment.region,
        moment.provider,
        moment.model,
        moment.basis,
        [
            sum(moment.uncached),
            sum(moment.uncached_context),
            sum(moment.cached),
            sum(moment.output),
            sum(moment.output_context)
        ]::DOUBLE[] AS moments,
        [
            sum(CASE WHEN moment.g_per_kwh IS NULL THEN moment.uncached ELSE 0 END),
            sum(CASE WHEN moment.g_per_kwh IS NULL THEN moment.uncached_context ELSE 0 END),
            sum(CASE WHEN moment.g_per_kwh IS NULL THEN moment.cached ELSE 0 END),
            sum(CASE WHEN moment.g_per_kwh IS NULL THEN moment.output ELSE 0 END),
            sum(CASE WHEN moment.g_per_kwh IS NULL THEN moment.output_context ELSE 0 END)
        ]::DOUBLE[] AS annual,
        [
            sum(moment.uncached * coalesce(moment.g_per_kwh, 0)),
            sum(moment.uncached_context * coalesce(moment.g_per_kwh, 0)),
            sum(moment.cached * coalesce(moment.g_per_kwh, 0)),
            sum(moment.output * coalesce(moment.g_per_kwh, 0)),
            sum(moment.output_context * coalesce(moment.g_per_kwh, 0))
        ]::DOUBLE[] AS hourly_g
    FROM moment
    GROUP BY moment.day, moment.region, moment.provider, moment.model, moment.basis
),

factor AS (
    SELECT
        model_factor.provider,
        place.region,
        model_factor.model,
        model_factor.basis,
        NULL AS draw,
        [
            model_factor.j_uncached,
            model_factor.j_uncached_context,
            model_factor.j_cached,
            model_factor.j_output,
            model_factor.j_output_context
        ] AS joules,
        place.g_per_kwh,
        place.l_per_kwh
    FROM model_factor
    INNER JOIN place ON model_factor.provider IS NOT DISTINCT FROM place.provider
    UNION ALL
    SELECT
        energy_draw.provider,
        energy_draw.region,
        energy_draw.model,
        energy_draw.basis,
        energy_draw.draw,
        [
            energy_draw.j_uncached,
            energy_draw.j_uncached_context,
            energy_draw.j_cached,
            energy_draw.j_output,
            energy_draw.j_output_context
        ] AS joules,
        energy_draw.g_per_kwh,
        energy_draw.l_per_kwh
    FROM energy_draw
),

drawn AS (
    SELECT
        day_moments.day,
        factor.draw,
        sum(list_inner_product(day_moments.moments, factor.joules)) / 3600 AS energy_wh,
        sum(
            list_inner_product(day_moments.annual, factor.joules) * factor.g_per_kwh
            + list_inner_product(day_moments.hourly_g, factor.joules)
        ) / 3.6e6 AS carbon_g,
        sum(list_inner_product(day_moments.moments, factor.joules) * factor.l_per_kwh) / 3.6e6 AS water_l
    FROM day_moments
    INNER JOIN factor
        ON
            day_moments.provider IS NOT DISTINCT FROM factor.provider
            AND day_moments.region IS NOT DISTINCT FROM factor.region
            AND day_moments.model IS NOT DISTINCT FROM factor.model
            AND day_moments.basis = factor.basis
    GROUP BY day_moments.day, factor.draw
),

drawn_range AS (
    SELECT
        drawn.day,
        low_of_draws(drawn.energy_wh) AS energy_low_wh,
        high_of_draws(drawn.energy_wh) AS energy_high_wh,
        low_of_draws(drawn.carbon_g) AS carbon_low_g,
        high_of_draws(drawn.carbon_g) AS carbon_high_g,
        low_of_draws(drawn.water_l) AS water_low_l,
        high_of_draws(drawn.water_l) AS water_high_l
    FROM drawn
    WHERE drawn.draw IS NOT NULL
    GROUP BY drawn.day
)

SELECT
    counted.day,
    counted.calls,
    counted.calls_unpriced,
    central.energy_wh,
    least(drawn_range.energy_low_wh, central.energy_wh) AS energy_low_wh,
    greatest(drawn_range.energy_high_wh, central.energy_wh) AS energy_high_wh,
    central.carbon_g,
    least(drawn_range.carbon_low_g, central.carbon_g) AS carbon_low_g,
    greatest(drawn_range.carbon_high_g, central.carbon_g) AS carbon_high_g,
    central.water_l,
    least(drawn_range.water_low_l, central.water_l) AS water_low_l,
    greatest(drawn_range.water_high_l, central.water_l) AS water_high_l
FROM counted
LEFT JOIN drawn AS central ON counted.day = central.day AND central.draw IS NULL AND counted.is_reported
LEFT JOIN drawn_range ON counted.day = drawn_range.day AND counted.is_reported
