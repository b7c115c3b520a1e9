-- One row per draw of the factors: the energy of all calls together in that draw.
--   draw        number of the draw; the same draw has the same factors everywhere
--   energy_wh   Wh at the facility; NULL where no call reports its usage
--   carbon_g    grams of CO2 equivalent, with the grid of the same draw
WITH
moments AS (
    SELECT
        model_moments.provider,
        model_moments.model,
        sum(model_moments.uncached) AS uncached,
        sum(model_moments.uncached_context) AS uncached_context,
        sum(model_moments.cached) AS cached,
        sum(model_moments.output) AS output,
        sum(model_moments.output_context) AS output_context
    FROM model_moments
    GROUP BY model_moments.provider, model_moments.model
),

drawn AS (
    SELECT
        model_factor_draw.draw,
        sum(list_sum([
            moments.uncached * model_factor_draw.j_uncached,
            moments.uncached_context * model_factor_draw.j_uncached_context,
            moments.cached * model_factor_draw.j_cached,
            moments.output * model_factor_draw.j_output,
            moments.output_context * model_factor_draw.j_output_context
        ])) / 3600 AS energy_wh
    FROM moments
    INNER JOIN model_factor_draw
        ON
            moments.provider IS NOT DISTINCT FROM model_factor_draw.provider
            AND moments.model IS NOT DISTINCT FROM model_factor_draw.model
    GROUP BY model_factor_draw.draw
)

SELECT
    drawn.draw,
    drawn.energy_wh,
    drawn.energy_wh * grid_draw.g_per_kwh / 1000 AS carbon_g
FROM drawn
INNER JOIN grid_draw ON drawn.draw = grid_draw.draw
