-- One row per model and draw of the factors: the energy, carbon and water of its calls in that draw.
--   provider   who answered
--   model      model that answered, else the one that was asked for
--   draw       number of the draw; the same draw has the same factors everywhere
--   energy_wh  Wh at the boundary of factor_set; NULL where no call reports its usage
--   carbon_g   grams of CO2 equivalent, with the grid of the same draw
--   water_l    litres of water of site and grid
WITH
moments AS (
    SELECT
        model_moments.region,
        model_moments.provider,
        model_moments.model,
        model_moments.basis,
        model_moments.hourly_share,
        model_moments.hourly_g_per_kwh,
        sum(model_moments.uncached) AS uncached,
        sum(model_moments.uncached_context) AS uncached_context,
        sum(model_moments.cached) AS cached,
        sum(model_moments.output) AS output,
        sum(model_moments.output_context) AS output_context
    FROM model_moments
    GROUP BY
        model_moments.region,
        model_moments.provider,
        model_moments.model,
        model_moments.basis,
        model_moments.hourly_share,
        model_moments.hourly_g_per_kwh
),

drawn AS (
    SELECT
        moments.provider,
        moments.model,
        energy_draw.draw,
        list_sum([
            moments.uncached * energy_draw.j_uncached,
            moments.uncached_context * energy_draw.j_uncached_context,
            moments.cached * energy_draw.j_cached,
            moments.output * energy_draw.j_output,
            moments.output_context * energy_draw.j_output_context
        ]) / 3600 AS energy_wh,
        moments.hourly_share * moments.hourly_g_per_kwh
        + (1 - moments.hourly_share) * energy_draw.g_per_kwh AS g_per_kwh,
        energy_draw.l_per_kwh
    FROM moments
    INNER JOIN energy_draw
        ON
            moments.provider IS NOT DISTINCT FROM energy_draw.provider
            AND moments.region IS NOT DISTINCT FROM energy_draw.region
            AND moments.model IS NOT DISTINCT FROM energy_draw.model
            AND moments.basis = energy_draw.basis
)

SELECT
    drawn.provider,
    drawn.model,
    drawn.draw,
    sum(drawn.energy_wh) AS energy_wh,
    sum(drawn.energy_wh * drawn.g_per_kwh) / 1000 AS carbon_g,
    sum(drawn.energy_wh * drawn.l_per_kwh) / 1000 AS water_l
FROM drawn
GROUP BY drawn.provider, drawn.model, drawn.draw
