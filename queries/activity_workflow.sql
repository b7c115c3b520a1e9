-- One row per month, workload and project: executions of tasks, calls once each, tokens, energy and carbon.
-- A task of two months is an execution in each of them; a call is in one. Central values add up over rows to
-- those of totals, and ends of ranges do not. A row_id is made as that of activity: w, and three columns.
--   row_id             what the row is known by, the same in every export
--   month              month in which the calls started, UTC, YYYY-MM
--   workload           agentic or user-facing
--   project            project of the task, else its service; NULL where nothing says
--   tasks              tasks, and traces without one, that made a model call in the month
--   calls              model calls
--   calls_unreported   those of them whose usage lacks a side: what is missing is in no sum
--   tokens             input and output together; NULL where no call reports them
--   energy_wh          Wh at the boundary, central; NULL where nothing is known of it
--   energy_low_wh      5 % of the draws of the factors
--   energy_high_wh     95 % of the draws of the factors
--   carbon_g           grams of CO2 equivalent, location-based, central
--   carbon_low_g       5 % of the draws of the factors and of the grid
--   carbon_high_g      95 % of the draws of the factors and of the grid
--   water_l            litres of water of site and grid, central
--   water_low_l        5 % of the draws
--   water_high_l       95 % of the draws
--   boundary           what the energy covers: accelerator, server or facility
--   factor_version     version of all factors together
--   share_estimated    part of the calls whose tokens agenttrace estimated, 0 to 1
--   share_incomplete   part of the calls whose usage lacks a side, or whose response ended early, 0 to 1
WITH
counted AS (
    SELECT
        strftime(call_rollup.hour, '%Y-%m') AS month, -- noqa: RF04
        coalesce(task_workload.workload, 'agentic') AS workload,
        task_workload.project,
        count(DISTINCT call_rollup.task_id) AS tasks,
        sum(call_rollup.calls)::BIGINT AS calls,
        sum(call_rollup.unpriced_calls)::BIGINT AS calls_unreported,
        sum(call_rollup.total_tokens)::BIGINT AS tokens,
        sum(call_rollup.total_tokens_calls) AS tokens_calls,
        sum(call_rollup.calls) FILTER (WHERE call_rollup.usage = 'estimated') AS calls_estimated,
        sum(call_rollup.calls) FILTER (
            WHERE
            call_rollup.usage IN ('partial', 'missing')
            OR call_rollup.outcome IN ('incomplete', 'abandoned', 'interrupted')
        ) AS calls_incomplete
    FROM call_rollup
    LEFT JOIN task_workload ON call_rollup.task_id = task_workload.task_id
    GROUP BY
        strftime(call_rollup.hour, '%Y-%m'),
        coalesce(task_workload.workload, 'agentic'),
        task_workload.project
    HAVING sum(call_rollup.calls) > 0
),

drawn AS (
    SELECT
        activity_draw.month,
        activity_draw.workload,
        activity_draw.project,
        activity_draw.draw,
        sum(activity_draw.energy_wh) AS energy_wh,
        sum(activity_draw.carbon_g) AS carbon_g,
        sum(activity_draw.water_l) AS water_l
    FROM activity_draw
    GROUP BY activity_draw.month, activity_draw.workload, activity_draw.project, activity_draw.draw
),

ranged AS (
    SELECT
        drawn.month,
        drawn.workload,
        drawn.project,
        low_of_draws(drawn.energy_wh) AS energy_low_wh,
        high_of_draws(drawn.energy_wh) AS energy_high_wh,
        low_of_draws(drawn.carbon_g) AS carbon_low_g,
        high_of_draws(drawn.carbon_g) AS carbon_high_g,
        low_of_draws(drawn.water_l) AS water_low_l,
        high_of_draws(drawn.water_l) AS water_high_l
    FROM drawn
    WHERE drawn.draw IS NOT NULL
    GROUP BY drawn.month, drawn.workload, drawn.project
)

SELECT
    'w' || left(
        sha256(
            concat_ws(chr(31), counted.month, counted.workload, coalesce(counted.project, chr(30)))
        ),
        12
    ) AS row_id,
    counted.month,
    counted.workload,
    counted.project,
    counted.tasks,
    counted.calls,
    counted.calls_unreported,
    CASE WHEN counted.tokens_calls > 0 THEN counted.tokens END AS tokens,
    central.energy_wh,
    least(ranged.energy_low_wh, central.energy_wh) AS energy_low_wh,
    greatest(ranged.energy_high_wh, central.energy_wh) AS energy_high_wh,
    central.carbon_g,
    least(ranged.carbon_low_g, central.carbon_g) AS carbon_low_g,
    greatest(ranged.carbon_high_g, central.carbon_g) AS carbon_high_g,
    central.water_l,
    least(ranged.water_low_l, central.water_l) AS water_low_l,
    greatest(ranged.water_high_l, central.water_l) AS water_high_l,
    factor_set.boundary,
    factor_set.version AS factor_version,
    coalesce(counted.calls_estimated, 0) / counted.calls AS share_estimated,
    coalesce(counted.calls_incomplete, 0) / counted.calls AS share_incomplete
FROM counted
CROSS JOIN factor_set
LEFT JOIN drawn AS central
    ON
        counted.month = central.month
        AND counted.workload = central.workload
        AND counted.project IS NOT DISTINCT FROM central.project
        AND central.draw IS NULL
LEFT JOIN ranged
    ON
        counted.month = ranged.month
        AND counted.workload = ranged.workload
        AND counted.project IS NOT DISTINCT FROM ranged.project
