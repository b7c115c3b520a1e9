-- One row per place, model, basis and draw of the factors: what its moments are multiplied with.
--   provider            who answered
--   region              cloud region, where the host tells
--   model               model that answered, else the one that was asked for
--   basis               estimated; or the boundary of a meter
--   draw                number of the draw; the same draw has the same factors everywhere
--   j_uncached          joules per uncached input token, or per measured joule
--   j_uncached_context  joules per n_u * (n_c + n_u / 2)
--   j_cached            joules per cached input token
--   j_output            joules per output token
--   j_output_context    joules per n_o * (n_c + n_u + n_o / 2)
--   g_per_kwh           gCO2e/kWh of the place, annual
--   l_per_kwh           litres of water per kWh at the place
SELECT
    model_factor_draw.provider,
    place_draw.region,
    model_factor_draw.model,
    model_factor_draw.basis,
    model_factor_draw.draw,
    model_factor_draw.j_uncached,
    model_factor_draw.j_uncached_context,
    model_factor_draw.j_cached,
    model_factor_draw.j_output,
    model_factor_draw.j_output_context,
    place_draw.g_per_kwh,
    place_draw.l_per_kwh
FROM model_factor_draw
INNER JOIN place_draw
    ON
        model_factor_draw.provider IS NOT DISTINCT FROM place_draw.provider
        AND model_factor_draw.draw = place_draw.draw
