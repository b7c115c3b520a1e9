-- One row per task, place and kind of call in a zone of which hours were imported: what is known of them.
-- What is known of an hour weighs as much as the energy that fell into it; the rest is reckoned with the
-- annual figure of the place.
--   task_id          task of the calls
--   region           cloud region, where the host tells
--   provider         who answered
--   model            model that answered, else the one that was asked for
--   role             role of the calls
--   hidden           nobody reads the output as the answer of the task
--   whole_energy_wh  Wh estimated for all of the calls, central
--   energy_wh        Wh estimated for those in hours of which the average intensity is known
--   carbon_g         grams of CO2 equivalent of that energy, with the average intensity of each hour
WITH
zone AS (
    SELECT DISTINCT grid_hour.zone
    FROM grid_hour
    WHERE grid_hour.g_per_kwh IS NOT NULL
),

hour_energy AS (
    SELECT
        call_rollup.task_id,
        call_rollup.hour,
        call_rollup.region,
        call_rollup.provider,
        call_rollup.model,
        call_rollup.role,
        call_rollup.hidden,
        place.zone,
        (
            call_rollup.uncached * model_factor.j_uncached
            + call_rollup.uncached_context_x2 / 2 * model_factor.j_uncached_context
            + call_rollup.cached * model_factor.j_cached
            + call_rollup.output * model_factor.j_output
            + call_rollup.output_context_x2 / 2 * model_factor.j_output_context
        ) / 3600 AS energy_wh
    FROM call_rollup
    INNER JOIN place
        ON
            call_rollup.provider IS NOT DISTINCT FROM place.provider
            AND call_rollup.region IS NOT DISTINCT FROM place.region
    INNER JOIN zone ON place.zone = zone.zone
    INNER JOIN model_factor
        ON
            call_rollup.provider IS NOT DISTINCT FROM model_factor.provider
            AND call_rollup.model IS NOT DISTINCT FROM model_factor.model
            AND model_factor.basis = 'estimated'
)

SELECT
    hour_energy.task_id,
    hour_energy.region,
    hour_energy.provider,
    hour_energy.model,
    hour_energy.role,
    hour_energy.hidden,
    sum(hour_energy.energy_wh) AS whole_energy_wh,
    sum(hour_energy.energy_wh) FILTER (WHERE grid_hour.g_per_kwh IS NOT NULL) AS energy_wh,
    sum(hour_energy.energy_wh * grid_hour.g_per_kwh) / 1000 AS carbon_g
FROM hour_energy
LEFT JOIN grid_hour
    ON
        hour_energy.zone = grid_hour.zone
        AND hour_energy.hour = grid_hour.hour
GROUP BY
    hour_energy.task_id,
    hour_energy.region,
    hour_energy.provider,
    hour_energy.model,
    hour_energy.role,
    hour_energy.hidden
