-- One row per task, place, model and basis: the sums that its energy, carbon and water are made from.
-- Whatever a meter saw is taken out of the estimate, and stands beside it as joules at the meter's boundary.
--   task_id           task of the calls
--   region            cloud region, where the host tells
--   provider          who answered
--   model             model that answered, else the one that was asked for
--   basis             estimated; or the boundary of a meter, whose joules are then in uncached
--   calls             model calls; 0 beside measured joules, so that each call counts once
--   calls_unpriced    calls whose usage lacks a side: what is missing is in no sum
--   uncached          sum of n_u: input tokens not read from a cache
--   uncached_context  sum of n_u * (n_c + n_u / 2)
--   cached            sum of n_c: input tokens read from a cache
--   output            sum of n_o: output tokens, reasoning included
--   output_context    sum of n_o * (n_c + n_u + n_o / 2)
--   hourly            of the five, in this order, the part in hours of which the grid is known
--   hourly_g          the same, each call times the gCO2e/kWh of its hour
--   hourly_share      part of the energy for which an hour of the grid is known, 0 to 1
--   hourly_g_per_kwh  intensity of that part, gCO2e/kWh; 0 where there is none
--   energy_wh         Wh at the boundary of factor_set, central; NULL where no usage is reported
--   carbon_g          grams of CO2 equivalent, location-based, central
--   water_l           litres of water of site and grid, central
WITH
recorded AS (
    SELECT
        task_total.task_id,
        task_total.region,
        task_total.provider,
        task_total.model,
        task_total.calls,
        task_total.unpriced_calls,
        CASE WHEN task_total.input_tokens_calls > 0 THEN task_total.uncached::DOUBLE END AS uncached,
        CASE
            WHEN task_total.input_tokens_calls > 0 THEN task_total.uncached_context_x2 / 2
        END AS uncached_context,
        CASE WHEN task_total.input_tokens_calls > 0 THEN task_total.cached::DOUBLE END AS cached,
        CASE WHEN task_total.output_calls > 0 THEN task_total.output::DOUBLE END AS output,
        CASE WHEN task_total.output_calls > 0 THEN task_total.output_context_x2 / 2 END AS output_context
    FROM task_total
),

measured AS (
    SELECT
        measured_sum.task_id,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        sum(measured_sum.uncached) AS uncached,
        sum(measured_sum.uncached_context_x2) / 2 AS uncached_context,
        sum(measured_sum.cached) AS cached,
        sum(measured_sum.output) AS output,
        sum(measured_sum.output_context_x2) / 2 AS output_context
    FROM measured_sum
    GROUP BY
        measured_sum.task_id,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model
),

moment AS (
    SELECT
        recorded.task_id,
        recorded.region,
        recorded.provider,
        recorded.model,
        'estimated' AS basis,
        recorded.calls,
        recorded.unpriced_calls,
        recorded.uncached - coalesce(measured.uncached, 0) AS uncached,
        recorded.uncached_context - coalesce(measured.uncached_context, 0) AS uncached_context,
        recorded.cached - coalesce(measured.cached, 0) AS cached,
        recorded.output - coalesce(measured.output, 0) AS output,
        recorded.output_context - coalesce(measured.output_context, 0) AS output_context
    FROM recorded
    LEFT JOIN measured
        ON
            recorded.task_id = measured.task_id
            AND recorded.region IS NOT DISTINCT FROM measured.region
            AND recorded.provider IS NOT DISTINCT FROM measured.provider
            AND recorded.model IS NOT DISTINCT FROM measured.model
    UNION ALL
    SELECT
        measured_sum.task_id,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        measured_sum.boundary AS basis,
        0 AS calls,
        0 AS unpriced_calls,
        sum(measured_sum.measured_j) AS uncached,
        0 AS uncached_context,
        0 AS cached,
        0 AS output,
        0 AS output_context
    FROM measured_sum
    GROUP BY
        measured_sum.task_id,
        measured_sum.region,
        measured_sum.provider,
        measured_sum.model,
        measured_sum.boundary
),

