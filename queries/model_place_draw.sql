-- One row per model, place and draw of the factors: the energy, carbon and water of its calls there.
-- Whatever is said of draws is a sum of these: per model, per place, and over everything.
--   provider   who answered
--   region     cloud region, where the host tells
--   model      model that answered, else the one that was asked for
--   draw       number of the draw; the same draw has the same factors everywhere
--   energy_wh  Wh at the boundary of factor_set; NULL where no call reports its usage
--   carbon_g   grams of CO2 equivalent, with the grid of the same draw
--   water_l    litres of water of site and grid
WITH
drawn AS (
    SELECT
        model_moments.provider,
        model_moments.region,
        model_moments.model,
        energy_draw.draw,
        list_sum([
            model_moments.uncached * energy_draw.j_uncached,
            model_moments.uncached_context * energy_draw.j_uncached_context,
            model_moments.cached * energy_draw.j_cached,
            model_moments.output * energy_draw.j_output,
            model_moments.output_context * energy_draw.j_output_context
        ]) / 3600 AS energy_wh,
        list_inner_product(model_moments.hourly, [
            energy_draw.j_uncached,
            energy_draw.j_uncached_context,
            energy_draw.j_cached,
            energy_draw.j_output,
            energy_draw.j_output_context
        ]) / 3600 AS hourly_wh,
        list_inner_product(model_moments.hourly_g, [
            energy_draw.j_uncached,
            energy_draw.j_uncached_context,
            energy_draw.j_cached,
            energy_draw.j_output,
            energy_draw.j_output_context
        ]) / 3.6e6 AS hourly_carbon_g,
        energy_draw.g_per_kwh,
        energy_draw.l_per_kwh
    FROM model_moments
    INNER JOIN energy_draw
        ON
            model_moments.provider IS NOT DISTINCT FROM energy_draw.provider
            AND model_moments.region IS NOT DISTINCT FROM energy_draw.region
            AND model_moments.model IS NOT DISTINCT FROM energy_draw.model
            AND model_moments.basis = energy_draw.basis
)

SELECT
    drawn.provider,
    drawn.region,
    drawn.model,
    drawn.draw,
    sum(drawn.energy_wh) AS energy_wh,
    sum((drawn.energy_wh - drawn.hourly_wh) * drawn.g_per_kwh / 1000 + drawn.hourly_carbon_g) AS carbon_g,
    sum(drawn.energy_wh * drawn.l_per_kwh) / 1000 AS water_l
FROM drawn
GROUP BY drawn.provider, drawn.region, drawn.model, drawn.draw
