-- One row per task that made a model call: its energy and carbon as ranges.
-- The error of a factor is common to all calls of a model and does not average out, so each draw prices the
-- whole task: the moments of a task and the coefficients of a draw are two vectors over all models, and their
-- product is the energy of the task in that draw.
-- A range is the 5 % to 95 % of the draws, widened where needed to hold the central value, which adds up over
-- parts as quantiles do not.
--   task_id          id of the task
--   calls            model calls
--   calls_unpriced   calls whose usage lacks a side: what is missing is in no sum
--   energy_wh        Wh at the facility, central estimate; NULL where no call reports its usage
--   energy_low_wh    5 % of the draws of the factors
--   energy_high_wh   95 % of the draws of the factors
--   carbon_g         grams of CO2 equivalent, central estimate
--   carbon_low_g     5 % of the draws of the factors and of the grid
--   carbon_high_g    95 % of the draws of the factors and of the grid
WITH
task_priced AS (
    SELECT
        task_moments.task_id,
        sum(task_moments.calls)::BIGINT AS calls,
        sum(task_moments.calls_unpriced)::BIGINT AS calls_unpriced,
        sum(task_moments.energy_wh) AS energy_wh
    FROM task_moments
    GROUP BY task_moments.task_id
),

model_order AS (
    SELECT
        model_factor.provider,
        model_factor.model,
        row_number() OVER (ORDER BY model_factor.provider, model_factor.model) AS position
    FROM model_factor
),

draw AS (
    SELECT
        model_factor_draw.draw,
        flatten(list([
            model_factor_draw.j_uncached,
            model_factor_draw.j_uncached_context,
            model_factor_draw.j_cached,
            model_factor_draw.j_output,
            model_factor_draw.j_output_context
        ] ORDER BY model_order.position)) AS coefficients
    FROM model_factor_draw
    INNER JOIN model_order
        ON
            model_factor_draw.provider IS NOT DISTINCT FROM model_order.provider
            AND model_factor_draw.model IS NOT DISTINCT FROM model_order.model
    GROUP BY model_factor_draw.draw
),

task_vector AS (
    SELECT
        task_priced.task_id,
        task_priced.calls,
        task_priced.calls_unpriced,
        task_priced.energy_wh,
        flatten(list([
            coalesce(task_moments.uncached, 0),
            coalesce(task_moments.uncached_context, 0),
            coalesce(task_moments.cached, 0),
            coalesce(task_moments.output, 0),
            coalesce(task_moments.output_context, 0)
        ] ORDER BY model_order.position)) AS moments
    FROM task_priced
    CROSS JOIN model_order
    LEFT JOIN task_moments
        ON
            task_priced.task_id = task_moments.task_id
            AND model_order.provider IS NOT DISTINCT FROM task_moments.provider
            AND model_order.model IS NOT DISTINCT FROM task_moments.model
    GROUP BY task_priced.task_id, task_priced.calls, task_priced.calls_unpriced, task_priced.energy_wh
),

task_draw AS (
    SELECT
        task_vector.task_id,
        task_vector.calls,
        task_vector.calls_unpriced,
        task_vector.energy_wh,
        grid_draw.g_per_kwh,
        CASE
            WHEN task_vector.energy_wh IS NOT NULL
                THEN list_inner_product(task_vector.moments, draw.coefficients) / 3600
        END AS drawn_wh
    FROM task_vector
    CROSS JOIN draw
    INNER JOIN grid_draw ON draw.draw = grid_draw.draw
),

task_range AS (
    SELECT
        task_draw.task_id,
        task_draw.calls,
        task_draw.calls_unpriced,
        task_draw.energy_wh,
        quantile_cont(task_draw.drawn_wh, [0.05, 0.95]) AS energies_wh,
        quantile_cont(task_draw.drawn_wh * task_draw.g_per_kwh / 1000, [0.05, 0.95]) AS carbons_g
    FROM task_draw
    GROUP BY task_draw.task_id, task_draw.calls, task_draw.calls_unpriced, task_draw.energy_wh
)

SELECT
    task_range.task_id,
    task_range.calls,
    task_range.calls_unpriced,
    task_range.energy_wh,
    least(task_range.energies_wh[1], task_range.energy_wh) AS energy_low_wh,
    greatest(task_range.energies_wh[2], task_range.energy_wh) AS energy_high_wh,
    task_range.energy_wh * grid.g_per_kwh / 1000 AS carbon_g,
    least(task_range.carbons_g[1], task_range.energy_wh * grid.g_per_kwh / 1000) AS carbon_low_g,
    greatest(task_range.carbons_g[2], task_range.energy_wh * grid.g_per_kwh / 1000) AS carbon_high_g
FROM task_range
CROSS JOIN grid
