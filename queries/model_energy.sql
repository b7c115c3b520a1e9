-- One row per model that was called: its energy, carbon and water as ranges, and why its factors were chosen.
--   provider        who answered
--   model           model that answered, else the one that was asked for
--   class           size class whose factors are used
--   known           false where nothing matched the name and the range spans every class
--   match_reason    why this class and these parameters
--   calls           model calls
--   calls_unpriced  calls whose usage lacks a side: what is missing is in no sum
--   energy_wh       Wh at the boundary of factor_set, central; NULL where no call reports its usage
--   energy_low_wh   5 % of the draws of the factors
--   energy_high_wh  95 % of the draws of the factors
--   carbon_g        grams of CO2 equivalent, location-based, central
--   carbon_low_g    5 % of the draws of the factors and of the grid
--   carbon_high_g   95 % of the draws of the factors and of the grid
--   water_l         litres of water of site and grid, central
--   water_low_l     5 % of the draws
--   water_high_l    95 % of the draws
WITH
central AS (
    SELECT
        model_moments.provider,
        model_moments.model,
        sum(model_moments.calls)::BIGINT AS calls,
        sum(model_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(model_moments.energy_wh) AS energy_wh,
        sum(model_moments.carbon_g) AS carbon_g,
        sum(model_moments.water_l) AS water_l
    FROM model_moments
    GROUP BY model_moments.provider, model_moments.model
),

drawn AS (
    SELECT
        model_draw.provider,
        model_draw.model,
        low_of_draws(model_draw.energy_wh) AS energy_low_wh,
        high_of_draws(model_draw.energy_wh) AS energy_high_wh,
        low_of_draws(model_draw.carbon_g) AS carbon_low_g,
        high_of_draws(model_draw.carbon_g) AS carbon_high_g,
        low_of_draws(model_draw.water_l) AS water_low_l,
        high_of_draws(model_draw.water_l) AS water_high_l
    FROM model_draw
    GROUP BY model_draw.provider, model_draw.model
)

SELECT
    central.provider,
    central.model,
    model_factor.class,
    model_factor.known,
    model_factor.match_reason,
    central.calls,
    central.calls_unpriced,
    central.energy_wh,
    least(drawn.energy_low_wh, central.energy_wh) AS energy_low_wh,
    greatest(drawn.energy_high_wh, central.energy_wh) AS energy_high_wh,
    central.carbon_g,
    least(drawn.carbon_low_g, central.carbon_g) AS carbon_low_g,
    greatest(drawn.carbon_high_g, central.carbon_g) AS carbon_high_g,
    central.water_l,
    least(drawn.water_low_l, central.water_l) AS water_low_l,
    greatest(drawn.water_high_l, central.water_l) AS water_high_l
FROM central
LEFT JOIN model_factor
    ON
        central.provider IS NOT DISTINCT FROM model_factor.provider
        AND central.model IS NOT DISTINCT FROM model_factor.model
        AND model_factor.basis = 'estimated'
LEFT JOIN drawn
    ON
        central.provider IS NOT DISTINCT FROM drawn.provider
        AND central.model IS NOT DISTINCT FROM drawn.model
