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
WITH
moment AS (
    SELECT
        call_rollup.task_id,
        call_rollup.hour,
        call_rollup.region,
        call_rollup.provider,
        call_rollup.model,
        call_rollup.role,
        call_rollup.hidden,
        'estimated' AS basis,
        call_rollup.uncached,
        call_rollup.uncached_context_x2 / 2 AS uncached_context,
        call_rollup.cached,
        call_rollup.output,
        call_rollup.output_context_x2 / 2 AS output_context
    FROM call_rollup
    UNION ALL
    -- What was measured leaves the estimate in the hour in which it ran.
    SELECT
        measured_sum.task_id,
        measured_sum.hour,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        measured_sum.role,
        measured_sum.hidden,
        'estimated' AS basis,
        -measured_sum.uncached AS uncached,
        -measured_sum.uncached_context_x2 / 2 AS uncached_context,
        -measured_sum.cached AS cached,
        -measured_sum.output AS output,
        -measured_sum.output_context_x2 / 2 AS output_context
    FROM measured_sum
    UNION ALL
    SELECT
        measured_sum.task_id,
        measured_sum.hour,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        measured_sum.role,
        measured_sum.hidden,
        measured_sum.boundary AS basis,
        measured_sum.measured_j AS uncached,
        0 AS uncached_context,
        0 AS cached,
        0 AS output,
        0 AS output_context
    FROM measured_sum
)

SELECT
    moment.task_id,
    moment.region,
    moment.provider,
    moment.model,
    moment.role,
    moment.hidden,
    moment.basis,
    sum(moment.uncached) AS uncached,
    sum(moment.uncached_context) AS uncached_context,
    sum(moment.cached) AS cached,
    sum(moment.output) AS output,
    sum(moment.output_context) AS output_context,
    sum(moment.uncached * grid_hour.g_per_kwh) AS uncached_g,
    sum(moment.uncached_context * grid_hour.g_per_kwh) AS uncached_context_g,
    sum(moment.cached * grid_hour.g_per_kwh) AS cached_g,
    sum(moment.output * grid_hour.g_per_kwh) AS output_g,
    sum(moment.output_context * grid_hour.g_per_kwh) AS output_context_g
FROM moment
INNER JOIN place
    ON
        moment.provider IS NOT DISTINCT FROM place.provider
        AND moment.region IS NOT DISTINCT FROM place.region
INNER JOIN grid_hour
    ON
        place.zone = grid_hour.zone
        AND moment.hour = grid_hour.hour
        AND grid_hour.g_per_kwh IS NOT NULL
GROUP BY
    moment.task_id,
    moment.region,
    moment.provider,
    moment.model,
    moment.role,
    moment.hidden,
    moment.basis