hourly AS (
    SELECT
        hourly_moments.task_id,
        hourly_moments.region,
        hourly_moments.provider,
        hourly_moments.model,
        hourly_moments.basis,
        [
            sum(hourly_moments.uncached), sum(hourly_moments.uncached_context),
            sum(hourly_moments.cached), sum(hourly_moments.output), sum(hourly_moments.output_context)
        ] AS hourly,
        [
            sum(hourly_moments.uncached_g), sum(hourly_moments.uncached_context_g),
            sum(hourly_moments.cached_g), sum(hourly_moments.output_g), sum(hourly_moments.output_context_g)
        ] AS hourly_g
    FROM hourly_moments
    GROUP BY
        hourly_moments.task_id,
        hourly_moments.region,
        hourly_moments.provider,
        hourly_moments.model,
        hourly_moments.basis
),

priced AS (
    SELECT
        moment.*,
        model_factor.j_uncached IS NULL AS is_unpriced,
        coalesce(hourly.hourly, [0.0, 0.0, 0.0, 0.0, 0.0]) AS hourly,
        coalesce(hourly.hourly_g, [0.0, 0.0, 0.0, 0.0, 0.0]) AS hourly_g,
        list_sum([
            moment.uncached * model_factor.j_uncached,
            moment.uncached_context * model_factor.j_uncached_context,
            moment.cached * model_factor.j_cached,
            moment.output * model_factor.j_output,
            moment.output_context * model_factor.j_output_context
        ]) / 3600 AS energy_wh,
        list_sum([
            hourly.hourly[1] * model_factor.j_uncached,
            hourly.hourly[2] * model_factor.j_uncached_context,
            hourly.hourly[3] * model_factor.j_cached,
            hourly.hourly[4] * model_factor.j_output,
            hourly.hourly[5] * model_factor.j_output_context
        ]) / 3600 AS hourly_wh,
        list_sum([
            hourly.hourly_g[1] * model_factor.j_uncached,
            hourly.hourly_g[2] * model_factor.j_uncached_context,
            hourly.hourly_g[3] * model_factor.j_cached,
            hourly.hourly_g[4] * model_factor.j_output,
            hourly.hourly_g[5] * model_factor.j_output_context
        ]) / 3.6e6 AS hourly_carbon_g
    FROM moment
    LEFT JOIN model_factor
        ON
            moment.provider IS NOT DISTINCT FROM model_factor.provider
            AND moment.model IS NOT DISTINCT FROM model_factor.model
            AND moment.basis = model_factor.basis
    LEFT JOIN hourly
        ON
            moment.task_id = hourly.task_id
            AND moment.region IS NOT DISTINCT FROM hourly.region
            AND moment.provider IS NOT DISTINCT FROM hourly.provider
            AND moment.model IS NOT DISTINCT FROM hourly.model
            AND moment.basis = hourly.basis
)

SELECT
    priced.task_id,
    priced.region,
    priced.provider,
    priced.model,
    priced.basis,
    priced.calls,
    CASE WHEN priced.is_unpriced THEN priced.calls ELSE priced.unpriced_calls END AS calls_unpriced,
    priced.uncached,
    priced.uncached_context,
    priced.cached,
    priced.output,
    priced.output_context,
    priced.hourly,
    priced.hourly_g,
    coalesce(priced.hourly_wh / nullif(priced.energy_wh, 0), 0) AS hourly_share,
    coalesce(1000 * priced.hourly_carbon_g / nullif(priced.hourly_wh, 0), 0) AS hourly_g_per_kwh,
    priced.energy_wh,
    coalesce(priced.hourly_carbon_g, 0)
    + (priced.energy_wh - coalesce(priced.hourly_wh, 0)) * place.g_per_kwh / 1000
        AS carbon_g,
    priced.energy_wh * place.l_per_kwh / 1000 AS water_l
FROM priced
LEFT JOIN place
    ON
        priced.provider IS NOT DISTINCT FROM place.provider
        AND priced.region IS NOT DISTINCT FROM place.region
