-- One row per task that made a model call: its energy, carbon and water as ranges.
-- The error of a factor is common to all calls of a model and does not average out, so each draw prices the
-- whole task: the moments of a task and the coefficients of a draw are two vectors over what the task used,
-- and their product is the energy of the task in that draw.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   task_id          id of the task
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
-- What a task can use and has draws: each has a number, by which vectors are put in order.
used AS MATERIALIZED (
    SELECT
        energy_draw.region,
        energy_draw.provider,
        energy_draw.model,
        energy_draw.basis,
        row_number() OVER () AS number
    FROM energy_draw
    WHERE energy_draw.draw = 0
),

task_vector AS MATERIALIZED (
    SELECT
        task_moments.task_id,
        -- Draws are gathered by a number: by the text of an id that takes half as long again.
        row_number() OVER () AS task_number,
        sum(task_moments.calls)::BIGINT AS calls,
        sum(task_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(task_moments.energy_wh) AS energy_wh,
        sum(task_moments.carbon_g) AS carbon_g,
        sum(task_moments.water_l) AS water_l,
        list(used.number ORDER BY used.number) FILTER (WHERE used.number IS NOT NULL) AS used,
        flatten(list([
            coalesce(task_moments.uncached, 0),
            coalesce(task_moments.uncached_context, 0),
            coalesce(task_moments.cached, 0),
            coalesce(task_moments.output, 0),
            coalesce(task_moments.output_context, 0)
        ] ORDER BY used.number) FILTER (WHERE used.number IS NOT NULL)) AS moments,
        flatten(list([
            coalesce(task_moments.uncached, 0) - task_moments.hourly[1],
            coalesce(task_moments.uncached_context, 0) - task_moments.hourly[2],
            coalesce(task_moments.cached, 0) - task_moments.hourly[3],
            coalesce(task_moments.output, 0) - task_moments.hourly[4],
            coalesce(task_moments.output_context, 0) - task_moments.hourly[5]
        ] ORDER BY used.number) FILTER (WHERE used.number IS NOT NULL)) AS annual_moments,
        flatten(
            list(task_moments.hourly_g ORDER BY used.number) FILTER (WHERE used.number IS NOT NULL)
        ) AS hourly_moments_g
    FROM task_moments
    LEFT JOIN used
        ON
            task_moments.region IS NOT DISTINCT FROM used.region
            AND task_moments.provider IS NOT DISTINCT FROM used.provider
            AND task_moments.model IS NOT DISTINCT FROM used.model
            AND task_moments.basis = used.basis
    GROUP BY task_moments.task_id
),

-- Tasks that used the same share their coefficients.
member AS (
    SELECT
        alike.used,
        unnest(alike.used) AS number
    FROM (SELECT DISTINCT task_vector.used FROM task_vector) AS alike
),

draw AS (
    SELECT
        member.used,
        energy_draw.draw,
        flatten(list([
            energy_draw.j_uncached,
            energy_draw.j_uncached_context,
            energy_draw.j_cached,
            energy_draw.j_output,
            energy_draw.j_output_context
        ] ORDER BY used.number)) AS joules,
        flatten(list([
            energy_draw.j_uncached * energy_draw.g_per_kwh,
            energy_draw.j_uncached_context * energy_draw.g_per_kwh,
            energy_draw.j_cached * energy_draw.g_per_kwh,
            energy_draw.j_output * energy_draw.g_per_kwh,
            energy_draw.j_output_context * energy_draw.g_per_kwh
        ] ORDER BY used.number)) AS grams,
        flatten(list([
            energy_draw.j_uncached * energy_draw.l_per_kwh,
            energy_draw.j_uncached_context * energy_draw.l_per_kwh,
            energy_draw.j_cached * energy_draw.l_per_kwh,
            energy_draw.j_output * energy_draw.l_per_kwh,
            energy_draw.j_output_context * energy_draw.l_per_kwh
        ] ORDER BY used.number)) AS litres
    FROM member
    INNER JOIN used ON member.number = used.number
    INNER JOIN energy_draw
        ON
            used.region IS NOT DISTINCT FROM energy_draw.region
            AND used.provider IS NOT DISTINCT FROM energy_draw.provider
            AND used.model IS NOT DISTINCT FROM energy_draw.model
            AND used.basis = energy_draw.basis
    GROUP BY member.used, energy_draw.draw
),

task_draw AS (
    SELECT
        task_vector.task_number,
        list_inner_product(task_vector.moments, draw.joules) / 3600 AS energy_wh,
        (
            list_inner_product(task_vector.annual_moments, draw.grams)
            + list_inner_product(task_vector.hourly_moments_g, draw.joules)
        ) / 3.6e6 AS carbon_g,
        list_inner_product(task_vector.moments, draw.litres) / 3.6e6 AS water_l
    FROM task_vector
    INNER JOIN draw ON task_vector.used = draw.used
    WHERE task_vector.energy_wh IS NOT NULL
),

task_range AS (
    SELECT
        task_draw.task_number,
        low_of_draws(task_draw.energy_wh) AS energy_low_wh,
        high_of_draws(task_draw.energy_wh) AS energy_high_wh,
        low_of_draws(task_draw.carbon_g) AS carbon_low_g,
        high_of_draws(task_draw.carbon_g) AS carbon_high_g,
        low_of_draws(task_draw.water_l) AS water_low_l,
        high_of_draws(task_draw.water_l) AS water_high_l
    FROM task_draw
    GROUP BY task_draw.task_number
)

SELECT
    task_vector.task_id,
    task_vector.calls,
    task_vector.calls_unpriced,
    task_vector.energy_wh,
    least(task_range.energy_low_wh, task_vector.energy_wh) AS energy_low_wh,
    greatest(task_range.energy_high_wh, task_vector.energy_wh) AS energy_high_wh,
    task_vector.carbon_g,
    least(task_range.carbon_low_g, task_vector.carbon_g) AS carbon_low_g,
    greatest(task_range.carbon_high_g, task_vector.carbon_g) AS carbon_high_g,
    task_vector.water_l,
    least(task_range.water_low_l, task_vector.water_l) AS water_low_l,
    greatest(task_range.water_high_l, task_vector.water_l) AS water_high_l
FROM task_vector
LEFT JOIN task_range ON task_vector.task_number = task_range.task_number
