-- One row per task, place, kind of call and basis with calls in hours of which the grid is known.
-- Moments of known hours are weighed with the intensity of each, so that carbon is exact in every draw; the
-- other hours are reckoned with the annual figure of the place.
--   task_id             task of the calls
--   region              cloud region, where the host tells
--   provider            who answered
--   model               model that answered, else the one that was asked for
--   role                role of the calls
--   hidden              nobody reads the output as the answer of the task
--   basis               estimated; or the boundary of a meter, whose joules are then in uncached
--   uncached            sum of n_u of the calls in known hours
--   uncached_context    sum of their n_u * (n_c + n_u / 2)
--   cached              sum of their n_c
--   output              sum of their n_o
--   output_context      sum of their n_o * (n_c + n_u + n_o / 2)
--   uncached_g          uncached, each call times the gCO2e/kWh of its hour
--   uncached_context_g  uncached_context, each call times the gCO2e/kWh of its hour
--   cached_g            cached, each call times the gCO2e/kWh of its hour
--   output_g            output, each call times the gCO2e/kWh of its hour
--   output_context_g    output_context, each call times the gCO2e/kWh of its hour
SELECT
    basis_moments.task_id,
    basis_moments.region,
    basis_moments.provider,
    basis_moments.model,
    basis_moments.role,
    basis_moments.hidden,
    basis_moments.basis,
    sum(basis_moments.uncached) AS uncached,
    sum(basis_moments.uncached_context) AS uncached_context,
    sum(basis_moments.cached) AS cached,
    sum(basis_moments.output) AS output,
    sum(basis_moments.output_context) AS output_context,
    sum(basis_moments.uncached * grid_hour.g_per_kwh) AS uncached_g,
    sum(basis_moments.uncached_context * grid_hour.g_per_kwh) AS uncached_context_g,
    sum(basis_moments.cached * grid_hour.g_per_kwh) AS cached_g,
    sum(basis_moments.output * grid_hour.g_per_kwh) AS output_g,
    sum(basis_moments.output_context * grid_hour.g_per_kwh) AS output_context_g
FROM basis_moments
INNER JOIN place
    ON
        basis_moments.provider IS NOT DISTINCT FROM place.provider
        AND basis_moments.region IS NOT DISTINCT FROM place.region
INNER JOIN grid_hour
    ON
        place.zone = grid_hour.zone
        AND basis_moments.hour = grid_hour.hour
        AND grid_hour.g_per_kwh IS NOT NULL
GROUP BY
    basis_moments.task_id,
    basis_moments.region,
    basis_moments.provider,
    basis_moments.model,
    basis_moments.role,
    basis_moments.hidden,
    basis_moments.basis
